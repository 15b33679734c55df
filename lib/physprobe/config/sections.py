"""Sections: what the entries of ``config.yaml`` say that have no kind."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from physprobe.config import kinds
from physprobe.config.kinds import any_spec
from physprobe.config.spec import Spec
from physprobe.config.system import Name
from physprobe.statistics import splits

Sample = Literal["clip", "token", "temporal_last", "temporal_first", "temporal_diff"]
Normalisation = Literal["zscore", "center", "none"]
Quantile = Annotated[float, Field(ge=0, le=1)]


class Study(Spec):
    """What is asked of which system: encoders, the controls that could refute them, claims."""

    system: Name
    """System that the study films."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test; the first one fills the published keys of ``fit_metrics.json``."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that every score is put beside."""
    probe: Name
    """Entry of ``methods`` that decodes the labels."""
    koopman: Name
    """Entry of ``methods`` that models the embedding's dynamics."""
    head: Name | None = None
    """Entry of ``methods`` that models spatial tokens, of those encoders that keep them."""
    claims: dict[Name, any_spec("falsify")] = Field(default_factory=dict)
    """Statements with their test and threshold, declared before anything is run."""


class Gate(Spec):
    """What a trained encoder has to beat before it is worth shipping."""

    encoder: Name
    """The trained one."""
    random: tuple[Name, ...] = Field(min_length=5)
    """Controls: the same architecture with random weights, several seeds."""
    probes: dict[Name, Name] = Field(min_length=1)
    """Probe whose targets are decoded, by system."""
    margin: float = Field(0.05, ge=0)
    """Largest loss of R2 that any single target may have."""


class Comparison(Spec):
    """Systems side by side: can their equations be told apart, and what needs which dynamics."""

    systems: tuple[Name, ...] = Field(min_length=2)
    """Systems that share their initial conditions: whose equations are told apart."""
    parameters: dict[Name, Name] = Field(default_factory=dict)
    """Systems whose labels are decoded, each with its probe; these or others of the same laws."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test; the first one fills the published keys of ``fit_metrics.json``."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that every score is put beside."""
    probe: Name
    """Entry of ``methods`` that tells the equations apart."""
    koopman: Name
    """Entry of ``methods`` that models the dynamics of each system, and of all together."""
    claims: dict[Name, any_spec("falsify")] = Field(default_factory=dict)
    """Statements with their test and threshold, declared before anything is run."""


class Calibration(Spec):
    """How often tests and solvers are run on noise, and intervals on planted truth."""

    noise: int = Field(200, gt=0)
    """Repetitions of the complete pipeline on features that know nothing of the labels."""
    planted: int = Field(400, gt=0)
    """Repetitions where the truth is known."""
    chance: int = Field(20, gt=1)
    """Repetitions of each solver on noise, for its chance level."""


class Transfer(Spec):
    """Whether what a probe has learnt holds elsewhere: in another rendering, beyond its range."""

    system: Name
    """System whose clips are trained on."""
    onto: Name | None = None
    """System whose clips are scored: the same ``simulate`` in another ``render``."""
    region: dict[Name, tuple[Quantile, Quantile]] = Field(default_factory=dict)
    """Labels with a range between quantiles: clips inside all of them are never trained on."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that are transferred in the same way."""
    probe: Name
    """Entry of ``methods``, of kind ``ridge``, that decodes the labels."""

    @property
    def design(self) -> Spec:
        """Which clips are fitted, and which are scored."""
        return kinds.load("fit/designs", "elsewhere").Spec(region=self.region)

    @model_validator(mode="after")
    def _designed(self) -> Self:
        _ = self.design  # refuses what it can't be made of
        return self


class Discovery(Spec):
    """How laws are read off clips, and for which systems and sources verdicts are counted."""

    method: any_spec("discover") = Field(
        default_factory=lambda: kinds.load("discover", "linear").Spec()
    )
    """How a law is read off: results/{system}/discovery/{source}.json."""
    systems: tuple[Name, ...] = ()
    """Systems that results/discovery/metrics.json is about."""
    sources: tuple[Name, ...] = ("field", "video")
    """What they are read off there: field, video, encoders and controls with spatial tokens."""


class Curve(Spec):
    """One panel of a layerwise figure: a target, decoded from every layer."""

    system: Name
    """System whose clips it is decoded from."""
    probe: Name
    """Entry of ``methods`` that decodes it."""
    target: str
    """One of the probe's targets."""
    sample: str = "clip"
    """One of the probe's samples."""
    metric: Literal["r2", "accuracy", "auc", "relative_accuracy"] = "r2"
    """R2 of a number; of classes accuracy, AUC, or the share of groups in the right order."""
    encoders: tuple[Name, ...] = ()
    """Encoders of this panel, such as those of several sizes; none: those of the entry."""
    part: str | None = None
    """Value of the probe's ``by`` that is scored apart; all clips if not given."""
    published: Name | None = None
    """Curve of ``report/published_layers.yaml``, drawn beside ours if the encoder is the same."""


class Layerwise(Spec):
    """Where in an encoder labels become readable: scores of every layer beside the controls."""

    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` on the same axes."""
    threshold: float = Field(0.8, gt=0, lt=1)
    """Score that counts as readable: a label sets in at the first layer that reaches it."""
    figures: dict[Name, dict[Name, Curve]] = Field(min_length=1)
    """Figures, each with its panels by name: results/{entry}/{figure}.json and .png. Encoders that
    differ in depth are drawn twice, against the part of their blocks and against the number."""

    def names(self, curve: Curve) -> tuple[str, ...]:
        """Encoders and controls of a panel."""
        return (*(curve.encoders or self.encoders), *self.controls)


class Robust(Spec):
    """A statement that is put to every specification of a multiverse."""

    statement: str
    """What is claimed, in one sentence."""
    targets: tuple[str, ...] = Field(min_length=1)
    """Forms of the label that it may be decoded in, such as ``sincos_direction``; an axis too."""
    beyond: Literal["controls", "chance"] = "controls"
    """What it has to beat: the best control in the same specification, or nothing (and shuffled
    labels, where the solver has them)."""
    margin: float = 0.0
    """The whole 95 % interval of the difference, or of R2, has to lie above this."""


class Multiverse(Spec):
    """Every combination of choices that one could defend: which share supports each claim."""

    system: Name
    """System whose labels are decoded."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders under test."""
    controls: tuple[Name, ...] = ()
    """Entries of ``controls`` that answer the same specifications."""
    methods: tuple[Name, ...] = Field(min_length=1)
    """Entries of ``methods`` that decode numbers, such as ``ridge`` and ``trained_sweep``."""
    samples: tuple[Sample, ...] = Field(("clip", "temporal_last", "temporal_diff"), min_length=1)
    """What of a clip's tokens is a row."""
    layers: tuple[Literal["selected", "final"] | Quantile, ...] = Field(
        (0.5, 1.0, "final", "selected"), min_length=1
    )
    """Parts of the blocks applied, from 0 (patch embedding) to 1; ``final``, after the last
    LayerNorm; ``selected``, the one that the method chooses."""
    groupings: tuple[Literal[tuple(splits.GROUPINGS)], ...] = Field(("clip",), min_length=1)
    """Clips that are on one side of every fold."""
    normalisations: tuple[Normalisation, ...] = Field(("zscore", "center", "none"), min_length=1)
    """Of features; two that are the same to a method count once."""
    claims: dict[Name, Robust] = Field(min_length=1)
    """Statements with their threshold, declared before anything is run."""

    @property
    def design(self) -> Spec:
        """Every combination of choices, for the targets of all claims."""
        targets = dict.fromkeys(t for claim in self.claims.values() for t in claim.targets)
        axes = ("samples", "layers", "groupings", "normalisations")
        return kinds.load("fit/designs", "every_way").Spec(
            targets=tuple(targets), **{axis: getattr(self, axis) for axis in axes}
        )


class Local(Spec):
    """Where in the image spatial tokens hold a label: under the ball, far from it, by patch."""

    system: Name
    """System of balls."""
    encoders: tuple[Name, ...] = Field(min_length=1)
    """Encoders and controls that keep the spatial tokens of the layer."""
    layer: str = "final"
    """Layer whose tokens are read."""
    method: Name
    """Entry of ``methods``, of kind ``ridge``: what is decoded."""

    @property
    def design(self) -> Spec:
        """Parts of the image in place of layers."""
        return kinds.load("fit/designs", "places").Spec(layer=self.layer)
