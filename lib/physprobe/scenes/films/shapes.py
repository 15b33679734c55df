"""Shapes: a frame of any size becomes one of the size that is asked for, in the way that is named.

resize   both sides as asked; what is round may become oval
crop     the largest part from the middle that has the sides' ratio; its edges are lost
pad      all of it, with black beside it
"""

from typing import Literal

import numpy as np

from physprobe.scenes.films.film import Faulty

Fit = Literal["resize", "crop", "pad"]


def fitted(
    image: np.ndarray, size: tuple[int, int] | None, fit: Fit, pixel: float = 1.0
) -> np.ndarray:
    """Image (y, x, rgb) uint8 of a size.

    Sides shrink by averaging over the area that a new pixel covers, and grow by interpolation.

    Parameters
    ----------
    image : (y, x, rgb) uint8
    size : tuple of int, optional
        Rows and columns [px]; as it is by default.
    fit : str
        ``resize``, ``crop`` or ``pad``.
    pixel : float
        Width of a pixel, in heights of one.

    Raises
    ------
    Faulty
        If no size is given and pixels aren't square.
    """
    if size is None:
        if pixel != 1:
            raise Faulty(
                f"pixels are {pixel:.3f} times as wide as high; with a `size` they get square"
            )
        return image
    from PIL import Image

    (rows, columns), (height, width) = image.shape[:2], size
    box = (0.0, 0.0, float(columns), float(rows))
    inner = (width, height)
    if fit == "crop":
        tall = min(rows, columns * pixel * height / width)
        wide = tall * width / height / pixel
        left, top = (columns - wide) / 2, (rows - tall) / 2
        box = (left, top, left + wide, top + tall)
    elif fit == "pad":
        scale = min(width / (columns * pixel), height / rows)
        inner = (max(1, round(columns * pixel * scale)), max(1, round(rows * scale)))
    if (rows, columns) == (inner[1], inner[0]) and box == (0, 0, columns, rows):
        drawn = image
    else:
        shrinks = box[2] - box[0] >= inner[0] and box[3] - box[1] >= inner[1]
        how = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
        drawn = np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize(inner, how, box))
    if drawn.shape[:2] == (height, width):
        return drawn
    found = np.zeros((height, width, 3), np.uint8)
    top, left = (height - drawn.shape[0]) // 2, (width - drawn.shape[1]) // 2
    found[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    return found


def gray(image: np.ndarray) -> np.ndarray:
    """Image (y, x, rgb) uint8 without colour: luma of ITU-R BT.601, three times."""
    luma = np.rint(image @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return np.repeat(luma[..., None], 3, axis=2)
