"""A trajectory of active matter, against the same equations tensor by tensor with complex waves."""

import time

import numpy as np
from _bench import compare
from scipy import special
from threadpoolctl import threadpool_limits

from physprobe.simulate import _active_matter as solver
from physprobe.simulate import active_matter

RODS = solver.Rods(alpha=-3, zeta=9, beta=0.8, drift=0.05, turning=0.05)
TABLE = 20001
"""Entries: the closure is interpolated to 1e-8."""


class Plain:
    """D itself, its closure from a table of eigenframes, and all waves by complex transforms."""

    def __init__(self, cells: int, box: float, passes: int = 2) -> None:
        self.passes, self.gradient = passes, [np.zeros((cells, cells))] * 4
        k = 2 * np.pi / box * np.fft.fftfreq(cells, 1 / cells)
        self.kx, self.ky = np.meshgrid(k, k)
        self.square = self.kx**2 + self.ky**2
        most = 2 * np.pi / box * ((cells - 1) // 3 + 0.5)
        self.kept = (np.abs(self.kx) < most) & (np.abs(self.ky) < most)
        self.over = np.zeros_like(self.square)
        np.divide(1, self.square, where=self.kept & (self.square > 0), out=self.over)
        kappa = np.concatenate([[0], np.geomspace(1e-6, 1e6, TABLE)])
        first, second = (special.ive(n, kappa) / special.ive(0, kappa) for n in (1, 2))
        self.order = first
        self.fourth = 3 / 8 + first / 2 + second / 8

    def closed(self, xx: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, ...]:
        """<p p p p> as its components xxxx, xxxy, xxyy, xyyy, yyyy."""
        tensor = np.stack([xx, xy, xy, 1 - xx], -1).reshape(*xx.shape, 2, 2)
        values, frames = np.linalg.eigh(tensor)
        large, (x, y) = values[..., 1], np.moveaxis(frames[..., :, 1], -1, 0)
        along = np.interp(2 * large - 1, self.order, self.fourth)
        mixed = large - along
        across = 1 - large - mixed
        # the same in the frame of x and y, of whose axes (x, y) is the first
        return (
            along * x**4 + 6 * mixed * x**2 * y**2 + across * y**4,
            along * x**3 * y + 3 * mixed * (x * y**3 - x**3 * y) - across * x * y**3,
            along * x**2 * y**2 + mixed * (x**4 - 4 * x**2 * y**2 + y**4) + across * x**2 * y**2,
            along * x * y**3 + 3 * mixed * (x**3 * y - x * y**3) - across * x**3 * y,
            along * y**4 + 6 * mixed * x**2 * y**2 + across * x**4,
        )

    def rates(self, waves: np.ndarray) -> np.ndarray:
        """What D_xx and D_xy (2, ky, kx) change by, diffusion apart; the strain is kept."""
        xx, xy = np.fft.ifft2(waves).real
        yy, s = 1 - xx, self.closed(xx, xy)

        def contracted(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> list[np.ndarray]:
            return [s[i] * a + 2 * s[i + 1] * b + s[i + 2] * c for i in range(3)]

        inner = (xx * xx + xy * xy, xx * xy + xy * yy, xy * xy + yy * yy)
        full = [a - b for a, b in zip(inner, contracted(xx, xy, yy), strict=True)]
        alpha, zeta, beta = RODS.alpha, RODS.zeta, RODS.beta
        for _ in range(self.passes):
            ux, uy, vx, vy = self.gradient
            strained = contracted(ux, (uy + vx) / 2, vy)
            stress = [
                alpha * d + beta * e - 2 * zeta * beta * f
                for d, e, f in zip((xx, xy, yy), strained, full, strict=True)
            ]
            one, two, three = np.fft.fft2(stress)
            force = 1j * (self.kx * one + self.ky * two), 1j * (self.kx * two + self.ky * three)
            along = (self.kx * force[0] + self.ky * force[1]) * self.over
            flow = [
                (part - k * along) * self.over
                for part, k in zip(force, (self.kx, self.ky), strict=True)
            ]
            self.gradient = [
                np.fft.ifft2(1j * k * part).real for part in flow for k in (self.kx, self.ky)
            ]
        ux, uy, vx, vy = self.gradient
        u, v = np.fft.ifft2(flow).real
        strained = contracted(ux, (uy + vx) / 2, vy)
        slopes = [[np.fft.ifft2(1j * k * w).real for k in (self.kx, self.ky)] for w in waves]
        turned = 2 * (xx * ux + xy * uy), xx * vx + xy * vy + ux * xy + uy * yy
        change = [
            turn - 2 * e + 4 * zeta * f - u * x - v * y
            for turn, e, f, (x, y) in zip(turned, strained, full, slopes, strict=False)
        ]
        return np.fft.fft2(change) * self.kept

    def solve(self, start: np.ndarray, interval: float, frames: int, steps: int) -> np.ndarray:
        """Fields D_xx and D_xy (2, y, x) of the last frame."""
        waves = np.fft.fft2(np.stack([0.5 + start[0] / 2, start[1] / 2]))
        h, calm = interval / steps, np.zeros_like(waves)
        calm[0, 0, 0] = 0.5 * self.square.size
        rate = RODS.drift * self.square + 4 * RODS.turning
        half, whole = np.exp(-rate * h / 2), np.exp(-rate * h)
        waves = (waves - calm) * self.kept
        for _ in range((frames - 1) * steps):
            one = self.rates(waves + calm)
            two = self.rates(half * (waves + h / 2 * one) + calm)
            three = self.rates(half * waves + h / 2 * two + calm)
            four = self.rates(whole * waves + h * half * three + calm)
            waves = whole * (waves + h / 6 * one) + h / 3 * half * (two + three) + h / 6 * four
        return np.fft.ifft2(waves + calm).real


def begun(cells: int, box: float) -> np.ndarray:
    """Moments to start with, of some order."""
    spec = active_matter.Spec(size=cells, solver=cells, box=0.1, perturbation=0.49)
    return active_matter.initial(spec, np.random.default_rng(0))


def ours(start: np.ndarray, box: float, frames: int, steps: int) -> np.ndarray:
    """D_xx and D_xy (2, y, x) of the last frame."""
    square = solver.Square(start.shape[-1], box)
    *_, state = solver.solve(RODS, square, start, 0.25, frames, steps)
    return np.stack([0.5 + state.moments[0, 0] / 2, state.moments[0, 1] / 2])


def check(cells: int = 32) -> str:
    """Gate: two frames alike, as far as the closure is a polynomial and steps are short."""
    start = begun(cells, 2.5)
    found = ours(start, 2.5, 3, 30)
    apart = np.abs(found - Plain(cells, 2.5, passes=6).solve(start[0], 0.25, 3, 30)).max()
    if apart > 2e-5:
        raise SystemExit(f"gate: {apart:.1e} from the same tensor by tensor, more than 2e-5")
    return f"gate: the same as tensor by tensor to {apart:.1e}"


def main() -> None:
    """Check, then what trajectories cost with their gates, then a frame beside the plain ones."""
    print(check())
    with threadpool_limits(1):
        for cells, zeta, alpha in ((128, 4.0, -1.4), (256, 17.0, -1.0), (256, 17.0, -5.0)):
            own = {"zeta": zeta, "alpha": alpha}
            spec = active_matter.Spec(size=cells, length=11, start=0, frames=2, **own)
            before = time.process_time()
            active_matter.trajectory(spec, own, np.random.default_rng(0))
            spent = (time.process_time() - before) * 8
            told = f"{cells} x {cells}, zeta {zeta:g}, alpha {alpha:g}"
            print(f"{told}: {spent:.1f} CPU seconds a trajectory of 81 frames, by the first 11")
    start, frames = begun(128, 10.0), 2
    compare(
        "frame",
        3,
        moments=(lambda: ours(start, 10.0, frames, 15), frames - 1),
        tensors=(lambda: Plain(128, 10.0).solve(start[0], 0.25, frames, 15), frames - 1),
    )


if __name__ == "__main__":
    main()
