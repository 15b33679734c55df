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


def test_pieces_are_whole():
    np.testing.assert_array_equal(_frames.cut(6, 3, "windows"), [[0, 1, 2], [3, 4, 5]])
    with pytest.raises(ValueError, match=r"40 frames.*windows of 16. Hint: 32 frames"):
        _frames.cut(40, 16, "windows")


@pytest.mark.parametrize("filled", [False, True])
def test_windows_end_with_every_tubelet_once_and_look_back_only(filled: bool):
    for frames, tubelet, length in ((12, 2, 6), (6, 1, 1), (6, 2, 2), (8, 2, 18), (9, 3, 3)):
        groups = _frames.windows(frames, tubelet, length, filled=filled)
        rows = [row for group in groups for row in group]
        assert sorted(row[-1] for row in rows) == list(range(tubelet - 1, frames, tubelet))
        for row in rows:
            seen = np.arange(row[-1] - length + 1, row[-1] + 1)
            np.testing.assert_array_equal(row, np.maximum(seen, 0) if filled else seen[seen >= 0])


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


def test_pieces_cover_a_clip_once_and_the_rest_comes_last():
    whole, rest = _frames.pieces(22, 8)
    assert whole.shape == (2, 8)
    assert rest.tolist() == [list(range(16, 22))]
    assert [part.shape for part in _frames.pieces(16, 8)] == [(2, 8)]
    assert [part.shape for part in _frames.pieces(6, 8)] == [(1, 6)]
