"""Balls: one ball slides over a floor; where it is tells nothing about how it moves.

    x(t) = x0 + v t + a t^2 / 2,    the same for y

Speed and acceleration are uniform between their ends, each in a direction of its own, uniform
around the circle. The centre of the path, the mean place of the ball over all frames, is uniform
over a disc that is so small that the fastest ball in any direction stays in view: no draw is
refused, so centre, velocity and acceleration are independent. That the last frames are further
along the way remains: a path of 1.9 m in a disc of 1.5 m; scores that are read from a place alone,
of the same frames, are the control for that.

Nuisance factors are drawn for every clip: texture and brightness of the floor, direction of the
light, tilt of the camera, and for a part of the clips a second ball of another colour and size,
which moves uniformly, keeps clear of the first and stays in view as well. Its draws alone are
repeated until it does.
"""

from collections.abc import Mapping
from functools import cache
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.config.spec import Spec as Base
from physprobe.scenes import scene
from physprobe.simulate import _draws, _gates, _plane

FIELD, FIELD_UNIT, GRID = "scene", scene.UNIT, False
UNITS = {
    **{"speed": "m/s", "direction": "rad", "vx": "m/s", "vy": "m/s"},
    **{"acceleration": "m/s^2", "acceleration_direction": "rad", "ax": "m/s^2", "ay": "m/s^2"},
    **{"cx": "m", "cy": "m", "x0": "m", "y0": "m"},
    **{"brightness": "1", "texture_contrast": "1", "texture_wavelength": "m"},
    **{"light_azimuth": "rad", "light_elevation": "rad"},
    **{"camera_tilt": "rad", "camera_azimuth": "rad", "distractor": "1"},
}

TOLD = (
    *("vx", "vy", "ax", "ay", "x0", "y0", "cx", "cy"),
    *("speed", "direction", "acceleration", "acceleration_direction"),
)
ORANGE = (0.85, 0.40, 0.12)
WAVELENGTHS = (0.4, 2.0)  # [m]; the shortest is 13 px, far from aliasing
OTHER_RADIUS = (0.18, 0.35)  # [m]
APART = 0.1  # [m]
LOWEST = 0.3  # [rad]
EIGHTHS, FIFTHS = 8, 5
ROOM = 0.5  # [m], the least radius of the disc of centres


class Spec(Base):
    """One ball: frames, the draws of its motion, and those of what is of no matter."""

    kind: Literal["balls"] = "balls"
    """One ball on a floor, seen from above, its place independent of its motion."""
    clips: int = Field(400, gt=0)
    """Number of clips."""
    frames: int = Field(_plane.FRAMES, gt=2)
    """Frames of a clip, 24 per second."""
    size: int = Field(_plane.SIZE, ge=32)
    """Pixels along each side of the image."""
    speed: _draws.Range | None = (0.5, 3.0)
    """Speed at the first frame [m/s]: ends of the uniform draw; none: balls start from rest. In
    256 px, 1 m/s is 1.37 px per frame."""
    acceleration: _draws.Range | None = (1.0, 6.0)
    """Acceleration [m/s^2]: ends of the uniform draw; none: balls move uniformly."""
    background: _draws.Range = (0.25, 0.65)
    """Part of the light that the floor returns: ends of the uniform draw."""
    texture: float = Field(0.35, ge=0, le=0.5)
    """Largest contrast of the floor's texture; 0 leaves it plain."""
    light: _draws.Range = (0.7, 1.4)
    """Elevation of the light [rad]: ends of the uniform draw; it may come from any side."""
    tilt: float = Field(0.15, ge=0, le=0.3)
    """Largest tilt of the camera [rad], to any side; 0 looks straight down."""
    distractor: float = Field(0.5, ge=0, le=1)
    """Part of the clips that show a second ball."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the draws; the same seed gives the same clips, and more clips keep the first ones."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not (self.speed or self.acceleration):
            raise ValueError("speed and acceleration are both none: the ball would never move")
        if self.background[1] > 1:
            raise ValueError(f"background: a floor returns 1 at most, not {self.background[1]:g}")
        if self.light[0] < LOWEST or self.light[1] > np.pi / 2:
            raise ValueError(
                f"light: has to be between {LOWEST} rad, or shadows reach far over the floor, and"
                f" {np.pi / 2:.4f} rad, straight above"
            )
        if (room := _room(self)) < ROOM:
            raise ValueError(
                f"the fastest ball leaves {room:.2f} m around the origin to centre paths on, and"
                f" {ROOM} m is the least. Hint: lower speed or acceleration, or fewer frames"
            )
        return self


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``cx``, ``cy`` [m], the centre of the path; ``speed``, ``direction``, ``vx``, ``vy`` at the
        first frame, ``acceleration``, ``acceleration_direction``, ``ax``, ``ay``, all 0 where there
        is none, and ``direction`` that of the acceleration where there is no speed; ``x0``, ``y0``,
        the place at the first frame; the scene's quantities that are drawn; ``distractor``, 1 or 0,
        and the motion of the second ball. ``group`` is the clip. Others to split by:
        ``direction_id``, eighth of the circle, ``magnitude_id``, fifth of the range of speeds, or
        of accelerations where balls start from rest, ``position_id``, the start, every clip's own,
        and the parts of the image of ``_plane.regions``.
    """

    def propose(rng: np.random.Generator) -> dict[str, float]:
        ball = _motion(spec, rng)
        around = _nuisance(spec, rng)
        return ball | around | _distractor(spec, rng, ball)

    labels = _draws.clipwise("balls", spec.seed, spec.clips, propose)
    return labels | _groups(spec, labels)


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] of the frames, and names of the scene's quantities."""
    return _plane.coords(spec.frames)


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Scene of one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        As drawn.

    Returns
    -------
    (time, quantity) float32
    """
    return _plane.film(spec.frames, {**labels, "camera_pixels": spec.size})


def told(spec: Spec, field: np.ndarray) -> dict[str, float]:
    """Motion of a clip's ball, from where it is in the image; see :func:`_plane.told`."""
    known = {"moves": spec.speed is not None, "accelerates": spec.acceleration is not None}
    return _plane.told(field, spec.size, **known)


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only balls pass that keep to their law, stay in view and don't collide.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        Motion of the clip's ball.
    field : (time, quantity) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got.
    """
    _plane.law_of_motion(field, labels)
    _plane.in_view(field)
    _plane.apart(field, APART)


def check_labels(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse labels (clip,) that have collapsed, or places that foretell motions.

    Raises
    ------
    ValueError
        If a parameter takes fewer than 20 distinct values in 20 clips or more, or if the centre of
        the path correlates with velocity or acceleration.
    """
    moves = [("speed", "vx", "vy")] * bool(spec.speed)
    moves += [("acceleration", "ax", "ay")] * bool(spec.acceleration)
    names = sum(moves, ("cx", "cy", "direction"))
    _gates.varied(labels, names)
    _plane.independent(labels, ("cx", "cy"), sum(moves, ()))


def _groups(spec: Spec, labels: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    name = "speed" if spec.speed else "acceleration"
    low, high = getattr(spec, name)
    eighth = np.rint(labels["direction"] * EIGHTHS / (2 * np.pi)).astype(int) % EIGHTHS
    fifth = ((labels[name] - low) / (high - low) * FIFTHS).astype(int).clip(0, FIFTHS - 1)
    starts = np.column_stack([labels["x0"], labels["y0"]])
    own = np.arange(len(starts))
    parts = {"direction_id": eighth, "magnitude_id": fifth, "position_id": own}
    return parts | _plane.regions(starts)


def _motion(spec: Spec, rng: np.random.Generator) -> dict[str, float]:
    radius, angle = _room(spec) * np.sqrt(rng.random()), rng.uniform(-np.pi, np.pi)
    found = {"cx": radius * np.cos(angle), "cy": radius * np.sin(angle)}
    for name, (x, y) in {"speed": ("vx", "vy"), "acceleration": ("ax", "ay")}.items():
        size, angle = rng.random(), rng.uniform(-np.pi, np.pi)
        low, high = getattr(spec, name) or (0.0, 0.0)
        size = low + (high - low) * size
        found |= {x: size * np.cos(angle), y: size * np.sin(angle)}
        if name == "acceleration":
            found["acceleration_direction"] = angle if size else 0.0
    found |= {name: float(value) for name, value in _plane.polar(found).items()}
    return found | _centred(spec, found)


def _centred(spec: Spec, motion: Mapping[str, float]) -> dict[str, float]:
    """Start of a path, from its centre."""
    time = coords(spec)["time"]
    shift = _plane.path(time, {name: motion.get(name, 0.0) for name in ("vx", "vy", "ax", "ay")})
    x, y = shift.mean(0)
    return {"x0": motion["cx"] - x, "y0": motion["cy"] - y}


def _nuisance(spec: Spec, rng: np.random.Generator) -> dict[str, float]:
    brightness = rng.uniform(*spec.background)
    tint = dict(zip(scene.COLOURS, np.array(_plane.GREY) / _plane.GREY[1], strict=True))
    return {
        "brightness": brightness,
        **{f"floor_{colour}": min(1.0, brightness * part) for colour, part in tint.items()},
        "texture": float(rng.integers(len(scene.TEXTURES))),
        "texture_contrast": rng.uniform(0, spec.texture),
        "texture_wavelength": _draws.log_uniform(rng, WAVELENGTHS),
        "texture_angle": rng.uniform(-np.pi, np.pi),
        "texture_x": rng.uniform(-5, 5),
        "texture_y": rng.uniform(-5, 5),
        "light_azimuth": rng.uniform(-np.pi, np.pi),
        "light_elevation": rng.uniform(*spec.light),
        # uniform over the disc of tilts
        "camera_tilt": spec.tilt * np.sqrt(rng.random()),
        "camera_azimuth": rng.uniform(-np.pi, np.pi),
    }


def _distractor(
    spec: Spec, rng: np.random.Generator, ball: Mapping[str, float]
) -> dict[str, float]:
    there = rng.random() < spec.distractor
    colour = dict(zip(scene.COLOURS, ORANGE, strict=True))
    found = {f"distractor_{name}": value * there for name, value in colour.items()}
    motion = _apart(spec, rng, ball) if there else dict.fromkeys(("radius", *MOTION), 0.0)
    found |= {f"distractor_{name}": value for name, value in motion.items()}
    return found | {"distractor": int(there)}


MOTION = ("x0", "y0", "vx", "vy")


def _apart(spec: Spec, rng: np.random.Generator, ball: Mapping[str, float]) -> dict[str, float]:
    """Size and motion of a second ball that keeps clear of the first."""
    # between frames as well
    time = np.linspace(0, coords(spec)["time"][-1], 4 * spec.frames)
    places = _plane.path(time, ball)
    faster = spec.acceleration or (0.0, 0.0)
    fastest = spec.speed[1] if spec.speed else faster[1] * time[-1] / 2
    for _ in range(1000):
        radius = rng.uniform(*OTHER_RADIUS)
        limit = _view(spec.tilt) - radius
        middle, velocity = rng.uniform(-limit, limit, 2), _draws.velocity(rng, fastest)
        x, y = middle - np.array([velocity["vx"], velocity["vy"]]) * time[-1] / 2
        found = {"radius": radius, "x0": x, "y0": y, **velocity}
        other = _plane.path(time, found)
        clear = np.linalg.norm(other - places, axis=1) >= radius + _plane.RADIUS + 1.1 * APART
        if clear.all() and (np.linalg.norm(other, axis=1) <= limit).all():
            return {name: float(found[name]) for name in ("radius", *MOTION)}
    raise ValueError("distractor: none of 1000 draws fits. Hint: lower speed, or fewer frames.")


def _room(spec: Spec) -> float:
    """Radius of the disc [m] on which any path may be centred, the longest included."""
    time = coords(spec)["time"]
    steps = (np.abs(course - course.mean()) for course in (time, time**2 / 2))
    fastest = (ends[1] if ends else 0.0 for ends in (spec.speed, spec.acceleration))
    longest = sum(step * most for step, most in zip(steps, fastest, strict=True)).max()
    return _view(spec.tilt) - _plane.RADIUS - longest


@cache
def _view(tilt: float) -> float:
    """Radius of a disc on the floor [m] whose balls are all in view, however the camera tilts."""
    angles = np.linspace(-np.pi, np.pi, 64, endpoint=False)
    # balls are under the disc's rim at the floor, and under it at the height of the largest one
    heights = np.repeat([0.0, 2 * OTHER_RADIUS[1]], len(angles))
    rim = np.tile(np.stack([np.cos(angles), np.sin(angles)]), 2)
    cameras = [
        scene.Camera.of({**_plane.PUBLISHED, "camera_tilt": tilt, "camera_azimuth": azimuth})
        for azimuth in angles
    ]

    def fits(radius: float) -> bool:
        points = np.column_stack([*(radius * rim), heights])
        ends = [np.stack(camera.project(points)) for camera in cameras]
        return bool((np.min(ends) >= 0) & (np.max(ends) <= _plane.SIZE))

    low, high = 0.0, 4.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
