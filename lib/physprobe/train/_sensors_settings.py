"""Sensors settings: which sensors linear networks see, one network per condition.

The clips are those that the system declares as training ones: networks learn the very sensors that
they are judged by, on other steps. All conditions of a member are trained at once, by their moments
(``_gaussian``): their losses are added, so that each one's gradient is its own.
"""

from typing import Self

from pydantic import Field, model_validator

from physprobe.config import kinds
from physprobe.config.system import System
from physprobe.embed.networks.network import Seeds
from physprobe.train._training import OfSystem, check_seeds

MODEL_TYPE = "physprobe_linear"
"""What config.json calls them."""


class Settings(OfSystem):
    """Fields of recipes that learn from the sensors of a system of conditions."""

    system: System
    """World that the clips come from, as it is embedded: those that it declares for training."""
    width: int = Field(4, gt=0)
    """Features of the latent."""
    standardise: bool = False
    """Whether each sensor has mean 0 and deviation 1 over the training clips, as in the official
    code; raw, as in the tutorial."""
    seeds: Seeds = (0,)
    """Seeds of weights: one network each for every condition. Those of one draw and seed begin with
    the same weights, whatever the other labels are."""
    steps: int = Field(10_000, gt=0)
    """Steps of Adam on all pairs at once."""
    epochs: int = Field(1, gt=0)
    """Checkpoints; the one of the highest score on labels is kept, so that one alone, after the
    last step, knows no label."""
    learning_rate: float = Field(1e-3, gt=0)
    """The same at every step."""
    weight_decay: float = Field(0.0, ge=0)
    """Of all weights."""
    warm_up: float = Field(0.0, ge=0, lt=1)
    """Part of the steps in which the learning rate rises."""
    clip: float = Field(1e12, gt=0)
    """Largest norm of the gradient of all conditions together; so large that it is none."""
    batch: int = Field(64, gt=0)
    """Frames that signs of collapse are looked at; every step sees all."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        kind = kinds.load("simulate", self.system.simulate.kind)
        if kind.FIELD != "sensors":
            raise ValueError(
                f"system: {self.system.simulate.kind} has no sensors; linear models see"
                " a system of kind noisy_tv"
            )
        check_seeds(self.seeds, 2**16)
        return self
