"""Windowed: what recipes of V-JEPA 2 encoders are to training, whatever their loss."""

from typing import Any

from pydantic import Field

from physprobe.config.system import System
from physprobe.train._training import Training


class Windowed(Training):
    """Recipes whose encoder sees windows cut out of endless simulated clips."""

    @classmethod
    def family(cls) -> Any:
        """Windows of simulated clips, seen by a transformer."""
        from physprobe.train import _windows

        return _windows

    @property
    def worlds(self) -> tuple[System, ...]:
        """Those that windows are cut from."""
        return tuple(self.systems.values())

    @property
    def ancestors(self) -> tuple[str, ...]:
        """The smaller encoder that it grows from, if any."""
        return (self.grown_from,) if self.grown_from else ()

    @property
    def shown(self) -> str:
        """What the training clips show."""
        return ", ".join(self.systems)


class Future(Windowed):
    """Where the future begins, and how far it is predicted."""

    seen: tuple[int, int] = (2, 5)
    """Fewest and most tubelets that the encoder sees, drawn per step."""
    ahead: int = Field(3, gt=0)
    """Tubelets that are predicted."""
    predictor_layers: int = Field(2, gt=0)
    """Blocks of the predictor."""
    scale: float = Field(0.02, gt=0)
    """Change, over the colour range, from which on it counts by its logarithm."""

    def check_room(self) -> None:
        """Raise a ValueError if a window can't hold what is seen and what is predicted."""
        low, high = self.seen
        if not 1 <= low <= high:
            raise ValueError(f"seen has to ascend from 1 at least, not {low} to {high}")
        if low + self.ahead > self.grid[0]:
            raise ValueError(
                f"a window of {self.grid[0]} tubelets is too short to see {low} and to predict"
                f" {self.ahead} more"
            )
