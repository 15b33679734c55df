"""A clip of the heat field, exact, against the explicit steps that were published."""

import numpy as np
from _bench import compare

from physprobe.simulate import heat, heat_published

# At this alpha both are right: a blob far from the walls, and steps well within their limit.
LABELS = {"alpha": 0.5, "sigma": 10.0, "y0": 128.0, "x0": 126.0}


def steps() -> np.ndarray:
    """Five-point Laplacian, 640 Euler steps: the published scheme as NumPy is usually written."""
    axis = np.arange(256)
    distance = (axis[:, None] - LABELS["y0"]) ** 2 + (axis - LABELS["x0"]) ** 2
    u = np.exp(-distance / (2 * LABELS["sigma"] ** 2))
    frames = []
    for _ in range(64):
        for _ in range(10):
            inside = u[1:-1, 1:-1]
            around = u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]
            u[1:-1, 1:-1] = inside + 0.1 * LABELS["alpha"] * (around - 4 * inside)
        frames.append(u.astype(np.float32))
    return np.stack(frames)


def check() -> str:
    """Gate: the exact field, and explicit steps beside it."""
    spec = heat.Spec()
    field = heat.field(spec, LABELS)
    heat.check(spec, LABELS, field)
    axis = np.arange(256)
    width = LABELS["sigma"] ** 2 + 2 * LABELS["alpha"] * np.arange(64)[:, None, None]
    distance = (axis[:, None] - LABELS["y0"]) ** 2 + (axis - LABELS["x0"]) ** 2
    error = np.abs(field - LABELS["sigma"] ** 2 / width * np.exp(-distance / (2 * width))).max()
    if error > 1e-6:
        raise SystemExit(f"gate: {error:.1e} off the Gaussian of the plane, more than 1e-6")
    stepped = steps()
    apart = np.abs(stepped[:-1] - field[1:]).max()
    if apart > 1e-3:
        raise SystemExit(f"gate: exact and explicit differ by {apart:.1e}, more than 1e-3")
    same = np.abs(stepped - heat_published.field(heat_published.Spec(), LABELS)).max()
    if same > 1e-6:
        raise SystemExit(f"gate: two explicit solvers differ by {same:.1e}, more than 1e-6")
    return f"gate: {error:.1e} off the plane's Gaussian; explicit steps within {apart:.1e} of it"


def main() -> None:
    """Check both, then time them, and the system's own gates."""
    print(check())
    spec = heat.Spec()
    field = heat.field(spec, LABELS)

    def exact() -> None:
        heat.field(spec, LABELS)

    compare("clip", 15, field=(exact, 1), gates=(lambda: heat.check(spec, LABELS, field), 1))
    compare("clip", 5, field=(exact, 1), explicit_steps=(steps, 1))


if __name__ == "__main__":
    main()
