"""Masks: which tokens an encoder sees and which it has to make up for.

A mask covers a column: one place in space at all times, so that nothing can be copied from the
frame before. All clips of a step keep as many columns as each other, to be one tensor.
"""

import math

import numpy as np
import torch

Grid = tuple[int, int, int]
"""Tokens along time, y and x."""


def blocks(
    grid: Grid,
    clips: int,
    rng: np.random.Generator,
    *,
    count: int,
    scale: float,
    aspect: tuple[float, float],
    least: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cover the union of rectangles at random places.

    Parameters
    ----------
    grid : (time, y, x)
    clips : int
    rng : numpy Generator
        Source of the rectangles' one shape and of their places.
    count : int
        Rectangles per clip; one that would leave too little uncovered is left out.
    scale : float
        Area of a rectangle over that of the frame.
    aspect : (low, high)
        Range of height over width.
    least : float
        Part of the columns that stays uncovered at least.

    Returns
    -------
    kept, masked : (clip, token) int64
        Places of uncovered and of covered tokens, ascending. Where clips differ in number, random
        columns belong to neither.

    References
    ----------
    Bardes et al. 2024, arXiv:2404.08471, section 3 (multi-block masks).
    """
    columns = _columns(grid)
    spare = min(columns - 1, math.ceil(least * columns))
    height, width = block(grid, scale, rng.uniform(*aspect), columns - spare)
    corners = rng.integers((grid[1] - height + 1, grid[2] - width + 1), size=(count, clips, 2))
    covered = np.zeros((clips, columns), bool)
    for top, left in corners.transpose(0, 2, 1):
        rows = _between(top, height, grid[1])
        inside = rows[:, :, None] & _between(left, width, grid[2])[:, None, :]
        union = covered | inside.reshape(clips, columns)
        covered = np.where(union.sum(1, keepdims=True) <= columns - spare, union, covered)
    return _places(grid, covered, rng)


def block(grid: Grid, scale: float, aspect: float, most: int) -> tuple[int, int]:
    """Height and width of a rectangle [tokens], made smaller if it covers more than ``most``."""
    area = scale * grid[1] * grid[2]
    height = min(grid[1], max(1, round(math.sqrt(area * aspect))))
    width = min(grid[2], max(1, round(math.sqrt(area / aspect))))
    while height * width > max(1, most):
        height, width = (height - 1, width) if height >= width else (height, width - 1)
    return height, width


def tubes(
    grid: Grid, clips: int, rng: np.random.Generator, *, part: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Cover random columns.

    Parameters
    ----------
    grid : (time, y, x)
    clips : int
    rng : numpy Generator
    part : float
        Part of the columns that is covered; one stays uncovered at least, and one covered.

    Returns
    -------
    kept, masked : (clip, token) int64
        Places of uncovered and of covered tokens, ascending.

    References
    ----------
    Tong et al. 2022, arXiv:2203.12602, section 3.3 (tube masking).
    """
    columns = _columns(grid)
    number = min(columns - 1, max(1, round(part * columns)))
    order = rng.permuted(np.tile(np.arange(columns), (clips, 1)), axis=1)
    return _places(grid, order < number, rng)


def _columns(grid: Grid) -> int:
    columns = grid[1] * grid[2]
    if columns < 2:
        raise ValueError(
            "a window is a single token wide and high: nothing would be left to see beside a mask."
            " Hint: a larger crop or a smaller patch_size."
        )
    return columns


def _between(first: np.ndarray, length: int, size: int) -> np.ndarray:
    places = np.arange(size)
    return (places >= first[:, None]) & (places < first[:, None] + length)


def _places(
    grid: Grid, covered: np.ndarray, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    # uncovered columns come first, both kinds in random order: cutting them to size is fair
    order = np.argsort(covered + rng.random(covered.shape), axis=1)
    masked = covered.sum(1)
    kept = (covered.shape[1] - masked).min()
    return _tokens_of(grid, order[:, :kept]), _tokens_of(grid, order[:, -masked.min() :])


def _tokens_of(grid: Grid, columns: np.ndarray) -> torch.Tensor:
    times = np.arange(grid[0])[:, None] * (grid[1] * grid[2])
    places = times + np.sort(columns, axis=1)[:, None, :]
    return torch.from_numpy(places.reshape(len(columns), -1))
