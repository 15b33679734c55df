"""Poles: how a mode turns and fades from frame to frame, whatever the law.

A mode that obeys a linear law of order p is a sum of p exponentials z^t; so is any linear feature
of it. The windows of its course then span p directions only, and one frame later they are the same
windows times a p x p matrix, whose eigenvalues are the poles z (ESPRIT). White noise adds to
every direction alike and leaves the leading ones where they are.

References
----------
Roy and Kailath, ESPRIT - estimation of signal parameters via rotational invariance techniques,
IEEE Trans. Acoust. Speech Signal Process. 37 (1989) 984-995.
"""

import numpy as np

from physprobe.discover._modes import Modes

LONGEST = 16  # frames of a window


def windows(amplitude: np.ndarray) -> np.ndarray:
    """Products of a mode's windows, summed over starts and features.

    Parameters
    ----------
    amplitude : (clip, mode, time, feature)

    Returns
    -------
    (clip, mode, lag, lag)
        Add up those of some clips to get their common poles.
    """
    frames = amplitude.shape[2]
    length = max(3, min(LONGEST, frames // 2))
    view = np.lib.stride_tricks.sliding_window_view(amplitude, frames - length + 1, axis=2)
    # (clip, mode, lag, feature, start): row i of the window is the course from frame i on
    stacked = view.reshape(*view.shape[:3], -1)
    return stacked @ stacked.conj().swapaxes(-1, -2)


def poles(products: np.ndarray, order: int, *, bounded: bool = False) -> tuple:
    """Poles of every mode.

    Parameters
    ----------
    products : (..., lag, lag)
        As :func:`windows` gives them.
    order : int
        Number of exponentials.
    bounded : bool
        Let no pole grow, so that it can be carried on.

    Returns
    -------
    poles : (..., order) complex
    signal : (...)
        Energy of the exponentials above the mean of what is left.
    """
    values, vectors = np.linalg.eigh(products)
    leading = vectors[..., -order:]
    here, there = leading[..., :-1, :], leading[..., 1:, :]
    adjoint = here.conj().swapaxes(-1, -2)
    gram = adjoint @ here
    gram = gram + 1e-14 * np.eye(order)
    found = np.linalg.eigvals(np.linalg.solve(gram, adjoint @ there)).astype(complex)
    rest = values[..., :-order].mean(-1, keepdims=True)
    signal = np.maximum(values[..., -order:] - rest, 0).sum(-1)
    if bounded:
        found = found / np.maximum(np.abs(found), 1)
    return found, signal


def courses(found: np.ndarray, frames: int) -> np.ndarray:
    """Courses z^t (..., time, pole) of poles (..., pole)."""
    time = np.arange(frames)[:, None]
    return found[..., None, :] ** time


def free(modes: Modes, order: int, early: slice) -> np.ndarray:
    """Courses (clip, mode, time, feature) that every mode by itself would go on with.

    Its poles and its amplitudes are those of the early frames, and no law binds it to the others.
    """
    from physprobe.discover._fit import predict

    found, _ = poles(windows(modes.amplitude[:, :, early]), order, bounded=True)
    basis = courses(found, modes.amplitude.shape[2])
    guess = predict(basis, modes.amplitude, early)
    return guess if modes.periodic else guess.real
