"""Draws: the random parameters of a system's clips."""

from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    low, high = ends
    if low >= high:
        raise ValueError(f"the low end {low:g} has to be below the high end {high:g}")
    return ends


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Range = Annotated[tuple[Positive, Positive], AfterValidator(_ascending)]
"""Ends of a uniform distribution over positive numbers."""


def uniform(
    rng: np.random.Generator, ranges: Mapping[str, tuple[float, float]], clips: int
) -> dict[str, np.ndarray]:
    """Independent uniform parameters of every clip.

    Parameters
    ----------
    rng : numpy Generator
    ranges : mapping of str to (low, high)
        Ends by parameter.
    clips : int
        Number of clips. Drawn clip by clip: more clips leave the first ones as they were.

    Returns
    -------
    dict of str to (clip,) float64
    """
    low, high = np.array(list(ranges.values()), float).T
    drawn = rng.uniform(low, high, (clips, len(ranges)))
    return dict(zip(ranges, np.ascontiguousarray(drawn.T), strict=True))
