"""Clips settings: which clips of one system small networks see, and how much of each."""

from typing import Self

from pydantic import Field, model_validator

from physprobe.config import kinds, problems
from physprobe.config.latent import Latent
from physprobe.config.system import System
from physprobe.embed.networks.network import FIVE, Seeds
from physprobe.statistics import targets
from physprobe.train._training import LEFT, OfSystem, check_seeds


class Settings(Latent, OfSystem):
    """Fields of recipes that learn from the clips of one system."""

    system: System
    """World that the clips come from; its own seed is not used, nor how many clips it has. Of one
    whose draws are fixed it is clips that no study has: those from number 20,000 on."""
    clips: int = Field(2000, gt=0)
    """Training clips, simulated and drawn once into a file; memory holds few of their frames."""
    validation: tuple[str, ...] = Field(min_length=1)
    """Labels or states to decode: the checkpoint with the highest mean R2 is kept."""
    validation_clips: int = Field(200, ge=20)
    """Clips that checkpoints are judged on."""
    horizon: int = Field(8, gt=0)
    """Frames ahead that are predicted in training."""
    published: dict[str, float] = Field(default_factory=dict)
    """Published values of columns of ``training.csv`` after the last step, for the card to set ours
    beside: reproduced are those within a twentieth."""
    seeds: Seeds = FIVE
    """Seeds of weights and batches: one network each, whose spread is part of every interval."""
    learning_rate: float = Field(1e-3, gt=0)
    """Highest learning rate of AdamW."""
    weight_decay: float = Field(0.0, ge=0)
    """Of matrices; biases and norms have none."""
    batch: int = Field(256, gt=0)
    """Windows per step, each of its own clip at its own time."""

    @property
    def window(self) -> int:
        """Frames of a training window: those that are seen at first, and those ahead."""
        return self.history + self.horizon

    @model_validator(mode="after")
    def _fits(self) -> Self:
        simulate = self.system.simulate
        fields = type(simulate).model_fields.keys()
        if "clips" not in fields:
            raise ValueError(f"system: {simulate.kind} has no endless clips; its own are fixed")
        if "seed" not in fields and simulate.clips > LEFT - self.validation_clips:
            raise ValueError(
                f"system: draws of {simulate.kind} are fixed, and those from {LEFT} on are trained"
                f" on, the {self.validation_clips} before them judge; {simulate.clips} clips are"
                " too many for a study of their own"
            )
        if simulate.frames < self.window:
            raise ValueError(
                f"system: clips of {simulate.frames} frames are too short for windows of"
                f" {self.window}, history {self.history} and horizon {self.horizon}"
            )
        kind = kinds.load("simulate", simulate.kind)
        known = {**kind.UNITS, **kind.STATES}
        for target in self.validation:
            if not targets.labels_of(target, known):
                raise ValueError(
                    f"validation: {simulate.kind} has no {target!r}; it has"
                    f" {', '.join(known)}.{problems.nearest(target, known)}"
                )
        check_seeds(self.seeds, 2**16)
        return self
