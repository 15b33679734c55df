"""Active matter: rods that push on the fluid they swim in, align, and are turned by its flow.

Of the density psi(x, theta, t) of rods along (cos theta, sin theta), c = <1> and D = <p p>,

    d psi/dt + div((u - d_T grad log psi) psi) + d/dtheta(...) = 0,    with angles that follow from
    dp/dt = (1 - p p).(grad u + 2 zeta D).p - d_R d(log psi)/dp
    -lap u + grad P = div Sigma,    div u = 0,    E = (grad u + grad u^T) / 2
    Sigma = alpha D + beta <p p p p>:E - 2 zeta beta (D.D - <p p p p>:D)

on a periodic square: the equations of The Well's ``active_matter``, as angular moments (see
``_active_matter``). c is passive and stays 1. By default the first moment is closed, by Bingham's
densities: statistics of such clips are those of the kinetic equation (to 1 or 2 in 100 at zeta 1),
a clip of one start is not. ``harmonics: 16`` is the kinetic equation itself, to rounding at zeta 1,
for as long as zeta / d_R is 60 at most. Alignment and strain make structures of a width of about
sqrt(d_T / (zeta + |alpha|)); a grid that is too coarse for them is refused when the config is read.

A clip's alpha, from -5 to -1, is uniform in log |alpha|, and so is zeta in log zeta, from 1 to 17:
the whole square that The Well has a grid of. It starts with c = 1 and all directions alike, but for
plane waves in D. Frames are kept by the modes that their grid carries.

References
----------
Ohana et al., The Well: a large-scale collection of diverse physics simulations for machine
learning, NeurIPS 2024 Datasets and Benchmarks. Maddu, Weady, Shelley, Learning fast, accurate, and
stable closures of a kinetic theory of an active fluid, Journal of Computational Physics 504 (2024)
112869.
"""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from physprobe.simulate import _active_matter as solver
from physprobe.simulate import _active_matter_gates as gates
from physprobe.simulate import _draws, _fluids, _gates

FIELD, FIELD_UNIT, GRID = _fluids.FIELD, _fluids.FIELD_UNIT, _fluids.GRID
DIMENSIONS, together = _fluids.DIMENSIONS, _fluids.together
TOLD = ("alpha", "zeta")
UNITS = dict.fromkeys(("alpha", "activity", "zeta"), "1")
REFINES = True
CHANNELS = (
    *("concentration", "velocity_x", "velocity_y"),
    *(f"{tensor}_{place}" for tensor in "DE" for place in ("xx", "xy", "yx", "yy")),
)

KIND = "active_matter"
RESOLVED = 0.82
"""Largest cell, in units of sqrt(d_T / (zeta + |alpha|))."""
MOMENTS, TURNED = 16, 60.0
"""Harmonics that are enough up to this zeta / d_R; what they are enough for goes with M^2."""
ROTATION = 2.8
"""Largest step by what turns the highest harmonic: where steps of order 4 are stable."""
FLOW = 0.167
"""Fastest |u| + |v|, by (1/2 - alpha) box^0.8: measured for alpha -5 and -1, boxes of 5 and 10."""
SOLVED, STORED = 1e-9, 1e-5
"""What laws are kept to, of the largest value: as solved, and as float32 has it."""


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] >= ends[1]:
        raise ValueError(f"the low end {ends[0]:g} has to be below the high end {ends[1]:g}")
    return ends


Negative = Annotated[float, Field(lt=0, allow_inf_nan=False)]
Pushing = Annotated[tuple[Negative, Negative], AfterValidator(_ascending)] | Negative
"""Ends of a draw below 0, or one value."""
Drawn = _draws.Range | _draws.Positive
"""Ends of a draw, or one value."""


class Spec(_fluids.Fluid):
    """Active matter: trajectories and windows, the square, and the draws of what rods are like."""

    kind: Literal["active_matter"] = "active_matter"
    """Rods that push on the fluid they swim in, on a periodic square."""
    trajectories: int = Field(100, gt=0)
    """Trajectories, each from an initial condition of its own."""
    windows: int = Field(4, gt=0)
    """Clips of each trajectory; they begin at random, and may overlap."""
    start: int = Field(20, ge=0)
    """Stored frame from which on windows begin; before, rods hardly align."""
    length: int = Field(81, gt=1)
    """Frames of a trajectory, that of its initial condition among them."""
    interval: _draws.Positive = 0.25
    """Time from one frame of a trajectory to the next."""
    step: _draws.Positive = 1 / 60
    """Longest step in time."""
    box: _draws.Positive = 10.0
    """Length of a side."""
    alpha: Pushing = (-5.0, -1.0)
    """Force of the rods on the fluid, below 0: ends of the draw, uniform in the logarithm of its
    size, or one value."""
    zeta: Drawn = (1.0, 17.0)
    """Strength of alignment: ends of the draw, uniform in the logarithm, or one value."""
    beta: float = Field(0.8, ge=0, le=2)
    """Density of the rods, by which they resist strain and alignment stresses the fluid."""
    d_t: _draws.Positive = 0.05
    """Diffusion of places."""
    d_r: _draws.Positive = 0.05
    """Diffusion of angles."""
    perturbation: float = Field(0.1, gt=0, lt=0.5)
    """Largest alignment |<exp(2 i theta)>| of the initial condition."""
    waves: int = Field(4, gt=0)
    """Most waves to a side in the initial condition, along x and along y."""
    harmonics: int = Field(1, gt=0, le=MOMENTS)
    """Angular moments that are solved for: one, closed, or as many as the kinetic equation takes,
    up to 16."""
    size: int = Field(128, ge=8)
    """Cells of a side that are kept; a trajectory then takes 44 bytes a cell and frame."""
    solver: int = Field(default_factory=lambda data: _grid(data), ge=8)
    """Cells of a side that the equations are solved on, ``size`` or more; by default as many as
    the draws take."""

    @model_validator(mode="after")
    def _is_resolved(self) -> Self:
        alpha, zeta = _ends(self.alpha)[0], _ends(self.zeta)[1]
        if self.solver < self.size:
            raise ValueError(
                f"solver: {self.solver} x {self.solver} cells are fewer than the {self.size} x"
                f" {self.size} that are kept"
            )
        cell, finest = self.box / self.solver, _finest(dict(self))
        if cell > finest:
            room = self.d_t * (RESOLVED / cell) ** 2 + alpha
            slower = f"zeta up to {room:.3g}, " if room > _ends(self.zeta)[0] else ""
            raise ValueError(
                f"solver: {self.solver} x {self.solver} cells on a box of {self.box:g} are too"
                f" coarse for zeta up to {zeta:g} and alpha down to {alpha:g}: a cell is"
                f" {cell:.3g}, expected {finest:.3g} or less. Hint: {_grid(dict(self))} x"
                f" {_grid(dict(self))} cells, {slower}or a box of {finest * self.solver:.3g}."
            )
        if self.waves > (self.solver - 1) // 3:
            raise ValueError(
                f"waves: {self.waves} to a side are more than the {(self.solver - 1) // 3} of"
                f" {self.solver} cells"
            )
        return self

    @model_validator(mode="after")
    def _is_kinetic(self) -> Self:
        """Too few harmonics are no closure: order grows beyond 1."""
        most = TURNED * (self.harmonics / MOMENTS) ** 2
        ratio = _ends(self.zeta)[1] / self.d_r
        if self.harmonics > 1 and ratio > most:
            raise ValueError(
                f"harmonics: {self.harmonics} are enough for zeta / d_r up to {most:.3g}, but zeta"
                f" goes up to {_ends(self.zeta)[1]:g} and d_r is {self.d_r:g}: {ratio:.3g}. Hint:"
                f" zeta up to {most * self.d_r:.3g}, or a single harmonic, which is closed."
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
        ``alpha``; ``activity``, its size, which has a logarithm; ``zeta``; ``t0``, ``trajectory``
        and ``group``.
    """

    def propose(rng: np.random.Generator) -> dict[str, float]:
        low, high = _ends(spec.alpha)
        activity, zeta = (_value(rng, ends) for ends in ((-high, -low), _ends(spec.zeta)))
        return {"alpha": -activity, "activity": activity, "zeta": zeta}

    return _fluids.draw(spec, KIND, spec.interval, propose)


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times within a window, places of cells, and names of the fields."""
    places = np.arange(spec.size) * (spec.box / spec.size)
    return {
        "time": np.arange(spec.frames) * spec.stride * spec.interval,
        "y": places,
        "x": places,
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
        Its ``alpha`` and ``zeta``.
    rng : numpy Generator
        Source of the waves that it starts with.
    finer : int
        Steps in place of one.
    cells : int
        Cells in place of one that equations are solved on, along a side.

    Returns
    -------
    (time, y, x, channel) float32

    Raises
    ------
    ValueError
        If a gate is broken at any frame: which, where, expected, got.
    """
    rods = solver.Rods(own["alpha"], own["zeta"], spec.beta, spec.d_t, spec.d_r)
    square = solver.Square(cells * spec.solver, spec.box)
    count = finer * steps(spec.model_copy(update={"solver": cells * spec.solver}), own)
    stored = np.empty((spec.length, spec.size, spec.size, len(CHANNELS)), np.float32)
    states = solver.solve(
        rods, square, initial(spec, rng, cells), spec.interval, spec.length, count
    )
    for frame, state in enumerate(states):
        channels = named(state)
        second = state.moments[1] if spec.harmonics > 1 else None
        gates.is_finite(channels[None], frame)
        gates.is_smooth(square, state.moments[0], frame)
        gates.is_ordered(channels[None], 0, frame)
        gates.keeps(channels[None], spec.box, SOLVED, frame)
        gates.is_balanced(channels[None], second, rods, spec.box, SOLVED, frame)
        stored[frame] = _truncated(channels, spec.size)
    return stored


solved, field = _fluids.solvers(trajectory)


def initial(spec: Spec, rng: np.random.Generator, cells: int = 1) -> np.ndarray:
    """Moments (harmonic, 2, y, x) to start with: plane waves in the first one.

    Those on more cells, ``cells`` in place of one, are the same waves.
    """
    waves = np.arange(-spec.waves, spec.waves + 1)
    heights = np.sum(rng.standard_normal((len(waves), len(waves), 2)) * [1, 1j], axis=-1)
    heights[spec.waves, spec.waves] = 0
    side = cells * spec.solver
    along = np.exp(2j * np.pi * np.outer(np.arange(side) / side, waves))
    moment = along @ heights @ along.T
    moment *= spec.perturbation / np.abs(moment[::cells, ::cells]).max()
    moments = np.zeros((spec.harmonics, 2, side, side))
    moments[0] = moment.real, moment.imag
    return moments


def named(state: solver.State) -> np.ndarray:
    """Channels (y, x, channel) of a state."""
    (real, imaginary), (strain, shear) = state.moments[0], state.strain
    order = (0.5 + real / 2, imaginary / 2, imaginary / 2, 0.5 - real / 2)
    flow = (strain, shear, shear, -strain)
    return np.stack([np.ones_like(real), *state.velocity, *order, *flow], axis=-1)


def told(spec: Spec, fields: np.ndarray) -> dict[str, float]:
    """Parameters of one clip, by the balance of stresses in each of its frames.

        -lap u + grad P - beta div <p p p p>:E = alpha div D - 2 zeta beta div(D.D - <p p p p>:D)

    by least squares over modes: what a reader who knows the equation, its closure and beta can
    tell, and so a ceiling of what any other can. It errs by what the kept grid lacks, and for a
    clip of the kinetic equation (``harmonics``) by the closure, which such clips don't have.

    Parameters
    ----------
    spec : Spec
        Of which ``box`` and ``beta`` are needed.
    fields : (time, y, x, channel)
        A clip, or any of its frames.

    Returns
    -------
    dict of str to float
        ``alpha`` and ``zeta``.

    Raises
    ------
    ValueError
        If ``beta`` is 0: alignment then leaves no trace in a frame.
    """
    if spec.beta == 0:
        raise ValueError("beta: with 0 zeta can't be told from stresses. Hint: a beta above 0.")
    vorticity, curls, _ = gates.curls(np.asarray(fields, float), None, spec.box)
    pushed, strained, aligned = curls
    known = vorticity - spec.beta * strained
    parts = np.stack([pushed.ravel(), spec.beta * aligned.ravel()], axis=1)
    parts, known = (np.concatenate([a.real, a.imag]) for a in (parts, known.ravel()))
    alpha, zeta = np.linalg.lstsq(parts, known)[0]
    return {"alpha": float(alpha), "zeta": float(zeta)}


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only windows pass that keep their laws, as far as what is stored can tell.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha`` and ``zeta`` of the clip.
    field : (time, y, x, channel) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got.
    """
    fields = field.astype(float)
    gates.is_finite(fields)
    gates.keeps(fields, spec.box, STORED)
    # fewer cells than were solved on: products lack modes, and extremes are those of fewer waves
    if spec.size == spec.solver:
        gates.is_ordered(fields, STORED)
        if spec.harmonics == 1:
            rods = solver.Rods(labels["alpha"], labels["zeta"], spec.beta, spec.d_t, spec.d_r)
            gates.is_balanced(fields, None, rods, spec.box, STORED)


def check_labels(spec: Spec, labels: Mapping[str, np.ndarray]) -> None:
    """Refuse parameters that have collapsed to a few values.

    Raises
    ------
    ValueError
        If one takes fewer than 20 distinct values in 20 families of trajectories or more.
    """
    families = labels["trajectory"] // spec.initial_conditions
    _, first = np.unique(families, return_index=True)
    drawn = [name for name in ("alpha", "zeta") if isinstance(getattr(spec, name), tuple)]
    _gates.varied({name: label[first] for name, label in labels.items()}, drawn)


def steps(spec: Spec, own: Mapping[str, float]) -> int:
    """Steps from one frame to the next, of a trajectory with some ``alpha`` and ``zeta``.

    Each is so short that no wave grows which the fastest flow carries, by what steps of order 4
    make of it, |1 + iz + ... + (iz)^4 / 24| for z = |u| k h, and what diffusion leaves of it; and
    that the highest of several harmonics turns by no more than 2.8.
    """
    alpha, zeta = own["alpha"], own["zeta"]
    longest = spec.step
    if spec.harmonics > 1:
        longest = min(longest, ROTATION / (2 * spec.harmonics * zeta))
    waves = 2 * np.pi / spec.box * np.arange((spec.solver - 1) // 3 + 1)
    count = int(np.ceil(spec.interval / longest * (1 - 1e-12)))
    while True:
        step = spec.interval / count
        z = FLOW * (0.5 - alpha) * spec.box**0.8 * waves * step
        growth = np.sqrt(1 - z**6 / 72 + z**8 / 576) * np.exp(-spec.d_t * waves**2 * step)
        if growth.max() <= 1:
            return count
        count += 1


def _ends(drawn: tuple[float, float] | float) -> tuple[float, float]:
    return drawn if isinstance(drawn, tuple) else (drawn, drawn)


def _value(rng: np.random.Generator, ends: tuple[float, float]) -> float:
    return ends[0] if ends[0] == ends[1] else _draws.log_uniform(rng, ends)


def _finest(data: Mapping) -> float:
    """Largest cell that resolves all draws."""
    fastest = _ends(data["zeta"])[1] - _ends(data["alpha"])[0]
    return RESOLVED * float(np.sqrt(data["d_t"] / fastest))


def _grid(data: Mapping) -> int:
    """Cells of a side that resolve all draws, and those that are kept: a multiple of 32."""
    needed = 32 * int(np.ceil(data["box"] / _finest(data) / 32))
    return max(needed, data["size"])


def _truncated(channels: np.ndarray, size: int) -> np.ndarray:
    """Channels (y, x, channel) on fewer cells, by the modes that those carry."""
    from scipy import fft

    cells = len(channels)
    if size == cells:
        return channels
    band = (size - 1) // 2
    modes = fft.rfft2(channels, axes=(0, 1), norm="forward")[:, : band + 1]
    kept = np.zeros((size, size // 2 + 1, channels.shape[-1]), complex)
    kept[: band + 1, : band + 1] = modes[: band + 1]
    kept[size - band :, : band + 1] = modes[cells - band :]
    return fft.irfft2(kept, (size, size), axes=(0, 1), norm="forward")
