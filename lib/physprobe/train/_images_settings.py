"""Images settings: which images of one system networks see.

The images are those that the system names for training, and checkpoints are judged on those that it
names for validation. Of the training images the first by ``rank`` may be taken alone, for a curve
by their number.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from physprobe.config import kinds
from physprobe.config.latent import Latent
from physprobe.config.system import System
from physprobe.embed.networks.network import FIVE, Seeds
from physprobe.train._training import OfSystem, check_seeds


class Settings(Latent, OfSystem):
    """Fields of recipes that learn from images; as published by default."""

    system: System
    """World that the images come from, as it is embedded."""
    images: int | None = Field(None, gt=0)
    """Training images that are seen, the first by rank; by default all of them."""
    validation: str = "digit"
    """Label whose classes tell which checkpoint is kept, by five nearest neighbours."""
    network: Literal["pooled"] = "pooled"
    """Convolutions, each with its batch norm, and their mean over places."""
    history: Literal[1] = 1
    """An image is seen at once."""
    embedding: int = Field(128, gt=0)
    """Features of the latent."""
    channels: tuple[int, ...] = Field((64, 128, 256), min_length=1)
    """Of the convolutions, each of which halves the image's side, rounding up."""
    hidden: tuple[int, ...] = Field((128,), min_length=1)
    """Widths of the hidden layers of the predictor."""
    curriculum: int = Field(25, ge=0)
    """Stages in which the strength of what moves images grows from 0 on, always short of 1; none:
    it is 1 throughout."""
    seeds: Seeds = FIVE
    """Seeds of weights, batches and perturbations: one network each."""
    batch: int = Field(32, gt=0)
    """Images per step."""
    steps: int = Field(46_875, gt=0)
    """Steps in all; by default 25 times 60,000 images."""
    epochs: int = Field(5, gt=0)
    """Checkpoints, each judged on the validation images."""
    learning_rate: float = Field(1e-3, gt=0)
    """Of AdamW."""
    fall: bool = False
    """Whether it falls as a half cosine; as published it stays."""
    weight_decay: float = Field(0.01, ge=0)
    """Of matrices; biases and norms have none, which is not as published."""
    warm_up: float = Field(0.0, ge=0, lt=1)
    """Part of the steps in which the learning rate rises."""
    clip: float = Field(1e12, gt=0)
    """Largest norm of the gradient; so large that it is none."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        kind = kinds.load("simulate", self.system.simulate.kind)
        if kind.FIELD != "image":
            raise ValueError(
                f"system: {self.system.simulate.kind} has no images; a system of kind images has"
            )
        if self.validation not in kind.CLASSES:
            raise ValueError(
                f"validation: {self.system.simulate.kind} has no classes {self.validation!r}; it"
                f" has {', '.join(kind.CLASSES)}"
            )
        check_seeds(self.seeds, 2**16)
        return self
