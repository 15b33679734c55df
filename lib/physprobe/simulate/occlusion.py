"""Occlusion: movies in fours, two possible and two impossible, that share all frames as a set.

    possible      A = (A0, A1)    B = (B0, B1)
    impossible        (A0, B1)        (B0, A1)    exchanged while a screen hides all that differs

A and B are two worlds under the same screens and light. By principle of the impossible ones:

    O1  object permanence             A has a body, B has none: it vanishes, or comes from nowhere
    O2  shape constancy               bodies of two shapes: one becomes the other
    O3  spatio-temporal continuity    bodies behind two screens: one is suddenly behind the other

A body slides along the ground at a constant velocity, which may be next to nothing; screens rise,
stand and fall. Around the exchange the body is wholly hidden for ``hidden`` frames, in A and in B
alike: frames there are equal, so each scene's possible and impossible movies share every run of up
to ``hidden`` + 1 frames in a row as well. What is seen of one frame, of any number of them in any
order, or of the differences between neighbours tells nothing; only what connects the two sides of
the screen does.

References
----------
Riochet et al., "IntPhys 2019: a benchmark for visual intuitive physics understanding", TPAMI 2021:
the principles, and quadruplets with shared frames.
"""

from collections.abc import Mapping
from typing import Literal, Self

import numpy as np
from pydantic import Field, field_validator, model_validator

from physprobe.config.spec import Spec as Base
from physprobe.scenes import screens
from physprobe.statistics import seeds

FIELD, FIELD_UNIT, GRID = "screens", screens.UNIT, False
UNITS = {
    **{"possible": "1", "scene": "1", "movie": "1", "swap": "frame"},
    **{"velocity": "m/s", "size": "m", "first_x": "m", "second_x": "m"},
    **{"first_shape": "1", "second_shape": "1"},
    **{"screen_width": "m", "screen_height": "m", "rises": "frame", "falls": "frame"},
    **{"brightness": "1", "light_azimuth": "rad", "light_elevation": "rad"},
}
CLASSES = ("principle",)

Principle = Literal["O1", "O2", "O3"]
PRINCIPLES: tuple[Principle, ...] = ("O1", "O2", "O3")
MOVIES = (("first", "first"), ("second", "second"), ("first", "second"), ("second", "first"))
FPS, VIEW = 24, 4.0  # [1/s], [m]
BOTH = 0.85, 1.0  # [m] from the middle to either of two screens
FASTEST = 4.0  # [m/s]


class Spec(Base):
    """Quadruplets: how many, of which principles, and how long bodies are hidden."""

    kind: Literal["occlusion"] = "occlusion"
    """Possible and impossible movies of a body behind screens, in fours with shared frames."""
    principles: tuple[Principle, ...] = Field(PRINCIPLES, min_length=1)
    """Object permanence, shape constancy, spatio-temporal continuity."""
    scenes: int = Field(30, gt=0)
    """Scenes of each principle, four movies each."""
    frames: int = Field(16, ge=16)
    """Frames of a movie, 24 per second."""
    size: int = Field(128, ge=48)
    """Pixels along each side of the image."""
    hidden: int = Field(4, ge=2)
    """Least number of frames around the exchange in which the body is wholly hidden."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the draws; the same seed gives the same scenes, and more scenes keep the first
    ones."""

    @field_validator("principles")
    @classmethod
    def _once(cls, principles: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(principles)) < len(principles):
            raise ValueError("each principle can be named once")
        return principles

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.hidden % 2 or self.hidden > self.frames // 4:
            raise ValueError(
                f"hidden: has to be even, and a fourth of {self.frames} frames at most,"
                f" not {self.hidden}"
            )
        return self


def endless(spec: Spec, clips: int, seed: int) -> Spec:
    """Scenes enough for as many possible movies."""
    scenes = -(-clips // (2 * len(spec.principles)))
    return spec.model_copy(update={"scenes": scenes, "seed": seed})


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every movie.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``possible``, 1 or 0; ``principle``; ``scene``, its number, and ``group``, the same: the
        four movies of a scene stay together; ``movie``, 1 to 4; ``swap``, the frame from which the
        second part is shown; and what the scene's two worlds are made of. Movies 1 and 2 are A and
        B, possible and with nothing exchanged.
    """
    scenes = [
        {"principle": principle, **_scene(spec, principle, number)}
        for principle in spec.principles
        for number in range(spec.scenes)
    ]
    movies = [
        {**drawn, "scene": scene, "group": scene, "movie": movie + 1, "possible": int(movie < 2)}
        for scene, drawn in enumerate(scenes)
        for movie in range(len(MOVIES))
    ]
    return {name: np.array([movie[name] for movie in movies]) for name in movies[0]}


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] of the frames, and names of the description's quantities."""
    return {"time": np.arange(spec.frames) / FPS, "quantity": np.array(screens.QUANTITIES)}


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Description of one movie.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        As drawn.

    Returns
    -------
    (time, quantity) float32
    """
    before, after = (world(spec, labels, name) for name in MOVIES[int(labels["movie"]) - 1])
    swap = int(labels["swap"])
    return np.concatenate([before[:swap], after[swap:]])


def world(spec: Spec, labels: Mapping[str, float], which: str) -> np.ndarray:
    """Description (time, quantity) float32 of the ``first`` or ``second`` world of a scene."""
    frame = np.arange(spec.frames)
    known = {name: labels[name] for name in labels if name in screens.UNITS}
    constant = dict.fromkeys(screens.QUANTITIES, 0.0) | known
    constant |= {"view": VIEW, "pixels": spec.size, "body_size": labels["size"]}
    constant["body_shape"] = labels[f"{which}_shape"]
    found = {name: np.full(spec.frames, value, float) for name, value in constant.items()}
    away = frame - (labels["swap"] - 0.5)
    found["body_x"] = labels[f"{which}_x"] + labels["velocity"] * away / FPS
    moved = np.minimum(frame - labels["rises"], labels["falls"] - frame) / _pace(spec)
    for screen in screens.SCREENS:
        there = labels[f"{screen}_width"] > 0
        found[f"{screen}_height"] = there * labels["screen_height"] * np.clip(moved, 0, 1)
    stored = np.stack([found[name] for name in screens.QUANTITIES], axis=1).astype(np.float32)
    seen = [screens.visible(row) for row in screens.rows(stored)]
    stored[:, screens.QUANTITIES.index("body_visible")] = seen
    return stored


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only movies pass whose exchange can't be seen.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        Of the movie.
    field : (time, quantity) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got. The body is wholly hidden around the
        exchange, in view but for screens at all times, wholly seen in the first and the last
        frame; and every frame is one of a possible movie.
    """
    swap, half = int(labels["swap"]), spec.hidden // 2
    for number, row in enumerate(screens.rows(field)):
        if not row["body_shape"]:
            continue
        if not screens.in_view(row):
            raise ValueError(
                f"in view: the body is at {row['body_x']:.3g} m at frame {number}; expected within"
                f" {VIEW / 2 - row['body_size']:.3g} m of the middle."
            )
        if swap - half <= number < swap + half and not screens.hidden(row):
            raise ValueError(
                f"hidden: {row['body_visible']:.0%} of the body is seen at frame {number}; expected"
                f" none from frame {swap - half} to {swap + half - 1}, around the exchange."
            )
        if number in (0, len(field) - 1) and row["body_visible"] < 1:
            raise ValueError(
                f"seen: {row['body_visible']:.0%} of the body is seen at frame {number}; expected"
                " all of it."
            )
    worlds = [world(spec, labels, which) for which in ("first", "second")]
    shared = [(field == one).all(1) for one in worlds]
    if not np.logical_or(*shared).all():
        frame = int(np.argmin(np.logical_or(*shared)))
        raise ValueError(f"shared: frame {frame} is in neither of the scene's possible movies.")


def check_labels(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse scenes that are not two possible and two impossible movies of the same worlds.

    Raises
    ------
    ValueError
        If the movies of a scene differ in anything but what is shown when.
    """
    own = {"movie", "possible"}
    for scene in np.unique(labels["scene"]):
        mine = labels["scene"] == scene
        if sorted(labels["possible"][mine]) != [0, 0, 1, 1]:
            raise ValueError(
                f"quadruplet: scene {scene} has {labels['possible'][mine].sum()} possible movies of"
                f" {mine.sum()}; expected 2 of 4."
            )
        for name in labels.keys() - own:
            if len(np.unique(labels[name][mine])) > 1:
                raise ValueError(f"quadruplet: {name} differs between movies of scene {scene}.")


def _pace(spec: Spec) -> int:
    """Frames in which a screen rises, or falls."""
    return max(2, spec.frames // 8)


def _scene(spec: Spec, principle: str, number: int) -> dict[str, float]:
    """What a scene's two worlds are made of."""
    rng = seeds.rng("occlusion", principle, spec.seed, number)
    half, sway = spec.hidden // 2, spec.frames // 16
    swap = spec.frames // 2 + int(rng.integers(-sway, sway + 1))
    early, late = rng.integers(0, sway + 1, 2)
    size, pixel = rng.uniform(0.25, 0.4), VIEW / spec.size
    width = 2 * (size + pixel) * rng.uniform(1.15, 1.5)
    if principle == "O3":
        places = np.array([-1, 1]) * rng.uniform(*BOTH)
        shapes = np.repeat(rng.integers(1, len(screens.SHAPES)), 2)
        widths = (width, width)
    else:
        places = np.repeat(rng.uniform(-0.8, 0.8), 2)
        others = rng.permutation(np.arange(1, len(screens.SHAPES)))[:2]
        shapes = others if principle == "O2" else np.array([others[0], 0])
        widths = (width, 0.0)
    # the fastest that stays hidden around the exchange, and in view to either end
    slack = width / 2 - size - pixel
    ends = max(swap - 0.5, spec.frames - 1 - (swap - 0.5)) / FPS
    room = VIEW / 2 - size - np.abs(places).max()
    fastest = 0.999 * min(FASTEST, slack * FPS / (half - 0.5), room / ends)
    hue = rng.permutation([rng.uniform(0.65, 0.9), rng.uniform(0.1, 0.5), rng.uniform(0.05, 0.2)])
    plain = {
        "body": hue,
        "screen": rng.uniform(0.3, 0.7, 3),
        "wall": np.full(3, rng.uniform(0.15, 0.45)) * rng.uniform(0.85, 1.15, 3),
        "ground": np.full(3, rng.uniform(0.1, 0.3)) * rng.uniform(0.85, 1.15, 3),
    }
    colours = {
        f"{thing}_{colour}": float(value)
        for thing, values in plain.items()
        for colour, value in zip(screens.COLOURS, values, strict=True)
    }
    return {
        "swap": swap,
        "velocity": float(rng.uniform(-fastest, fastest)),
        "size": size,
        "first_x": float(places[0]),
        "second_x": float(places[1]),
        "first_shape": int(shapes[0]),
        "second_shape": int(shapes[1]),
        "left_x": float(places[0]),
        "left_width": widths[0],
        "right_x": float(places[1]),
        "right_width": widths[1],
        "screen_width": width,
        "screen_height": 2 * size + pixel + rng.uniform(0.1, 0.6),
        "rises": int(swap - half - early - _pace(spec)),
        "falls": int(swap + half - 1 + late + _pace(spec)),
        "brightness": float(plain["wall"].mean()),
        "light_azimuth": float(rng.uniform(-0.8, 0.8)),
        "light_elevation": float(rng.uniform(0.3, 1.0)),
        **colours,
    }
