"""Films: what moves of a study's fits, each kind by the name of its file."""

from collections.abc import Sequence
from pathlib import Path

from physprobe.figures import _alike, _film, _phase, _walk

FILMS = {
    "forecast.mp4": _film,
    "phase.gif": _phase,
    "langevin.gif": _walk,
    "similarities.gif": _alike,
}


def run(*, fits: Sequence[Path], out: Path) -> None:
    """Write a film: ``forecast.mp4`` of what decoders draw, ``phase.gif`` of what is recovered.

    ``langevin.gif`` of points that scores draw, ``similarities.gif`` of what is like a point.

    Parameters
    ----------
    fits : sequence of Path
        Results of the study's encoders, in their order, by the methods that the film is of.
    out : Path
        The film; its name says which.

    Raises
    ------
    ValueError
        If there is no film of that name, or the results have nothing to show.
    """
    if out.name not in FILMS:
        raise ValueError(f"{out}: no such film. Hint: known are {', '.join(FILMS)}.")
    FILMS[out.name].run(fits=fits, out=out)
