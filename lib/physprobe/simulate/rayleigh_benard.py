"""Rayleigh-Benard convection: a fluid between a warm plate below and a cold one above.

    db/dt + u.grad b = kappa lap(b)                               kappa = (Ra Pr)^-1/2
    du/dt + u.grad u + grad p = nu lap(u) + b e_y,  div u = 0     nu = (Ra / Pr)^-1/2

for 0 < x < 4, periodic, and 0 < y < 1, with u = 0 at both plates, buoyancy b = 1 below and 0 above,
and p of mean 0. Units are the distance of the plates, their difference of buoyancy, and the time
that a free fall between them takes. It starts at rest with

    b = (1 - y) (1 - (1 - contrast) (1 - exp(-20 y))) + noise y (1 - y)

where noise is Gaussian, of a standard deviation of 0.001, and smooth: the same for every grid. For
a contrast of 1 heat is conducted at first; otherwise the fluid is colder, but for a layer below.

Solved by ``_rayleigh_benard``: in space Fourier and Legendre modes, exact inner products; in time
steps of order 3, as short as what moves asks for. Values are those of the modes at the centres of
cells. Rayleigh and Prandtl number are uniform in their logarithm.

One grid resolves all that may be drawn (``GRIDS``): none is told by its grid. Up to Ra = 1e6 whole
trajectories at the ends of Pr kept the gates on these or coarser grids; at 1e7 one of Pr = 1 did,
and the grid for other Pr is extrapolated. What isn't resolved breaks a gate.

References
----------
Ohana et al., The Well: a large-scale collection of diverse physics simulations for machine
learning, NeurIPS 2024: equations, box, and times of ``rayleigh_benard``.
"""

from collections.abc import Mapping
from functools import cache
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.simulate import _draws, _fluids, _gates, _plates
from physprobe.simulate import _rayleigh_benard as solver
from physprobe.statistics import seeds

FIELD, FIELD_UNIT, GRID = _fluids.FIELD, _fluids.FIELD_UNIT, _fluids.GRID
DIMENSIONS, PERIODIC = _fluids.DIMENSIONS, (False, True)
UNITS = {"rayleigh": "1", "prandtl": "1", "contrast": "1"}
REFINES = True
CHANNELS = ("buoyancy", "pressure", "velocity_x", "velocity_y")
SERIES = ("buoyancy", "velocity_x", "velocity_y")
BUDGETS = ("energy", "variance of buoyancy")
together = _fluids.together
TOLD = ("rayleigh", "prandtl")

KIND = "rayleigh_benard"
BUDGET = 1e-4  # of what is there and what was lost
OVERSHOOT = 1e-2
DIVERGENCE = 1e-10  # of the shear
# Of the largest wave or degree, and of all force: root mean squares over a trajectory.
TAIL = MOMENTUM = 1e-3
AT_ONCE = 10  # times as much in one frame
ROUNDING = 1e-5
# Smoothest of the noise: waves from 1 on, and degrees from 0 on.
WAVES, DEGREES = 16, 8

MILD = (0.5, 2.0)
GRIDS = {
    1e5: ((80, 40), (112, 48)),
    1e6: ((144, 80), (208, 104)),
    1e7: ((320, 160), (416, 200)),
}
"""By the largest Rayleigh number, the grid (columns, rows) that resolves Prandtl numbers of
``MILD``, and all of them."""

Drawn = _draws.Range | _draws.Positive
"""Ends of a draw, or one value."""


class Spec(_fluids.Fluid):
    """Convection: trajectories, windows, the cells that are stored, and the draws."""

    kind: Literal["rayleigh_benard"] = "rayleigh_benard"
    """Convection between two plates, periodic along them."""
    trajectories: int = Field(50, gt=0)
    """Trajectories, each from an initial condition of its own."""
    windows: int = Field(8, gt=0)
    """Clips of each trajectory; they begin at random, and may overlap."""
    start: int = Field(80, ge=0)
    """Stored frame from which on windows begin; before, little moves."""
    length: int = Field(200, gt=1)
    """Frames of a trajectory, that of its initial condition among them."""
    interval: float = Field(0.25, gt=0)
    """Time from one stored frame to the next."""
    size: int = Field(64, ge=8)
    """Rows of cells from plate to plate."""
    columns: int = Field(default_factory=lambda data: 4 * data["size"], ge=8)
    """Columns of cells; by default as many as make them square."""
    rayleigh: Drawn = (1e5, 1e6)
    """Rayleigh number Ra, 1e5 to 1e7: ends of the draw, uniform in the logarithm, or one value."""
    prandtl: Drawn = MILD
    """Prandtl number Pr, 0.2 to 10: as above; those below 1/2 and above 2 ask for finer grids."""
    contrast: Drawn = (0.2, 1.0)
    """Difference of buoyancy between the plates at the start, but for the layer that is there in
    any case: ends of the uniform draw, or one value; at most 1."""
    grid: tuple[int, int] = Field(default_factory=lambda data: _grid(data))
    """Columns and rows that the equations are solved on; by default as few as resolve all draws."""

    @model_validator(mode="after")
    def _is_resolved(self) -> Self:
        for name, low, high in (("rayleigh", 1e5, 1e7), ("prandtl", 0.2, 10.0)):
            ends = _ends(getattr(self, name))
            if ends[0] < low or ends[1] > high:
                raise ValueError(
                    f"{name}: {ends[0]:g} to {ends[1]:g}; expected numbers from {low:g} to {high:g}"
                )
        if _ends(self.contrast)[1] > 1:
            raise ValueError(f"contrast: {_ends(self.contrast)[1]:g} is more than 1")
        needed, (low, high) = _grid(dict(self)), _ends(self.prandtl)
        if any(has < needs for has, needs in zip(self.grid, needed, strict=True)):
            raise ValueError(
                f"grid: {self.grid[0]} x {self.grid[1]} is too coarse; up to Ra"
                f" {_ends(self.rayleigh)[1]:g} and for Pr {low:g} to {high:g} it takes"
                f" {needed[0]} x {needed[1]}"
            )
        if self.grid[0] % 2 or self.grid[1] % 2:
            raise ValueError(f"grid: {self.grid[0]} x {self.grid[1]}; expected even numbers")
        if self.columns < self.grid[0] // 2:
            raise ValueError(
                f"columns: {self.columns} are too few for the waves of a grid of {self.grid[0]};"
                f" expected {self.grid[0] // 2} or more"
            )
        return self


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every window.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``rayleigh``, ``prandtl``; ``contrast`` of the initial condition; ``t0``, ``trajectory`` and
        ``group``.
    """

    def propose(rng: np.random.Generator) -> dict[str, float]:
        return {
            name: _draws.log_uniform(rng, drawn) if isinstance(drawn, tuple) else drawn
            for name, drawn in (("rayleigh", spec.rayleigh), ("prandtl", spec.prandtl))
        }

    labels = _fluids.draw(spec, KIND, spec.interval, propose)
    ends = _ends(spec.contrast)
    each = [
        seeds.rng(KIND, spec.seed, "contrast", number).uniform(*ends)
        for number in range(spec.trajectories)
    ]
    return labels | {"contrast": np.array(each)[labels["trajectory"]]}


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times within a window, centres of cells, and names of the fields."""
    return {
        "time": np.arange(spec.frames) * spec.stride * spec.interval,
        "y": (np.arange(spec.size) + 0.5) / spec.size,
        "x": (np.arange(spec.columns) + 0.5) * _plates.LENGTH / spec.columns,
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
    """A whole trajectory.

    Parameters
    ----------
    spec : Spec
    own : mapping of str to float
        Its ``rayleigh``, ``prandtl``, ``contrast``.
    rng : numpy Generator
        Source of the noise that it starts with.
    finer : int
        Steps in place of one.
    cells : int
        Columns and rows in place of one that equations are solved on.

    Returns
    -------
    (time, y, x, channel) float32

    Raises
    ------
    ValueError
        If it breaks a gate: which, when, expected, got.
    """
    columns, rows = spec.grid
    modes = _plates.modes(cells * columns, cells * rows)
    convection = solver.Convection(modes, own["rayleigh"], own["prandtl"])
    start = initial(modes, own["contrast"], rng)
    kept = np.empty((spec.length, spec.size, spec.columns, len(CHANNELS)), np.float32)
    gates = Gates(convection, spec.interval)
    for number, frame in enumerate(
        convection.frames(start, spec.interval, spec.length, finer=finer)
    ):
        look = convection.look(frame)
        gates.see(frame, look)
        kept[number] = np.moveaxis(modes.cells(look.series, spec.size, spec.columns), 0, -1)
    gates.close()
    return kept


solved, field = _fluids.solvers(trajectory)


def initial(modes: _plates.Modes, contrast: float, rng: np.random.Generator) -> np.ndarray:
    """State at the start, the same for every grid."""
    y = modes.z
    theta = np.zeros((len(y), modes.waves), complex)
    theta[:, 0] = (contrast - 1) * (1 - y) * -np.expm1(-20 * y)
    drawn = rng.normal(size=(DEGREES, WAVES, 2)) @ [1, 1j]
    # each wave stands for its complex conjugate, each polynomial of degree j is 1 / (2 j + 1) large
    drawn *= np.sqrt((2 * np.arange(DEGREES) + 1) / DEGREES)[:, None] / np.sqrt(4 * WAVES)
    noise = np.polynomial.legendre.legvander(2 * y - 1, DEGREES - 1) @ drawn
    theta[:, 1 : WAVES + 1] = 1e-3 * (y * (1 - y))[:, None] * noise
    return modes.state(theta)


class Gates:
    """What a trajectory has to keep, frame by frame and as a whole.

    Parameters
    ----------
    convection : Convection
    interval : float
        Time between frames, for the messages.
    """

    def __init__(self, convection: solver.Convection, interval: float):
        self.convection, self.interval = convection, interval
        self.frames, self.spent = 0, np.zeros(3)
        self.missing = self.forced = 0.0
        self.power: tuple[np.ndarray, ...] = ()

    def see(self, frame: solver.Frame, look: solver.Look) -> None:
        """Let a frame pass: budgets, range of buoyancy, divergence; momentum, and tails of series.

        Raises
        ------
        ValueError
            If a gate is broken: which, when, expected, got.
        """
        content = self.convection.content(frame.state)
        power = self.convection.modes.spread(look.series[[0, 2, 3]])
        if not self.frames:
            self.first, self.range = content, (min(look.low, 0.0), max(look.high, 1.0))
            self.power = tuple(map(np.zeros_like, power))
        when = f"at t = {self.frames * self.interval:g}"
        self.frames += 1
        self.spent += frame.spent
        work, *lost = self.spent
        for name, now, then, loss in zip(BUDGETS, content, self.first, lost, strict=True):
            if not abs(now - then - work + loss) <= BUDGET * (now + loss):
                raise _broken(
                    f"budget: {name} is {now:.7g} {when}", f"{then + work - loss:.7g} to {BUDGET:g}"
                )
        low, high = self.range
        if not (low - OVERSHOOT <= look.low and look.high <= high + OVERSHOOT):
            raise _broken(
                f"range: buoyancy is {look.low:.4g} to {look.high:.4g} {when}",
                f"{low:.4g} to {high:.4g}, as at the start, to {OVERSHOOT:g}",
            )
        if not look.divergence <= DIVERGENCE * look.shear:
            raise _broken(
                f"divergence: {look.divergence:.2g} {when}", f"0 to {DIVERGENCE:g} of the shear"
            )
        self.missing += look.missing**2
        self.forced += look.force**2
        self.power = tuple(sum_ + each for sum_, each in zip(self.power, power, strict=True))
        self._resolved(when, look.missing / look.force, power, AT_ONCE)

    def close(self) -> None:
        """Let the whole pass: momentum, and tails of series.

        Raises
        ------
        ValueError
            If a gate is broken: which, expected, got.
        """
        self._resolved("over all", np.sqrt(self.missing / self.forced), self.power, 1)

    def _resolved(
        self, when: str, missing: float, power: tuple[np.ndarray, ...], times: float
    ) -> None:
        for name, of in zip(("waves", "degrees"), power, strict=True):
            tails = np.sqrt(of[:, -2:].max(1) / np.maximum(of.max(1), 1e-30))
            if not (tails <= times * TAIL).all():
                raise _broken(
                    f"tails: the last {name} of {SERIES[int(np.argmax(tails))]} have"
                    f" {tails.max():.2g} of the largest {when}",
                    f"{times * TAIL:g}",
                )
        if not missing <= times * MOMENTUM:
            raise _broken(
                f"momentum: {missing:.2g} of all force is not balanced {when}",
                f"{times * MOMENTUM:g}",
            )


def _broken(found: str, expected: str) -> ValueError:
    return ValueError(f"{found}; expected {expected}. Hint: a finer grid.")


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only windows pass that are stored as they were solved; see ``Gates`` for the rest.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
    field : (time, y, x, channel) float32

    Raises
    ------
    ValueError
        If a value is not finite, buoyancy is out of range, a row moves up or down as a whole, or
        pressure has a mean.
    """
    if (frame := _gates.first(np.isfinite(field).all((1, 2, 3)))) is not None:
        raise ValueError(f"finite values: frame {frame} has others.")
    buoyancy, pressure, _, up = np.moveaxis(field.astype(float), -1, 0)
    _gates.within(buoyancy, 0.0, 1.0, OVERSHOOT)
    means = np.abs(up.mean(2)).max(1)
    if (frame := _gates.first(means <= ROUNDING)) is not None:
        raise ValueError(
            f"rows: velocity_y has a mean of {means[frame]:.2g} along a row of frame {frame};"
            f" expected 0 to {ROUNDING:g}: as much goes up as down."
        )
    # midpoint rule: what is hydrostatic has a slope of 1 at the plate below, and of 0 above
    means = pressure.mean((1, 2)) - 1 / (24 * spec.size**2)
    if (frame := _gates.first(np.abs(means) <= 1e-4)) is not None:
        raise ValueError(f"pressure: mean {means[frame]:.2g} in frame {frame}; expected 0 to 1e-4.")


def check_labels(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse parameters that have collapsed to a few values.

    Raises
    ------
    ValueError
        If fewer than 20 of 20 trajectories or more differ.
    """
    starts = np.unique(labels["trajectory"], return_index=True)[1]
    _gates.varied(
        {name: labels[name][starts] for name in UNITS},
        ["contrast"] * isinstance(spec.contrast, tuple),
    )
    _gates.varied(
        {name: labels[name][starts[:: spec.initial_conditions]] for name in UNITS},
        [name for name in ("rayleigh", "prandtl") if isinstance(getattr(spec, name), tuple)],
    )


def told(spec: Spec, fields: np.ndarray) -> dict[str, float]:
    """Rayleigh and Prandtl number of one window, by what it gains and loses.

    With <> a mean over the plane, over the time of the window

        nu = (int <w theta> - d<u^2 + w^2>/2) / int <om^2>,
        kappa = (int <w theta> - d<theta^2>/2) / int <|grad theta|^2>

    which is exact; no derivative in time is taken. What is read off cells is as good as they are
    fine: quintic splines between the plates, waves along them, and cubic splines in time.

    Parameters
    ----------
    spec : Spec
    fields : (time, y, x, channel)
        Of one window.

    Returns
    -------
    dict of str to float
        ``rayleigh``, ``prandtl``.
    """
    from scipy.interpolate import CubicSpline

    size, columns = fields.shape[1:3]
    weights, values, slopes = _between(size)
    hat = np.fft.rfft(np.moveaxis(fields, -1, 0).astype(float), axis=-1, norm="forward")
    hat = hat[..., : (columns + 1) // 2]
    theta, _, u, w = hat
    theta[..., 0] -= 1 - (np.arange(size) + 0.5) / size
    ik = 2j * np.pi / _plates.LENGTH * np.arange(hat.shape[-1])
    twice = np.where(ik == 0, 1, 2)

    def mean(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return ((one.conj() * other).real @ twice) @ weights

    on = {name: values @ each for name, each in (("theta", theta), ("u", u), ("w", w))}
    om = ik * on["w"] - slopes @ u
    slope = slopes @ theta
    theta, u, w = on.values()
    times = np.arange(len(fields)) * spec.stride * spec.interval

    def over_time(series: np.ndarray) -> float:
        return float(CubicSpline(times, series).integrate(times[0], times[-1]))

    energy, variance = (mean(u, u) + mean(w, w)) / 2, mean(theta, theta) / 2
    work, lost = over_time(mean(w, theta)), over_time(mean(om, om))
    spread = over_time(mean(slope, slope) + mean(ik * theta, ik * theta))
    nu = (work - (energy[-1] - energy[0])) / lost
    kappa = (work - (variance[-1] - variance[0])) / spread
    return {"rayleigh": 1 / (nu * kappa), "prandtl": nu / kappa}


@cache
def _between(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Quadrature between the plates: weights (point,); values and slopes (point, row) from rows.

    Of quintic splines that are 0 at the plates.
    """
    from scipy.interpolate import make_interp_spline

    points, weights = np.polynomial.legendre.leggauss(4 * size)
    rows = np.concatenate([[0], (np.arange(size) + 0.5) / size, [1]])
    spline = make_interp_spline(rows, np.eye(size + 2)[:, 1:-1], 5)
    y = (points + 1) / 2
    return weights / 2, spline(y), spline.derivative()(y)


def _ends(drawn: tuple[float, float] | float) -> tuple[float, float]:
    return drawn if isinstance(drawn, tuple) else (drawn, drawn)


def _grid(data: Mapping) -> tuple[int, int]:
    """Least columns and rows that resolve all draws of a spec's fields; those of a valid one."""
    rayleigh, prandtl = (_ends(data.get(name, 1.0)) for name in ("rayleigh", "prandtl"))
    mild, all_ = next((of for most, of in GRIDS.items() if rayleigh[1] <= most), GRIDS[1e7])
    return mild if MILD[0] <= prandtl[0] and prandtl[1] <= MILD[1] else all_
