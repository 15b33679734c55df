"""Balls: rendered where they are, and alike by analysis and by brute force."""

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.render import balls
from physprobe.render import stage as render
from physprobe.scenes import scene
from physprobe.simulate import _plane
from physprobe.simulate import balls as system
from physprobe.simulate import stage as simulate
from physprobe.store import zarrs

SPEC = system.Spec(clips=12)
LABELS = system.draw(SPEC)
WITH = int(np.argmax(LABELS["distractor"]))
QUANTITY = {name: number for number, name in enumerate(scene.QUANTITIES)}
DARK = {"light_intensity": 0.0, "light_ambient": 1.0, "floor_red": 0.0, "floor_green": 0.0}
MASK = DARK | {"floor_blue": 0.0, "ball_red": 1.0, "ball_green": 1.0, "ball_blue": 1.0}
CIRCLE = np.stack([trig(np.linspace(0, 2 * np.pi, 720)) for trig in (np.cos, np.sin)])
CAMERA = {"camera_tilt": 0.0, "camera_azimuth": 0.0}


def clip(number, **changed):
    """Scene of a clip, some quantities set by hand."""
    labels = {name: label[number] for name, label in LABELS.items()}
    return system.field(SPEC, labels | changed)


def light(frames):
    """Light (..., 0 to 1) from sRGB."""
    value = frames / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def centroid(weight):
    side = np.arange(weight.shape[-1]) + 0.5
    return np.array([weight.sum(axis) @ side for axis in (1, 0)]) / weight.sum()


def truth(row):
    return np.array([row["ball_row"], row["ball_column"]])


@pytest.mark.parametrize("number", range(6))
def test_the_ball_is_where_it_is(number):
    """Its image by light alone: white without shade on a black floor."""
    field = clip(number, **MASK, distractor_radius=0.0, texture_contrast=0.0)
    frames = light(balls.frames(balls.Spec(), field)[..., 0])
    for frame, row in zip(frames, scene.rows(field), strict=True):
        camera = scene.Camera.of(row)
        assert np.linalg.norm(centroid(frame) - truth(row)) < 0.1
        # the middle of a ball's image, drawn out by the perspective, is not the image of its middle
        ring = camera.outline(scene.centre(row, "ball"), row["ball_radius"], CIRCLE)
        ends = np.stack(camera.project(ring))
        assert np.linalg.norm(centroid(frame) - (ends.min(1) + ends.max(1)) / 2) < 0.02


@pytest.mark.parametrize("number", range(12))
def test_it_is_there_by_its_colour_too(number):
    """In the light, with texture, shadow and distractor: pixels that are more blue than red."""
    field = clip(number)
    frames = balls.frames(balls.Spec(), field).astype(int)
    for frame, row in zip(frames[::5], scene.rows(field)[::5], strict=True):
        blue = frame[..., 2] - 1.15 * frame[..., 0] > 0
        assert 200 < blue.sum() < 450
        assert np.linalg.norm(centroid(blue.astype(float)) - truth(row)) < 0.35


def test_its_image_has_the_size_of_the_perspective():
    """Half of it by a tangent cone: on the axis, tan(asin(r / distance))."""
    row = {"x0": 0.0, "y0": 0.0, **CAMERA, **MASK}
    frame = light(balls.frames(balls.Spec(), _plane.film(2, row))[0, ..., 0])
    radius = np.tan(np.arcsin(0.3 / 9.7)) / 0.4 * 128
    assert frame.sum() == pytest.approx(np.pi * radius**2, rel=2e-3)
    np.testing.assert_allclose(centroid(frame), 128, atol=1e-3)


def test_the_shadow_falls_away_from_the_light():
    """Its middle lies below the ball, shifted by height over the tangent of the elevation."""
    still = {"x0": 0.5, "y0": -0.4, **CAMERA, "light_azimuth": 0.7, "light_elevation": 0.5}
    shown = still | {"ball_red": 0.0, "ball_green": 0.0, "ball_blue": 0.0, "light_ambient": 0.0}
    field = _plane.film(2, shown)
    frame = light(balls.frames(balls.Spec(), field)[0, ..., 0])
    plain = np.median(frame)
    assert plain == pytest.approx(0.55 * 0.95 * np.sin(0.5), abs=5e-3)
    middle = np.array([0.5, -0.4, 0.0])
    middle[:2] -= 0.3 / np.tan(0.5) * np.array([np.cos(0.7), np.sin(0.7)])
    row, column = scene.Camera.of(scene.rows(field)[0]).project(middle)
    assert frame[int(row), int(column)] < 0.01 * plain
    # it is an ellipse, 1 / sin(elevation) as long as it is wide
    away = -np.array([np.cos(0.7), np.sin(0.7), 0.0])
    for reach, dark in ((0.55, True), (0.70, False)):
        row, column = scene.Camera.of(scene.rows(field)[0]).project(middle + reach * away)
        assert (frame[int(row), int(column)] < 0.5 * plain) == dark


def test_analysis_agrees_with_brute_force():
    """36 rays a pixel: PSNR of 50 dB and more, and no edge anywhere else."""
    field = clip(WITH, texture_wavelength=2.0)[8:9]
    found, traced = (balls.frames(balls.Spec(rays=n), field).astype(int) for n in (0, 6))
    apart = found - traced
    assert 10 * np.log10(255**2 / (apart**2).mean()) > 50
    assert np.abs(apart).max() < 24 and (np.abs(apart).max(-1) > 6).mean() < 5e-4


def test_few_rays_approach_what_analysis_gives():
    spec = system.Spec(clips=12, size=64)
    labels = {name: label[4] for name, label in LABELS.items()} | {"texture_contrast": 0.0}
    field = system.field(spec, labels)[:1]
    found = balls.frames(balls.Spec(), field).astype(int)
    errors = [
        np.abs(balls.frames(balls.Spec(rays=rays), field) - found).mean() for rays in (1, 2, 4, 8)
    ]
    assert errors == sorted(errors, reverse=True) and errors[-1] < errors[0] / 6


def test_only_what_moves_changes():
    """Beyond a ball's length of ball and shadow no byte differs; the same scene, the same bytes."""
    field = clip(WITH)
    frames = balls.frames(balls.Spec(), field)
    np.testing.assert_array_equal(frames, balls.frames(balls.Spec(), field))
    away = np.ones((16, 256, 256), bool)
    y, x = np.mgrid[:256, :256] + 0.5
    for number, row in enumerate(scene.rows(field)):
        reach = 14 + 14 / np.tan(row["light_elevation"])
        for body in scene.BODIES:
            beside = np.hypot(y - row[f"{body}_row"], x - row[f"{body}_column"])
            away[number] &= beside > reach
    still = away.all(0)
    assert still.mean() > 0.7 and (frames[:, still] == frames[0, still]).all()
    assert (frames[0] != frames[-1]).any(-1).sum() > 300


def test_frames_do_not_depend_on_the_others_of_the_clip():
    field = clip(WITH)
    whole = balls.frames(balls.Spec(), field)
    for number in (3, 12):
        one = balls.frames(balls.Spec(), field[number : number + 1])
        np.testing.assert_array_equal(one[0], whole[number])
    mixed = np.stack([field[3], clip(4)[3], field[3]])
    found = balls.frames(balls.Spec(), mixed)
    np.testing.assert_array_equal(found[0], found[2])
    np.testing.assert_array_equal(found[1], balls.frames(balls.Spec(), clip(4)[3:4])[0])


def test_balls_hide_and_shade_each_other():
    """One above the other: what is above hides what is below, and takes its light."""
    field = _plane.film(2, {"x0": 0.0, "y0": 0.0, **CAMERA})
    both = field.copy()
    for name, value in {"z": 1.2, "radius": 0.2, "red": 1.0, "visible": 1.0}.items():
        both[:, QUANTITY[f"distractor_{name}"]] = value
    alone, hidden = (balls.frames(balls.Spec(), f)[0].astype(int) for f in (field, both))
    assert alone[128, 128, 2] > alone[128, 128, 0] + 50
    assert hidden[128, 128, 0] > hidden[128, 128, 2] + 50
    both[:, QUANTITY["light_elevation"]] = field[:, QUANTITY["light_elevation"]] = 0.8
    # on the way from the top of the ball, 0.6 m high, to the light
    both[:, QUANTITY["distractor_x"]] = 0.6 / np.tan(0.8)
    alone, shaded = (light(balls.frames(balls.Spec(), f)[0]) for f in (field, both))
    assert shaded[128, 128, 2] < 0.3 * alone[128, 128, 2]
    traced = balls.frames(balls.Spec(rays=6), both[:1])[0].astype(int)
    apart = np.abs(balls.frames(balls.Spec(), both)[0] - traced)
    assert (apart.max(-1) > 10).sum() < 12


@pytest.mark.parametrize("column", [-2.0, 0.0, 1.0, 255.7, 259.0, 400.0])
def test_a_ball_may_be_cut_by_the_edge_of_the_image_or_out_of_it(column):
    field = _plane.film(2, {"x0": (column - 128) / 32.99, "y0": 0.0, **CAMERA, **MASK})
    frame = light(balls.frames(balls.Spec(), field)[0, ..., 0])
    expected = np.pi * 9.9**2 * field[0, QUANTITY["ball_visible"]]
    assert frame.sum() == pytest.approx(expected, rel=0.15, abs=6)


def test_an_edge_leaves_what_a_straight_line_cuts_off():
    """Exactly, against 400 points a pixel, for lines at any angle."""
    y, x = np.mgrid[:9, :9].astype(float)
    steps = (np.arange(400) + 0.5) / 400 - 0.5
    for angle in np.linspace(0, 2 * np.pi, 17):
        normal = np.array([np.sin(angle), np.cos(angle)])
        depth = 0.03 * (normal[0] * (y - 4) + normal[1] * (x - 4) + 0.23)
        found, steep = balls.coverage(depth)
        np.testing.assert_allclose(steep, 0.03)
        for row, column in ((4, 4), (3, 4), (4, 5), (5, 3)):
            shift = 0.03 * np.add.outer(normal[0] * steps, normal[1] * steps)
            expected = (depth[row, column] + shift > 0).mean()
            assert found[row, column] == pytest.approx(expected, abs=4e-3)


def test_texture_and_tilt_show_in_the_frames():
    plain, textured = (clip(2, texture_contrast=c, distractor_radius=0.0) for c in (0.0, 0.3))
    plain, textured = (balls.frames(balls.Spec(), f)[0, :60].std() for f in (plain, textured))
    assert textured > 5 * max(plain, 1)
    for kind in range(3):
        frame = balls.frames(balls.Spec(), clip(2, texture=kind, texture_contrast=0.3))
        assert frame.std() > 4


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (np.zeros((4, 32, 32)), r"shape \(4, 32, 32\): expected \(time, 38\)"),
        (np.full((2, 38), np.nan), "frame 0 is not finite: ball_x"),
    ],
)
def test_what_is_no_scene_is_refused(field, expected):
    with pytest.raises(ValueError, match=expected):
        balls.frames(balls.Spec(), field)


def test_impossible_values_are_refused():
    with pytest.raises(ValidationError, match="less than or equal to 16"):
        balls.Spec(rays=17)


def test_from_simulation_to_clips(tmp_path):
    """Both stages, at another size of the image."""
    spec = system.Spec(clips=3, size=64)
    folder = tmp_path / "balls"
    places = [folder / name / "zarr.json" for name in ("simulation.zarr", "clips.zarr")]
    simulate.run(out=places[0], spec=spec.canonical())
    render.run(simulation=places[0], out=places[1], spec=balls.Spec().canonical())
    video = zarrs.read(places[1]).video
    assert video.shape == (3, 16, 64, 64, 3) and video.dtype == np.uint8
    field = zarrs.read(places[0]).scene.values[1]
    np.testing.assert_array_equal(video.values[1], balls.frames(balls.Spec(), field))
