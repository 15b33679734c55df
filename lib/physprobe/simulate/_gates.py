"""Gates: laws that clips on a periodic square have to keep, and what a data set must not lack."""

from collections.abc import Iterable, Mapping

import numpy as np

from physprobe.simulate import _spectral
from physprobe.simulate._initial import BAND

# Amplitudes are of order 1 in float32; sums over a frame and transforms gather its rounding.
POINTWISE, SUMMED = 1e-6, 1e-5
# Half a grey level per pixel over a whole clip: more than any static clip that was published has
# (0.0016), a third of what the slowest blob does here.
MOTION = 0.002
# Fewer values than this are classes, not a quantity.
DISTINCT = 20


def within(field: np.ndarray, low: float, high: float, slack: float = POINTWISE) -> None:
    """Every value is finite, and in the range that one scale of colours can show.

    Parameters
    ----------
    field : (time, y, x)
    low, high : float
        Range, the same for all clips.
    slack : float
        What the values may be beyond it.

    Raises
    ------
    ValueError
        If the gate is broken: where, expected, got. So do all gates below.
    """
    sound = (field >= low - slack) & (field <= high + slack)
    if (frame := first(np.all(sound, axis=(1, 2)))) is not None:
        y, x = np.argwhere(~sound[frame])[0]
        raise ValueError(
            f"range: frame {frame} is {field[frame, y, x]:.6g} at y {y}, x {x}; expected"
            f" {low:g} to {high:g}."
        )


def budget(field: np.ndarray) -> None:
    """Nothing comes in or goes out: every frame holds as much as the first."""
    held = field.sum(2).sum(1, dtype=float)
    if (frame := first(np.abs(held - held[0]) <= SUMMED * np.abs(held[0]))) is not None:
        raise ValueError(
            f"budget: frame {frame} holds {held[frame]:.8g}; expected the {held[0]:.8g} of"
            f" frame 0, to a relative {SUMMED:g}."
        )


def maximum_principle(field: np.ndarray) -> None:
    """No frame is anywhere higher or lower than the frame before it was."""
    flat = field.reshape(len(field), -1)
    for word, extreme, sign in (("rises", flat.max(1), 1), ("falls", flat.min(1), -1)):
        if (frame := first(sign * np.diff(extreme) <= POINTWISE)) is not None:
            raise ValueError(
                f"maximum principle: frame {frame + 1} {word} to {extreme[frame + 1]:.6g}; expected"
                f" nothing beyond the {extreme[frame]:.6g} of frame {frame}."
            )


def moves(field: np.ndarray, low: float, high: float) -> None:
    """The clip is not a still: its motion is at least half a grey level per pixel.

    Motion is the sum over frames of mean |u[t] - u[t-1]|, in parts of the range of colours.

    Parameters
    ----------
    field : (time, y, x)
    low, high : float
        Range of colours.
    """
    motion = np.abs(np.diff(field, axis=0)).mean((1, 2), dtype=float).sum() / (high - low)
    if not motion >= MOTION:
        raise ValueError(
            f"motion: {motion:.2g} of the colour range over the clip; expected {MOTION:g} or more."
            " Hint: faster parameters, or more frames."
        )


def every_mode(field: np.ndarray, factors: np.ndarray) -> None:
    """Every mode does what the equation makes of it, and no mode comes from nowhere.

    Parameters
    ----------
    field : (time, y, x) float32
    factors : (time, mode_y, mode_x)
        Expected a_k(t) / a_k(0), for all modes that initial conditions have.
    """
    cells = field.shape[1]
    start = _spectral.analyse(field[0].astype(float), BAND)
    expected = _spectral.film(start * factors, cells)
    apart = field - expected
    if (frame := first((np.abs(apart) <= SUMMED).all((1, 2)))) is not None:
        found, right = (np.fft.rfft2(f[frame], norm="forward") for f in (field, expected))
        mode = np.unravel_index(np.argmax(np.abs(found - right)), found.shape)
        row = (mode[0] + cells // 2) % cells - cells // 2
        raise ValueError(
            f"every mode: mode ({row}, {mode[1]}) of frame {frame} is {found[mode]:.6g}; expected"
            f" {right[mode]:.6g}, and every value within {SUMMED:g}."
        )


def varied(labels: Mapping[str, np.ndarray], names: Iterable[str]) -> None:
    """Labels are quantities: none of them has collapsed to a few values.

    Parameters
    ----------
    labels : mapping of str to (clip,)
    names : iterable of str
        Those that were drawn from a range.
    """
    for name in names:
        values = np.unique(labels[name])
        expected = min(DISTINCT, len(labels[name]))
        if len(values) < expected:
            raise ValueError(
                f"labels: {name} has {len(values)} distinct values in {len(labels[name])} clips,"
                f" {values.min():g} to {values.max():g}; expected {expected} or more. Hint: a probe"
                " of it would measure nothing."
            )


def finite(field: np.ndarray, alpha: float) -> None:
    """Every value is finite; for published clips, which are here to break the other laws.

    Parameters
    ----------
    field : (time, y, x)
    alpha : float
        Of the clip, for the message.
    """
    if (frame := first(np.isfinite(field).all((1, 2)))) is not None:
        raise ValueError(f"finite values: frame {frame} has others (alpha {alpha:g}).")


def first(sound: np.ndarray) -> int | None:
    """Number of the first frame (time,) that is not sound, if any isn't."""
    return None if sound.all() else int(np.argmin(sound))
