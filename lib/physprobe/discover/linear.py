"""Linear laws with constant coefficients, judged mode by mode, each clip with its own parameters.

From the clips of one system, without labels: whether their frames have dynamics, of which order in
time, which of the candidates in `_laws` it obeys, its parameters, and its dispersion relation. What
a law has to show before it is named stands in `_verdict`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.discover._laws import CANNOT_TELL as CANNOT_TELL


class Spec(Base):
    """What is read of the clips, and how often chance is asked."""

    kind: Literal["linear"] = "linear"
    """Linear laws with constant coefficients."""
    clips: int = Field(60, ge=1)
    """Clips that are read, the first ones."""
    controls: int = Field(12, ge=1)
    """Clips of which controls without a law are made."""
    layer: str = "final"
    """Layer of an embedding whose spatial tokens are read."""
    band: int = Field(8, ge=2)
    """Most periods per side of the modes."""
    modes: int = Field(48, ge=8)
    """Modes that are kept, the strongest ones."""
    components: int = Field(16, ge=1)
    """Principal components of the features that are kept."""
    observable: bool = True
    """Seek the combination of features that obeys a law best, and judge that; else all of them."""
    centred: bool = True
    """Take off what all clips' tokens have in common at a time and place; fields and pixels have
    nothing of the kind and are left as they are."""
    shuffles: int = Field(999, ge=199)
    """Shuffles of the frames for the test that their order matters."""
    nulls: int = Field(20, ge=10)
    """Simulated first-order clips that a second order is compared with, per clip."""
    bootstraps: int = Field(200, ge=100)
    """Bootstrap draws over modes and clips."""
    shown: int = Field(8, ge=0)
    """Clips whose dispersion is kept mode by mode."""
    seed: int = Field(0, ge=0)
    """Seed of shuffles, nulls and draws."""


@dataclass(frozen=True)
class Scale:
    """What a cell and a frame are."""

    cell: float
    """[px]"""
    frame: float
    """[s]"""

    def parameter(self, name: str) -> float:
        """Factor from cells and frames to px and s."""
        powers = {"alpha": 2, "vy": 1, "vx": 1, "c": 1, "gamma": 0}
        return self.cell ** powers[name] / self.frame


def discover(
    spec: Spec,
    field: Sequence[np.ndarray] | np.ndarray,
    *,
    periodic: bool,
    scale: Scale,
    centre: bool = False,
    truth: dict[str, np.ndarray] | None = None,
    system: str = "",
) -> tuple[list[dict], dict]:
    """Find the law that the clips of a system obey.

    Parameters
    ----------
    spec : Spec
    field : (clip, time, y, x, feature), or a sequence of clips
    periodic : bool
        Whether the grid has no walls.
    scale : Scale
        Size of a cell and length of a frame.
    centre : bool
        Take off what all clips have in common.
    truth : dict of str to (clip,), optional
        Labels, which the estimates are compared with in the end and nothing else.
    system : str
        Kind of the system, whose law the dispersion is compared with in the end.

    Returns
    -------
    rows : list of dict
        ``gain`` and ``unexplained`` of every candidate, ``succession``, ``second_order``,
        ``exponent``, ``anisotropy``, ``share`` of clips by verdict, ``relative_error`` of
        parameters, ``false_verdicts`` of every control.
    blocks : dict
        ``verdict`` of the system; ``clips``: verdict, order and parameters of each; ``controls``:
        verdicts on them; ``observable``; ``dispersion``.
    """
    # linear algebra waits until it is needed: config parsing imports this module
    from physprobe.discover import _report

    return _report.discover(
        spec,
        field,
        periodic=periodic,
        scale=scale,
        centre=centre,
        truth=truth or {},
        system=system,
    )


def rejections(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Which tests find something in one draw of clips that have no law."""
    from physprobe.discover import _noise

    return _noise.rejections(rng)
