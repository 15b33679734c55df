"""Spectral: linear equations with constant coefficients, solved mode by mode.

On a square with straight walls the modes are products of one mode per axis. A field that is such a
product at t = 0 stays one, so that two profiles, not a whole field, have to be transformed. On a
periodic square they are plane waves; a smooth field has few, and only these are carried in time.
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


def squares(band: int, cells: int) -> np.ndarray:
    """k^2 (mode_y, mode_x) [1/px^2] of the modes of :func:`waves`."""
    y, x = waves(band, cells)
    return y**2 + x**2


def waves(band: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Wavenumbers of the modes exp(i (k_y y + k_x x)) of a periodic square.

        k = 2 pi n / cells

    with n from -band to band in y, and from 0 to band in x: a real field's other half follows.

    Parameters
    ----------
    band : int
        Most periods per side.
    cells : int
        Cells of a side, one length unit apart.

    Returns
    -------
    (mode_y, 1) and (mode_x,) float64
        k_y and k_x [1/px].
    """
    number = np.arange(-band, band + 1) * (2 * np.pi / cells)
    return number[:, None], number[band:]


def analyse(field: np.ndarray, band: int) -> np.ndarray:
    """Fourier coefficients of real fields on a periodic square, up to a band.

    Parameters
    ----------
    field : (..., y, x)
    band : int
        Most periods per side; less than half the cells.

    Returns
    -------
    (..., mode_y, mode_x) complex
        Coefficients in the order of :func:`waves`; the one of mode (0, 0) is the mean.
    """
    from scipy import fft

    found = fft.rfft2(field, norm="forward")[..., : band + 1]
    return np.concatenate([found[..., -band:, :], found[..., : band + 1, :]], axis=-2)


def synthesise(modes: np.ndarray, cells: int) -> np.ndarray:
    """Real fields on a periodic square from their Fourier coefficients: undoes :func:`analyse`.

    Parameters
    ----------
    modes : (..., mode_y, mode_x) complex
        Coefficients in the order of :func:`waves`.
    cells : int
        Cells of a side, more than twice the band.

    Returns
    -------
    (..., y, x)
    """
    from scipy import fft

    band = modes.shape[-1] - 1
    columns = np.zeros((*modes.shape[:-2], cells, band + 1), modes.dtype)
    columns[..., : band + 1, :] = modes[..., band:, :]
    columns[..., cells - band :, :] = modes[..., :band, :]
    columns = fft.ifft(columns, axis=-2, norm="forward", overwrite_x=True)
    return fft.irfft(columns, cells, axis=-1, norm="forward", overwrite_x=True)


def film(modes: np.ndarray, cells: int) -> np.ndarray:
    """Frames of a clip from their Fourier coefficients.

    Parameters
    ----------
    modes : (time, mode_y, mode_x) complex128
        Coefficients in the order of :func:`waves`.
    cells : int
        Cells of a side, more than twice the band.

    Returns
    -------
    (time, y, x) float32
        Rounded from float64, a few frames at a time: what fits in a cache takes half as long.
    """
    frames = np.empty((len(modes), cells, cells), np.float32)
    for start in range(0, len(modes), 8):
        frames[start : start + 8] = synthesise(modes[start : start + 8], cells)
    return frames


def transport(
    band: int, cells: int, alpha: float, velocity: tuple[float, float], time: np.ndarray
) -> np.ndarray:
    """What advection and diffusion on a periodic square make of every mode.

    du/dt + v . grad u = alpha lap(u)    =>    a_k(t) = a_k(0) exp(-(alpha k^2 + i k . v) t)

    Parameters
    ----------
    band, cells : int
        As for :func:`waves`.
    alpha : float
        Diffusivity [px^2/s].
    velocity : (float, float)
        Its parts along y and x [px/s].
    time : (time,)
        Times [s].

    Returns
    -------
    (time, mode_y, mode_x) complex128
    """
    rows, columns = (
        np.exp(-np.multiply.outer(time, alpha * k**2 + 1j * k * part))
        for k, part in zip(map(np.ravel, waves(band, cells)), velocity, strict=True)
    )
    return rows[:, :, None] * columns[:, None, :]


def vibration(
    stiffness: np.ndarray, gamma: float, time: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What an equation of second order in time makes of every mode that is let go.

        d2a/dt2 + gamma da/dt + q a = 0,    a(0) = 1,    da/dt(0) = 0
        a(t) = exp(-gamma t / 2) (cos(w t) + gamma t / 2 sinc(w t)),    w^2 = q - gamma^2 / 4

    with w imaginary where damping is stronger than the mode is fast. Waves have q = c^2 k^2.

    Parameters
    ----------
    stiffness : (mode_y, mode_x)
        q [1/s^2].
    gamma : float
        Damping [1/s].
    time : (time,)
        Times [s].

    Returns
    -------
    (time, mode_y, mode_x) float64
        a(t).
    (time, mode_y, mode_x) float64
        da/dt [1/s], which is -q times what a mode at rest gets from unit velocity.
    """
    time = np.asarray(time, float)[:, None, None]
    angle = np.emath.sqrt((stiffness - gamma**2 / 4).astype(complex)) * time
    damped = np.exp(-gamma * time / 2)
    pushed = damped * time * np.sinc(angle / np.pi).real
    return damped * np.cos(angle).real + gamma / 2 * pushed, -stiffness * pushed
