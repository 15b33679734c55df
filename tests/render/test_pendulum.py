"""Pendulum rendered: where the rods are, as wide as they are, alike in every size and company."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from physprobe.render import pendulum, signal
from physprobe.scenes import rods
from physprobe.simulate import double_pendulum


@pytest.fixture(scope="module")
def field():
    spec = double_pendulum.Spec(clips=3, frames=70)
    return double_pendulum.solved(spec, double_pendulum.draw(spec))[0]


def traced(row, size, color, rays=8):
    """One frame (y, x, rgb) by looking at many points of every pixel."""
    x1, y1, x2, y2, view = row.astype(float)
    scale = size / 2 / view
    side = (np.arange(size * rays) + 0.5) / rays - size / 2
    points = np.stack(np.meshgrid(side, -side), -1) / scale
    image = np.zeros((*points.shape[:2], 3))
    width = pendulum.PART * size / scale
    ends = [((0, 0), (x1, y1)), ((x1, y1), (x2, y2)), ((x1, y1),) * 2, ((x2, y2),) * 2]
    for ends_, reach, colour in zip(
        ends, (width / 2, width / 2, width, width), pendulum.COLOURS[color], strict=True
    ):
        start, end = np.array(ends_, float)
        way = end - start
        along = np.clip((points - start) @ way / max(way @ way, 1e-12), 0, 1)
        near = np.linalg.norm(points - start - along[..., None] * way, axis=-1) <= reach
        image[near] = colour
    return image.reshape(size, rays, size, rays, 3).mean((1, 3))


@pytest.mark.parametrize(("size", "color"), [(64, "gray"), (64, "rgb"), (33, "rgb"), (128, "gray")])
def test_edges_are_where_traced_points_have_them(field, size, color):
    frames = pendulum.frames(pendulum.Spec(size=size, color=color), field[0, ::23])
    assert frames.shape == (4, size, size, 3) and frames.dtype == np.uint8
    for frame, row in zip(frames, field[0, ::23], strict=True):
        expected = traced(row, size, color)
        error = frame - expected
        assert np.sqrt((error**2).mean()) < 0.02 * 255
        assert abs(error.mean()) < 0.001 * 255


def test_light_is_that_of_the_area():
    """A rod straight down and one to the side: two rectangles, three round ends, two discs."""
    row = np.array([[0.0, -1.0, 1.0, -1.0, 2.2]], np.float32)
    frame = pendulum.frames(pendulum.Spec(size=256), row)[0, ..., 0] / 255
    rod, disc = 256 * pendulum.PART / 2, 256 * pendulum.PART
    length = 256 / 4.4
    # the upper half of the pivot's end, what the discs leave of both rods, and the discs
    left = length - np.sqrt(disc**2 - rod**2)
    corner = rod * np.sqrt(disc**2 - rod**2) + disc**2 * np.arcsin(rod / disc)
    discs = 2 * np.pi * disc**2
    expected = np.pi * rod**2 / 2 + discs + 4 * rod * length
    expected -= 3 * corner
    assert left > 0
    assert frame.sum() == pytest.approx(expected, rel=0.003)


def test_left_and_right_are_alike(field):
    """A mirrored pendulum is the mirrored image, to a level of rounding."""
    mirrored = field[1] * np.array([-1, 1, -1, 1, 1], np.float32)
    found, other = (
        pendulum.frames(pendulum.Spec(), each).astype(int) for each in (field[1], mirrored)
    )
    assert np.abs(found[:, :, ::-1] - other).max() <= 1


def test_a_frame_follows_from_its_own_row(field):
    """Alone, or among more of them than are drawn at a time."""
    for spec in (pendulum.Spec(), pendulum.Spec(color="rgb"), pendulum.Spec(canvas="published")):
        whole = pendulum.frames(spec, field[2])
        for number in (0, 13, 69):
            alone = pendulum.frames(spec, field[2, number : number + 1])[0]
            np.testing.assert_array_equal(alone, whole[number])


def test_what_comes_later_lies_over_it():
    row = np.array([[1.0, 0.0, 0.0, 0.0, 2.2]], np.float32)
    frame = pendulum.frames(pendulum.Spec(color="rgb", size=128), row)[0]
    middle = 64 + round(64 / 2.2 / 2)
    assert frame[64, middle].tolist() == [255, 0, 255]
    assert frame[64, 64 + round(64 / 2.2)].tolist() == [255, 255, 0]
    assert frame[64, 64].tolist() == [255, 0, 0]


@pytest.mark.parametrize(("color", "mode"), [("gray", "L"), ("rgb", "RGB")])
def test_the_published_canvas_is_pillows(field, color, mode):
    frames = pendulum.frames(pendulum.Spec(canvas="published", color=color), field[0, :5])
    for frame, row in zip(frames, field[0, :5].astype(float), strict=True):
        scale = 32 / row[4]
        (x1, y1), (x2, y2) = ((32 + x * scale, 32 - y * scale) for x, y in row[:4].reshape(2, 2))
        canvas = Image.new(mode, (64, 64))
        pen = ImageDraw.Draw(canvas)
        fills = [c if mode == "RGB" else 255 for c in pendulum.COLOURS[color]]
        pen.line((32.0, 32.0, x1, y1), fills[0], 2)
        pen.line((x1, y1, x2, y2), fills[1], 2)
        pen.ellipse((x1 - 2, y1 - 2, x1 + 2, y1 + 2), fills[2])
        pen.ellipse((x2 - 2, y2 - 2, x2 + 2, y2 + 2), fills[3])
        np.testing.assert_array_equal(frame, np.asarray(canvas.convert("RGB")))


def test_a_signal_is_the_tips(field):
    found = signal.frames(signal.Spec(), field[0])
    np.testing.assert_array_equal(found, field[0, :, :4])
    assert found.dtype == np.float32 and signal.CHANNELS == ("x1", "y1", "x2", "y2")


@pytest.mark.parametrize("renderer", [pendulum, signal])
def test_what_is_no_pendulum_is_refused(renderer, field):
    with pytest.raises(ValueError, match=r"expected \(time, 5\)"):
        renderer.frames(renderer.Spec(), np.zeros((4, 8, 8)))
    broken = field[0].copy()
    broken[6, rods.QUANTITIES.index("y2")] = np.nan
    with pytest.raises(ValueError, match="frame 6 is not finite: y2"):
        renderer.frames(renderer.Spec(), broken)
