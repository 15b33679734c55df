"""Decoder settings: what is drawn, how that is trained, and which forecasts are told of."""

from typing import Self

from pydantic import Field, model_validator

from physprobe.fit.methods._choices import Horizons
from physprobe.fit.section import MethodSpec


class Settings(MethodSpec):
    """Fields of a method that draws the frames that an embedding is of."""

    size: int = Field(32, ge=8, le=128)
    """Side of the frames that are drawn [px]: means over areas of what was rendered."""
    channels: tuple[int, ...] = Field((16, 32, 64), min_length=1)
    """Maps by resolution, from the finest; each transposed convolution doubles the side."""
    steps: int = Field(2000, ge=1)
    """Most steps."""
    batch: int = Field(64, ge=1)
    """Frames per step."""
    learning_rate: float = Field(2e-3, gt=0)
    """Highest one."""
    checks: int = Field(20, ge=1)
    """How often validation clips are looked at, at most; the best state is kept."""
    patience: int = Field(4, ge=1)
    """Checks without a better one after which training ends."""
    abroad: str = ""
    """Another system, such as a real film, whose first clip goes through encoder and decoder too:
    what moves in it, on black, cut to a square; nothing is trained on it."""
    clean: str = ""
    """System whose frames are drawn in the place of those that were embedded: of the same clips,
    rendered otherwise."""
    pace: str = "lyapunov"
    """Label of a clip's Lyapunov exponent [1/s], by which clips to show are chosen too."""
    angles: tuple[str, ...] = ("theta1", "theta2")
    """States that are angles [rad], read off what is drawn as far as the system has them."""
    rank: int = Field(64, ge=1)
    """Principal components of frames that ``dmd`` maps."""
    horizons: Horizons = (1, 2, 4, 8, 16, 32)
    """Tokens ahead that are told, as far as clips are long enough."""
    stride: int = Field(4, ge=1)
    """Tokens from one start of a forecast to the next."""
    skip: int = Field(2, ge=0)
    """First token that a forecast starts from: before it encoders may lack frames."""
    outer: int = Field(5, ge=2)
    """Outer folds, of which the first is fitted; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips; the first one's clips say when to stop."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals."""
    seed: int = Field(0, ge=0)
    """Seed of folds, weights, batches and draws."""

    @model_validator(mode="after")
    def _halves(self) -> Self:
        factor = 2 ** len(self.channels)
        if self.size % factor:
            raise ValueError(
                f"size: {len(self.channels)} channels double a side to multiples of {factor}, not"
                f" {self.size}"
            )
        return self
