"""Points settings: which points of the plane small networks see, and how these are made."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from physprobe.config import kinds
from physprobe.config.system import System
from physprobe.embed.networks.network import FIVE, Seeds
from physprobe.train._training import OfSystem, check_seeds


class Settings(OfSystem):
    """Fields of recipes that learn from points of a mixture."""

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

    OUTPUT: ClassVar[Literal["energy", "embedding"]] = "embedding"
    """What networks give of a point."""

    @property
    def deviations(self) -> tuple[float, ...]:
        """Deviations of the noise whose density is learned, each by a network of its own."""
        return (0.0,)

    @property
    def features(self) -> int:
        """Numbers that a network gives: one energy."""
        return 1

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if kinds.load("simulate", self.system.simulate.kind).FIELD != "points":
            raise ValueError(
                f"system: {self.system.simulate.kind} has no points in a plane; name a system of"
                " kind mixture"
            )
        check_seeds(self.seeds, 2**12)
        return self
