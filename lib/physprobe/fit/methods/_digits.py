"""Digits: arrays as short lists, so that results stay readable and small."""

import numpy as np


def short(values: np.ndarray) -> list:
    """Values to six significant digits."""
    flat = [float(f"{value:.6g}") for value in np.ravel(values)]
    return np.reshape(flat, np.shape(values)).tolist()


def pairs(values: np.ndarray) -> list:
    """Complex values as pairs of real and imaginary part."""
    return short(np.stack([values.real, values.imag], axis=-1))
