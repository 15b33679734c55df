"""Occlusion rendered: shared frames to the last bit, shapes where and as large as they are."""

import numpy as np
import pytest

from physprobe.render import occlusion
from physprobe.scenes import screens
from physprobe.simulate import occlusion as system

SPEC = system.Spec(scenes=2, size=64)
BLANK = dict.fromkeys(screens.QUANTITIES, 0.0) | {"view": 6.0, "pixels": 60.0, "body_size": 0.5}
WHITE = {f"body_{colour}": 1.0 for colour in screens.COLOURS}


@pytest.fixture(scope="module")
def movies():
    labels = system.draw(SPEC)
    fields = [
        system.field(SPEC, {name: label[number] for name, label in labels.items()})
        for number in range(len(labels["scene"]))
    ]
    return labels, np.stack([occlusion.frames(occlusion.Spec(), field) for field in fields])


def frame(rays=16, **changed):
    row = np.array([list((BLANK | changed).values())])
    return occlusion.frames(occlusion.Spec(rays=rays), row)[0]


def light(image):
    value = image / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def test_possible_and_impossible_movies_share_all_rendered_runs(movies):
    """Single frames, neighbours, and every run up to one frame more than the body is hidden."""
    labels, video = movies
    for scene in range(6):
        mine = labels["scene"] == scene
        parts = [video[mine & (labels["possible"] == value)] for value in (1, 0)]
        for length in range(1, SPEC.hidden + 2):
            found = [
                sorted(
                    movie[start : start + length].tobytes()
                    for movie in part
                    for start in range(SPEC.frames - length + 1)
                )
                for part in parts
            ]
            assert found[0] == found[1], f"scene {scene}, runs of {length}"
        assert {m.tobytes() for m in parts[0]}.isdisjoint(m.tobytes() for m in parts[1])


def test_frames_around_the_exchange_are_the_same_in_all_four_movies(movies):
    labels, video = movies
    for scene in range(6):
        mine = video[labels["scene"] == scene]
        swap = labels["swap"][labels["scene"] == scene][0]
        around = mine[:, swap - SPEC.hidden // 2 : swap + SPEC.hidden // 2]
        assert (around == around[:1]).all()
        assert (mine[0, 0] != mine[1, 0]).any() and (mine[0, -1] != mine[1, -1]).any()


@pytest.mark.parametrize(("shape", "area"), [(1, np.pi / 4), (2, 1.0), (3, 0.5)])
def test_shapes_are_where_they_are_and_as_large(shape, area):
    """Light of a white body on black; even light, so that only its outline counts."""
    body = WHITE | {"body_shape": shape, "body_x": 0.337, "light_azimuth": np.pi}
    image = light(frame(**body)[..., 0]) / occlusion.AMBIENT
    assert image.sum() == pytest.approx(area * 100, rel=0.01)
    side = np.arange(60) + 0.5
    assert image.sum(0) @ side / image.sum() == pytest.approx(30 + 3.37, abs=0.02)
    foot = 48.0  # [px], where the ground begins
    middle = 10 / 3 if shape == 3 else 5.0
    assert image.sum(1) @ side / image.sum() == pytest.approx(foot - middle, abs=0.05)


def test_surfaces_are_lit_as_they_face_the_light():
    lit = {"light_azimuth": 0.6, "light_elevation": 0.7}
    towards = np.array([np.cos(0.7) * np.sin(0.6), np.sin(0.7), np.cos(0.7) * np.cos(0.6)])
    grey = dict.fromkeys(WHITE, 0.5)
    ball = light(frame(**grey, **lit, body_shape=1, body_size=2.0, pixels=300.0)[..., 0])
    row, column = np.unravel_index(ball.argmax(), ball.shape)
    found = np.array([(column + 0.5 - 150) / 100, (240 - row - 0.5) / 100 - 1])
    np.testing.assert_allclose(found, towards[:2], atol=0.12)
    box = light(frame(**grey, **lit, body_shape=2)[..., 0]) / 0.5
    expected = occlusion.AMBIENT + occlusion.INTENSITY * towards[2]
    assert box.max() == pytest.approx(expected, abs=0.02)
    u, v = np.meshgrid(np.linspace(-0.3, 0.3, 7), np.linspace(-0.9, 0.2, 7))
    for shape in ("ball", "box", "cone"):
        length = np.linalg.norm(occlusion._normal(shape, u, v), axis=0)
        np.testing.assert_allclose(length, 1.0, atol=1e-12)


def test_screens_cover_what_is_behind_them_and_the_part_of_a_pixel_that_they_cover():
    dark = {"light_azimuth": np.pi}
    red = {"screen_red": 1.0, "left_x": 0.0, "left_width": 1.33, "left_height": 1.25}
    alone = frame(**red, **dark)
    found = light(alone[..., 0]) / occlusion.AMBIENT
    assert found.sum() == pytest.approx(13.3 * 12.5, rel=0.01)
    assert found[36, 30] == pytest.approx(1.0, abs=0.02)
    assert found[35, 30] == pytest.approx(0.5, abs=0.02)
    body = WHITE | {"body_shape": 2.0, "body_x": 0.05}
    assert np.array_equal(alone, frame(**red, **dark, **body))
    assert not np.array_equal(alone, frame(**red, **dark, **body | {"body_x": 0.3}))


def test_more_points_change_little(movies):
    field = system.field(SPEC, {name: label[6] for name, label in system.draw(SPEC).items()})
    fine = occlusion.frames(occlusion.Spec(rays=32), field).astype(float)
    assert np.abs(occlusion.frames(occlusion.Spec(), field) - fine).max() <= 4


def test_a_description_of_something_else_is_refused():
    with pytest.raises(ValueError, match="expected \\(time, "):
        occlusion.frames(occlusion.Spec(), np.zeros((3, 5)))
    broken = np.array([list(BLANK.values())])
    broken[0, 1] = np.nan
    with pytest.raises(ValueError, match="frame 0 is not finite: body_x"):
        occlusion.frames(occlusion.Spec(), broken)
