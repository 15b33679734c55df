"""A step of many double pendulums at once, and a frame of one, against libraries' ways."""

import numpy as np
import scipy.integrate
from _bench import compare
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from physprobe.render import pendulum as renderer
from physprobe.simulate import _pendulum, double_pendulum

FRAMES = 9


def adaptive(spec: double_pendulum.Spec, labels: dict, clip: int, rtol: float) -> tuple:
    """States (4, time) of a clip by solve_ivp's DOP853, and how many steps it takes."""
    bodies = _pendulum.Bodies.of({name: values[clip : clip + 1] for name, values in labels.items()})
    equation, rate = _pendulum.rates(bodies), np.empty((5, 1))

    def derivative(_: float, state: np.ndarray) -> np.ndarray:
        equation(np.append(state, 0)[:, None], rate)
        return rate[:4, 0].copy()

    start = double_pendulum._start(labels)[:, clip]
    times = double_pendulum.coords(spec)["time"]
    span = (0.0, times[-1])
    found = scipy.integrate.solve_ivp(
        derivative, span, start, "DOP853", rtol=rtol, atol=rtol, dense_output=True
    )
    return found.sol(times), len(found.t) - 1


def plotted(row: np.ndarray) -> np.ndarray:
    """One frame (64, 64) as matplotlib draws it."""
    figure = Figure(figsize=(0.64, 0.64), dpi=100, facecolor="black")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-row[4], row[4]), ylim=(-row[4], row[4]))
    axes.axis("off")
    x, y = np.append(0, row[[0, 2]]), np.append(0, row[[1, 3]])
    # 2 px wide, discs of 4 px, in points
    axes.plot(x, y, color="white", lw=1.44)
    axes.plot(x[1:], y[1:], "o", color="white", ms=2.88, mew=0)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., 0]


def sampled(row: np.ndarray, rays: int = 4) -> np.ndarray:
    """One frame (64, 64) as Pillow draws it, larger and then averaged: its way to smooth edges."""
    size = 64 * rays
    scale = size / 2 / row[4]
    canvas = Image.new("L", (size, size), 0)
    pen = ImageDraw.Draw(canvas)
    ends = [(size / 2, size / 2)]
    ends += [(size / 2 + x * scale, size / 2 - y * scale) for x, y in row[:4].reshape(2, 2)]
    pen.line(ends, fill=255, width=2 * rays)
    for x, y in ends[1:]:
        pen.ellipse([x - 2 * rays, y - 2 * rays, x + 2 * rays, y + 2 * rays], fill=255)
    return np.asarray(canvas.reduce(rays))


def check(clips: int = 8) -> str:
    """Gate: energy, an adaptive solver beside the batch, and three images alike."""
    spec = double_pendulum.Spec(clips=clips, frames=FRAMES)
    labels = double_pendulum.draw(spec)
    field, states = double_pendulum.solved(spec, labels)
    total = states["kinetic"] + states["potential"]
    drift = np.abs(total / labels["energy"][:, None] - 1).max()
    if drift > double_pendulum.DRIFT:
        raise SystemExit(f"gate: energy drifts by {drift:.1e}, more than {double_pendulum.DRIFT:g}")
    found = np.stack([states[name][0] for name in _pendulum.MOTION])
    apart = np.abs(found - adaptive(spec, labels, 0, 1e-11)[0]).max()
    if apart > 1e-6:
        raise SystemExit(f"gate: {apart:.1e} from solve_ivp, more than 1e-6")
    row = field[0, 0]
    ours = renderer.frames(renderer.Spec(), field[0, :1])[0, ..., 0] / 255
    others = [np.corrcoef(ours.ravel(), way(row).ravel())[0, 1] for way in (sampled, plotted)]
    if min(others) < 0.9:
        raise SystemExit(f"gate: images correlate by {min(others):.2f}, less than 0.9")
    return (
        f"gate: energy within {drift:.0e}, solve_ivp within {apart:.0e}, images alike"
        f" (r {min(others):.2f} or more)"
    )


def main() -> None:
    """Check all, then time steps and frames."""
    print(check())
    spec = double_pendulum.Spec(clips=double_pendulum.TOGETHER, frames=FRAMES)
    labels = double_pendulum.draw(spec)
    steps = double_pendulum.steps(spec) * (FRAMES - 1)
    bodies, start = _pendulum.Bodies.of(labels), double_pendulum._start(labels)

    def batched() -> None:
        _pendulum.solve(bodies, start, spec.interval, FRAMES, double_pendulum.steps(spec))

    many = sum(adaptive(spec, labels, clip, 1e-10)[1] for clip in range(4))

    def solve_ivp() -> None:
        for clip in range(4):
            adaptive(spec, labels, clip, 1e-10)

    compare(
        "1000 steps", 5, batched=(batched, spec.clips * steps / 1e3), ivp=(solve_ivp, many / 1e3)
    )
    field = double_pendulum.solved(spec, labels)[0][:64].reshape(-1, 9, 5).reshape(-1, 64, 5)

    def smooth(color: str = "gray") -> None:
        for clip in field:
            renderer.frames(renderer.Spec(color=color), clip)

    frames = len(field) * 64
    compare("frame", 7, rgb=(lambda: smooth("rgb"), frames), gray=(smooth, frames))
    compare("frame", 7, smooth=(smooth, frames), pillow_4x4=(lambda: sampled(field[0, 0]), 1))
    compare("frame", 7, smooth=(smooth, frames), matplotlib=(lambda: plotted(field[0, 0]), 1))


if __name__ == "__main__":
    main()
