"""Head settings: how a model of the spatial tokens of one layer is fitted and scored."""

from pydantic import Field

from physprobe.fit.methods._choices import PENALTIES, Horizons, Penalties
from physprobe.fit.section import MethodSpec


class Settings(MethodSpec):
    """Fields of a method that models the spatial tokens of one layer, scaled by a label."""

    layer: str = "final"
    """Layer whose spatial tokens are modelled; the encoder's ``tokens`` has to name it."""
    label: str = "alpha"
    """Label that scales the kernel."""
    components: int | None = Field(None, ge=1)
    """Leading whitened channels to model; all if null."""
    horizons: Horizons = (1, 2, 4, 8, 16)
    """Steps from the first token that a rollout is scored at; ascending."""
    penalties: Penalties = PENALTIES
    """Ridge penalties to choose from, relative to a channel's mean eigenvalue; ascending."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which the penalty is chosen."""
    permutations: int = Field(200, ge=1)
    """Permutations of alpha between clips."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals of scores."""
    refits: int = Field(200, ge=100)
    """Bootstrap draws over clips for the kernels, each refitted."""
    seed: int = Field(0, ge=0)
    """Seed of folds, permutations and draws."""
