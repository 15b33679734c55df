"""sRGB: light as the bytes of an image."""

from functools import cache

import numpy as np

SHADES = 4095


def encode(light: np.ndarray) -> np.ndarray:
    """Light, 0 to 1, as sRGB, 0 to 255."""
    index = np.minimum(light * SHADES + 0.5, SHADES).astype(np.uint16)
    return np.take(_srgb(), index)


@cache
def _srgb() -> np.ndarray:
    light = np.arange(SHADES + 1) / SHADES
    curve = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * curve).astype(np.uint8)
