"""Perturbed images: turned, sheared, moved and scaled, thinned or thickened, inverted, and noisy.

    x'  = x(A p + t),    A = s (cos a, -sin(a + h); sin a, cos(a + h))     p, t from -1 to 1
    a   = c U(-30, 30) deg        h = c U(-15, 15) deg      t = c U(-0.15, 0.15) n / (n - 1) each
    s   ~ U(1 / (1 + 0.1 c), 1 / (1 - 0.25 c))

of an image of n pixels a side, bilinear, black outside. Then one of three: nothing, its skeleton
above one half, or the largest of 3 x 3 pixels; half of the images are inverted; of all pixels 2.5 %
are white and 2.5 % black; noise of deviation 0.3 is added; and what is beyond 0 and 1 is cut off.
The strength c scales the first line alone, as published.

References
----------
As published in JointEmbeddingArchitecturesTutorial, ``jepa_mnist.py``; Zhang, Suen, "A fast
parallel algorithm for thinning digital patterns", Commun. ACM 27 (1984).
"""

import numpy as np

TURN, SHEAR, SHIFT, SMALLER, LARGER = np.deg2rad(30), np.deg2rad(15), 0.15, 0.1, 0.25
SALT, PEPPER, NOISE = 0.025, 0.025, 0.3
SHAPES = 3
"""Nothing, skeleton, thickened."""


def perturbed(images: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Perturbed images.

    Parameters
    ----------
    images : (image, y, x)
        0 to 1.
    strength : float
        c, 0 to 1.
    rng : numpy Generator

    Returns
    -------
    (image, y, x) float32
        0 to 1.
    """
    count = len(images)
    found = moved(images, *drawn(count, images.shape[-1], strength, rng))
    shape = rng.integers(SHAPES, size=count)
    found[shape == 1] = skeleton(found[shape == 1] > 0.5)
    found[shape == 2] = thickened(found[shape == 2])
    inverted = rng.random(count) < 0.5
    found[inverted] = 1 - found[inverted]
    speck = rng.random(found.shape, np.float32)
    np.putmask(found, speck < SALT, 1)
    np.putmask(found, speck > 1 - PEPPER, 0)
    found += np.float32(NOISE) * rng.standard_normal(found.shape, np.float32)
    return np.clip(found, 0, 1, out=found)


def drawn(
    count: int, side: int, strength: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Matrices A (image, 2, 2) and shifts t (image, 2), of x first."""
    turn = strength * rng.uniform(-TURN, TURN, count)
    shear = strength * rng.uniform(-SHEAR, SHEAR, count)
    shift = strength * rng.uniform(-SHIFT, SHIFT, (count, 2)) * side / (side - 1)
    scale = rng.uniform(1 / (1 + SMALLER * strength), 1 / (1 - LARGER * strength), count)
    rows = [np.cos(turn), -np.sin(turn + shear), np.sin(turn), np.cos(turn + shear)]
    return (scale * np.stack(rows)).T.reshape(count, 2, 2), shift


def moved(images: np.ndarray, matrix: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Images (image, y, x) float32 whose pixel p is that at A p + t of the given ones, bilinear.

    Parameters
    ----------
    images : (image, y, x)
    matrix : (image, 2, 2)
    shift : (image, 2)
        Of x first; outermost pixels lie at -1 and 1.
    """
    count, height, width = images.shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    place = matrix @ np.stack([x.ravel(), y.ravel()]) + shift[..., None]
    across, down = ((place[:, n] + 1) / 2 * (size - 1) for n, size in enumerate((width, height)))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1))).astype(np.float32).reshape(count, -1)
    # a border of black pixels stands for all that lies outside
    across, down = np.clip(across + 1, 0, width + 1), np.clip(down + 1, 0, height + 1)
    left, top = (
        np.minimum(there.astype(np.int32), most)
        for there, most in ((across, width), (down, height))
    )
    right, below = (across - left).astype(np.float32), (down - top).astype(np.float32)
    first = top * (width + 2) + left + padded.shape[1] * np.arange(count, dtype=np.int64)[:, None]

    def at(step: int) -> np.ndarray:
        return padded.take(first + step)

    upper = at(0) + right * (at(1) - at(0))
    lower = at(width + 2) + right * (at(width + 3) - at(width + 2))
    return (upper + below * (lower - upper)).reshape(images.shape)


def thickened(images: np.ndarray) -> np.ndarray:
    """Largest of each 3 x 3 pixels (image, y, x)."""
    found = images.copy()
    found[:, 1:] = np.maximum(found[:, 1:], images[:, :-1])
    found[:, :-1] = np.maximum(found[:, :-1], images[:, 1:])
    wide = found.copy()
    found[:, :, 1:] = np.maximum(found[:, :, 1:], wide[:, :, :-1])
    found[:, :, :-1] = np.maximum(found[:, :, :-1], wide[:, :, 1:])
    return found


def skeleton(images: np.ndarray) -> np.ndarray:
    """Lines of one pixel's width that are left of shapes (image, y, x) bool, by Zhang and Suen."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    wide = padded.shape[-1]
    # all in one row, where a neighbour is always as many places away: none is lit at a border
    found, lit = padded.astype(np.uint8).ravel(), np.flatnonzero(padded)
    north, south = -wide, wide
    around = (north, north + 1, 1, south + 1, south, south - 1, -1, north - 1)
    while True:
        before = len(lit)
        for stays in STAYS:
            ring = np.zeros_like(found)
            middle = ring[wide + 1 : -wide - 1]
            for step in around[::-1]:
                middle += middle
                middle |= found[wide + 1 + step : len(found) - wide - 1 + step]
            kept = stays[ring[lit]]
            found[lit[~kept]] = 0
            lit = lit[kept]
        if len(lit) == before:
            return found.reshape(padded.shape)[:, 1:-1, 1:-1].astype(bool)


def _stays(first: bool) -> np.ndarray:
    """Whether a lit pixel stays in one half of an iteration, by its ring of neighbours (256,).

    A ring is a number whose bits are the neighbours, clockwise, the northern one lowest.
    """
    ring = np.arange(256)[:, None] >> np.arange(8) & 1 > 0
    lit = ring.sum(1)
    rises = (~ring & np.roll(ring, -1, axis=1)).sum(1)
    north, east, south, west = ring.T[::2]
    if first:
        kept = (north & east & south) | (east & south & west)
    else:
        kept = (north & east & west) | (north & south & west)
    return (lit < 2) | (lit > 6) | (rises != 1) | kept


STAYS = (_stays(True), _stays(False))
"""Of both halves of an iteration."""
