"""Initial: smooth random patterns on a periodic square, the same ones for every equation.

Four families, as likely as each other, with lengths in parts of the side:

    blobs    one to three Gaussians of different height and width
    waves    eight plane waves of three to six periods per side and any direction: a random field
    ring     a circle with a Gaussian profile
    packet   a Gaussian with four to six stripes per side across it

A pattern is a Fourier series of at most 15 periods per side: every grid from 32 cells on holds it
exactly, and all of them show the same one. Its lowest value is 0, to 0.01: what it has between the
cells comes to light on a finer grid, or as it moves. The amplitudes of its modes add up to 1. So no
linear law under which modes keep or lose amplitude ever leads it beyond -1 to 1: the focus of a
ring under the wave equation stays in range as surely as a blob that spreads.
"""

import numpy as np

from physprobe.simulate import _spectral
from physprobe.statistics import seeds

BAND = 15
FAMILIES = ("blobs", "waves", "ring", "packet")
# Shapes are sampled on this grid, fine enough for their lowest value, and cut to the band.
FINE = 128
# What a pattern may be below 0 between those cells: five times what it is.
BETWEEN_CELLS = 0.01


def series(seed: int, ic_id: int) -> np.ndarray:
    """Fourier series of a pattern.

    Parameters
    ----------
    seed : int
        Seed of the system.
    ic_id : int
        Number of the pattern; the same two numbers give the same pattern.

    Returns
    -------
    (mode_y, mode_x) complex128
        As :func:`physprobe.simulate._spectral.synthesise` takes it.
    """
    shape = SHAPES[family(seed, ic_id)](seeds.rng("initial", seed, ic_id))
    modes = _spectral.analyse(shape, BAND)
    modes[BAND, 0] -= _spectral.synthesise(modes, FINE).min()
    # each mode with x > 0 stands for its mirror image as well
    return modes / (np.abs(modes).sum() + np.abs(modes[:, 1:]).sum())


def family(seed: int, ic_id: int) -> str:
    """Family of a pattern."""
    return FAMILIES[seeds.rng("initial", "family", seed, ic_id).integers(len(FAMILIES))]


def _offsets(centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest way from a centre to every cell, in sides."""
    axis = np.arange(FINE) / FINE
    y, x = ((axis - place + 0.5) % 1 - 0.5 for place in centre)
    return y[:, None], x


def _gaussian(centre: np.ndarray, width: float) -> np.ndarray:
    y, x = _offsets(centre)
    return np.exp(-(y**2 + x**2) / (2 * width**2))


def blobs(rng: np.random.Generator) -> np.ndarray:
    """One to three Gaussians."""
    each = (
        rng.uniform(0.5, 1) * _gaussian(rng.random(2), rng.uniform(1 / 18, 1 / 10))
        for _ in range(rng.integers(1, 4))
    )
    return sum(each, np.zeros(()))


def waves(rng: np.random.Generator) -> np.ndarray:
    """Eight plane waves."""
    modes = np.zeros((2 * BAND + 1, BAND + 1), complex)
    number = np.arange(-6, 7)
    y, x = np.meshgrid(number, number, indexing="ij")
    half = (x > 0) | ((x == 0) & (y > 0))
    band = half & (np.hypot(y, x) >= 3) & (np.hypot(y, x) <= 6)
    chosen = rng.choice(np.argwhere(band), 8, replace=False) - 6
    for (row, column), size, phase in zip(
        chosen, rng.uniform(0.5, 1, 8), rng.uniform(0, 2 * np.pi, 8), strict=True
    ):
        modes[BAND + row, column] = size * np.exp(1j * phase)
        if column == 0:
            modes[BAND - row, 0] = modes[BAND + row, 0].conj()
    return _spectral.synthesise(modes, FINE)


def ring(rng: np.random.Generator) -> np.ndarray:
    """A circle with a Gaussian profile."""
    y, x = _offsets(rng.random(2))
    radius, width = rng.uniform(0.15, 0.3), rng.uniform(1 / 18, 1 / 12)
    return np.exp(-((np.hypot(y, x) - radius) ** 2) / (2 * width**2))


def packet(rng: np.random.Generator) -> np.ndarray:
    """A Gaussian with stripes across it."""
    centre, angle = rng.random(2), rng.uniform(0, np.pi)
    y, x = _offsets(centre)
    along = 2 * np.pi * rng.uniform(4, 6) * (y * np.sin(angle) + x * np.cos(angle))
    return _gaussian(centre, rng.uniform(0.1, 0.15)) * (1 + np.cos(along)) / 2


SHAPES = {"blobs": blobs, "waves": waves, "ring": ring, "packet": packet}
