"""Plane: balls that slide over a floor without friction, as a camera above sees them.

    x(t) = x0 + v t + a t^2 / 2,    the same for y;    z = radius

A sphere on a frictionless floor that a force through its centre pushes doesn't roll. What a clip
shows is stored as a scene (``scene``); the camera, the ball and their colours are those of the
published clips wherever a system doesn't draw its own.

References
----------
Scene and design of the published clips: PEZ-Reproduction (arXiv 2602.07050), ``constants.py`` and
``step1_generate.py``; written anew.
"""

from collections.abc import Mapping

import numpy as np

from physprobe.scenes import scene

FPS, FRAMES, SIZE = 24, 16, 256
RADIUS = 0.3  # [m]
GREY = (0.55, 0.53, 0.50)
# One step of float32 at the rim of the view, 4 m, is 2.4e-7 m.
ROUNDING = 1e-6

REGIONS = ((64, 64), (192, 64), (64, 192), (192, 192), (128, 128))  # (column, row) [px]
SECTORS = CLUSTERS = 5

PUBLISHED = {
    **dict(zip(("ball_red", "ball_green", "ball_blue"), (0.15, 0.40, 0.85), strict=True)),
    **dict(zip(("floor_red", "floor_green", "floor_blue"), GREY, strict=True)),
    "ball_radius": RADIUS,
    "light_elevation": np.pi / 2,
    "light_intensity": 0.95,  # the brightest ball just not white
    "light_ambient": 0.1,
    "camera_distance": 10.0,
    "camera_view": 2 * np.arctan(0.4),
    "camera_pixels": float(SIZE),
    "texture_wavelength": 1.0,
}
"""Quantities of the published scene; all others are 0."""


def coords(frames: int) -> dict[str, np.ndarray]:
    """Times [s] of the frames, and names of the scene's quantities."""
    return {"time": np.arange(frames) / FPS, "quantity": np.array(scene.QUANTITIES)}


def path(time: np.ndarray, labels: Mapping[str, float], prefix: str = "") -> np.ndarray:
    """Places (time, 2) of a ball along x and y [m].

    Parameters
    ----------
    time : (time,)
        [s]
    labels : mapping of str to float
        ``x0``, ``y0`` [m], ``vx``, ``vy`` [m/s], ``ax``, ``ay`` [m/s^2]; one that is missing is 0.
    prefix : str
        Of these names.
    """
    start, velocity, acceleration = (
        np.array([labels.get(prefix + name, 0.0) for name in pair])
        for pair in (("x0", "y0"), ("vx", "vy"), ("ax", "ay"))
    )
    time = time[:, None]
    return start + velocity * time + acceleration * (time**2 / 2)


def film(frames: int, labels: Mapping[str, float]) -> np.ndarray:
    """Scene of one clip.

    Parameters
    ----------
    frames : int
    labels : mapping of str to float
        The motion, as in :func:`path`, that of the distractor with ``distractor_`` before it, and
        any quantity of the scene that isn't as published.

    Returns
    -------
    (time, quantity) float32
    """
    time = coords(frames)["time"]
    known = {name: value for name, value in labels.items() if name in scene.UNITS}
    constant = dict.fromkeys(scene.QUANTITIES, 0.0) | PUBLISHED | known
    camera = scene.Camera.of(constant)
    found = {name: np.full(frames, value, float) for name, value in constant.items()}
    for body, prefix in (("ball", ""), ("distractor", "distractor_")):
        radius = constant[f"{body}_radius"]
        if not radius:
            continue
        places = np.column_stack([path(time, labels, prefix), np.full(frames, radius)])
        found.update({f"{body}_{axis}": places[:, n] for n, axis in enumerate("xyz")})
        found[f"{body}_row"], found[f"{body}_column"] = camera.project(places)
        found[f"{body}_visible"] = camera.visible(places, radius)
    return np.stack([found[name] for name in scene.QUANTITIES], axis=1).astype(np.float32)


MOTION = ("vx", "vy", "ax", "ay", "x0", "y0")


def told(
    field: np.ndarray, size: int, *, moves: bool = True, accelerates: bool = True
) -> dict[str, float]:
    """Motion of the ball by least squares of its path, from where it is in the image.

    The camera is taken to be straight above: how it tilts is not known, and makes places and
    velocities wrong by a few parts in a hundred.

    Parameters
    ----------
    field : (time, quantity)
        A scene, of which ``ball_row`` and ``ball_column`` are read, where they are no nan.
    size : int
        Pixels along each side of the image.
    moves, accelerates : bool
        Whether balls have a velocity at first, and whether they have an acceleration.

    Returns
    -------
    dict of str to float
        As in :func:`path` and :func:`polar`, and ``cx``, ``cy``, the mean place over all frames
        [m]; nan where the ball is seen in too few frames.
    """
    upright = dict.fromkeys(("camera_tilt", "camera_azimuth"), 0.0)
    camera = scene.Camera.of(PUBLISHED | upright | {"camera_pixels": float(size)})
    time = coords(len(field))["time"]
    rows, columns = (column(field, f"ball_{name}") for name in ("row", "column"))
    rays = camera.rays(rows, columns)
    places = camera.place - rays * ((camera.place[2] - RADIUS) / rays[:, 2:])
    parts = {"0": time**0, "v": time, "a": time**2 / 2}
    asked = ["0", *(["v"] if moves else []), *(["a"] if accelerates else [])]
    courses = np.stack([parts[name] for name in asked], axis=1)
    seen = np.isfinite(rows)
    found = dict.fromkeys(MOTION, 0.0)
    for axis, course in zip("xy", places.T, strict=False):
        known = np.full(len(asked), np.nan)
        if seen.sum() >= len(asked):
            known = np.linalg.lstsq(courses[seen], course[seen], rcond=None)[0]
        names = [f"{axis}0" if name == "0" else f"{name}{axis}" for name in asked]
        found.update(zip(names, map(float, known), strict=True))
    x, y = path(time, found).mean(0)
    angles = {"acceleration_direction": float(np.arctan2(found["ay"], found["ax"]))}
    arrays = {name: np.asarray(value) for name, value in found.items()}
    motion = {name: float(value) for name, value in polar(arrays).items()}
    return found | motion | angles | {"cx": float(x), "cy": float(y)}


def polar(labels: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Sizes and direction of a motion.

    Parameters
    ----------
    labels : mapping of str to array
        ``vx``, ``vy`` [m/s] at the first frame, ``ax``, ``ay`` [m/s^2].

    Returns
    -------
    dict of str to array
        ``speed`` [m/s]; ``acceleration`` [m/s^2]; ``direction`` [rad] of the velocity, or of the
        acceleration where a ball starts from rest, from x towards y, -pi to pi.
    """
    speed = np.hypot(labels["vx"], labels["vy"])
    moves = speed > 0
    y, x = (np.where(moves, labels[f"v{axis}"], labels[f"a{axis}"]) for axis in "yx")
    acceleration = np.hypot(labels["ax"], labels["ay"])
    return {"speed": speed, "acceleration": acceleration, "direction": np.arctan2(y, x)}


def regions(starts: np.ndarray) -> dict[str, np.ndarray]:
    """Parts of the published image that balls start in, as a camera straight above sees them.

    Parameters
    ----------
    starts : (clip, 2)
        Along x and y [m].

    Returns
    -------
    dict of str to (clip,) int
        ``spatial_sector_id``, fifth of the circle around the middle of the image;
        ``pixel_region_id``, nearest of five points; ``spatial_cluster_id``, five clusters of starts
        by k-means, or as many as there are starts.
    """
    from sklearn.cluster import KMeans

    clusters = KMeans(min(CLUSTERS, len(starts)), n_init=20, random_state=42)
    upright = PUBLISHED | {"camera_tilt": 0.0, "camera_azimuth": 0.0}
    row, column = scene.Camera.of(upright).project(
        np.column_stack([starts, np.full(len(starts), RADIUS)])
    )
    around = np.arctan2(row - SIZE / 2, column - SIZE / 2) + np.pi
    away = [np.hypot(column - x, row - y) for x, y in REGIONS]
    return {
        "spatial_sector_id": (around // (2 * np.pi / SECTORS)).astype(int),
        "pixel_region_id": np.argmin(away, axis=0),
        "spatial_cluster_id": clusters.fit_predict(starts).astype(int),
    }


def law_of_motion(field: np.ndarray, labels: Mapping[str, float]) -> None:
    """The ball is where its start, velocity and acceleration lead it, and stays on the floor.

    Parameters
    ----------
    field : (time, quantity)
        A scene.
    labels : mapping of str to float
        As in :func:`path`.

    Raises
    ------
    ValueError
        If the gate is broken: where, expected, got. So do all gates below.
    """
    flat = path(coords(len(field))["time"], labels)
    expected = np.column_stack([flat, column(field, "ball_radius")])
    found = np.column_stack([column(field, f"ball_{axis}") for axis in "xyz"])
    near = np.abs(found - expected) <= ROUNDING * np.maximum(1, np.abs(expected))
    if not near.all():
        frame, axis = np.argwhere(~near)[0]
        raise ValueError(
            f"law of motion: {'xyz'[axis]} of frame {frame} is {found[frame, axis]:.7g} m; expected"
            f" {expected[frame, axis]:.7g} m."
        )


def in_view(field: np.ndarray) -> None:
    """All of every ball is in view, at every frame."""
    for body in scene.BODIES:
        visible = column(field, f"{body}_visible")
        hidden = (visible < 1) & (column(field, f"{body}_radius") > 0)
        if hidden.any():
            frame = int(np.argmax(hidden))
            raise ValueError(
                f"in view: {visible[frame]:.0%} of the {body} is in view at frame {frame}; expected"
                " all of it."
            )


def apart(field: np.ndarray, least: float) -> None:
    """Two balls are never closer than that [m], surface to surface: they can't collide."""
    radii = [column(field, f"{body}_radius") for body in scene.BODIES]
    if not radii[1].any():
        return
    between = np.linalg.norm(
        [column(field, f"ball_{axis}") - column(field, f"distractor_{axis}") for axis in "xy"],
        axis=0,
    )
    gap = between - sum(radii)
    if not (gap >= least - ROUNDING).all():
        frame = int(gap.argmin())
        raise ValueError(
            f"apart: the balls are {gap[frame]:.3g} m apart at frame {frame}; expected {least:g} m"
            " or more."
        )


def independent(labels: Mapping[str, np.ndarray], these: tuple, those: tuple) -> None:
    """No label of one kind foretells one of another: correlations are those of chance.

    Parameters
    ----------
    labels : mapping of str to (clip,)
    these, those : tuple of str
        Labels; those that are constant can't foretell anything.
    """
    for one in these:
        for other in those:
            values = [labels[name] - labels[name].mean() for name in (one, other)]
            scale = np.prod([np.linalg.norm(value) for value in values])
            found = values[0] @ values[1] / scale if scale > 0 else 0.0
            # Beyond it by chance: one data set in a million.
            if abs(found) > (most := 5 / np.sqrt(len(values[0]))):
                raise ValueError(
                    f"independence: {one} and {other} correlate by {found:.2f}; expected {most:.2f}"
                    " at most. Hint: a probe could read one off the other."
                )


def column(field: np.ndarray, name: str) -> np.ndarray:
    """One quantity (time,) of a scene, float64."""
    return field[:, scene.QUANTITIES.index(name)].astype(float)
