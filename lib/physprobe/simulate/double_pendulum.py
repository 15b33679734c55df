"""Double pendulum: two masses on rods, chaotic where energy is high; nothing is still for long.

The equation, with its damping, is in ``_pendulum``. Of each clip energy is drawn first, in parts of
what turning both rods upright takes, then one of all motions of that energy, each as likely as the
flow makes it (the microcanonical ensemble): without damping no frame is told from any other by what
is likely in it, every motion is as likely as its mirror image, and both angular velocities have
either sign. Masses and rods are drawn by their ratio: their sum sets units alone, and is fixed
unless drawn. Masses are not seen, they are drawn as discs of one size.

Solved by fixed steps of order 8, as many as the fastest clip that the spec allows needs; every clip
is held to its energy, less what damping took.
"""

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.config.spec import Spec as Base
from physprobe.scenes import rods
from physprobe.simulate import _draws, _gates, _pendulum, _swing

FIELD, FIELD_UNIT, GRID = "rods", rods.UNIT, False
STATES, TOGETHER = _pendulum.STATES, 1024
UNITS = {
    **{"mass_ratio": "1", "length_ratio": "1", "gravity": "m/s^2", "damping": "1/s"},
    **{"energy": "J", "energy_level": "1", "lyapunov": "1/s"},
    **{"mass1": "kg", "mass2": "kg", "length1": "m", "length2": "m"},
    **{f"start_{name}": _pendulum.STATES[name] for name in _pendulum.MOTION},
}

TOLD = (*_swing.TOLD, "energy")
DRIFT = 1e-6  # of the energy above rest
ROUNDING = 1e-6  # of a length, as float32 has it
MIRRORED = 16

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Drawn = _draws.Range | _draws.Positive
"""Ends of a draw, or one value for all clips."""
HeldOut = Literal["energy_level", "mass_ratio", "length_ratio", "gravity", "damping"]
RATIOS = ("mass_ratio", "length_ratio")


class Spec(Base):
    """Double pendulums: frames, the draws of what they are made of, and of their energy."""

    kind: Literal["double_pendulum"] = "double_pendulum"
    """Two point masses on massless rods, one hung from the other, in a plane."""
    clips: int = Field(400, gt=0)
    """Number of clips."""
    frames: int = Field(64, gt=1)
    """Frames of a clip."""
    interval: float = Field(0.05, gt=0)
    """Time from one frame to the next [s]."""
    mass: Drawn = 2.0
    """Both masses together [kg]: ends of the uniform draw, or one value."""
    mass_ratio: Drawn = (1 / 3, 3.0)
    """Second mass by the first [1]: ends of the draw, uniform in the logarithm, or one value."""
    length: Drawn = 2.0
    """Both rods together [m]: ends of the uniform draw, or one value; the longest fill the view."""
    length_ratio: Drawn = (0.5, 2.0)
    """Second rod by the first [1]: ends of the draw, uniform in the logarithm, or one value."""
    gravity: Drawn = (4.0, 16.0)
    """Gravity [m/s^2]: ends of the uniform draw, or one value."""
    damping: _draws.Range | NotNegative = 0.0
    """Force against the velocity of each mass, by mass and velocity [1/s]: as above."""
    energy: Drawn = (0.05, 1.5)
    """Energy above hanging at rest at the first frame, in parts of what turning both rods upright
    takes [1]: ends of the uniform draw, or one value."""
    hold_out: dict[HeldOut, tuple[float, float]] = Field(default_factory=dict)
    """Labels with a range: clips inside all of them are test, the others training clips, for every
    method. None: clips are held out in turn."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the draws; the same seed gives the same clips, and more clips keep the first ones."""

    @model_validator(mode="after")
    def _parted(self) -> Self:
        inside = []
        for name, (low, high) in self.hold_out.items():
            ends = _ends(self.energy if name == "energy_level" else getattr(self, name))
            if low >= high:
                raise ValueError(f"hold_out: the range of {name} has to ascend")
            if high <= ends[0] or low >= ends[1]:
                raise ValueError(
                    f"hold_out: no clip has {name} from {low:g} to {high:g}; draws go from"
                    f" {ends[0]:g} to {ends[1]:g}"
                )
            inside.append(low <= ends[0] and ends[1] <= high)
        if inside and all(inside):
            raise ValueError("hold_out: all clips are inside, so none is left to train on")
        return self


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``mass_ratio``, ``length_ratio``, second by first; ``mass1``, ``mass2`` [kg], ``length1``,
        ``length2`` [m], ``gravity`` [m/s^2], ``damping`` [1/s]; ``energy`` [J] at the first frame
        above hanging at rest, ``energy_level``, in parts of what turning both rods upright takes;
        ``start_theta1`` and so on, the state at the first frame; ``lyapunov`` [1/s], largest
        Lyapunov exponent of the clip: see ``_pendulum.lyapunov``, angular velocities in units of
        sqrt(gravity / (length1 + length2)). ``group`` is the clip; ``split`` where clips are held
        out by range.
    """

    def propose(rng: np.random.Generator) -> dict[str, float]:
        made = _made(spec, rng)
        return made | _started(made, rng)

    labels = _draws.clipwise("double_pendulum", spec.seed, spec.clips, propose)
    labels["lyapunov"] = _pendulum.lyapunov(
        _pendulum.Bodies.of(labels),
        _start(labels),
        np.sqrt(labels["gravity"] / (labels["length1"] + labels["length2"])),
        spec.interval,
        spec.frames,
        steps(spec),
    )
    if spec.hold_out:
        inside = np.ones(spec.clips, bool)
        for name, (low, high) in spec.hold_out.items():
            inside &= (labels[name] >= low) & (labels[name] <= high)
        labels["split"] = np.where(inside, "test", "train")
    return labels


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] of the frames, and names of the rods' quantities."""
    return {
        "time": np.arange(spec.frames) * spec.interval,
        "quantity": np.array(rods.QUANTITIES),
    }


def solved(
    spec: Spec, labels: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Several clips at once.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to (clip,)
        As drawn: what the pendulums are made of, and how they start.

    Returns
    -------
    rods : (clip, time, quantity) float32
    states : dict of str to (clip, time) float64
        See ``STATES``.
    """
    bodies = _pendulum.Bodies.of(labels)
    states = _pendulum.solve(bodies, _start(labels), spec.interval, spec.frames, steps(spec))
    angles = tuple(states[name] for name in _pendulum.ANGLES)
    lengths = tuple(np.asarray(labels[name], float)[:, None] for name in ("length1", "length2"))
    return rods.drawn(angles, lengths, view(spec)), states


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Rods (time, quantity) float32 of one clip, from its labels."""
    return solved(spec, {name: np.array([value]) for name, value in labels.items()})[0][0]


def told(spec: Spec, field: np.ndarray) -> dict[str, float]:
    """What a clip's pendulum is made of, from how its rods turn; see ``_swing``.

    Parameters
    ----------
    spec : Spec
    field : (time, quantity)
        Tips in metres, or in half sides of a ``view`` of 1.

    Returns
    -------
    dict of str to float
        ``mass_ratio``, ``length_ratio``, ``gravity``, ``damping``, ``energy_level``, ``misfit``,
        and ``energy`` [J], of masses that are the mean of their draw together: they aren't told.
    """
    tips, half = np.asarray(field, float)[:, :4], np.asarray(field, float)[:, 4:]
    if np.isfinite(half).all():
        tips = tips * (view(spec) / half)
    damping = None if isinstance(spec.damping, tuple) else spec.damping
    found = _swing.told(tips, coords(spec)["time"], damping)
    return found | {"energy": found["energy_level"] * _upright(spec, found)}


def _upright(spec: Spec, found: Mapping[str, float]) -> float:
    """What it takes to turn both rods upright [J], by what is told of a pendulum."""
    mass, length = (float(np.mean(_ends(drawn))) for drawn in (spec.mass, spec.length))
    mass1, length1 = mass / (1 + found["mass_ratio"]), length / (1 + found["length_ratio"])
    made: dict[str, float] = {"mass1": mass1, "mass2": mass - mass1}
    made |= {"length1": length1, "length2": length - length1}
    made |= {name: found[name] for name in ("gravity", "damping")}
    return float(_pendulum.Bodies.of(made).upright[0])


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only rods pass that keep their lengths.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``length1`` and ``length2`` of the clip.
    field : (time, quantity) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got.
    """
    first, second = np.split(field[:, :4].astype(float), 2, axis=1)
    for name, tip in (("length1", first), ("length2", second - first)):
        found = np.hypot(*tip.T)
        near = np.abs(found - labels[name]) <= ROUNDING * (labels["length1"] + labels["length2"])
        if (frame := _gates.first(near)) is not None:
            raise ValueError(
                f"rods: {name} is {found[frame]:.7g} m at frame {frame}; expected"
                f" {labels[name]:.7g} m."
            )


def check_states(spec: Spec, labels: Mapping[str, float], states: Mapping[str, np.ndarray]) -> None:
    """Let only motions pass that keep their energy, less what damping took.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``energy`` of the clip.
    states : mapping of str to (time,)
        ``kinetic``, ``potential``, ``lost`` [J].

    Raises
    ------
    ValueError
        If energy and loss are off the first frame's energy by more than a relative 1e-6.
    """
    total = states["kinetic"] + states["potential"] + states["lost"]
    near = np.abs(total - labels["energy"]) <= DRIFT * labels["energy"]
    if (frame := _gates.first(near)) is not None:
        raise ValueError(
            f"energy: {total[frame]:.9g} J with what was lost at frame {frame}; expected"
            f" {labels['energy']:.9g} J to a relative {DRIFT:g}. Hint: fewer frames."
        )


def check_labels(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse labels that measure nothing, motions of one sense alone, and a broken symmetry.

    Raises
    ------
    ValueError
        If a parameter takes fewer than 20 distinct values in 20 clips or more; if an angular
        velocity has one sign more often than chance allows; if the mirror image of a start doesn't
        move as the mirror image of its clip, to the last bit; or if none are held out, or trained
        on.
    """
    drawn = [n for n in (*RATIOS, "gravity", "damping") if isinstance(getattr(spec, n), tuple)]
    _gates.varied(labels, (*drawn, *(["energy_level"] * isinstance(spec.energy, tuple))))
    for name in _pendulum.SPEEDS:
        positive = int((labels[f"start_{name}"] > 0).sum())
        if abs(positive - spec.clips / 2) > 2.5 * np.sqrt(spec.clips):
            raise ValueError(
                f"labels: {name} starts positive in {positive} of {spec.clips} clips; expected"
                " about half, or its sign gives away what it should not."
            )
    if "split" in labels and len(np.unique(labels["split"])) < 2:
        raise ValueError(
            f"hold_out: all {spec.clips} clips are {labels['split'][0]} clips. Hint: more clips, or"
            " another range."
        )
    _mirrored(spec, {name: label[:MIRRORED] for name, label in labels.items()})


def steps(spec: Spec) -> int:
    """Steps from one frame to the next: enough for the fastest clip that the spec allows.

    No angular velocity is beyond that of all the energy in it, at the most favourable angle; small
    swings are not faster than the root of the sum of both squared frequencies.
    """
    gravity, length = _ends(spec.gravity)[1], _ends(spec.length)[0]
    fastest = [_ends(spec.damping)[1]]
    for ratio, part in product(_ends(spec.mass_ratio), _ends(spec.length_ratio)):
        squared = 4 * _ends(spec.energy)[1] * gravity / length * (1 + part)
        whole = 1 + ratio + ratio * part
        fastest += [
            np.sqrt(squared * whole),
            np.sqrt(squared * whole * (1 + ratio) / (ratio * part**2)),
            np.sqrt(gravity / length * (1 + ratio) * (1 + part) ** 2 / part),
        ]
    return int(np.ceil(spec.interval * max(fastest) / _pendulum.STEP))


def view(spec: Spec) -> float:
    """Half a side of the view [m], the same for all clips."""
    return rods.MARGIN * _ends(spec.length)[1]


def _ends(drawn: tuple[float, float] | float) -> tuple[float, float]:
    return drawn if isinstance(drawn, tuple) else (drawn, drawn)


def _value(rng: np.random.Generator, drawn: tuple[float, float] | float, name: str) -> float:
    if not isinstance(drawn, tuple):
        return drawn
    return _draws.log_uniform(rng, drawn) if name in RATIOS else float(rng.uniform(*drawn))


def _made(spec: Spec, rng: np.random.Generator) -> dict[str, float]:
    """What a clip's pendulum is made of, and how much energy it has."""
    names = ("mass", "mass_ratio", "length", "length_ratio", "gravity", "damping", "energy")
    found = {name: _value(rng, getattr(spec, name), name) for name in names}
    for name, both in (("mass", found.pop("mass")), ("length", found.pop("length"))):
        first = both / (1 + found[f"{name}_ratio"])
        found |= {f"{name}1": first, f"{name}2": both - first}
    return {**found, "energy_level": found.pop("energy")}


def _started(made: Mapping[str, float], rng: np.random.Generator) -> dict[str, float]:
    """Energy, and angles and angular velocities that have it, drawn as the flow makes them likely.

    Of angles alone the ensemble's density is the root of M's determinant, where they leave any
    energy to move with; what is left then goes in all directions alike, as M measures them.
    """
    bodies = _pendulum.Bodies.of(made)
    energy = made["energy_level"] * bodies.upright[0]
    weights = np.array([bodies.first_weight[0], bodies.second_weight[0]])
    reach = np.arccos(np.maximum(1 - energy / weights, -1))
    largest = np.sqrt(bodies.first[0] * bodies.second[0])
    while True:
        angles = rng.uniform(-reach, reach)[:, None]
        left = energy - bodies.potential(angles)[0]
        likely = np.sqrt(bodies.inertia(angles)[0]) / largest
        if (rng.random() < likely) & (left > 0):
            break
    # M = L L', so that |L' w|^2 = w M w
    mixed = bodies.coupling[0] * np.cos(angles[1, 0] - angles[0, 0])
    corner = np.sqrt(bodies.first[0])
    other = np.sqrt(bodies.second[0] - mixed**2 / bodies.first[0])
    way = rng.uniform(0, 2 * np.pi)
    second = np.sqrt(2 * left) * np.sin(way) / other
    first = (np.sqrt(2 * left) * np.cos(way) - mixed / corner * second) / corner
    start = map(float, (*angles[:, 0], first, second))
    names = (f"start_{name}" for name in _pendulum.MOTION)
    return {"energy": float(energy), **dict(zip(names, start, strict=True))}


def _start(labels: Mapping[str, np.ndarray]) -> np.ndarray:
    """Angles and angular velocities (4, clip) at the first frame."""
    return np.stack([np.asarray(labels[f"start_{name}"], float) for name in _pendulum.MOTION])


def _mirrored(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Left and right are alike: of a mirrored start comes the mirrored motion."""
    turned = {name: -labels[f"start_{name}"] for name in _pendulum.MOTION}
    other = {**labels} | {f"start_{name}": value for name, value in turned.items()}
    found, image = (solved(spec, each)[1] for each in (labels, other))
    for name in _pendulum.MOTION:
        same = (found[name] == -image[name]).all(0)
        if (frame := _gates.first(same)) is not None:
            raise ValueError(
                f"mirror symmetry: {name} of a mirrored start is not the mirror image from frame"
                f" {frame} on."
            )
