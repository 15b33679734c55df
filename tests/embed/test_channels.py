"""Controls of named fields: coarse fields, statistics by hand, elapsed time."""

import numpy as np
import pytest
import xarray as xr

from physprobe.embed import channel_statistics, channels, elapsed

SIZE = {"frames": 4, "height": 8, "width": 16, "channels": 2, "threads": 1}
CLIPS = np.random.default_rng(0).normal(1.0, 2.0, (3, 4, 8, 16, 2)).astype("float32")


def encode(kind, spec, clips=CLIPS, **more):
    encoder = kind.load(spec, **SIZE, **more)
    found = encoder.encode(clips, np.arange(len(clips))).pooled
    assert found.shape == (len(clips), 1, len(encoder.spans), encoder.features)
    assert found.dtype == np.float32
    return found[:, 0]


def test_fields_are_averaged_over_squares():
    found = encode(channels, channels.Spec(cells=4, tubelet=2))
    assert found.shape == (3, 2, 2 * 2 * 4 * 2)
    by_hand = CLIPS[1, 3, 4:8, 8:12, 0].mean()  # frame 1 of token 1, square (1, 2), field 0
    assert found[1, 1].reshape(2, 2, 4, 2)[1, 1, 2, 0] == pytest.approx(by_hand, rel=1e-5)
    mean = encode(channels, channels.Spec(cells=4, tubelet=2, tubelet_frames="mean"))
    np.testing.assert_allclose(mean, found.reshape(3, 2, 2, -1).mean(2), rtol=1e-5, atol=1e-6)
    still = encode(channels, channels.Spec(cells=4, tubelet=2, frames="repeated"))
    np.testing.assert_array_equal(still[:, 0], still[:, 1])
    with pytest.raises(ValueError, match="cells: 3 don't divide a grid of 8 x 16"):
        encode(channels, channels.Spec(cells=3))
    assert channels.Spec(components=5).components == 5


def wave(rows: int, amplitudes: list[float]) -> np.ndarray:
    """Fields (frame, y, x, channel) of waves along y; the second field is minus the first."""
    sine = np.sin(2 * np.pi * rows * np.arange(16) / 16)[:, None] * np.ones(8)
    return np.stack([a * np.stack([sine, 5 - sine], -1) for a in amplitudes])


def test_statistics_of_a_wave_are_those_by_hand():
    found = {
        name: channel_statistics.measure(wave(2, [1.0, 2.0, 2.0]), (name,))
        for name in channel_statistics.ALL
    }
    half = np.log(0.5)
    # mean, log variance, skewness, kurtosis of a sine: 0, log a^2 / 2, 0, -1.5
    np.testing.assert_allclose(
        found["moments"][0], [0, 5, half, half, 0, 0, -1.5, -1.5], atol=1e-12
    )
    np.testing.assert_allclose(found["moments"][1, 2] - half, np.log(4))
    steps = np.diff(wave(2, [1.0])[0, :, 0, 0])
    np.testing.assert_allclose(found["gradients"][0, 0], np.log((steps**2).mean()))
    np.testing.assert_allclose(found["gradients"][0, 2:], found["gradients"][1, 2:], atol=1e-12)
    spectra = found["spectra"].reshape(3, -1, 2)
    assert spectra.shape[1] == 4, "shells from 1, 2, 4 and 8 on"
    np.testing.assert_allclose(spectra[0, 1, 0], half)  # Parseval: all of the variance is there
    assert (spectra[:, [0, 2, 3]] < -20).all()
    changes = found["changes"]
    # from a = 1 to 2 the wave changes by itself; then by nothing
    np.testing.assert_allclose(changes[1, [0, 2, 4]], [half, half - np.log(2), np.log(4)])
    np.testing.assert_array_equal(changes[0], changes[1])
    assert changes[2, 0] < -20 and changes[2, 4] == pytest.approx(0)
    np.testing.assert_allclose(found["correlations"], -1)


def test_statistics_are_averaged_over_tokens_and_defined_for_what_never_changes():
    found = encode(channel_statistics, channel_statistics.Spec(tubelet=2))
    whole = channel_statistics.measure(CLIPS[2].astype(float))
    np.testing.assert_allclose(found[2], whole.reshape(2, 2, -1).mean(1), rtol=1e-5, atol=1e-6)
    for level in (0.0, 3.0):
        constant = encode(channel_statistics, channel_statistics.Spec(), np.full_like(CLIPS, level))
        assert np.isfinite(constant).all()


def test_elapsed_time_is_when_a_window_begins_and_nothing_of_its_fields():
    simulation = xr.Dataset(
        {"t0": ("clip", [0.0, 2.0, 7.0])}, {"clip": [5, 6, 7], "time": [0.0, 1.0, 2.0, 3.0]}
    )
    spec = elapsed.Spec(tubelet=2)
    found = encode(elapsed, spec, simulation=simulation)
    times = np.array([[0.5, 2.5], [2.5, 4.5], [7.5, 9.5]])
    scaled = (times - 5.0) / 4.5
    np.testing.assert_allclose(found, np.stack([scaled, scaled**2, scaled**3], -1), atol=1e-6)
    np.testing.assert_array_equal(found, encode(elapsed, spec, 0 * CLIPS, simulation=simulation))
    assert spec.SEES_SIMULATION and spec.READS[0] == "fluid"
    with pytest.raises(ValueError, match="no label t0"):
        encode(elapsed, spec, simulation=simulation.drop_vars("t0"))
