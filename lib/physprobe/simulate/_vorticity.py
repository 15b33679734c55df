"""Vorticity: a flow in the plane and a tracer that it carries, on a periodic rectangle, spectrally.

    dw/dt = -div(u w) + nu lap(w),    ds/dt = -div(u s) + D lap(s)
    w = dv/dx - du/dy,    u = U + dpsi/dy,    v = V - dpsi/dx,    lap(psi) = -w

with the mean velocity (U, V), which stays. Modes beyond two thirds of those that a grid holds are
none, so that no product is aliased: without steps in time, energy, enstrophy and the tracer's
variance would change by what viscosity and diffusion take alone. Steps are classic ones of order 4,
between which viscosity and diffusion are exact, mode by mode (integrating factor). Divergence is
zero whatever the steps do.

References
----------
Canuto, Hussaini, Quarteroni, Zang, Spectral Methods: Evolution to Complex Geometries and
Applications to Fluid Dynamics (2007), chapter 3.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np

HELD = ("energy", "enstrophy", "tracer variance")
"""Half the mean squares of velocity, vorticity and tracer, without their means."""
STABLE, TURN = 2.8, 2.2
"""By how much a step of order 4 may turn a mode's phase, and what steps are chosen by."""
FADE = 0.03
"""Part of a mean square of gradients that may be lost by one step."""


Room = tuple[np.ndarray, np.ndarray]
"""Spread modes (..., y, x / 2 + 1), and values (..., y, x)."""


class Plane:
    """A grid on a periodic rectangle, and the modes that it carries.

    Parameters
    ----------
    rows, columns : int
        Cells along y and x.
    bands : (int, int), optional
        Most periods along y and x that are carried; by default less than a third of the cells.
    sides : (float, float)
        Lengths along y and x.

    Attributes
    ----------
    shape : (int, int)
        Of modes: those along y in the order of an FFT, along x from 0 on; a real field's others
        follow.
    y, x : (mode_y, 1), (mode_x,)
        Wavenumbers.
    square : (mode_y, mode_x)
        k^2.
    """

    def __init__(
        self,
        rows: int,
        columns: int,
        bands: tuple[int, int] | None = None,
        sides: tuple[float, float] = (2.0, 1.0),
    ) -> None:
        self.rows, self.columns, self.sides = rows, columns, sides
        self.bands = ((rows - 1) // 3, (columns - 1) // 3) if bands is None else bands
        high, wide = self.bands
        number = np.r_[: high + 1, -high:0]
        self.y = 2 * np.pi / sides[0] * number[:, None]
        self.x = 2 * np.pi / sides[1] * np.arange(wide + 1)
        self.square = self.y**2 + self.x**2
        self.shape = self.square.shape

    @cached_property
    def inverse(self) -> np.ndarray:
        """1 / k^2 (mode_y, mode_x), and 0 of the mean."""
        return np.divide(1, self.square, out=np.zeros(self.shape), where=self.square > 0)

    @cached_property
    def weights(self) -> np.ndarray:
        """How often a mode counts in a mean square, (mode_y, mode_x): not at all the mean."""
        found = np.full(self.shape, 2.0)
        found[:, 0] = 1
        found[0, 0] = 0
        return found

    @property
    def finest(self) -> float:
        """Largest wavenumber along each of the sides, the lower one."""
        return min(float(np.abs(self.y).max()), float(self.x.max()))

    def room(self, *fields: int) -> Room:
        """Arrays that as many fields are transformed in: new ones take longer to reach."""
        spread = np.zeros((*fields, self.rows, self.columns // 2 + 1), complex)
        return spread, np.empty((*fields, self.rows, self.columns))

    def points(self, modes: np.ndarray, room: Room | None = None) -> np.ndarray:
        """Values (..., y, x) of modes (..., mode_y, mode_x).

        Parameters
        ----------
        modes : (..., mode_y, mode_x) complex128
        room : Room, optional
            Arrays of as many fields, which the result is one of.
        """
        spread, points = room or self.room(*modes.shape[:-2])
        high, carried = self.bands[0] + 1, spread[..., : modes.shape[-1]]
        carried[..., :high, :] = modes[..., :high, :]
        carried[..., high : self.rows - high + 1, :] = 0
        carried[..., self.rows - high + 1 :, :] = modes[..., high:, :]
        # along y only what is carried; scipy.fft has no arrays of its caller's to write into
        np.fft.ifft(carried, axis=-2, norm="forward", out=carried)
        return np.fft.irfft(spread, self.columns, axis=-1, norm="forward", out=points)

    def modes(self, points: np.ndarray, room: Room | None = None) -> np.ndarray:
        """Modes (..., mode_y, mode_x) of values (..., y, x); others are dropped."""
        spread, _ = room or self.room(*points.shape[:-2])
        high, wide = self.bands
        np.fft.rfft(points, axis=-1, norm="forward", out=spread)
        carried = spread[..., : wide + 1]
        np.fft.fft(carried, axis=-2, norm="forward", out=carried)
        return np.concatenate(
            [carried[..., : high + 1, :], carried[..., self.rows - high :, :]], axis=-2
        )

    def cut(self, modes: np.ndarray, other: "Plane") -> np.ndarray:
        """Modes of a finer plane's, as far as another one carries them."""
        high, wide = other.bands
        return np.concatenate(
            [modes[..., : high + 1, : wide + 1], modes[..., len(self.y) - high :, : wide + 1]],
            axis=-2,
        )

    def velocity(self, vorticity: np.ndarray, mean: tuple[float, float]) -> np.ndarray:
        """Modes (2, mode_y, mode_x) of u and v, from those of vorticity and their means."""
        stream = self.inverse * vorticity
        found = np.stack([1j * self.y * stream, -1j * self.x * stream])
        found[:, 0, 0] = mean
        return found

    def curl(self, velocity: np.ndarray) -> np.ndarray:
        """Modes of vorticity from those (2, mode_y, mode_x) of u and v."""
        return 1j * (self.x * velocity[1] - self.y * velocity[0])

    def pressure(self, velocity: np.ndarray) -> np.ndarray:
        """Modes of pressure, without mean, from those (2, mode_y, mode_x) of u and v.

        lap(p) = -div div(u u)
        """
        u, v = self.points(velocity)
        products = self.modes(np.stack([u * u, u * v, v * v]))
        square = self.x**2 * products[0] + 2 * self.x * self.y * products[1]
        return -self.inverse * (square + self.y**2 * products[2])

    def held(self, state: np.ndarray) -> np.ndarray:
        """``HELD``, from modes (2, mode_y, mode_x) of vorticity and tracer."""
        vorticity, tracer = self.weights * (state.real**2 + state.imag**2) / 2
        return np.array([(vorticity * self.inverse).sum(), vorticity.sum(), tracer.sum()])

    def drain(self, state: np.ndarray) -> np.ndarray:
        """How fast viscosity 1 and diffusivity 1 take of ``HELD``."""
        vorticity, tracer = self.weights * (state.real**2 + state.imag**2)
        square = self.square
        return np.array([vorticity.sum(), (square * vorticity).sum(), (square * tracer).sum()])


class Moment(NamedTuple):
    """A flow at the time of a frame."""

    state: np.ndarray
    """Modes (2, mode_y, mode_x) of vorticity and tracer."""
    held: np.ndarray
    """``HELD``."""
    lost: np.ndarray
    """What viscosity and diffusion took of it since the first frame."""


def rates(plane: Plane, mean: tuple[float, float]) -> Callable[[np.ndarray], np.ndarray]:
    """What the flow alone makes of vorticity and tracer.

    Parameters
    ----------
    plane : Plane
    mean : (float, float)
        Mean velocity along x and y.

    Returns
    -------
    callable
        Rate (2, mode_y, mode_x) of modes (2, mode_y, mode_x) of vorticity and tracer. With 7
        transforms: vorticity's is the curl of div(u u), of which only uv and v^2 - u^2 matter.
    """
    up, right = 1j * plane.y, 1j * plane.x
    to_u, to_v = up * plane.inverse, -right * plane.inverse
    mixed, crossed = plane.x**2 - plane.y**2, plane.x * plane.y
    carried = np.empty((3, *plane.shape), complex)
    there, back = plane.room(3), plane.room(4)
    products = back[1]

    def rate(state: np.ndarray) -> np.ndarray:
        np.multiply(to_u, state[0], out=carried[0])
        np.multiply(to_v, state[0], out=carried[1])
        carried[:2, 0, 0] = mean
        carried[2] = state[1]
        u, v, s = plane.points(carried, there)
        np.add(u, v, out=products[2])
        np.subtract(v, u, out=products[1])
        products[1] *= products[2]
        np.multiply(u, v, out=products[0])
        np.multiply(u, s, out=products[2])
        np.multiply(v, s, out=products[3])
        uv, squares, us, vs = plane.modes(products, back)
        uv *= mixed
        squares *= crossed
        uv += squares
        us *= right
        vs *= up
        us += vs
        return np.stack([uv, -us])

    return rate


def turning(plane: Plane, vorticity: np.ndarray, mean: tuple[float, float]) -> float:
    """Largest rate |u| k + |v| l at which a flow turns the phase of any mode."""
    u, v = np.abs(plane.points(plane.velocity(vorticity, mean)))
    return float((u * plane.x.max() + v * plane.y.max()).max())


def steps(
    plane: Plane,
    state: np.ndarray,
    turns: float,
    diffusivities: tuple[float, float],
    interval: float,
) -> int:
    """Even number of steps to the next frame.

    None turns a mode's phase by more than ``TURN``. None is longer than ``FADE`` over the rate at
    which viscosity or diffusion takes of the mean squares of gradients: thin layers fade fast, and
    what is lost by then is summed over steps.
    """
    power = plane.weights * plane.square * (state.real**2 + state.imag**2)
    held, taken = power.sum((1, 2)), (plane.square * power).sum((1, 2))
    fades = 2 * np.divide(diffusivities * taken, held, out=np.zeros(2), where=held > 0) / FADE
    return 2 * int(np.ceil(max(interval * max(turns / TURN, *fades), 1) / 2))


def solve(
    plane: Plane,
    state: np.ndarray,
    mean: tuple[float, float],
    diffusivities: tuple[float, float],
    interval: float,
    frames: int,
    *,
    finer: int = 1,
) -> Iterator[Moment]:
    """Flow at equally spaced times, the first one as given.

    Parameters
    ----------
    plane : Plane
    state : (2, mode_y, mode_x) complex128
        Modes of vorticity and tracer.
    mean : (float, float)
        Mean velocity along x and y.
    diffusivities : (float, float)
        nu and D.
    interval : float
        Time between frames.
    frames : int
        Frames, the first one among them.
    finer : int
        Steps in place of one.

    Yields
    ------
    Moment
        Losses are summed by Simpson's rule over the steps.

    Raises
    ------
    ValueError
        If the flow became too fast for its steps.
    """
    state = np.array(state)
    flow = rates(plane, mean)
    diffuse = -np.array(diffusivities)[:, None, None] * plane.square
    taken = np.array([diffusivities[0], *diffusivities])
    lost, last, drain = np.zeros(3), 0, plane.drain(state)
    turns = turning(plane, state[0], mean)
    yield Moment(state.copy(), plane.held(state), lost)
    for frame in range(1, frames):
        count = finer * steps(plane, state, turns, diffusivities, interval)
        step = interval / count
        if count != last:
            # what a half and a whole step change: a factor near 1 would be rounded
            half, whole, last = np.expm1(diffuse * step / 2), np.expm1(diffuse * step), count
        drains = [drain]
        for _ in range(count):
            first = flow(state)
            middle = state + step / 2 * first
            middle += half * middle
            second = flow(middle)
            damped = state + half * state
            third = flow(damped + step / 2 * second)
            second += third
            second += half * second
            third += half * third
            damped = state + whole * state
            fourth = flow(damped + step * third)
            first += whole * first
            first += fourth
            second *= 2
            first += second
            first *= step / 6
            state = damped + first
            drains.append(plane.drain(state))
        turns = turning(plane, state[0], mean)
        if not turns * step <= STABLE:
            raise ValueError(
                f"stability: a step before frame {frame} turns phases by {turns * step:.3g};"
                f" expected {STABLE:g} at most, for which steps were chosen."
            )
        drain = drains[-1]
        inner = 4 * sum(drains[1:-1:2]) + 2 * sum(drains[2:-1:2])
        lost = lost + taken * step / 3 * (drains[0] + inner + drain)
        yield Moment(state.copy(), plane.held(state), lost)
