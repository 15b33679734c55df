"""Training: what the specs of recipes share - schedule, architecture, data, validation."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from physprobe.config import kinds, problems
from physprobe.config.architecture import Architecture
from physprobe.config.spec import Spec
from physprobe.config.system import Name, System
from physprobe.statistics import targets

MADE = Path("results/encoders")
"""Where recipes write."""
STREAM = 2**32
"""Training clips have seeds from here on; the seeds of ``config.yaml`` end below."""
VALIDATION = 2**62
"""Validation clips have seeds from here on: no training step reaches them."""
LEFT = 20_000
"""Clips that are left to studies, of systems whose draws are fixed: training clips come after."""
STEPS = 2**40
"""Of a stream, per seed: streams of different seeds don't meet either."""

Systems = Annotated[dict[Name, System], Field(min_length=1)]


def check_seeds(seeds: Sequence[int], most: int) -> None:
    """Raise a ValueError if a member's seed is not below what a family has room for."""
    if not set(seeds) <= set(range(most)):
        raise ValueError(f"seeds: {max(seeds)} is not below {most}")


class Schedule(Spec):
    """How the networks of any recipe are optimised."""

    if TYPE_CHECKING:
        kind: str

    batch: int = Field(48, gt=0)
    """Windows per step."""
    steps: int = Field(1500, gt=0)
    """Steps in all."""
    epochs: int = Field(10, gt=0)
    """Checkpoints, each judged on the validation clips."""
    learning_rate: float = Field(1.5e-3, gt=0)
    """Highest learning rate of AdamW."""
    weight_decay: float = Field(0.05, ge=0)
    """Of matrices; biases and norms have none."""
    warm_up: float = Field(0.05, ge=0, lt=1)
    """Part of the steps in which the learning rate rises; then it falls as a cosine."""
    clip: float = Field(1.0, gt=0)
    """Largest norm of the gradient."""
    seed: int = Field(0, ge=0, lt=2**16)
    """Seed of weights and stream."""

    BETAS: ClassVar[tuple[float, float]] = (0.9, 0.95)
    """Of AdamW."""
    CARD: ClassVar[str] = "card.md.j2"
    """Template of the card, in this folder."""

    @property
    def ancestors(self) -> tuple[str, ...]:
        """Encoders that training starts from."""
        return ()

    @property
    def worlds(self) -> tuple[System, ...]:
        """Systems that its clips come from."""
        raise NotImplementedError

    @classmethod
    def family(cls) -> Any:
        """Where batches come from, and how what is trained on them is judged and kept."""
        raise NotImplementedError

    @property
    def source(self) -> str | None:
        """System of the config whose stores are read; by default clips are simulated on the way."""
        return None

    @property
    def seen_share(self) -> float:
        """Share of the groups of clips that there are to train on which it is shown."""
        return 1.0

    def misfits(self, system: System) -> Iterator[str]:
        """What of the system whose stores are read doesn't go together with it, field in front."""
        yield from ()

    def descends(self, recipes: Mapping[str, "Schedule"]) -> Iterator[str]:
        """Why it can't start from what other recipes train, field in front."""
        yield from ()

    def unseen(self, system: System, name: str) -> Iterator[str]:
        """Why what it trains can't embed the clips of a system, or may not be scored on them."""
        yield from ()

    def reading(self, clips: Sequence[Path], simulation: Sequence[Path]) -> Self:
        """The same, with the stores that are read; by default there are none.

        Raises
        ------
        ValueError
            If there are others than it needs.
        """
        if clips or simulation:
            raise ValueError(f"{self.kind}: reads no stores. Hint: leave --clips out.")
        return self

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network that is trained, by its seed."""
        return {self.seed: self}

    @property
    def together(self) -> bool:
        """Whether members are trained in one stack, where that is faster: see ``_members``."""
        return False

    @property
    def decays(self) -> bool:
        """Whether the learning rate falls after the warm-up."""
        return True

    @property
    def shown(self) -> str:
        """What the training clips show, in a few words."""
        raise NotImplementedError


class Several(Schedule):
    """Recipes that train a network for each of several seeds."""

    if TYPE_CHECKING:
        seeds: tuple[int, ...]

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network, by its seed."""
        return {s: self.model_copy(update={"seeds": (s,), "seed": s}) for s in self.seeds}


class OfSystem(Several):
    """Recipes that learn from clips of one system, made on the way."""

    if TYPE_CHECKING:
        system: System

    @property
    def worlds(self) -> tuple[System, ...]:
        """The one that its clips come from."""
        return (self.system,)

    @property
    def shown(self) -> str:
        """What the training clips show."""
        return self.system.simulate.kind.replace("_", " ")


class Training(Architecture, Schedule):
    """Fields of the specs of V-JEPA 2 encoders that see windows of fields.

    Recipes derive from ``_windowed.Windowed``, which says where their windows come from.
    """

    systems: Systems
    """Worlds that training clips come from, in equal parts; clips and seed are not used."""
    validation: dict[Name, tuple[str, ...]] = Field(min_length=1)
    """Labels to decode, by system: the checkpoint with the highest mean R2 is kept."""
    validation_clips: int = Field(120, ge=20)
    """Clips per system that checkpoints are judged on."""

    grown_from: str | None = None
    """Smaller V-JEPA 2 to start from, physprobe/{name} for what ships with the package, or a
    folder. Features and blocks that it lacks are put beside and on top of its own."""
    frozen: int = Field(0, ge=0)
    """Modules that keep their first weights: 1 is the patch embedding, 2 the first block too. What
    random features give away for free then stays in the encoder's first layers."""

    crop: int = Field(32, gt=0)
    """Side of the windows cut out of training clips [px]: positions are relative, so it may be
    smaller than ``crop_size``, and costs the less. What is no field is seen whole."""
    frames: int = Field(16, gt=1)
    """Frames of a training window, and those that the finished encoder sees at once."""
    strides: tuple[int, ...] = Field((1, 2), min_length=1)
    """Simulated frames from one frame of a window to the next, drawn per window."""
    windows: int = Field(3, gt=0)
    """Windows cut out of each simulated clip."""
    colormaps: tuple[str, ...] = Field(("inferno", "viridis", "gray", "coolwarm"), min_length=1)
    """Colormaps to draw from, so that the encoder can't live off one rendering."""
    jitter: float = Field(0.05, ge=0, lt=0.5)
    """Largest change of either end of the colour range, over its width."""
    noise: float = Field(1.0, ge=0)
    """Largest standard deviation of noise added to frames [levels of 255]."""

    @model_validator(mode="after")
    def _fits(self) -> "Training":
        unknown = sorted(set(self.validation) - set(self.systems))
        if unknown:
            raise ValueError(
                f"validation: {unknown[0]!r} is none of the systems {', '.join(self.systems)}"
            )
        if self.crop % self.patch_size:
            raise ValueError(f"crop has to be a multiple of patch_size, {self.patch_size}")
        if self.frames % self.tubelet_size:
            raise ValueError(f"frames has to be a multiple of tubelet_size, {self.tubelet_size}")
        if self.frozen > self.num_hidden_layers:
            raise ValueError(f"frozen: {self.frozen} of the modules leave no block to train")
        for name, system in self.systems.items():
            self._streams(f"systems.{name}", system)
        for name, wanted in self.validation.items():
            kind = self.systems[name].simulate.kind
            labels = kinds.load("simulate", kind).UNITS
            for target in wanted:
                if not targets.labels_of(target, labels):
                    raise ValueError(
                        f"validation.{name}: {kind} has no {target!r}; it has the labels"
                        f" {', '.join(labels)}.{problems.nearest(target, labels)}"
                    )
        return self

    def _streams(self, where: str, system: System) -> None:
        """Raise a ValueError if a system doesn't give endless clips that windows fit in."""
        simulate, render = system.simulate, system.render
        if kinds.load("simulate", simulate.kind).endless(simulate, 1, STREAM) is None:
            raise ValueError(f"{where}: {simulate.kind} has no endless clips; its own are fixed")
        needed = (self.frames - 1) * max(self.strides) + 1
        if render.kind != "fields":
            self._films(where, system, needed)
        elif simulate.frames < needed or simulate.size < self.crop:
            raise ValueError(
                f"{where}: {simulate.frames} frames of {simulate.size} px are too few for windows"
                f" of {needed} frames of {self.crop} px"
            )

    def _films(self, where: str, system: System, needed: int) -> None:
        """Raise a ValueError if whole frames of a system don't make windows."""
        size = dict(system.render).get("size", dict(system.simulate).get("size"))
        if size is None:
            raise ValueError(f"{where}: {system.render.kind} draws no frames of one size")
        if size != self.crop or system.simulate.frames < needed:
            raise ValueError(
                f"{where}: {system.simulate.frames} frames of {size} px don't make windows of"
                f" {needed} frames of {self.crop} px; what is no field is cut in time alone"
            )

    @property
    def grid(self) -> tuple[int, int, int]:
        """Tokens of a training window along time, y and x."""
        side = self.crop // self.patch_size
        return self.frames // self.tubelet_size, side, side
