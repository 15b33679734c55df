"""Dynamics settings: how linear dynamics of pooled embeddings are fitted and scored."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from physprobe.fit.methods._choices import PENALTIES, Horizons, Penalties
from physprobe.fit.methods._pairs import FIRST
from physprobe.fit.section import MethodSpec


class Settings(MethodSpec):
    """Fields of a method that models linear dynamics of pooled embeddings."""

    SHORTEST: ClassVar[int] = FIRST + 3
    """Token times that a clip needs."""

    components: int = Field(32, ge=1)
    """Principal components that make up the latent space."""
    ranks: tuple[Annotated[int, Field(ge=3)], ...] = Field((4, 8, 16, 32), min_length=1)
    """Numbers of leading components with dynamics, to choose from; the others persist."""
    orders: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    """Frames of history, at equal parameter count; order 1 is always fitted."""
    horizons: Horizons = (1, 2, 4, 8, 16)
    """Tokens ahead that are scored; ascending."""
    penalties: Penalties = PENALTIES
    """Ridge penalties to choose from, relative to the inputs' mean eigenvalue; ascending."""
    report: tuple[str, ...] = ("final",)
    """Layers whose curves, clips and clouds are kept; the last one if the encoder lacks them."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which every choice is made."""
    shuffles: int = Field(200, ge=1)
    """Fits to time-shuffled training clips for the null."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals of scores."""
    spectra: int = Field(1000, ge=100)
    """Bootstrap draws over clips for the eigenvalues."""
    seed: int = Field(0, ge=0)
    """Seed of folds, shuffles and draws."""

    def scored(self, times: int) -> list[int]:
        """Horizons that clips of so many token times allow."""
        return [ahead for ahead in self.horizons if ahead < times - FIRST]
