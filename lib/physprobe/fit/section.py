"""Fit: what passes between a design, which chooses the clips, and a method, which is fitted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np

from physprobe.config.spec import Spec
from physprobe.statistics import splits
from physprobe.statistics.splits import Fold
from physprobe.store.results import Schema

if TYPE_CHECKING:
    from xarray import Dataset

    from physprobe.embed.section import Foresight
    from physprobe.fit._abroad import Abroad
    from physprobe.fit._motion import Motion
    from physprobe.fit._plane import Plane
    from physprobe.store.inputs import Inputs

Normalisation = Literal["zscore", "center", "none"]
"""Of features: mean and deviation, the mean alone, or nothing."""
if TYPE_CHECKING:
    Grouping = str
else:
    Grouping = Literal[tuple(splits.GROUPINGS)]
METHODS, DESIGNS = "fit/methods", "fit/designs"
SCHEMAS = {
    "probe": Schema("probe", ("method", "target", "sample", "layer", "time", "part")),
    "state": Schema("state", ("method", "target", "sample", "layer", "time", "part")),
    "recovery": Schema("recovery", ("method", "target", "layer", "lead", "part")),
    "energy": Schema("energy", ("method", "layer", "part")),
    "spread": Schema("spread", ("method", "layer", "part")),
    "rollout": Schema("rollout", ("method", "target", "layer", "horizon", "model")),
    "surprise": Schema(
        "surprise", ("method", "target", "model", "part", "context", "direction", "horizon")
    ),
    "decoder": Schema("decoder", ("method", "target", "layer", "horizon", "model", "baseline")),
    "dynamics": Schema(
        "dynamics", ("method", "layer", "horizon", "order", "model", "baseline", "equation")
    ),
    "head": Schema("head", ("method", "target", "layer", "horizon", "model", "baseline")),
    "law": Schema(
        "law",
        (
            "method",
            "target",
            "sample",
            "order",
            "law",
            "verdict",
            "quantity",
            "decoy",
            "baseline",
        ),
    ),
}
"""What comes of a method, by its role."""


class SpatialTokens(Protocol):
    """Tokens (clip, time, y, x, feature) of a layer: an array, or what is sliced like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(clip, time, y, x, feature)."""

    def __len__(self) -> int:
        """Count the clips."""

    def __getitem__(self, clips: slice, /) -> np.ndarray:
        """Read some clips."""


@dataclass(frozen=True)
class Given:
    """What a method is fitted to and scored on.

    Attributes
    ----------
    features : sequence over layers of (clip, time, feature)
        Read one at a time, so a lazy sequence will do.
    layers : (layer,) of str
    labels : mapping of str to (clip,)
    folds : sequence of Fold
    groups : (clip,), optional
        Clips that are drawn and permuted together; each on its own if not given.
    times : (time,), optional
        Mean time of each token [s].
    strata : (clip,), optional
        Clips that labels are permuted among, for the null of a split that follows from labels.
    components : int, optional
        Principal components, fitted on training clips, to use in place of the features.
    tokens : mapping of str to (clip, time, y, x, feature)
        Spatial tokens of the layers that keep them; each can be sliced along clips.
    states : mapping of str to (clip, time)
        What the system has at the last frame of each token, if it varies in time.
    advance : callable, optional
        The encoder's own predictor: features (row, feature) of the last layer one token later.
    frames : sequence over clips of (time, y, x, rgb) uint8, optional
        The last frame of each token; a clip is read when asked for.
    embedded : sequence over clips of (time, y, x, rgb) uint8, optional
        What was embedded, where ``frames`` are of another rendering of the same clips.
    motion : Motion, optional
        The system's own equation from any state on, where it has one.
    abroad : Abroad, optional
        A clip of another system, which nothing is fitted to.
    whole : sequence over clips of (frame, y, x, rgb) uint8, optional
        Every frame that was embedded; a clip is read when asked for.
    foresight : Foresight, optional
        The encoder's own predictor of tokens that are masked, for frames of that size.
    plane : Plane, optional
        What the encoder gives anywhere in the plane, of a system of points.
    """

    features: Sequence[np.ndarray]
    layers: Sequence[str]
    labels: Mapping[str, np.ndarray]
    folds: Sequence[Fold]
    groups: np.ndarray | None = None
    times: Sequence[float] | None = None
    strata: np.ndarray | None = None
    components: int | None = None
    tokens: Mapping[str, "SpatialTokens"] = field(default_factory=dict)
    states: Mapping[str, np.ndarray] = field(default_factory=dict)
    advance: Callable[[np.ndarray], np.ndarray] | None = None
    frames: Sequence[np.ndarray] | None = None
    embedded: Sequence[np.ndarray] | None = None
    motion: "Motion | None" = None
    abroad: "Abroad | None" = None
    whole: Sequence[np.ndarray] | None = None
    foresight: "Foresight | None" = None
    plane: "Plane | None" = None


@dataclass(frozen=True)
class OnGrid:
    """What a law is read off: whole clips of one system on a grid of its square.

    Attributes
    ----------
    clips : sequence of (time, y, x, feature)
        Each read when asked for.
    labels : mapping of str to (clip,)
        What estimates are compared with in the end.
    name : str
        What was read: the field by its name, ``video``, ``tokens_{layer}``, or ``pooled`` pixels.
    system : str
        Kind of the system.
    walls : bool
        Whether the square has walls; else what leaves it comes back.
    cell : float
        Side of a cell [px].
    frame : float
        Time from one frame, or token, to the next [s].
    bent : bool
        Whether it was read by what may bend the field, so that its strength is no evidence.
    error : (period,), optional
        Squared amplitude of a wave of 0, 1, 2, ... periods per side that reading errs by, at most.
    """

    clips: Sequence[np.ndarray]
    labels: Mapping[str, np.ndarray]
    name: str
    system: str
    walls: bool
    cell: float
    frame: float
    bent: bool = False
    error: np.ndarray | None = None

    @property
    def of_tokens(self) -> bool:
        """Whether a network has made the features, which adds something to all clips alike."""
        return self.name.startswith("tokens_")

    def first(self, clips: int) -> Self:
        """The same of the first clips alone."""
        labels = {name: label[:clips] for name, label in self.labels.items()}
        return replace(self, clips=_First(self.clips, clips), labels=labels)


@dataclass(frozen=True)
class _First(Sequence):
    """The first clips of some."""

    clips: Sequence[np.ndarray]
    most: int

    def __len__(self) -> int:
        return min(len(self.clips), self.most)

    def __getitem__(self, clip: int) -> np.ndarray:  # type: ignore[override]  # one at a time
        if not 0 <= clip < len(self):
            raise IndexError(clip)
        return self.clips[clip]


class MethodSpec(Spec):
    """What is asked of every method's spec; a kind overrides what it is."""

    TRAINED: ClassVar[bool] = False
    """Whether it is fitted by gradient steps: in float32, on a GPU where there is one."""
    SHORTEST: ClassVar[int] = 1
    """Times that a clip needs."""
    ROLLS: ClassVar[bool] = False
    """Whether it runs the predictor that an encoder may have of its own."""
    FILMED: ClassVar[bool] = False
    """Whether it takes the frames that were embedded, beside the embedding: of one system."""
    FORESEES: ClassVar[bool] = False
    """Whether that is a predictor of masked tokens, which is shown whole films."""
    MOVES: ClassVar[bool] = False
    """Whether it solves the system's own equation from states that it is not told."""
    ANYWHERE: ClassVar[bool] = False
    """Whether it runs the encoder on points of the plane that are no clips."""
    ROLE: ClassVar[
        Literal[
            "probe", "state", "recovery", "energy", "spread", "rollout", "surprise", "decoder",
            "dynamics", "head", "law",
        ]
    ]  # fmt: skip
    """What it is asked for: to decode labels, or states that vary in time, of each condition by
    itself or of all, to compare energies with a density, to say how far embeddings are spread, to
    roll states on by the encoder's own predictor, to be surprised by it, to draw what an embedding
    holds, to forecast pooled embeddings, to model the spatial tokens of its ``layer``, which an
    encoder has to keep, or to find the law that clips obey, in the field, the video, or such
    tokens."""

    if TYPE_CHECKING:
        # fields that most kinds have, each with its own defaults and words
        kind: str = ""
        seed: int = 0
        bootstraps: int = 0
        outer: int = 0
        inner: int = 0
        permutations: int = 0
        samples: tuple[Any, ...] = ()
        layer: str = ""
        label: str = ""
        clips: int = 0

        @property
        def targets(self) -> tuple[str, ...]:
            """What is decoded."""

    @property
    def of_classes(self) -> bool:
        """Whether what it decodes are classes, not numbers."""
        return False

    @property
    def folds_by(self) -> str:
        """Clips that are on one side of every fold; see ``splits.GROUPINGS``."""
        return "clip"

    @property
    def scored_apart(self) -> str | None:
        """Label whose values are scored apart as well, if any."""
        return None

    @property
    def also(self) -> str:
        """System whose first clip is shown besides, to which nothing is fitted; empty: none."""
        return ""

    @property
    def films(self) -> str:
        """System whose frames are drawn in the place of those embedded; empty: those."""
        return ""

    def choices(self, frames: int, tubelet: int) -> Iterator[tuple[int, int]]:
        """Lengths (context, window) to foresee films of so many frames by; of others none."""
        yield from ()

    def takes(self, encoder: Spec | None) -> bool:
        """Whether it can be fitted to an encoder; None stands for a system's own stores."""
        return encoder is not None

    def cut(self, system: "Dataset") -> tuple[np.ndarray, tuple[Fold, ...]]:
        """Groups (clip,) of a simulation's clips, and the folds that fits to them are scored on.

        Raises
        ------
        ValueError
            As for :func:`physprobe.statistics.splits.declared_by`.
        """
        return splits.declared_by(
            system, outer=self.outer, inner=self.inner, seed=self.seed, grouping=self.folds_by
        )

    def normalised(self, how: Normalisation) -> "MethodSpec":
        """The same under one normalisation of features.

        Raises
        ------
        ValueError
            If the method has no choice of them.
        """
        raise ValueError(f"{type(self).model_fields['kind'].default} has one normalisation only")


class Method(Protocol):
    """Module of ``fit/methods``: one file a method."""

    Spec: type[MethodSpec]

    @staticmethod
    def fit(spec: MethodSpec, given: Given | OnGrid) -> tuple[list[dict], dict]:
        """Rows, and further blocks of the result.

        Raises
        ------
        ValueError
            If the clips can't be fitted; the message says what would do.
        """
        ...


class Asked(Protocol):
    """What an entry asks to be fitted."""

    @property
    def filmed(self) -> tuple[str, ...]:
        """Systems."""

    @property
    def names(self) -> tuple[str, ...]:
        """Encoders and controls."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Entries of ``methods``."""

    @property
    def claims(self) -> Mapping[str, Spec]:
        """What is judged from it."""


@dataclass(frozen=True)
class Case:
    """One fit that a design asks for.

    Attributes
    ----------
    inputs : Inputs
        The stores, and where they come from.
    given : Given, or OnGrid for a law
    spec : MethodSpec
        The method's, as this case varies it.
    about : mapping
        What sets its rows apart from those of the design's other cases.
    setting : mapping
        What the result says of the clips besides.
    """

    inputs: "Inputs[MethodSpec]"
    given: Given | OnGrid
    spec: MethodSpec
    about: Mapping[str, object] = field(default_factory=dict)
    setting: Mapping[str, object] = field(default_factory=dict)


class Design(Spec):
    """Which clips are fitted, and which are scored; every kind derives its own."""

    SHARED: ClassVar[bool] = False
    """Whether its fits are a system's own, results/{system}/fits/, which all studies share."""
    BESIDE: ClassVar[tuple[str, ...]] = ()
    """Roles of methods whose ordinary fits of each system belong beside its own."""
    WHOLE: ClassVar[bool] = False
    """Whether it gives whole clips on their grid, which laws are read off."""

    if TYPE_CHECKING:
        kind: str = ""

    def fitted(self, systems: tuple[str, ...]) -> tuple[str, ...]:
        """Systems that its fits are of, that which is scored first."""
        return systems

    def aimed(self, targets: tuple[str, ...]) -> "Design":
        """The same for the targets of a study's claims, where the design chooses targets itself."""
        return self

    def shown(self, systems: Mapping[str, Any]) -> "Design":
        """The same with what it has to know of how the config's systems are rendered."""
        return self

    def problems(self, config: Any, where: str, asked: "Asked") -> Iterator[str]:
        """What of it doesn't go together with the rest of a config, a line each.

        Parameters
        ----------
        config : Config
        where : str
            Path of the entry that has the design.
        asked : Asked
            What is to be fitted.
        """
        yield from ()

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """Fits that are asked for.

        Parameters
        ----------
        embeddings, simulation : sequence of Path
            Root ``zarr.json`` of the stores, system by system.
        method : str
            JSON of the method's spec.
        member : int, optional
            Which of the encoder's networks, where the embeddings have several.

        Raises
        ------
        ValueError
            If the stores don't go together, or the method can't do what is asked.
        """
        raise NotImplementedError

    def result_schema(self, spec: MethodSpec) -> Schema:
        """What kind of result comes of a method."""
        return SCHEMAS[spec.ROLE]

    def system(self, names: Sequence[str]) -> str:
        """What the rows' ``system`` is, of the systems that are given: that which is scored."""
        return names[0]

    def gathered(self, found: Sequence[tuple[Case, list[dict], dict]]) -> tuple[list[dict], dict]:
        """Rows and blocks of the result, from those of every case; by default there is one."""
        ((case, rows, blocks),) = found
        return rows, {**blocks, **case.setting}
