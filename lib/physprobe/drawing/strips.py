"""Strips: a few gray frames as text, for results that show what they are read off."""

import base64
import io

import numpy as np
from PIL import Image


def packed(frames: np.ndarray) -> str:
    """Square frames (time, y, x) uint8, one below the other, as PNG in base 64: nothing is lost."""
    image = Image.fromarray(np.ascontiguousarray(frames).reshape(-1, frames.shape[-1]))
    buffer = io.BytesIO()
    image.save(buffer, format="png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def unpacked(text: str) -> np.ndarray:
    """Frames (time, y, x) uint8 of :func:`packed`."""
    with Image.open(io.BytesIO(base64.b64decode(text))) as image:
        pixels = np.asarray(image)
    side = pixels.shape[1]
    return pixels.reshape(-1, side, side)
