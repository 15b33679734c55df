"""Settings: what a discovery asks of its caller, and what a cell and a frame are."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from physprobe.discover._laws import LAWS


class Settings(Protocol):
    """Sizes and draws of a discovery; the method ``linear`` of ``fit`` says what each is."""

    @property
    def band(self) -> int:
        """Most periods per side of the modes."""

    @property
    def modes(self) -> int:
        """Modes that are kept, the strongest ones."""

    @property
    def components(self) -> int:
        """Principal components of the features that are kept."""

    @property
    def observable(self) -> bool:
        """Whether a combination of features is sought."""

    @property
    def controls(self) -> int:
        """Clips of which controls without a law are made."""

    @property
    def shuffles(self) -> int:
        """Shuffles of the frames."""

    @property
    def nulls(self) -> int:
        """Simulated first-order clips, per clip."""

    @property
    def bootstraps(self) -> int:
        """Draws over modes and clips."""

    @property
    def shown(self) -> int:
        """Clips whose dispersion is kept mode by mode."""

    @property
    def seed(self) -> int:
        """Seed of shuffles, nulls and draws."""


@dataclass(frozen=True)
class Scale:
    """What a cell and a frame are."""

    cell: float
    """[px]"""
    frame: float
    """[s]"""

    def parameter(self, name: str) -> float:
        """Factor from cells and frames to px and s; of what several laws have, the first's."""
        law = next(law for law in LAWS if name in law.parameters)
        return law.units(np.zeros((1, len(law.parameters))), self.cell, self.frame)[
            0, law.parameters.index(name)
        ]
