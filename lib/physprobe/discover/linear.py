"""Linear laws with constant coefficients, judged mode by mode, each clip with its own parameters.

From the clips of one system, without labels: whether their frames have dynamics, of which order in
time, which of the candidates in `_laws` it obeys, its parameters, and its dispersion relation. What
a law has to show before it is named stands in `_verdict`.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from physprobe.discover._laws import CANNOT_TELL as CANNOT_TELL
from physprobe.discover._laws import VERDICTS as VERDICTS
from physprobe.discover._modes import FEWEST as FEWEST
from physprobe.discover._settings import Scale as Scale
from physprobe.discover._settings import Settings


def discover(
    spec: Settings,
    field: Sequence[np.ndarray] | np.ndarray,
    *,
    periodic: bool,
    scale: Scale,
    centre: bool = False,
    bent: bool = False,
    error: np.ndarray | None = None,
    truth: dict[str, np.ndarray] | None = None,
    system: str = "",
) -> tuple[list[dict], dict]:
    """Find the law that the clips of a system obey.

    Parameters
    ----------
    spec : Settings
        How many clips, modes and draws; see ``fit.methods.linear``.
    field : (clip, time, y, x, feature), or a sequence of clips
    periodic : bool
        Whether the grid has no walls.
    scale : Scale
        Size of a cell and length of a frame.
    centre : bool
        Take off what all clips have in common.
    bent : bool
        Whether it was read by what may bend the field; so are combinations of features.
    error : (period,), optional
        Squared amplitude of a wave of 0, 1, 2, ... periods per side that reading it errs by.
    truth : dict of str to (clip,), optional
        Labels, which the estimates are compared with in the end and nothing else.
    system : str
        Kind of the system, whose law the dispersion is compared with in the end.

    Returns
    -------
    rows : list of dict
        ``gain`` and ``unexplained`` of every candidate, ``succession``, ``second_order``,
        ``exponent``, ``anisotropy``, ``share`` of clips by verdict, ``parameter`` of the leading
        law, ``upper_limit`` of what laws with one parameter more have besides, ``relative_error``
        of parameters, ``false_verdicts`` of every control.
    blocks : dict
        ``verdict`` of the system; ``clips``: verdict, order and parameters of each; ``controls``:
        verdicts on them; ``observable``; ``dispersion``; ``truth``: the law that the system obeys.
    """
    # linear algebra waits until it is needed: config parsing imports this module
    from physprobe.discover import _report

    return _report.discover(
        spec,
        field,
        periodic=periodic,
        scale=scale,
        centre=centre,
        bent=bent,
        error=error,
        truth=truth or {},
        system=system,
    )


def rejections(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Which tests find something in one draw of clips that have no law."""
    from physprobe.discover import _noise

    return _noise.rejections(rng)
