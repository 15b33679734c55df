"""Masks: rectangles and columns of the stated sizes, at all times, in the same number per clip."""

import numpy as np
import pytest

from physprobe.train import _masks

GRID = (3, 4, 5)
SHORT = {"count": 8, "scale": 0.15, "aspect": (0.75, 1.5), "least": 0.125}
LONG = {**SHORT, "count": 2, "scale": 0.7}


def columns(grid, tokens):
    """Columns (clip, column) of tokens (clip, token), after a look whether they last all times."""
    by_time = tokens.numpy().reshape(len(tokens), grid[0], -1)
    first = by_time[:, :1]
    expected = first + np.arange(grid[0])[:, None] * grid[1] * grid[2]
    np.testing.assert_array_equal(by_time, expected)
    assert (np.diff(first[:, 0]) > 0).all()
    return first[:, 0]


@pytest.mark.parametrize(
    ("grid", "scale", "aspect", "expected"),
    [
        ((8, 16, 16), 0.15, 1.0, (6, 6)),  # sqrt(38.4) = 6.2
        ((8, 16, 16), 0.7, 1.0, (13, 13)),  # sqrt(179.2) = 13.4
        ((8, 16, 16), 0.15, 1.5, (8, 5)),  # sqrt(57.6) = 7.6, sqrt(25.6) = 5.1
        ((8, 16, 16), 0.15, 0.75, (5, 7)),  # sqrt(28.8) = 5.4, sqrt(51.2) = 7.2
        ((8, 4, 4), 0.7, 0.75, (3, 4)),  # sqrt(8.4) = 2.9, sqrt(14.9) = 3.9
        ((8, 4, 4), 0.15, 1.0, (2, 2)),  # sqrt(2.4) = 1.5
        ((8, 4, 16), 0.7, 1.0, (4, 7)),  # sqrt(44.8) = 6.7, of 4 rows
    ],
)
def test_a_block_has_the_stated_area_and_aspect(grid, scale, aspect, expected):
    assert _masks.block(grid, scale, aspect, most=grid[1] * grid[2]) == expected


def test_a_block_shrinks_to_leave_something():
    assert _masks.block((8, 2, 2), 1.0, 1.0, most=3) == (1, 2)
    assert _masks.block((8, 2, 2), 1.0, 1.0, most=1) == (1, 1)
    assert _masks.block((8, 4, 4), 1.0, 1.0, most=14) == (3, 4)


def test_one_block_is_a_rectangle_anywhere():
    clips = 4000
    kept, masked = _masks.blocks(
        GRID,
        clips,
        np.random.default_rng(0),
        count=1,
        scale=0.3,
        aspect=(1.0, 1.0),
        least=0.1,
    )
    kept, masked = columns(GRID, kept), columns(GRID, masked)
    assert kept.shape == (clips, 16) and masked.shape == (clips, 4)  # sqrt(6) = 2.4: 2 x 2
    both = np.sort(np.concatenate([kept, masked], 1), 1)
    np.testing.assert_array_equal(both, np.tile(np.arange(20), (clips, 1)))
    # from its upper left corner on; 3 x 4 corners, all as likely
    np.testing.assert_array_equal(masked - masked[:, :1], np.tile([0, 1, 5, 6], (clips, 1)))
    corners, counts = np.unique(masked[:, 0], return_counts=True)
    assert corners.tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 10, 11, 12, 13]
    assert np.abs(counts / clips - 1 / 12).max() < 4 * np.sqrt(1 / 12 / clips)


@pytest.mark.parametrize("grid", [(2, 4, 4), (1, 8, 8), (4, 2, 2), (3, 1, 2), (2, 3, 7)])
@pytest.mark.parametrize("mask", [SHORT, LONG], ids=["short", "long"])
def test_blocks_leave_something_to_see_and_something_to_predict(grid, mask):
    least = int(np.ceil(mask["least"] * grid[1] * grid[2]))
    for seed in range(20):
        kept, masked = _masks.blocks(grid, 16, np.random.default_rng(seed), **mask)
        kept, masked = columns(grid, kept), columns(grid, masked)
        assert kept.shape[1] >= least and masked.shape[1] >= 1
        for one, other in zip(kept, masked, strict=True):
            assert not set(one) & set(other)


def test_two_large_blocks_cover_more_than_one():
    one, two = (
        _masks.blocks((1, 16, 16), 1, np.random.default_rng(3), **{**LONG, "count": count})[1]
        for count in (1, 2)
    )
    assert two.shape[1] > one.shape[1] and set(one[0].tolist()) <= set(two[0].tolist())


def test_clips_are_cut_to_the_same_numbers_by_chance():
    covered = np.array([[1, 0, 0, 0, 0], [1, 1, 1, 0, 0]], bool)
    found = np.zeros((2, 2, 5))
    for seed in range(600):
        pair = _masks._places((1, 1, 5), covered, np.random.default_rng(seed))
        assert [tokens.shape for tokens in pair] == [(2, 2), (2, 1)]
        for kind, tokens in enumerate(pair):
            for clip, row in enumerate(tokens.numpy()):
                found[kind, clip, row] += 1 / 600
    kept = [[0, 0.5, 0.5, 0.5, 0.5], [0, 0, 0, 1, 1]]
    masked = [[1, 0, 0, 0, 0], [1 / 3, 1 / 3, 1 / 3, 0, 0]]
    np.testing.assert_allclose(found, [kept, masked], atol=4 * np.sqrt(0.25 / 600))


@pytest.mark.parametrize(
    ("grid", "part", "expected"),
    [((4, 4, 4), 0.9, 14), ((2, 14, 14), 0.9, 176), ((4, 2, 2), 0.9, 3), ((4, 2, 2), 0.01, 1)],
)
def test_tubes_cover_the_stated_part_of_every_clip(grid, part, expected):
    kept, masked = _masks.tubes(grid, 300, np.random.default_rng(1), part=part)
    kept, masked = columns(grid, kept), columns(grid, masked)
    number = grid[1] * grid[2]
    assert masked.shape == (300, expected)
    both = np.sort(np.concatenate([kept, masked], 1), 1)
    np.testing.assert_array_equal(both, np.tile(np.arange(number), (300, 1)))
    chance = expected / number
    often = np.bincount(masked.ravel(), minlength=number) / 300
    assert np.abs(often - chance).max() < 4.5 * np.sqrt(chance * (1 - chance) / 300)


@pytest.mark.parametrize("mask", [SHORT, LONG, None], ids=["short", "long", "tubes"])
def test_masks_follow_from_the_generator(mask):
    def draw(seed):
        rng = np.random.default_rng(seed)
        pair = (
            _masks.blocks((1, 8, 8), 9, rng, **mask)
            if mask
            else _masks.tubes((1, 8, 8), 9, rng, part=0.9)
        )
        return [tokens.tolist() for tokens in pair]

    assert draw(0) == draw(0) != draw(1)
    assert len({tuple(row) for row in draw(0)[1]}) > 1, "clips have masks of their own"


def test_a_single_column_cannot_be_masked():
    with pytest.raises(ValueError, match="Hint: a larger crop"):
        _masks.tubes((4, 1, 1), 2, np.random.default_rng(0), part=0.9)
