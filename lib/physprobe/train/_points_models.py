"""Points models: what the specs of recipes share whose small networks see points of the plane."""

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from physprobe.config import kinds
from physprobe.config.system import System
from physprobe.embed.networks.network import FIVE, Seeds
from physprobe.train._training import Schedule


class Points(Schedule):
    """Fields of the specs of recipes that learn from points of a mixture."""

    system: System
    """World that the points come from. Each member draws training points of its own from it, so
    that all of its clips are held out."""
    points: int = Field(5000, gt=0)
    """Training points of each member, of which every batch is drawn with replacement."""
    hidden: tuple[int, ...] = Field((128, 128), min_length=1)
    """Widths of the hidden layers."""
    activation: Literal["relu", "silu"] = "relu"
    """After each hidden layer."""
    seeds: Seeds = FIVE
    """Seeds of weights, training points and batches: one network each, trained together."""
    batch: int = Field(128, gt=1)
    """Points per step."""
    steps: int = Field(5000, gt=0)
    """Steps in all; what the tutorial calls an epoch is one of them."""
    epochs: int = Field(1, gt=0)
    """Checkpoints; the one of the highest score on labels is kept, so that one alone, after the
    last step, knows no label."""
    learning_rate: float = Field(1e-3, gt=0)
    """Of Adam."""
    rate: Literal["constant", "falls"] = "constant"
    """Whether the learning rate stays as it is, as published, or falls as a cosine."""
    weight_decay: float = Field(0.0, ge=0)
    """Of matrices."""
    warm_up: float = Field(0.0, ge=0, lt=1)
    """Part of the steps in which the learning rate rises."""
    clip: float = Field(1e12, gt=0)
    """Largest norm of the gradient; so large that it is none."""

    CARD: ClassVar = "points_card.md.j2"
    BETAS: ClassVar = (0.9, 0.999)
    OUTPUT: ClassVar[Literal["energy", "embedding"]] = "embedding"
    """What networks give of a point."""

    @classmethod
    def family(cls) -> Any:
        """Points of a mixture, seen by a small network."""
        from physprobe.train import _points

        return _points

    @property
    def deviations(self) -> tuple[float, ...]:
        """Deviations of the noise whose density is learned, each by a network of its own."""
        return (0.0,)

    @property
    def features(self) -> int:
        """Numbers that a network gives: one energy."""
        return 1

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each seed's network."""
        return {s: self.model_copy(update={"seeds": (s,), "seed": s}) for s in self.seeds}

    @property
    def together(self) -> bool:
        """They are: layers are small."""
        return True

    @property
    def decays(self) -> bool:
        """Whether the learning rate falls."""
        return self.rate == "falls"

    @property
    def worlds(self) -> tuple[System, ...]:
        """The one that its points come from."""
        return (self.system,)

    @property
    def shown(self) -> str:
        """What the training points are of."""
        return self.system.simulate.kind.replace("_", " ")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if kinds.load("simulate", self.system.simulate.kind).FIELD != "points":
            raise ValueError(
                f"system: {self.system.simulate.kind} has no points in a plane; name a system of"
                " kind mixture"
            )
        if not set(self.seeds) <= set(range(2**12)):
            raise ValueError(f"seeds: {max(self.seeds)} is not below {2**12}")
        return self


class Embeddings(Points):
    """Fields of the specs of recipes whose networks embed points."""

    embedding: int = Field(64, gt=0)
    """Features of the embedding."""

    @property
    def features(self) -> int:
        """Numbers that a network gives."""
        return self.embedding


class Followed(Embeddings):
    """Fields of those whose target is a moving average."""

    momentum: float = Field(0.99, ge=0, lt=1)
    """Of the target's moving average."""
