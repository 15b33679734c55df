"""Steps of a shear flow, and a trajectory, against the same step as NumPy is usually written."""

import time

import numpy as np
from _bench import compare

from physprobe.simulate import _vorticity, shear_flow

NU, D, STEP = 1e-3, 5e-4, 0.0125


def begun(cells: int) -> tuple[_vorticity.Plane, np.ndarray]:
    """Four layers, on a grid of some cells along x."""
    grid = shear_flow.plane(cells)
    phases = np.random.default_rng(0).uniform(0, 2 * np.pi, (4, 2))
    return grid, shear_flow.start(0.04, phases, grid)


def ours(grid: _vorticity.Plane, state: np.ndarray, steps: int) -> np.ndarray:
    """Modes of vorticity and tracer after an even number of steps, their losses summed."""
    sound = _vorticity.steps
    _vorticity.steps = lambda *of: steps
    try:
        *_, last = _vorticity.solve(grid, state, (0.0, 0.0), (NU, D), steps * STEP, 2)
    finally:
        _vorticity.steps = sound
    return last.state


def plain(cells: int, values: np.ndarray, steps: int) -> np.ndarray:
    """The same from values (2, y, x): complex transforms of whole fields, new arrays throughout."""
    k = 2 * np.pi * np.fft.fftfreq(cells, 1 / cells)
    l = np.pi * np.fft.fftfreq(2 * cells, 1 / (2 * cells))[:, None]  # noqa: E741
    square = k**2 + l**2
    mask = (np.abs(k) <= 2 * np.pi * ((cells - 1) // 3)) & (
        np.abs(l) <= np.pi * ((2 * cells - 1) // 3)
    )
    inverse = np.where(square > 0, 1 / np.where(square > 0, square, 1), 0)
    decay = np.array([NU, D])[:, None, None] * square
    half, whole = np.exp(-decay * STEP / 2), np.exp(-decay * STEP)

    def rate(modes: np.ndarray) -> np.ndarray:
        u = np.fft.ifft2(1j * l * inverse * modes[0]).real
        v = np.fft.ifft2(-1j * k * inverse * modes[0]).real
        found = []
        for field in modes:
            value = np.fft.ifft2(field).real
            found.append(-1j * k * np.fft.fft2(u * value) - 1j * l * np.fft.fft2(v * value))
        return mask * np.array(found)

    modes = mask * np.array([np.fft.fft2(field) for field in values])
    for _ in range(steps):
        first = rate(modes)
        second = rate(half * (modes + STEP / 2 * first))
        third = rate(half * modes + STEP / 2 * second)
        fourth = rate(whole * modes + STEP * half * third)
        modes = whole * modes + STEP / 6 * (whole * first + 2 * half * (second + third) + fourth)
    return np.array([np.fft.ifft2(field).real for field in modes])


def check(cells: int = 32) -> str:
    """Gate: both to rounding, where they were told apart by nothing else."""
    grid, state = begun(cells)
    found = grid.points(ours(grid, state, 8))
    expected = plain(cells, grid.points(state), 8)
    apart = np.abs(found - expected).max() / np.abs(expected).max()
    if not apart < 1e-12:
        raise SystemExit(f"gate: plain steps differ by {apart:.1e}, more than 1e-12")
    return f"gate: plain steps within {apart:.1e}"


def main() -> None:
    """Check both, then time a trajectory, and steps of both."""
    print(check())
    spec = shear_flow.Spec(trajectories=1)
    labels = {name: values[0] for name, values in shear_flow.draw(spec).items()}
    start = time.process_time()
    shear_flow.field(spec, labels)
    seconds = time.process_time() - start
    print(
        f"trajectory       {seconds:8.1f} CPU-s: {spec.length} frames on {spec.solver} x"
        f" {2 * spec.solver} cells, kept on {spec.size} x {2 * spec.size}"
    )
    grid, state = begun(128)
    values = grid.points(state)
    compare(
        "step", 5, ours=(lambda: ours(grid, state, 8), 8), plain=(lambda: plain(128, values, 8), 8)
    )


if __name__ == "__main__":
    main()
