"""Trivial statistics, against their definitions."""

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.embed import statistics

SIZE = {"frames": 8, "height": 48, "width": 48}
ALL = ("brightness", "total_variation", "motion_energy")


def embed(video: np.ndarray, features: tuple = ALL, tubelet: int = 2, threads: int = 1):
    encoder = statistics.load(
        statistics.Spec(features=features, tubelet=tubelet), **SIZE, threads=threads
    )
    found = encoder.encode(video, np.arange(len(video))).pooled
    assert found.shape == (len(video), 1, len(encoder.spans), encoder.features)
    assert found.dtype == encoder.dtype == "float32"
    return found[:, 0]


def test_equal_to_naive_float64(video: np.ndarray):
    gray = video.mean(-1) / 255
    brightness = gray.mean((2, 3))
    variation = np.abs(np.diff(gray, axis=2)).mean((2, 3)) + np.abs(np.diff(gray, axis=3)).mean(
        (2, 3)
    )
    motion = np.abs(np.diff(gray, axis=1)).mean((2, 3))  # [t] leads from frame t to t + 1
    expected = np.empty((len(video), 4, 3))
    for token in range(4):
        frames = slice(2 * token, 2 * token + 2)
        expected[:, token, 0] = brightness[:, frames].mean(1)
        expected[:, token, 1] = variation[:, frames].mean(1)
        expected[:, token, 2] = motion[:, max(0, 2 * token - 1) : 2 * token + 1].mean(1)
    np.testing.assert_allclose(embed(video), expected, rtol=1e-6)
    np.testing.assert_allclose(embed(video, threads=2), expected, rtol=1e-6)


def test_features_come_in_the_order_asked_for(video: np.ndarray):
    found = embed(video)
    np.testing.assert_array_equal(embed(video, ALL[::-1]), found[..., ::-1])
    np.testing.assert_array_equal(embed(video, ("motion_energy",)), found[..., 2:])


def test_still_clip_has_no_motion_and_a_step_is_seen_by_its_token_alone():
    video = np.zeros((1, 8, 48, 48, 3), "uint8")
    assert not embed(video).any()
    video[:, 4:] = 255  # the change leads into the third token
    np.testing.assert_allclose(embed(video, ("motion_energy",))[0, :, 0], [0, 0, 0.5, 0])
    np.testing.assert_allclose(embed(video, ("brightness",))[0, :, 0], [0, 0, 1, 1])


def test_total_variation_of_stripes():
    video = np.zeros((1, 8, 48, 48, 3), "uint8")
    video[..., ::2, :] = 255  # every step along x is 1, none along y
    np.testing.assert_allclose(embed(video, ("total_variation",)), 1)


def test_misfits_are_errors():
    with pytest.raises(ValueError, match="tubelets of 3"):
        statistics.load(statistics.Spec(tubelet=3), **SIZE, threads=1)
    with pytest.raises(ValidationError, match="brightness"):
        statistics.Spec(features=("colour",))
    with pytest.raises(ValidationError, match="at least 1 item"):
        statistics.Spec(features=())
    assert statistics.tubelet(statistics.Spec()) == 2
