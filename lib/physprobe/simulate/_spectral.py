"""Spectral: linear equations with constant coefficients, solved mode by mode, one axis at a time.

On a square with straight walls the modes are products of one mode per axis. A field that is such a
product at t = 0 stays one, so that two profiles, not a whole field, have to be transformed.
"""

from functools import cache

import numpy as np


@cache
def cosines(cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Modes of an insulated axis, with walls half a cell outside the first and the last cell.

        phi_m(j) = c_m cos(k_m (j + 1/2)),    k_m = pi m / cells

    with c_m such that sum_j phi_m(j) phi_n(j) = delta_mn.

    Parameters
    ----------
    cells : int
        Cells of the axis, one length unit apart.

    Returns
    -------
    wavenumber : (mode,) float64
        k_m [1/px].
    basis : (mode, cell) float64
        phi_m, read-only: ``basis @ profile`` is the orthonormal DCT-II, ``basis.T`` its inverse.

    References
    ----------
    Strang, The discrete cosine transform, SIAM Review 41 (1999) 135-147.
    """
    wavenumber = np.pi * np.arange(cells) / cells
    basis = np.sqrt(2 / cells) * np.cos(np.outer(wavenumber, np.arange(cells) + 0.5))
    basis[0] /= np.sqrt(2)
    for array in (wavenumber, basis):
        array.setflags(write=False)
    return wavenumber, basis


def diffuse(profile: np.ndarray, alpha: float, time: np.ndarray) -> np.ndarray:
    """Diffuse a profile along one insulated axis: exact at any time, for any profile.

    du/dt = alpha d2u/dx2    =>    a_m(t) = a_m(0) exp(-alpha k_m^2 t)

    Parameters
    ----------
    profile : (cell,)
        Values at t = 0.
    alpha : float
        Diffusivity [px^2/s].
    time : (time,)
        Times [s].

    Returns
    -------
    (time, cell) float64
    """
    wavenumber, basis = cosines(len(profile))
    decay = np.exp(-alpha * np.multiply.outer(time, wavenumber**2))
    return (decay * (basis @ profile)) @ basis


@cache
def _single(cells: int) -> np.ndarray:
    return cosines(cells)[1].astype(np.float32)


def coefficients(frame: np.ndarray) -> np.ndarray:
    """Coefficients of every product mode phi_m(y) phi_n(x) of a frame.

    Parameters
    ----------
    frame : (y, x) float32

    Returns
    -------
    (mode_y, mode_x) float32
        Orthonormal: the squares of a frame and of its coefficients have the same sum.
    """
    return _single(frame.shape[0]) @ frame @ _single(frame.shape[1]).T


def sketch(frames: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """Mixtures of the modes in y, for every mode in x: ``mixture @ coefficients(frame)``.

    Parameters
    ----------
    frames : (time, y, x) float32
    mixture : (mix, mode_y)
        Weights of the modes.

    Returns
    -------
    (time, mix, mode_x) float32
    """
    weights = (mixture @ cosines(frames.shape[1])[1]).astype(np.float32)
    mixed = weights @ frames
    return (mixed.reshape(-1, mixed.shape[2]) @ _single(mixed.shape[2]).T).reshape(mixed.shape)
