"""Config: ``config.yaml`` as one validated model; an entry's fields are its kind's ``Spec``."""

import difflib
import json
import typing
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from physprobe.core import kinds, targets
from physprobe.core.kinds import any_spec
from physprobe.core.spec import Spec
from physprobe.core.system import Name, System

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
    """Entry of ``probes`` that decodes the labels."""
    koopman: Name
    """Entry of ``koopman`` that models the embedding's dynamics."""
    head: Name | None = None
    """Entry of ``koopman`` that models spatial tokens, of those encoders that keep them."""
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
    """Entry of ``probes`` that tells the equations apart."""
    koopman: Name
    """Entry of ``koopman`` that models the dynamics of each system, and of all together."""
    claims: dict[Name, any_spec("falsify")] = Field(default_factory=dict)
    """Statements with their test and threshold, declared before anything is run."""


class Calibration(Spec):
    """How often the tests are run on noise, and the intervals on planted truth."""

    noise: int = Field(200, gt=0)
    """Repetitions of the complete pipeline on features that know nothing of the labels."""
    planted: int = Field(400, gt=0)
    """Repetitions where the truth is known."""


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
    """Entry of ``probes``, of kind ``ridge``, that decodes the labels."""

    @field_validator("region")
    @classmethod
    def _ascending(cls, region: dict) -> dict:
        for name, (low, high) in region.items():
            if low >= high:
                raise ValueError(f"the range of {name} has to ascend")
        if region and all(span == (0.0, 1.0) for span in region.values()):
            raise ValueError("all clips are inside, so none is left to train on")
        return region


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
    """Entry of ``probes`` that decodes it."""
    target: str
    """One of the probe's targets."""
    sample: str = "clip"
    """One of the probe's samples."""
    metric: Literal["r2", "accuracy", "auc", "relative_accuracy"] = "r2"
    """R2 of a number; of classes accuracy, AUC, or the share of groups in the right order."""
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
    """Figures, each with its panels by name: results/{entry}/{figure}.json and .png."""


class Config(Spec):
    """Everything that ``config.yaml`` may say."""

    systems: dict[Name, System]
    """Physical worlds: results/{system}/."""
    recipes: dict[Name, any_spec("train")] = Field(default_factory=dict)
    """How encoders of our own are trained: results/encoders/{recipe}/, for ``model`` to name."""
    encoders: dict[Name, any_spec("embed")]
    """Frozen encoders under test."""
    controls: dict[Name, any_spec("embed")] = Field(default_factory=dict)
    """Twins and trivial statistics that could refute an encoder's score."""
    probes: dict[Name, any_spec("probe")]
    """What decodes labels from embeddings."""
    koopman: dict[Name, any_spec("koopman")]
    """Models of the embedding's dynamics."""
    discovery: Discovery = Field(default_factory=Discovery)
    """Laws from clips alone: results/{system}/discovery/{source}.json, results/discovery/."""
    studies: dict[Name, Study]
    """What belongs together: results/{study}/fit_metrics.json and its kin."""
    comparisons: dict[Name, Comparison] = Field(default_factory=dict)
    """Systems side by side: results/{comparison}/probes/{encoder}.{probe}.json."""
    calibration: Calibration | None = None
    """Rates of the tests on noise, of the intervals on planted truth; on the page if it is here."""
    transfers: dict[Name, Transfer] = Field(default_factory=dict)
    """Probes put to the test elsewhere: results/transfers/{transfer}.json and its figure."""
    layerwise: dict[Name, Layerwise] = Field(default_factory=dict)
    """Scores layer by layer: results/{entry}/{figure}.json and .png."""
    gates: dict[Name, Gate] = Field(default_factory=dict)
    """Comparisons with random weights: results/gates/{gate}.json."""

    @model_validator(mode="after")
    def _sections_fit(self) -> "Config":
        both = set(self.encoders) & set(self.controls)
        if both:
            raise ValueError(
                f"{', '.join(sorted(both))}: an encoder and a control need different names."
            )
        for name, study in self.studies.items():
            where = f"studies.{name}"
            self._evidence_fits(where, study, {study.system: study.probe})
            if study.head:
                _known(f"{where}.head", study.head, self.koopman)
                self._tokens_fit(where, study)
        for name, comparison in self.comparisons.items():
            where = f"comparisons.{name}"
            self._evidence_fits(where, comparison, comparison.parameters)
            for system in comparison.systems:
                _known(f"{where}.systems", system, self.systems)
                for entry in (*comparison.encoders, *comparison.controls):
                    self._frames_fit(where, system, entry)
            if name in {**self.systems, **self.studies}:
                raise ValueError(
                    f"{where}: a comparison needs a name that no system and no study has."
                )
            if self.probes[comparison.probe].targets != ("equation",):
                raise ValueError(
                    f"{where}.probe: {comparison.probe} has to tell equations apart."
                    f" Hint: set probes.{comparison.probe}.targets: [equation]."
                )
        for name, transfer in self.transfers.items():
            self._transfer_fits(f"transfers.{name}", transfer)
        for entry in self.discovery.systems:
            _known("discovery.systems", entry, self.systems)
        for entry in self.discovery.sources:
            _known("discovery.sources", entry, dict.fromkeys(self.with_grid()))
        for name, entry in self.layerwise.items():
            self._curves_fit(f"layerwise.{name}", entry)
        for name, gate in self.gates.items():
            where = f"gates.{name}"
            _known(f"{where}.encoder", gate.encoder, self.encoders)
            for entry in gate.random:
                _known(f"{where}.random", entry, self.controls)
            for system, probe in gate.probes.items():
                _known(f"{where}.probes", system, self.systems)
                _known(f"{where}.probes.{system}", probe, self.probes)
                self._labels_fit(f"{where}.probes.{system}", system, probe)
                for entry in (gate.encoder, *gate.random):
                    self._frames_fit(where, system, entry)
        return self

    def embedding(self, name: str) -> Spec:
        """Spec of an encoder or a control."""
        return self.encoders[name] if name in self.encoders else self.controls[name]

    def with_tokens(self, study: Study) -> list[str]:
        """Encoders of a study that keep the spatial tokens that its head needs."""
        if not study.head:
            return []
        layer = self.koopman[study.head].layer
        return [n for n in study.encoders if layer in getattr(self.encoders[n], "tokens", ())]

    def _evidence_fits(
        self, where: str, asked: Study | Comparison, systems: Mapping[str, str]
    ) -> None:
        """Everything that a study or a comparison names is there, and goes together."""
        self._embeddings_fit(where, asked, systems)
        _known(f"{where}.koopman", asked.koopman, self.koopman)
        for name, claim in asked.claims.items():
            for entry in claim.encoders:
                _known(f"{where}.claims.{name}.encoders", entry, dict.fromkeys(asked.encoders))
            for key in ("system", "against"):
                if system := getattr(claim, key, ""):
                    known = dict.fromkeys((*systems, *getattr(asked, "systems", ())))
                    _known(f"{where}.claims.{name}.{key}", system, known)

    def _embeddings_fit(
        self, where: str, asked: Study | Comparison | Transfer, systems: Mapping[str, str]
    ) -> None:
        """Encoders, controls and probes are there, and can do what is asked of each system."""
        _known(f"{where}.probe", asked.probe, self.probes)
        for entry in asked.encoders:
            _known(f"{where}.encoders", entry, self.encoders)
        for entry in asked.controls:
            _known(f"{where}.controls", entry, self.controls)
        for system, probe in systems.items():
            _known(f"{where}.system", system, self.systems)
            _known(f"{where}.probe", probe, self.probes)
            self._labels_fit(f"{where}.probe", system, probe)
            for entry in (*asked.encoders, *asked.controls):
                self._frames_fit(where, system, entry)

    def _transfer_fits(self, where: str, transfer: Transfer) -> None:
        if not transfer.onto and not transfer.region:
            raise ValueError(
                f"{where}: nothing to transfer to. Hint: name a system as onto, or a region of"
                " labels to hold out, or both."
            )
        self._embeddings_fit(where, transfer, {transfer.system: transfer.probe})
        kind = self.probes[transfer.probe].kind
        if kind != "ridge":
            raise ValueError(f"{where}.probe: {transfer.probe} is of kind {kind}, not ridge.")
        own = self.systems[transfer.system]
        labels = kinds.load("simulate", own.simulate.kind).UNITS
        for label in transfer.region:
            _known(f"{where}.region", label, labels)
        if transfer.onto:
            _known(f"{where}.onto", transfer.onto, self.systems)
            other = self.systems[transfer.onto]
            if other.simulate != own.simulate:
                fields = _differing(own.simulate, other.simulate)
                raise ValueError(
                    f"{where}.onto: {transfer.onto} and {transfer.system} simulate different clips"
                    f" ({', '.join(fields)}). Hint: give both the same simulate entry."
                )
            if other.render == own.render:
                raise ValueError(
                    f"{where}.onto: {transfer.onto} and {transfer.system} are rendered alike."
                    f" Hint: set another systems.{transfer.onto}.render."
                )

    def with_grid(self) -> list[str]:
        """What a law can be read off: the field, the video, and whatever keeps its spatial grid."""
        layer = self.discovery.method.layer
        grids = [
            name
            for name, spec in (*self.encoders.items(), *self.controls.items())
            if layer in getattr(spec, "tokens", ())
            or (spec.kind == "pixels" and spec.tubelet_frames == "mean")
        ]
        return ["field", "video", *grids]

    def _labels_fit(self, where: str, system: str, probe: str) -> None:
        kind = self.systems[system].simulate.kind
        module = kinds.load("simulate", kind)
        labels = (*module.UNITS, *getattr(module, "CLASSES", ()))
        for target in self.probes[probe].targets:
            if not targets.labels_of(target, labels):
                raise ValueError(
                    f"{where}: {probe} asks for target {target!r}, but {kind} has"
                    f" the labels {', '.join(labels)}.{_nearest(target, labels)}"
                )
        if by := getattr(self.probes[probe], "by", None):
            _known(f"probes.{probe}.by, on {system}", by, labels)

    def _curves_fit(self, where: str, entry: Layerwise) -> None:
        for encoder in entry.encoders:
            _known(f"{where}.encoders", encoder, self.encoders)
        for control in entry.controls:
            _known(f"{where}.controls", control, self.controls)
        for figure, panels in entry.figures.items():
            for panel, curve in panels.items():
                here = f"{where}.figures.{figure}.{panel}"
                _known(f"{here}.system", curve.system, self.systems)
                _known(f"{here}.probe", curve.probe, self.probes)
                probe = self.probes[curve.probe]
                if (probe.kind == "logistic") == (curve.metric == "r2"):
                    what = "classes, which have no" if probe.kind == "logistic" else "numbers, not"
                    raise ValueError(f"{here}.metric: {curve.probe} is of {what} {curve.metric}.")
                if curve.part and not getattr(probe, "by", None):
                    raise ValueError(
                        f"{here}.part: {curve.probe} scores nothing apart."
                        f" Hint: set probes.{curve.probe}.by."
                    )
                for field in ("target", "sample"):
                    _known(f"{here}.{field}", getattr(curve, field), getattr(probe, f"{field}s"))
                self._labels_fit(f"{here}.probe", curve.system, curve.probe)
                for name in (*entry.encoders, *entry.controls):
                    self._frames_fit(here, curve.system, name)

    def _frames_fit(self, where: str, system: str, name: str) -> None:
        frames = self.systems[system].simulate.frames
        spec = self.embedding(name)
        tubelet = kinds.load("embed", spec.kind).tubelet(spec)
        if tubelet and frames % tubelet:
            raise ValueError(
                f"{where}: {system} has {frames} frames, which {name} can't cut into"
                f" tubelets of {tubelet}. Hint: set systems.{system}.simulate.frames to a"
                f" multiple of {tubelet}."
            )

    def _tokens_fit(self, where: str, study: Study) -> None:
        first = study.encoders[0]
        if first not in self.with_tokens(study):
            layer = self.koopman[study.head].layer
            raise ValueError(
                f"{where}.head: {study.head} needs the spatial tokens of layer {layer!r}."
                f" Hint: set encoders.{first}.tokens: [{layer!r}]."
            )


class ConfigError(ValueError):
    """A config that can't be used; its text is all that a user needs."""


def load(content: Mapping) -> Config:
    """Config from the plain content of ``config.yaml``.

    Raises
    ------
    ConfigError
        If anything in it is wrong: path, what was found, what would be right.
    """
    try:
        return Config.model_validate(content)
    except ValidationError as error:
        problems = "\n".join(f"  {line}" for line in _explain(error))
        raise ConfigError(f"config.yaml can't be used:\n{problems}") from None


def read(path: Path) -> Config:
    """Config from a YAML file."""
    return load(yaml.safe_load(path.read_text()))


def _explain(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        path = [str(step) for step in problem["loc"]]
        found = problem["input"]
        match problem["type"]:
            case "default_factory_not_called":
                continue  # it waits for a field that is wrong, which is reported itself
            case "extra_forbidden":
                model, path = _model_at(path)
                known = list(model.model_fields)
                yield (
                    f"{'.'.join(path)}: unknown key.{_nearest(path[-1], known)}"
                    f" Known here: {', '.join(known)}."
                )
            case "union_tag_invalid":
                known = [tag.strip(" '") for tag in problem["ctx"]["expected_tags"].split(",")]
                kind = problem["ctx"]["tag"]
                yield (
                    f"{'.'.join(path)}.kind: found {kind!r}.{_nearest(kind, known)}"
                    f" Known kinds: {', '.join(known)}."
                )
            case "missing":
                yield f"{'.'.join(_model_at(path)[1])}: missing."
            case "value_error" if not path:
                yield str(problem["ctx"]["error"])
            case _:
                text = problem["msg"].removeprefix("Value error, ")
                where = ".".join(_model_at(path)[1])
                yield f"{where}: found {found!r}; {text[0].lower()}{text[1:].rstrip('.')}."


def _model_at(path: list[str]) -> tuple[type[Spec], list[str]]:
    """Model that a path of pydantic's ends in, and the path as it stands in the file."""
    model, shown = Config, []
    here: Any = Config
    for step in path:
        options = _specs(here)
        tagged = [spec for spec in options if len(options) > 1 and _kind(spec) == step]
        if tagged:
            here = model = tagged[0]
            continue
        shown.append(step)
        if isinstance(here, type) and issubclass(here, Spec):
            model = here
            here = here.model_fields[step].annotation if step in here.model_fields else None
        elif typing.get_origin(here) is dict:
            here = typing.get_args(here)[1]
            if len(_specs(here)) == 1:
                here = _specs(here)[0]
    return model, shown


def _specs(hint: Any) -> list[type[Spec]]:
    if isinstance(hint, type) and issubclass(hint, Spec):
        return [hint]
    return (
        [spec for part in typing.get_args(hint) for spec in _specs(part)]
        if not _is_dict(hint)
        else []
    )


def _is_dict(hint: Any) -> bool:
    return typing.get_origin(hint) is dict


def _kind(spec: type[Spec]) -> str | None:
    field = spec.model_fields.get("kind")
    return field.default if field else None


def _known(where: str, name: str, section: Collection[str]) -> None:
    if name not in section:
        raise ValueError(
            f"{where}: found {name!r}.{_nearest(name, section)} Known: {', '.join(section)}."
        )


def _differing(one: Spec, other: Spec) -> list[str]:
    """Fields of two specs that are not the same."""
    first, second = one.dump(), other.dump()
    if first["kind"] != second["kind"]:
        return ["kind"]
    return [field for field in first if first[field] != second[field]]


def _nearest(word: str, known: typing.Iterable[str]) -> str:
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def schema() -> str:
    """JSON schema of ``config.yaml``, for editors."""
    return json.dumps(Config.model_json_schema(), indent=1) + "\n"


def write_schema(*, out: Path = Path("workflow/config.schema.json")) -> None:
    """Write the JSON schema that editors use to check ``config.yaml``.

    Parameters
    ----------
    out : Path
        Where it goes.
    """
    out.write_text(schema())
