"""Windows: which frames of films become clips, at which times, and which clips belong together.

A film is shown at one rate: its own, if its frames are evenly spaced, or one that is stated. Then
the frame nearest in time is taken, and how far it lies off is told. A window is ``frames`` of them,
``stride`` apart; windows start ``step`` apart. A film's windows are one group; a film that is cut
into pieces gives a group a piece, and what lies between two of them is in no window.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from physprobe.scenes.films.film import Fault, Film
from physprobe.scenes.films.tables import Row

ALIKE = 0.1  # of a frame: how far two rates may part within a window
FASTER = 1.01


@dataclass(frozen=True, eq=False)
class Timeline:
    """A film at one rate.

    Attributes
    ----------
    frames : (time,) int
        Frame of the film that is shown at each time.
    rate : float
        Times per second.
    shift : float
        How far a frame lies off its time at most [s].
    """

    frames: np.ndarray
    rate: float
    shift: float


def timeline(film: Film, row: Row | None, fps: float | None, rate: float | None) -> Timeline | str:
    """Frames of a film, or the part of one, at one rate; or why there are none.

    Parameters
    ----------
    film : Film
    row : Row, optional
        What the table says of it: ``start``, ``end``, ``fps``.
    fps : float, optional
        Frames per second of films that don't say when their frames are.
    rate : float, optional
        Rate that is wanted [1/s].
    """
    stated = row.fps if row and row.fps else None if film.times is not None else fps
    if stated:
        times, tick = np.arange(film.count) / stated, 0.0
    elif film.times is not None:
        times, tick = film.times, film.tick
    else:
        return "doesn't say when its frames are; `fps`, a column or a field of the entry, can"
    if film.count < 2:
        return f"has {film.count} frame, expected 2 at least"
    own = (film.count - 1) / float(times[-1])
    even = np.abs(times - np.arange(film.count) / own).max()
    if rate is None:
        if even > 1.01 * tick + 1e-6 / own:
            steps = np.diff(times)
            return (
                f"has a variable rate: {steps.min():.4f} to {steps.max():.4f} s between frames;"
                f" `frame_rate` states one, such as {own:.4g}"
            )
        rate, shown = own, np.arange(film.count)
    else:
        if rate > FASTER * own:
            return f"has {own:.4g} frames a second, fewer than the frame_rate of {rate:g}"
        grid = np.arange(int(np.floor((times[-1] + tick) * rate + 1e-6)) + 1) / rate
        shown = _nearest(times, grid)
    at = np.arange(len(shown)) / rate
    shift = float(np.abs(times[shown] - at).max())
    if row:
        low = row.start or 0.0
        high = np.inf if row.end is None else row.end
        if low > times[-1] or (np.isfinite(high) and high > times[-1] + 1.5 / own):
            end = f" to {high:g} s" if np.isfinite(high) else " s on"
            return f"lasts {times[-1] + 1 / own:.3f} s, and is used from {low:g}{end}"
        shown = shown[(at >= low - tick / 2) & (at < high - tick / 2)]
    return Timeline(shown, float(rate), shift)


def _nearest(times: np.ndarray, grid: np.ndarray) -> np.ndarray:
    after = np.clip(np.searchsorted(times, grid), 1, len(times) - 1)
    earlier = grid - times[after - 1] <= times[after] - grid
    return np.where(earlier, after - 1, after)


class Twin(NamedTuple):
    """How a window is shown: so many times its rate, backwards, upside down."""

    rate: int = 1
    reversed: bool = False
    flipped: bool = False


def twins(labels: Sequence[str]) -> tuple[Twin, ...]:
    """Every combination of what is asked for."""
    return tuple(
        Twin(rate, backwards, flipped)
        for rate in ((1, 2, 3) if "rate" in labels else (1,))
        for backwards in ((False, True) if "reversed" in labels else (False,))
        for flipped in ((False, True) if "flipped" in labels else (False,))
    )


def starts(
    length: int, *, span: int, step: int, pieces: int, gap: int = 0
) -> Iterator[tuple[int, int]]:
    """Piece, and first time, of each window that lies within one.

    Parameters
    ----------
    length : int
        Times of the film.
    span : int
        Times that a window reaches over.
    step : int
    pieces : int
    gap : int
        Times between two pieces.
    """
    cuts = np.linspace(0, length + gap, pieces + 1).round().astype(int)
    for piece, (first, last) in enumerate(pairwise(cuts)):
        for start in range(int(first), int(last) - gap - span + 1, step):
            yield piece, start


def alike(rates: dict[str, float], span: int) -> list[Fault]:
    """Films whose rate is not that of most, within what a window can't tell."""
    values = np.array(list(rates.values()))
    common = float(np.median(values))
    return [
        Fault(
            name,
            f"has {rate:.4g} frames a second, most have {common:.4g}; `frame_rate` states one",
        )
        for name, rate in rates.items()
        if abs(rate / common - 1) * span > ALIKE
    ]
