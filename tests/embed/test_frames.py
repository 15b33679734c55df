"""Which frames make a token."""

import numpy as np
import pytest

from physprobe.embed import _frames


def test_spans_tile_the_clip():
    spans = _frames.spans(12, 3)
    np.testing.assert_array_equal(
        np.concatenate([np.arange(a, b) for a, b in spans]), np.arange(12)
    )
    with pytest.raises(ValueError, match=r"13 frames.*tubelets of 3"):
        _frames.spans(13, 3)


def test_windows_end_at_every_time_once_and_look_back_only():
    for times, length in ((6, 3), (6, 1), (4, 9)):
        groups = _frames.windows(times, length)
        rows = [row for group in groups for row in group]
        assert sorted(row[-1] for row in rows) == list(range(times))
        for row in rows:
            first = max(0, row[-1] - length + 1)
            np.testing.assert_array_equal(row, np.arange(first, row[-1] + 1))


def test_shuffled_is_a_permutation_per_clip_whatever_the_block():
    order = _frames.order("shuffled", 64, 3, np.arange(5))
    np.testing.assert_array_equal(np.sort(order), np.tile(np.arange(64), (5, 1)))
    assert len(np.unique(order, axis=0)) == 5
    np.testing.assert_array_equal(_frames.order("shuffled", 64, 3, np.array([4]))[0], order[4])
    assert (_frames.order("shuffled", 64, 4, np.arange(5)) != order).any(axis=1).all()


def test_repeated_is_the_middle_frame():
    np.testing.assert_array_equal(_frames.order("repeated", 8, 0, np.arange(2)), np.full((2, 8), 4))
    np.testing.assert_array_equal(
        _frames.order("ordered", 8, 0, np.arange(2)), np.tile(np.arange(8), (2, 1))
    )
