"""Similarity of images: peak signal-to-noise ratio, and structural similarity.

    PSNR = 10 log10(1 / mean (a - b)^2)                                                      [dB]
    SSIM = mean (2 m_a m_b + c1)(2 s_ab + c2) / ((m_a^2 + m_b^2 + c1)(s_a^2 + s_b^2 + c2))

with means m, variances s^2 and covariance s_ab under a Gaussian window of 11 x 11 pixels and
deviation 1.5, wherever it lies inside of the image; c1 = 0.01^2, c2 = 0.03^2 of images 0 to 1.

References
----------
Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE Trans.
Image Process. 13 (2004).
"""

import numpy as np

WINDOW, WIDTH = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def psnr(images: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio (image,) [dB] of images (image, y, x), 0 to 1; inf if equal."""
    error = ((np.asarray(images, float) - truth) ** 2).mean((1, 2))
    with np.errstate(divide="ignore"):
        return -10 * np.log10(error)


def ssim(images: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Structural similarity (image,) of images (image, y, x), 0 to 1.

    Raises
    ------
    ValueError
        If the window is larger than the images.
    """
    if min(images.shape[1:]) < WINDOW:
        raise ValueError(f"images of {images.shape[1:]} px are smaller than the window, {WINDOW}.")
    one, other = np.asarray(images, float), np.asarray(truth, float)
    mean, other_mean = _windowed(one), _windowed(other)
    spread = _windowed(one**2) - mean**2
    other_spread = _windowed(other**2) - other_mean**2
    shared = _windowed(one * other) - mean * other_mean
    above = (2 * mean * other_mean + C1) * (2 * shared + C2)
    below = (mean**2 + other_mean**2 + C1) * (spread + other_spread + C2)
    return (above / below).mean((1, 2))


def _windowed(images: np.ndarray) -> np.ndarray:
    """Weighted means (image, y, x) under the window, where it lies inside."""
    place = np.arange(WINDOW) - WINDOW // 2
    weight = np.exp(-0.5 * (place / WIDTH) ** 2)
    weight /= weight.sum()
    for axis in (1, 2):
        found = np.lib.stride_tricks.sliding_window_view(images, WINDOW, axis=axis)
        images = found @ weight
    return images
