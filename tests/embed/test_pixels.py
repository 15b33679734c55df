"""Pixels: exact means of squares, in time with the tokens."""

import numpy as np
import pytest

from physprobe.embed import pixels

SIZE = {"frames": 8, "height": 48, "width": 48, "threads": 1}


def embed(video: np.ndarray, **fields: object) -> np.ndarray:
    encoder = pixels.load(pixels.Spec(**fields), **SIZE)
    found = encoder.encode(video, np.arange(len(video))).pooled
    assert found.shape == (len(video), 1, len(encoder.spans), encoder.features)
    assert found.dtype == encoder.dtype == "float32"
    return found[:, 0]


def squares(video: np.ndarray, size: int) -> np.ndarray:
    """Naive means: (clip, frame, y, x, rgb)."""
    side = video.shape[2] // size
    cut = [
        [video[:, :, i : i + side, j : j + side].mean((2, 3)) for j in range(0, 48, side)]
        for i in range(0, 48, side)
    ]
    return np.moveaxis(np.array(cut), (0, 1), (2, 3)) / 255


def test_features_are_means_over_squares_and_tubelets(video: np.ndarray):
    expected = squares(video, 16).reshape(len(video), 4, 2, -1).mean(2)
    np.testing.assert_allclose(embed(video), expected, atol=1e-6)


def test_stack_keeps_both_frames(video: np.ndarray):
    expected = squares(video, 8).reshape(len(video), 4, -1)
    np.testing.assert_allclose(embed(video, size=8, tubelet_frames="stack"), expected, atol=1e-6)


def test_gray_is_the_mean_of_channels(video: np.ndarray):
    expected = squares(video, 16).mean(-1).reshape(len(video), 4, 2, -1).mean(2)
    np.testing.assert_allclose(embed(video, color="gray"), expected, atol=1e-6)


def test_token_holds_its_own_frames_only(video: np.ndarray):
    changed = video.copy()
    changed[:, 4:6] = 255
    before, after = embed(video), embed(changed)
    assert (after[:, 2] == 1).all()
    np.testing.assert_array_equal(before[:, [0, 1, 3]], after[:, [0, 1, 3]])


def test_full_size_white_and_black():
    video = np.zeros((1, 8, 48, 48, 3), "uint8")
    video[:, 4:] = 255
    found = embed(video, size=1)
    np.testing.assert_array_equal(found[0, :, 0], [0, 0, 1, 1])


def test_control_twins(video: np.ndarray):
    still = embed(video, frames="repeated", size=8)
    np.testing.assert_allclose(
        still[:, 1], squares(video, 8)[:, 4].reshape(len(video), -1), atol=1e-6
    )
    assert (still == still[:, :1]).all()
    shuffled = embed(video, frames="shuffled", size=8, tubelet=1)
    ordered = embed(video, size=8, tubelet=1)
    assert not np.array_equal(shuffled, ordered)
    for a, b in zip(shuffled, ordered, strict=True):
        np.testing.assert_array_equal(np.sort(a.sum(1)), np.sort(b.sum(1)))


def test_misfits_are_errors():
    with pytest.raises(ValueError, match=r"size: found 13.*48 x 48 px.*Hint: 8, 16 would"):
        pixels.load(pixels.Spec(size=13), **SIZE)
    with pytest.raises(ValueError, match="tubelets of 3"):
        pixels.load(pixels.Spec(tubelet=3), **SIZE)
    assert pixels.tubelet(pixels.Spec(tubelet=3)) == 3


def test_a_history_puts_the_tokens_before_beside_each():
    video = np.random.default_rng(0).integers(0, 256, (2, 8, 16, 16, 3), np.uint8)
    one, three = (
        pixels.load(
            pixels.Spec(size=4, color="gray", tubelet=2, history=history),
            frames=8, height=16, width=16, threads=1,
        ).encode(video, np.arange(2)).pooled[:, 0]
        for history in (1, 3)
    )  # fmt: skip
    assert three.shape == (2, 4, 48)
    for time in range(4):
        expected = [one[:, max(time - back, 0)] for back in (2, 1, 0)]
        np.testing.assert_array_equal(three[:, time], np.concatenate(expected, axis=-1))
