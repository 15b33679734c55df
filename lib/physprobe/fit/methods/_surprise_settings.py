"""Surprise settings: how films are cut into what is seen and what is foreseen."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, field_validator

from physprobe.fit.section import MethodSpec


class Settings(MethodSpec):
    """Fields of a method that asks how much a film surprises an encoder's own predictor."""

    targets: tuple[str] = ("possible",)  # type: ignore[assignment]
    """Label that says which films are possible, 1, and which are not, 0."""
    by: str | None = None
    """Label whose values are scored apart as well, such as ``principle``."""
    windows: tuple[int, ...] = Field((16,), min_length=1)
    """Frames of a window, to choose from; those longer than films, or than the encoder was trained
    on, are left out."""
    contexts: tuple[int, ...] = Field((4, 6, 8, 10, 12), min_length=1)
    """Frames of a window that are seen, to choose from; the others are foreseen."""
    stride: int = Field(2, ge=1)
    """Frames from one window to the next."""
    goal: Literal["window", "causal"] = "window"
    """What targets see: their window, as in training, or no frames after their own."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(2, ge=2)
    """Inner folds; lengths are chosen on all training clips of an outer fold."""
    permutations: int = Field(200, ge=1)
    """Draws of the null."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over groups for the intervals."""
    seed: int = Field(0, ge=0)
    """Seed of folds, shuffled contexts and draws."""

    @field_validator("windows", "contexts")
    @classmethod
    def _ascend(cls, lengths: tuple[int, ...]) -> tuple[int, ...]:
        if min(lengths) < 1 or list(lengths) != sorted(set(lengths)):
            raise ValueError("lengths are positive and ascend")
        return lengths

    def choices(self, frames: int, tubelet: int) -> Iterator[tuple[int, int]]:
        """Lengths (context, window) that films of so many frames can be cut into.

        Parameters
        ----------
        frames : int
        tubelet : int
            Frames per token, which both lengths are multiples of.
        """
        for window in self.windows:
            for context in self.contexts:
                whole = window % tubelet == 0 and context % tubelet == 0
                if whole and context < window <= frames:
                    yield context, window
