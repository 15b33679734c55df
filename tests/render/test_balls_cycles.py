"""Balls through Cycles: the same as by analysis; runs where Blender is installed."""

import importlib.util

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.render import _blender, balls, balls_cycles
from physprobe.scenes import scene
from physprobe.simulate import _plane
from physprobe.simulate import balls as system

# Looked for, not imported: Blender belongs in processes of its own.
blender = pytest.mark.skipif(not importlib.util.find_spec("bpy"), reason="bpy is not installed")
SPEC = system.Spec(clips=12)
LABELS = system.draw(SPEC)
WITH = int(np.argmax(LABELS["distractor"]))
QUANTITY = {name: number for number, name in enumerate(scene.QUANTITIES)}
# A floor that returns no light shows neither shadow nor sky: what differs is the ball alone.
BLACK = {
    **dict.fromkeys(("floor_red", "floor_green", "floor_blue", "light_ambient"), 0.0),
    **dict.fromkeys(("ball_red", "ball_green", "ball_blue"), 1.0),
    "light_intensity": 0.6,
}


def clip(number, **changed):
    """Scene of a clip, some quantities set by hand."""
    labels = {name: label[number] for name, label in LABELS.items()}
    return system.field(SPEC, labels | changed)


def light(frames):
    """Light (..., 0 to 1) from sRGB."""
    value = frames / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def centres(draw, field):
    """Moments (time, 2) [px] of how frames differ from those without the ball."""
    empty = field.copy()
    empty[:, QUANTITY["ball_radius"]] = 0
    apart = np.abs(light(draw(field)) - light(draw(empty))).sum(-1)
    side = np.arange(apart.shape[-1]) + 0.5
    along = [apart.sum(axis) @ side for axis in (2, 1)]
    return np.stack(along, 1) / apart.sum((1, 2))[:, None]


def by_analysis(field):
    return balls.frames(balls.Spec(), field)


def by_paths(field, **asked):
    return balls_cycles.frames(balls_cycles.Spec(**asked), field)


def psnr(one, other):
    return 10 * np.log10(255**2 / ((one.astype(float) - other) ** 2).mean((1, 2, 3)))


@blender
def test_the_ball_is_where_analysis_puts_it():
    """Early, late and in between, in three clips."""
    clips = [clip(number, **BLACK, distractor_radius=0.0)[[7 * number]] for number in range(3)]
    field = np.concatenate(clips)
    apart = np.linalg.norm(centres(by_paths, field) - centres(by_analysis, field), axis=1)
    assert apart.max() < 0.1


@blender
def test_frames_are_those_of_analysis():
    """As published, lit from above; with texture, tilt, shadow and distractor."""
    published = _plane.film(16, {"x0": 0.5, "y0": -1.0, "vx": 2.0})[[8]]
    textured = [clip(n, texture=n % 3, texture_contrast=0.35)[[8]] for n in (WITH, WITH + 1)]
    for field in (published, *textured):
        assert psnr(by_paths(field), by_analysis(field)).min() > 30
        # what is left are paths that go on: without them both draw the same
        assert psnr(by_paths(field, bounces=0), by_analysis(field)).min() > 45


@blender
def test_the_floor_has_its_light():
    """Far from the ball, what is known in closed form."""
    field = clip(4, texture=2, texture_contrast=0.35, distractor_radius=0.0)[[8]]
    apart = by_paths(field).astype(int) - by_analysis(field)
    y, x = np.mgrid[:256, :256] + 0.5
    away = np.hypot(y - field[0, QUANTITY["ball_row"]], x - field[0, QUANTITY["ball_column"]]) > 60
    assert np.abs(apart[0, away]).mean() < 1 and np.abs(apart[0, away].mean(0)).max() < 0.5


@blender
def test_the_same_seed_gives_the_same_bytes_whatever_was_drawn_before():
    field = clip(2)[[4, 9]]
    first = by_paths(field, samples=2)
    np.testing.assert_array_equal(by_paths(field[1:], samples=2)[0], first[1])
    by_paths(clip(5, texture_contrast=0.0)[[0]], samples=2)
    np.testing.assert_array_equal(by_paths(field, samples=2), first)
    assert (by_paths(field, samples=2, seed=1) != first).any()


def test_without_blender_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="Hint: python -m pip install --no-deps bpy"):
        by_paths(clip(0)[:1])


def test_gloss_has_the_height_and_width_of_the_analytic_one():
    """Blinn's and Beckmann's lobes by the angle between normal and half vector."""
    angle = np.linspace(0, 0.35, 8)
    slope = _blender.SLOPE
    lobe = np.exp(-((np.tan(angle) / slope) ** 2)) / (4 * slope**2 * np.cos(angle) ** 4)
    blinn = balls.GLOSS * np.cos(angle) ** balls.SHARPNESS
    np.testing.assert_allclose(_blender.STRENGTH * lobe, blinn, atol=0.03 * balls.GLOSS)


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (np.zeros((4, 32, 32)), r"shape \(4, 32, 32\): expected \(time, 38\)"),
        (np.full((2, 38), np.nan), "frame 0 is not finite: ball_x"),
    ],
)
def test_what_is_no_scene_is_refused(field, expected):
    with pytest.raises(ValueError, match=expected):
        by_paths(field)


def test_impossible_values_are_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        balls_cycles.Spec(samples=0)
