"""Controls of what no physics is in: the list of files, and how films are made."""

import numpy as np
import pytest
import xarray as xr

from physprobe.embed import recording, rendering

RNG = np.random.default_rng(0)


def listed(names, lengths, window=0) -> xr.Dataset:
    """Films of these lengths, in the order of their names, with these clips."""
    films = {
        name: {"frames": length, "frames_per_second": 30.0, "size": [48, 64]}
        for name, length in lengths.items()
    }
    clips = {"film": ("clip", names), "window": ("clip", np.broadcast_to(window, len(names)))}
    return xr.Dataset(clips, attrs={"films": films})


def explained(features: np.ndarray, label: np.ndarray) -> float:
    """R2 of a linear map with intercept, on the rows that it is fitted to."""
    known = np.c_[features, np.ones(len(features))]
    rest = label - known @ np.linalg.lstsq(known, label, rcond=None)[0]
    return 1 - rest.var() / label.var()


def test_the_place_in_a_list_is_known_of_any_system():
    simulation = xr.Dataset({"alpha": ("clip", RNG.normal(size=60))}, {"clip": np.arange(60) + 7})
    found = recording.known(simulation)
    assert np.abs(found).max() <= 1 + 1e-9
    assert explained(found, np.sort(simulation["alpha"].values)) > 0.95
    for turns in recording.TURNS:
        assert explained(found, (np.arange(60) % turns == 0) * 1.0) == pytest.approx(1.0)
    assert explained(found, simulation["alpha"].values) < 0.4, "an order that has nothing to do"
    encoder = recording.load(
        recording.Spec(tubelet=4), frames=8, height=1, width=1, threads=1, simulation=simulation
    )
    pooled = encoder.encode(np.zeros((2, 8)), np.array([3, 5])).pooled
    assert pooled.shape == (2, 1, 2, encoder.features)
    np.testing.assert_allclose(pooled[:, 0], np.repeat(found[[3, 5], None], 2, axis=1), atol=1e-6)


def test_of_films_it_is_their_place_their_length_and_the_window():
    lengths = {"a.mp4": 300, "b.mp4": 150, "c.mp4": 600}
    names = ["a.mp4", "a.mp4", "b.mp4", "c.mp4", "c.mp4", "c.mp4"]
    window = [0, 1, 0, 0, 1, 2]
    found = recording.known(listed(names, lengths, window))
    for label in (np.log([lengths[name] for name in names]), window, [0, 0, 1, 2, 2, 2]):
        columns = [c for c in found.T if np.ptp(c)]
        assert any(abs(np.corrcoef(label, c)[0, 1]) > 1 - 1e-9 for c in columns)
    assert np.isfinite(found).all() and (np.ptp(found, axis=0) == 0).sum() == 3  # rate and size
    # the place of a film is that in the list, not that of its first clip
    np.testing.assert_allclose(
        recording.known(listed(names[::-1], lengths, window[::-1])), found[::-1]
    )


def films(colour=0.0, grain=3.0, step=0.0) -> np.ndarray:
    """Frames (4, 32, 48, rgb) of a spot on gray, tinted, noisy and compressed."""
    from scipy.fft import dctn, idctn

    y, x = np.mgrid[:32, :48]
    gray = 100 + 80 * np.exp(-((y - 11.0) ** 2 + (x - 20.0) ** 2) / 30)
    gray = gray + grain * RNG.normal(size=(4, 32, 48))
    if step:
        waves = dctn(gray.reshape(4, 4, 8, 6, 8), axes=(2, 4), norm="ortho")
        gray = idctn(np.round(waves / step) * step, axes=(2, 4), norm="ortho").reshape(4, 32, 48)
    tint = np.array([1 + colour, 1.0, 1 - colour])
    return np.clip(np.round(gray[..., None] * tint), 0, 255).astype(np.uint8)


def test_how_a_film_is_made_is_read_off_its_frames():
    means = [np.nanmean(rendering.measure(films(colour=c)), 0)[:2] for c in (-0.1, 0.0, 0.1)]
    by_hand = [np.log([(1 + c) / 1.0, (1 - c) / 1.0]) for c in (-0.1, 0.0, 0.1)]
    np.testing.assert_allclose(means, by_hand, atol=0.01)
    grain = [np.nanmean(rendering.measure(films(grain=g)), 0)[2] for g in (2.0, 4.0, 8.0)]
    np.testing.assert_allclose(np.diff(grain), np.log(2), atol=0.1)
    step = [np.nanmean(rendering.measure(films(step=s)), 0)[9] for s in (8.0, 16.0, 32.0)]
    np.testing.assert_allclose(step, np.log(np.array([8, 16, 32]) / 255), atol=0.05)
    # blocks show where what is fine is gone
    blocks = [np.nanmean(rendering.measure(films(step=s)), 0)[10] for s in (0.0, 40.0)]
    assert abs(blocks[0]) < 0.1 < blocks[1]


def test_it_knows_nothing_of_where_things_are_and_tokens_are_means_of_frames():
    video = np.stack([films(), np.zeros((4, 32, 48, 3), np.uint8)])
    size = {"frames": 4, "height": 32, "width": 48, "threads": 1}
    found = rendering.load(rendering.Spec(), **size).encode(video, np.arange(2)).pooled
    assert found.shape == (2, 1, 2, 11) and np.isfinite(found).all()
    each = rendering.measure(video[0])
    assert np.isnan(each[0, 2]) and np.isfinite(np.delete(each, 2, axis=1)).all()
    np.testing.assert_allclose(found[0, 0], [np.nanmean(each[:2], 0), each[2:].mean(0)], rtol=1e-5)
    moved = rendering.measure(np.roll(video[0], 8, axis=2))  # by a block
    np.testing.assert_allclose(moved[1:, :10], each[1:, :10], atol=0.05)
    with pytest.raises(ValueError, match="frames of 8 x 48 px, expected 16"):
        rendering.load(rendering.Spec(), **{**size, "height": 8})
