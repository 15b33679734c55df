"""Rollout settings: which states are forecast from which starts, and when one is wrong."""

from typing import Literal

from pydantic import Field, field_validator

from physprobe.fit.methods._choices import Horizons
from physprobe.fit.section import MethodSpec


class Settings(MethodSpec):
    """Fields of a method that rolls latents on and reads angles off them."""

    angles: tuple[str, ...] = Field(("theta1", "theta2"), min_length=1)
    """States that are angles [rad]."""
    energy: tuple[str, ...] = ("kinetic", "potential")
    """States whose sum is conserved; empty: no drift is measured."""
    pace: str = "lyapunov"
    """Label of a clip's Lyapunov exponent [1/s]; valid times are told in its units too."""
    threshold: float = Field(0.3, gt=0)
    """Error [rad] up to which a forecast is valid."""
    horizons: Horizons = (1, 2, 4, 8, 16, 32)
    """Tokens ahead whose errors are told; the largest one is where valid times end. Those that are
    beyond a clip's end are left out: tokens may be of several frames."""
    orders: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    """Tokens that the linear models look at."""
    stride: int = Field(4, ge=1)
    """Tokens from one start to the next."""
    skip: int = Field(2, ge=2)
    """First token that is a start: before it linear models lack history, or the encoder frames."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which penalties are chosen."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals."""
    permutations: int = Field(200, ge=1)
    """Draws of the null of invariant statistics."""
    seed: int = Field(0, ge=0)
    """Seed of folds, draws and first weights."""

    @field_validator("angles", "energy")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError("each state once")
        return names

    @property
    def targets(self) -> tuple[str, ...]:
        """States that the system has to have."""
        return (*self.angles, *self.energy)
