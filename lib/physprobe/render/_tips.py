"""Tips: where the ends of a pendulum's rods are, off the images that are drawn of them.

By least squares of each image against how much of every pixel two rods and two discs cover. It
begins at the places that are most like a disc, and at where the last frame leads, and goes on from
what of these fits best.
"""

from itertools import permutations

import numpy as np

from physprobe.statistics import descent

PLACES = 4
"""Places that may be tips of a frame, those most like a disc."""
STIFF = 0.1
"""By how much a rod may seem to change its length [px]: one that does more was mistaken."""


def found(images: np.ndarray, width: float) -> np.ndarray:
    """Tips of every frame.

    Parameters
    ----------
    images : (time, y, x)
        How much of each pixel is covered.
    width : float
        Of a rod, and radius of a disc [px].

    Returns
    -------
    (time, 4) float64
        Column and row of the first and of the second tip, from the middle of the image [px]; nan
        where rods aren't as long as in most frames, so that what was found are other places.
    """
    from scipy import ndimage

    size = images.shape[1]
    along = np.arange(size) + 0.5 - size / 2
    reach = int(np.ceil(width)) + 1
    inside = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1])
    disc = np.clip(width + 0.5 - inside, 0, 1)
    tips = np.empty((len(images), 4))
    for number, image in enumerate(images):
        like = ndimage.correlate(image, disc / disc.sum(), mode="constant")
        peaks = np.where(ndimage.maximum_filter(like, 3) == like, like, 0).ravel()
        rows, columns = np.unravel_index(np.argsort(-peaks)[:PLACES], image.shape)
        places = np.stack([along[columns], along[rows]], axis=1)
        starts = [np.concatenate(pair) for pair in permutations(places, 2)]
        if number:
            starts.append(tips[number - 1])
        if number > 1:
            starts.append(2 * tips[number - 1] - tips[number - 2])

        def residual(at: np.ndarray, image: np.ndarray = image) -> np.ndarray:
            return (covered(at, along, width) - image).ravel()

        best = min(starts, key=lambda start: float((residual(start) ** 2).sum()))
        tips[number] = descent.least_squares(residual, best)[0]
    rods = np.hypot(*np.moveaxis(np.stack([tips[:, :2], tips[:, 2:] - tips[:, :2]]), -1, 0))
    off = np.abs(rods - np.median(rods, axis=1, keepdims=True)) > STIFF * np.maximum(1, width / 2)
    tips[off.any(0)] = np.nan
    return tips


def covered(at: np.ndarray, along: np.ndarray, width: float) -> np.ndarray:
    """How much of each pixel (y, x) rods and discs cover, from tips (4,) [px]."""
    first, second = at[:2], at[2:]
    y, x = along[:, None], along
    left = np.ones((len(along), len(along)))
    for start, end in ((np.zeros(2), first), (first, second)):
        way = end - start
        length = max(float(np.hypot(*way)), 1e-9)
        cosine, sine = way / length
        across = (y - start[1]) * cosine - (x - start[0]) * sine
        beyond = (x - start[0]) * cosine + (y - start[1]) * sine
        beyond = beyond - np.clip(beyond, 0, length)
        left *= 1 - np.clip(width / 2 + 0.5 - np.hypot(across, beyond), 0, 1)
    for tip in (first, second):
        left *= 1 - np.clip(width + 0.5 - np.hypot(x - tip[0], y - tip[1]), 0, 1)
    return 1 - left
