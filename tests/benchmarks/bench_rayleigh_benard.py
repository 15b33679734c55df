"""A step of convection, in modes that decay alone, against solving for every wave; a trajectory."""

import time

import numpy as np
from _bench import compare
from threadpoolctl import threadpool_limits

from physprobe.simulate import _plates, rayleigh_benard
from physprobe.simulate import _rayleigh_benard as solver
from physprobe.statistics import seeds

STEP = 1 / 128


class Plain:
    """The same equations and steps, wave by wave, in Legendre series with linear solves.

    Unknowns are polynomials that keep the walls' conditions, of even and odd degree together:
    (B + h nu A) a = ... for psi and (M + h kappa (S + k^2 M)) t = ... for theta.
    """

    def __init__(self, convection: solver.Convection):
        modes = self.modes = convection.modes
        self.nu, self.kappa = convection.nu, convection.kappa
        rows = modes.rows
        self.bases = {}
        for name, parts in (("psi", _plates._clamped(rows)), ("theta", _plates._fixed(rows))):
            series = np.concatenate(parts, axis=1)
            self.bases[name] = [modes._values(modes.z, series, order) for order in range(3)]
        (p, p1, p2), (c, c1, _) = self.bases["psi"], self.bases["theta"]
        k2 = modes.k[:, None, None] ** 2
        inner = modes.inner
        self.energy = inner(p1, p1) + k2 * inner(p, p)
        self.loss = self.nu * (inner(p2, p2) + 2 * k2 * inner(p1, p1) + k2**2 * inner(p, p))
        self.mass = inner(c, c)
        self.spread = inner(c1, c1) + k2 * self.mass

    def unknowns(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Psi and theta (wave, polynomial), U (polynomial,) of a state."""
        spectra, weights = self.modes.spectra(state), self.modes.weights[:, None]
        (p, *_), (c, *_) = self.bases["psi"], self.bases["theta"]
        psi = np.linalg.solve(
            self.modes.inner(p, p), p.T @ (weights * spectra[1] / (-1j * self.k))
        ).T
        theta = np.linalg.solve(self.mass, c.T @ (weights * spectra[3])).T
        mean = np.linalg.solve(self.mass, c.T @ (weights[:, 0] * spectra[0, :, 0].real))
        psi[0] = 0
        return psi, theta, mean

    @property
    def k(self) -> np.ndarray:
        """Wavenumbers; 1 instead of 0, where psi has nothing."""
        return np.where(self.modes.k > 0, self.modes.k, 1)

    def tendency(
        self, psi: np.ndarray, theta: np.ndarray, mean: np.ndarray
    ) -> tuple[np.ndarray, ...]:
        """What changes the unknowns but diffusion, against every polynomial, wave by wave."""
        modes, weights = self.modes, self.modes.weights
        (p, p1, p2), (c, c1, _) = self.bases["psi"], self.bases["theta"]
        spectra = np.zeros((4, len(modes.z), modes.waves), complex)
        for wave, k in enumerate(modes.k):
            spectra[0, :, wave] = p1 @ psi[wave]
            spectra[1, :, wave] = -1j * k * (p @ psi[wave])
            spectra[2, :, wave] = k**2 * (p @ psi[wave]) - p2 @ psi[wave]
            spectra[3, :, wave] = c @ theta[wave]
        spectra[0, :, 0] += c @ mean
        spectra[2, :, 0] -= c1 @ mean
        u, w, om, t = modes.space(spectra)
        hats = [modes.waved(product) for product in (u * om, w * om, u * t, w * t)]
        flow, heat = np.zeros_like(psi), np.zeros_like(theta)
        for wave, k in enumerate(modes.k):
            along, up, warm_along, warm_up = (hat[:, wave] for hat in hats)
            if wave:
                flow[wave] = p.T @ (weights * 1j * k * (spectra[3, :, wave] - along))
                flow[wave] += p1.T @ (weights * up)
            heat[wave] = c.T @ (weights * (spectra[1, :, wave] - 1j * k * warm_along))
            heat[wave] += c1.T @ (weights * warm_up)
        return flow, heat, c.T @ (weights * hats[1][:, 0].real)

    def step(self, past: list, step: float) -> tuple[np.ndarray, ...]:
        """A step of SBDF3 from three pairs of unknowns and tendencies, the last one first."""
        (y, n), (y1, n1), (y2, n2) = past
        found = tuple(np.zeros_like(each) for each in y)
        for part, (mass, loss) in enumerate(
            ((self.energy, self.loss), (self.mass[None], self.kappa * self.spread))
        ):
            known = 3 * y[part] - 1.5 * y1[part] + y2[part] / 3
            push = step * (3 * (n[part] - n1[part]) + n2[part])
            for wave in range(self.modes.waves):
                own = mass[wave % len(mass)]
                matrix = 11 / 6 * own + step * loss[wave]
                found[part][wave] = np.linalg.solve(matrix, own @ known[wave] + push[wave])
        known = self.mass @ (3 * y[2] - 1.5 * y1[2] + y2[2] / 3)
        push = step * (3 * (n[2] - n1[2]) + n2[2])
        matrix = 11 / 6 * self.mass + step * self.nu * self.spread[0]
        found[2][:] = np.linalg.solve(matrix, known + push)
        return found


def sides(grid: tuple[int, int], rayleigh: float) -> tuple[solver.Convection, list, Plain, list]:
    """Ours and plain, with three points of one past."""
    convection = solver.Convection(_plates.modes(*grid), rayleigh, 1.0)
    theta = np.zeros((len(convection.modes.z), convection.modes.waves), complex)
    for wave in range(4):
        theta[:, wave] = 0.1 * 1j**wave * np.sin(np.pi * convection.modes.z)
    *_, last = convection.frames(convection.modes.state(theta), 1.5, 2, step=STEP)
    past = [convection._point(last.state)]
    for _ in range(2):
        past = [convection._point(convection._stages(past[0], STEP)), *past]
    plain = Plain(convection)
    unknowns = [plain.unknowns(point.state) for point in past]
    return convection, past, plain, [(each, plain.tendency(*each)) for each in unknowns]


def ours(convection: solver.Convection, past: list, count: int) -> np.ndarray:
    """State after some steps; as in a trajectory, with what they spend and their pace."""
    return convection._frame(list(past), count * STEP, count)[0][0].state


def theirs(plain: Plain, past: list, count: int) -> tuple[np.ndarray, ...]:
    """Unknowns after some steps."""
    past = list(past)
    for _ in range(count):
        found = plain.step(past, STEP)
        past = [(found, plain.tendency(*found)), *past[:2]]
    return past[0][0]


def check(grid: tuple[int, int] = (32, 24), rayleigh: float = 1e4) -> str:
    """Gate: two steps of both come to the same."""
    convection, past, plain, others = sides(grid, rayleigh)
    found = plain.unknowns(ours(convection, past, 2))
    apart = 0.0
    for one, other in zip(found, theirs(plain, others, 2), strict=True):
        apart = max(apart, float(np.abs(one - other).max() / np.abs(found[0]).max()))
    if not apart < 1e-9:
        raise SystemExit(f"gate: {apart:.1e} from solving wave by wave, more than 1e-9")
    return f"gate: within {apart:.0e} of solving wave by wave"


def main() -> None:
    """Check, time a trajectory, then time steps."""
    print(check())
    print(check((128, 48), 1e6))
    modes = _plates.modes(128, 48)
    convection = solver.Convection(modes, 1e6, 1.0)
    with threadpool_limits(1):
        start = time.process_time()
        frames = convection.frames(
            rayleigh_benard.initial(modes, 0.6, seeds.rng("bench", 0)), 0.25, 201
        )
        steps = 0
        for frame in frames:
            convection.look(frame)
            steps += frame.steps
        spent = time.process_time() - start
    print(f"Ra 1e6, 128 x 48, T = 50: {spent:.1f} CPU seconds, {steps} steps, pressure included")
    convection, past, plain, others = sides((128, 48), 1e6)
    compare(
        "step",
        5,
        modes=(lambda: ours(convection, past, 20), 20),
        waves=(lambda: theirs(plain, others, 2), 2),
    )


if __name__ == "__main__":
    main()
