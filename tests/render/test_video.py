"""Video: a film decodes to what was put in, and appears only when it is whole."""

import av
import numpy as np
import pytest

from physprobe.render import _video


def clips(count, side=96, time=10):
    """Clips of one colour each, which brightens with time."""
    rng = np.random.default_rng(0)
    colour = rng.integers(60, 180, (count, 1, 1, 1, 3)) + 5 * np.arange(time)[:, None, None, None]
    return np.broadcast_to(colour.astype(np.uint8), (count, time, side, side, 3))


def decoded(path):
    with av.open(path) as film:
        stream = film.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
        return np.stack(frames), float(stream.average_rate), stream.codec_context.name


def test_film_decodes_to_the_sheet(tmp_path):
    video = clips(8)
    path = tmp_path / "preview.mp4"
    _video.preview(video, path, fps=12)
    frames, rate, codec = decoded(path)
    assert frames.shape == (10, 192, 384, 3)
    assert (rate, codec) == (12, "h264")
    # Colour is stored at half resolution and bleeds across the tiles' edges, not to their middles.
    middles = frames[:, 48::96, 48::96]
    expected = video[:, :, 0, 0].reshape(2, 4, 10, 3).transpose(2, 0, 1, 3)
    np.testing.assert_allclose(middles.astype(int), expected, atol=6)
    assert [path] == list(tmp_path.iterdir())


def test_an_older_film_stays_when_a_new_one_fails(tmp_path, monkeypatch):
    path = tmp_path / "preview.mp4"
    path.write_bytes(b"older")
    monkeypatch.setattr(_video, "sheet", lambda _: np.zeros((2, 64, 64, 5), np.uint8))
    with pytest.raises(ValueError, match="shape"):
        _video.preview(clips(1), path)
    assert path.read_bytes() == b"older"
    assert [path] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("count", "side", "shape"),
    [(8, 256, (512, 1024)), (6, 64, (128, 256)), (1, 33, (34, 34)), (3, 300, (150, 450))],
)
def test_sheet_is_small_and_even(count, side, shape):
    assert _video.sheet(clips(count, side, time=2)).shape == (2, *shape, 3)


def test_sheet_averages_large_clips_and_leaves_missing_ones_black():
    video = np.zeros((5, 1, 300, 300, 3), np.uint8)
    video[4, 0, :, ::2] = 200
    found = _video.sheet(video)[0]
    np.testing.assert_array_equal(found[150:, :150], 100)
    np.testing.assert_array_equal(found[150:, 150:], 0)
    np.testing.assert_array_equal(found[:150], 0)


def test_a_checkerboard_of_single_cells_can_be_seen(tmp_path):
    """What an unstable solver leaves, at the size of the systems here."""
    board = np.add.outer(np.arange(256), np.arange(256)) % 2
    video = np.broadcast_to((255 * board).astype(np.uint8)[..., None], (2, 4, 256, 256, 3))
    _video.preview(video, tmp_path / "preview.mp4")
    found = decoded(tmp_path / "preview.mp4")[0][2, :, :256].mean(2)
    assert found[board == 1].mean() > 200 and found[board == 0].mean() < 50
