"""Shear flow: streams roll up where they pass each other, and stir a tracer, in the plane.

    du/dt + u.grad u = -grad p + nu lap(u),    div u = 0,    ds/dt + u.grad s = D lap(s)
    nu = 1 / Re,    D = nu / Sc

on 0 <= x < 1, -1 <= y < 1, periodic both ways. At the start layers of some thickness delta, evenly
spaced, part streams of velocity 1/2 and -1/2: u is 1/2 tanh(y / delta) in each. There is a wave
of v as thick as the layer, 0.3 high, of some periods ("blobs") and any phase, and waves of fewer
periods half as high: what they grow into would else repeat itself along x for ever, and die where
vortices have no other one to pair with. The tracer is u without waves, so that it says which
stream a point came from.

This is the ``shear_flow`` of The Well, whose n layers have delta = width / 5n, with differences.
Layers are summed over images and waves have whole periods, so that both fit the sides; there waves
are 0.1 high, and of one number of periods. Parameters are drawn from a continuum. And what is
solved is resolved, or refused when the config is read: the Batchelor scale sqrt(min(nu, D) / w), w
the root mean square of vorticity at the start, which is its largest, times the largest wavenumber
is 2 or more, of the grid that equations are solved on and of the one that is kept. Twice the cells
then change fields by 1e-5 of their deviation. The Well goes to Re 5e5 and Sc 10 on grids that
don't resolve them, where neither can be told.

Solved as vorticity and tracer, see ``_vorticity``; frames are kept by the modes that their grid
carries, pressure by lap(p) = -div div(u u). For 64 x 128 cells Re goes from 250 to 1000, for
128 x 256 from 1000 to 4000; layers spread by then, and where Re and Sc are low the last of 200
frames hold little but what has spread.

References
----------
Ohana et al., The Well: a large-scale collection of diverse physics simulations for machine
learning, NeurIPS 2024 Datasets and Benchmarks. Michalke, On the inviscid instability of the
hyperbolic-tangent velocity profile, Journal of Fluid Mechanics 19 (1964) 543-556. Batchelor,
Journal of Fluid Mechanics 5 (1959) 113-133.
"""

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.simulate import _draws, _fluids, _gates, _vorticity
from physprobe.statistics import seeds

FIELD, FIELD_UNIT, GRID = "fluid", "1", False
DIMENSIONS, together = _fluids.DIMENSIONS, _fluids.together
REFINES = True
TOLD = ("reynolds", "schmidt")
CHANNELS = ("tracer", "pressure", "velocity_x", "velocity_y")
UNITS = dict.fromkeys(("reynolds", "schmidt", "thickness", "t0"), "1")
CLASSES = ("layers", "blobs")

RESOLVED, THINNEST = 2.0, 5.0
"""Least k lB, and least k delta, of the largest wavenumber k that a grid carries."""
WAVE, LONGER = 0.3, 0.5
"""Height of the wave of v, and in parts of it of those of fewer periods."""
BUDGET, MEAN, OVERSHOOT = 1e-6, 1e-12, 1e-3
"""What may be wrong with a solution: of what was lost; with the mean of the tracer; beyond its
first extremes."""
KEPT, ROUNDED = 1e-3, 1e-6
"""What may be wrong with frames: a part of pressure, which misses modes; and as float32 rounds."""
EXACT = 0.01
"""By how much nu and D of a clip may be off where sums over frames are exact."""

Choice = Annotated[tuple[int, ...], Field(min_length=1)]


class Spec(_fluids.Fluid):
    """Shear flows: grids, and the draws of what they are made of and how they start."""

    kind: Literal["shear_flow"] = "shear_flow"
    """Layers between streams, and a tracer, in a periodic plane."""
    trajectories: int = Field(100, gt=0)
    """Trajectories, each from an initial condition of its own."""
    length: int = Field(200, gt=1)
    """Frames of a trajectory, that of its initial condition among them."""
    interval: _draws.Positive = 0.1
    """Time from one frame of a trajectory to the next."""
    size: int = Field(64, ge=16, multiple_of=2)
    """Cells along x that are kept; along y they are twice as many."""
    solver: int = Field(default_factory=lambda data: 2 * data["size"], ge=16)
    """Cells along x that equations are solved on, a multiple of ``size``; by default twice it."""
    reynolds: _draws.Range = Field(
        default_factory=lambda data: tuple(end * (data["size"] / 64) ** 2 for end in (250, 1000))
    )
    """Reynolds number: ends of the draw, uniform in the logarithm; by default 250 to 1000, and in
    proportion to the square of ``size`` by 64."""
    schmidt: _draws.Range = (0.2, 2.0)
    """Schmidt number: as above."""
    layers: Choice = (2, 4)
    """How many layers there are: even numbers, each as likely."""
    blobs: Choice = (1, 2, 3)
    """Periods of the wave in each layer: numbers, each as likely."""
    thickness: _draws.Range = Field(
        default_factory=lambda data: tuple(end * max(1, 64 / data["size"]) for end in (0.03, 0.06))
    )
    """Thickness of layers: ends of the draw, uniform in the logarithm; by default 0.03 to 0.06, and
    as much more as ``size`` is below 64."""

    @model_validator(mode="after")
    def _starts(self) -> Self:
        for name, least, step in (("layers", 2, 2), ("blobs", 1, 1)):
            wrong = [n for n in getattr(self, name) if n < least or n % step]
            if wrong:
                even = "even numbers" if step == 2 else "numbers"
                raise ValueError(f"{name}: {wrong[0]} has to be one of the {even} from {least} on")
        thick, most = self.thickness[1], 1 / max(self.layers)
        if thick > most:
            raise ValueError(
                f"thickness: {max(self.layers)} layers of {thick:g} run into each other; expected"
                f" {most:g} at most"
            )
        if self.solver % self.size:
            raise ValueError(f"solver: {self.solver} has to be a multiple of size, {self.size}")
        return self

    @model_validator(mode="after")
    def _is_resolved(self) -> Self:
        """Every draw, on both grids."""
        thin = self.thickness[0]
        corners = product(self.layers, self.blobs, self.thickness)
        strongest = max(vorticity(*corner) for corner in corners)
        schmidt = max(1, self.schmidt[1])
        scale = (self.reynolds[1] * schmidt * strongest) ** -0.5
        kept = np.pi * self.size
        solved = min(kept, plane(self.solver).finest)
        for grid, cells, finest in (
            ("kept", self.size, kept), ("solved on", self.solver, solved)
        ):  # fmt: skip
            where = f"grid of {cells} x {2 * cells} that is {grid}"
            if finest * thin < THINNEST:
                raise ValueError(
                    f"thickness: layers of {thin:g} are too thin for the {where}: k delta is"
                    f" {finest * thin:.3g}, expected {THINNEST:g} or more. Hint: thickness from"
                    f" {THINNEST / finest:.2g} on, or a finer grid."
                )
            if finest * scale < RESOLVED:
                most = (finest / RESOLVED) ** 2 / (schmidt * strongest)
                raise ValueError(
                    f"reynolds: with {self.reynolds[1]:g}, and a Schmidt number of"
                    f" {self.schmidt[1]:g}, structures are too fine for the {where}: k lB is"
                    f" {finest * scale:.3g}, expected {RESOLVED:g} or more. Hint: reynolds up to"
                    f" {np.floor(most):g}, or a finer grid."
                )
        return self


def plane(cells: int, *, whole: bool = False) -> _vorticity.Plane:
    """Grid of some cells along x: two thirds of its modes, as are solved, or the whole."""
    bands = (cells - 1, (cells - 1) // 2) if whole else None
    return _vorticity.Plane(2 * cells, cells, bands)


def vorticity(layers: int, blobs: int, thickness: float) -> float:
    """Root mean square of vorticity at the start, of layers that don't reach each other."""
    periods = np.arange(1, blobs + 1)
    heights = WAVE * np.where(periods < blobs, LONGER, 1)
    wave = np.sqrt(np.pi / 2) / 4 * ((2 * np.pi * periods * heights) ** 2).sum()
    return float(np.sqrt(layers * (1 / (6 * thickness) + wave * thickness)))


def start(thickness: float, phases: np.ndarray, grid: _vorticity.Plane) -> np.ndarray:
    """Vorticity and tracer at the start.

    Parameters
    ----------
    thickness : float
    phases : (layer, period)
        Of the waves of 1, 2, ... periods in each layer; the last one is the highest.
    grid : Plane

    Returns
    -------
    (2, mode_y, mode_x) complex128
    """
    x = np.arange(grid.columns) / grid.columns
    y = -1 + 2 * np.arange(grid.rows)[:, None] / grid.rows
    layers, blobs = phases.shape
    u, v = np.full_like(y, 0.5), np.zeros((grid.rows, grid.columns))
    for layer, own in enumerate(phases):
        waves = np.sin(2 * np.pi * np.arange(1, blobs + 1)[:, None] * x + own[:, None])
        wave = WAVE * (LONGER * waves[:-1].sum(0) + waves[-1])
        for image in range(-3, 4):
            away = (y - 2 * image + 1 - (2 * layer + 1) / layers) / thickness
            u += (layer % 2 - 0.5) * np.tanh(away)
            v += wave * np.exp(-(away**2))
    velocity = grid.modes(np.stack([np.broadcast_to(u, v.shape), v]))
    return np.stack([grid.curl(velocity), velocity[0]])


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``reynolds``, ``schmidt``; ``layers``, ``blobs``, ``thickness`` of the initial condition;
        ``t0``, time of the first frame; ``trajectory`` and ``group``.
    """

    def propose(rng: np.random.Generator) -> dict[str, float]:
        ranges = {"reynolds": spec.reynolds, "schmidt": spec.schmidt}
        return {name: _draws.log_uniform(rng, ends) for name, ends in ranges.items()}

    labels = _fluids.draw(spec, spec.kind, spec.interval, propose)
    rows: list[dict[str, Any]] = []
    for trajectory in labels["trajectory"]:
        rng = seeds.rng(spec.kind, spec.seed, "layers", int(trajectory))
        numbers = {name: int(rng.choice(getattr(spec, name))) for name in CLASSES}
        rows.append({**numbers, "thickness": _draws.log_uniform(rng, spec.thickness)})
    return {**labels, **{name: np.array([row[name] for row in rows]) for name in rows[0]}}


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times of the frames from the first one on, points of the grid, and names of channels."""
    cells = np.arange(2 * spec.size) / spec.size
    return {
        "time": np.arange(spec.frames) * (spec.stride * spec.interval),
        "y": cells - 1,
        "x": cells[: spec.size],
        "channel": np.array(CHANNELS),
    }


def trajectory(
    spec: Spec,
    own: Mapping[str, float],
    rng: np.random.Generator,
    *,
    finer: int = 1,
    cells: int = 1,
) -> np.ndarray:
    """All frames of a trajectory.

    Parameters
    ----------
    spec : Spec
    own : mapping of str to float
        ``reynolds``, ``schmidt``, ``layers``, ``blobs``, ``thickness``.
    rng : numpy Generator
        Of the waves' phases.
    finer : int
        Steps in place of one.
    cells : int
        Cells in place of one that equations are solved on, along y as along x.

    Returns
    -------
    (time, y, x, channel) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got.
    """
    grid, kept = plane(cells * spec.solver), plane(spec.size, whole=True)
    phases = rng.uniform(0, 2 * np.pi, (int(own["layers"]), int(own["blobs"])))
    state = start(own["thickness"], phases, grid)
    viscosity = 1 / own["reynolds"]
    diffusivities = (viscosity, viscosity / own["schmidt"])
    mean = (float(state[1, 0, 0].real), 0.0)
    frames = np.empty((spec.length, 2 * spec.size, spec.size, len(CHANNELS)), np.float32)
    found: list[tuple] = []
    for moment in _vorticity.solve(
        grid, state, mean, diffusivities, spec.interval, spec.length, finer=finer
    ):
        velocity = grid.velocity(moment.state[0], mean)
        modes = np.stack([moment.state[1], grid.pressure(velocity), *velocity])
        frames[len(found)] = np.moveaxis(kept.points(grid.cut(modes, kept)), 0, -1)
        tracer = grid.points(moment.state[1])
        found.append((moment.held, moment.lost, np.abs(tracer).max(), tracer.mean()))
    held, lost, extremes, means = map(np.array, zip(*found, strict=True))
    _balanced(held, lost)
    _keeps_mean("tracer", means, MEAN)
    _stays_within(extremes, extremes[0])
    return frames


solved, field = _fluids.solvers(trajectory)


def told(spec: Spec, field: np.ndarray) -> dict[str, float]:
    """Reynolds and Schmidt number of one clip, by the budgets of energy and tracer.

        nu = -dE / int <w^2> dt,    D = -d(<s^2> / 2) / int <|grad s|^2> dt

    exact for any flow between any two times: what a reader that knows the equation can tell, and
    so a ceiling of what any other can. It errs by what the kept grid lacks of gradients, and by
    sums over frames.

    Parameters
    ----------
    spec : Spec
        Of which ``interval`` and ``stride`` are needed.
    field : (time, y, x, channel)
        Tracer and velocity of a clip, or of any part of one.

    Returns
    -------
    dict of str to float
        ``reynolds`` and ``schmidt``.
    """
    viscosity, diffusivity = _read(spec, field)[0]
    return {"reynolds": 1 / viscosity, "schmidt": viscosity / diffusivity}


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only windows pass that are the equation's, as far as can be told from what is kept.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``reynolds`` and ``schmidt`` of the clip.
    field : (time, y, x, channel) float32

    Raises
    ------
    ValueError
        If a gate is broken - finite values, means, maximum principle, divergence, pressure,
        decay, budgets: which, where, expected, got.
    """
    if (frame := _gates.first(np.isfinite(field).all((1, 2, 3)))) is not None:
        raise ValueError(f"finite values: frame {frame} has others.")
    for name in ("tracer", "velocity_x", "velocity_y"):
        means = field[..., CHANNELS.index(name)].mean((1, 2), dtype=float)
        _keeps_mean(name, means, ROUNDED)
    # layers part -1/2 from 1/2
    _stays_within(np.abs(field[..., 0]).max((1, 2)), 0.5)
    grid = plane(spec.size, whole=True)
    for frame, values in enumerate(field):
        _flows(grid, values, frame)
    _decays(_mean_squares(grid, field)[0])
    if len(field) > 2:
        _is_told(labels, *_read(spec, field))


def check_labels(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse parameters (clip,) that have collapsed to a few values.

    Raises
    ------
    ValueError
        If one takes fewer than 20 distinct values in 20 parameter sets or more.
    """
    each = spec.windows * spec.initial_conditions
    drawn = ("reynolds", "schmidt")
    _gates.varied({name: labels[name][::each] for name in drawn}, drawn)


def _mean_squares(grid: _vorticity.Plane, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``_vorticity.HELD`` (time, 3) of frames, and what viscosity and diffusivity 1 take."""
    held, drain = [], []
    for frame in field:
        tracer, *velocity = grid.modes(np.moveaxis(frame[..., [0, 2, 3]], -1, 0).astype(float))
        state = np.stack([grid.curl(np.stack(velocity)), tracer])
        held.append(grid.held(state))
        drain.append(grid.drain(state))
    return np.array(held), np.array(drain)


def _read(spec: Spec, field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Viscosity and diffusivity of a clip, and how far each may be off (a part of it).

    Integrals are those of a cubic spline of the logarithm: what decays by a rate is exact. It errs
    by less than it is from the trapezoidal rule.
    """
    from scipy.interpolate import CubicSpline

    held, drain = (
        each[:, [0, 2]] for each in _mean_squares(plane(field.shape[2], whole=True), field)
    )
    time = np.arange(len(field)) * (spec.stride * spec.interval)
    # an even number of parts of each interval, by Simpson's rule
    fine = np.linspace(0, time[-1], 32 * (len(time) - 1) + 1)
    weights = np.r_[1, np.tile([4, 2], len(fine) // 2 - 1), 4, 1] * (fine[1] / 3)
    smooth = weights @ np.exp(CubicSpline(time, np.log(drain))(fine))
    rough = np.trapezoid(drain, time, axis=0)
    return (held[0] - held[-1]) / smooth, np.abs(rough / smooth - 1)


def _balanced(held: np.ndarray, lost: np.ndarray) -> None:
    """What was held at the first frame is there, or viscosity and diffusion took it."""
    for name, now, taken in zip(_vorticity.HELD, held.T, lost.T, strict=True):
        near = np.abs(now + taken - now[0]) <= BUDGET * taken
        if (frame := _gates.first(near)) is not None:
            raise ValueError(
                f"budget of {name}: {now[frame] + taken[frame]:.9g} with what was lost at frame"
                f" {frame}; expected {now[0]:.9g} to {BUDGET:g} of the {taken[frame]:.3g} lost."
            )


def _keeps_mean(name: str, means: np.ndarray, slack: float) -> None:
    if (frame := _gates.first(np.abs(means - means[0]) <= slack)) is not None:
        raise ValueError(
            f"mean: {name} is {means[frame]:.9g} on average at frame {frame}; expected the"
            f" {means[0]:.9g} of frame 0 to {slack:g}."
        )


def _stays_within(extremes: np.ndarray, most: float) -> None:
    if (frame := _gates.first(extremes <= most + OVERSHOOT)) is not None:
        raise ValueError(
            f"maximum principle: |tracer| goes up to {extremes[frame]:.6g} at frame {frame};"
            f" expected {most:.6g} at most, to {OVERSHOOT:g}."
        )


def _flows(grid: _vorticity.Plane, values: np.ndarray, frame: int) -> None:
    """Velocity has no divergence, and pressure is what keeps it so."""

    def size(modes: np.ndarray) -> float:
        return float(np.sqrt((grid.weights * (modes.real**2 + modes.imag**2)).sum()))

    _, pressure, *both = grid.modes(np.moveaxis(values, -1, 0).astype(float))
    velocity = np.stack(both)
    found, whole = size(1j * (grid.x * both[0] + grid.y * both[1])), size(grid.curl(velocity))
    if not found <= 10 * ROUNDED * whole:
        raise ValueError(
            f"divergence: {found:.3g} (root mean square) at frame {frame}; expected"
            f" {10 * ROUNDED:g} at most of the {whole:.3g} of vorticity."
        )
    right = grid.pressure(velocity)
    found, most = size(pressure - right), KEPT * size(right) + ROUNDED * size(velocity) ** 2
    if not found <= most:
        raise ValueError(
            f"pressure: {found:.3g} (root mean square) off that of the velocity at frame {frame};"
            f" expected {most:.3g} at most."
        )


def _decays(held: np.ndarray) -> None:
    for name, values in zip(_vorticity.HELD, held.T, strict=True):
        if (frame := _gates.first(np.diff(values) <= ROUNDED * values[:-1])) is not None:
            raise ValueError(
                f"decay: {name} grows from {values[frame]:.7g} to {values[frame + 1]:.7g} at frame"
                f" {frame + 1}; nothing drives it."
            )


def _is_told(labels: Mapping[str, float], found: np.ndarray, apart: np.ndarray) -> None:
    """The clip's own budgets are those of its labels."""
    viscosity = 1 / labels["reynolds"]
    both = (("viscosity", viscosity), ("diffusivity", viscosity / labels["schmidt"]))
    for (name, right), told_, slack in zip(both, found, EXACT + apart, strict=True):
        if not abs(told_ / right - 1) <= slack:
            raise ValueError(
                f"labels: the clip's {name} is {told_:.5g} by its budget over all frames;"
                f" expected {right:.5g} to a part of {slack:.2g}."
            )
