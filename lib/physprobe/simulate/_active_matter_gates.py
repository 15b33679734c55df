"""Gates of active matter: laws that every frame keeps, told by what is kept of it alone.

Order that rods can have, a trace of D that is c, a strain that is that of a velocity without
divergence, and viscosity that balances the stresses

    -lap u + grad P = div Sigma
    Sigma = alpha D + beta (<p p p p>:E - 2 zeta (D.D - <p p p p>:D))

as they follow from tensors, component by component, and apart from how they were solved
(``_active_matter``). Fields are (time, y, x, channel): concentration, velocity, D and E.
"""

import numpy as np

from physprobe.simulate import _active_matter as solver
from physprobe.simulate import _gates

TAIL = 1e-6
"""Of the power of the strongest mode, at the highest modes that are solved for."""


def curls(
    fields: np.ndarray, second: np.ndarray | None, box: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Modes of vorticity, and what alpha, beta and zeta beta times each stress makes of it.

    From tensors, component by component, and apart from how they were solved: curl div Sigma by
    -lap, for D, <p p p p>:E and -2 (D.D - <p p p p>:D).

    Parameters
    ----------
    fields : (time, y, x, channel)
    second : (2, y, x) or None
        m_2; None for that of Bingham's closure.
    box : float

    Returns
    -------
    vorticity : (time, ky, kx)
    curls : (3, time, ky, kx)
    largest : float
        Vorticity.
    """
    from scipy import fft

    cells = fields.shape[2]
    _, u, v, xx, xy, _, yy, exx, exy, _, eyy = np.moveaxis(fields, -1, 0)
    first = (xx - yy) + 2j * xy
    if second is None:
        m2 = first**2 * solver.ratio(np.abs(first) ** 2)
    else:
        m2 = second[0] + 1j * second[1]
    # <cos^4>, <cos^3 sin>, <cos^2 sin^2>, <cos sin^3>, <sin^4> of the angle
    a, b = first.real, first.imag
    p, q = m2.real / 8, m2.imag / 8
    s = (3 / 8 + a / 2 + p, b / 4 + q, 1 / 8 - p, b / 4 - q, 3 / 8 - a / 2 + p)

    def contracted(one: np.ndarray, two: np.ndarray, three: np.ndarray) -> list[np.ndarray]:
        return [s[i] * one + 2 * s[i + 1] * two + s[i + 2] * three for i in range(3)]

    inner = (xx * xx + xy * xy, xx * xy + xy * yy, xy * xy + yy * yy)
    aligned = [-2 * (full - part) for full, part in zip(inner, contracted(xx, xy, yy), strict=True)]
    unit, band = 2 * np.pi / box, (cells - 1) // 3
    kx = unit * np.arange(band + 1)
    ky = unit * np.fft.fftfreq(cells, 1 / cells)[:, None]
    inside = (np.abs(ky) < unit * (band + 0.5)) & ((kx > 0) | (ky != 0))
    scale = np.divide(inside, kx**2 + ky**2, where=inside, out=np.zeros(inside.shape))

    def modes(values: np.ndarray) -> np.ndarray:
        return fft.rfft2(values, norm="forward")[..., : band + 1]

    def curl(parts: list[np.ndarray]) -> np.ndarray:
        one, two, three = (modes(part) for part in parts)
        return scale * (kx * ky * (one - three) + (ky**2 - kx**2) * two)

    turning = inside * 1j * (kx * modes(v) - ky * modes(u))
    stresses = ([xx, xy, yy], contracted(exx, exy, eyy), aligned)
    largest = np.sqrt((np.abs(turning) ** 2).sum((1, 2)).max())
    return turning, np.stack([curl(parts) for parts in stresses]), float(largest)


def is_finite(fields: np.ndarray, at: int = 0) -> None:
    if (frame := _gates.first(np.isfinite(fields).all((1, 2, 3)))) is not None:
        raise ValueError(f"finite values: frame {at + frame} has others. Hint: a shorter step.")


def is_smooth(square: solver.Square, moment: np.ndarray, at: int) -> None:
    """The highest modes that are solved for carry next to nothing."""
    power = (np.abs(square.kept(moment)) ** 2).sum(0)
    edge = max(power[:, -1].max(), power[[square.highest, -square.highest]].max())
    if not edge <= TAIL * power.max():
        raise ValueError(
            f"resolution: frame {at} has {edge / power.max():.2g} of its strongest mode's power at"
            f" the highest; expected {TAIL:g} or less. Hint: more cells to solve on than"
            f" {square.cells} x {square.cells}."
        )


def is_ordered(fields: np.ndarray, slack: float, at: int = 0) -> None:
    """No alignment beyond that of rods which are all parallel."""
    order = np.hypot(fields[..., 3] - fields[..., 6], 2 * fields[..., 4])
    if (frame := _gates.first((order < 1 + slack).all((1, 2)))) is not None:
        y, x = np.unravel_index(order[frame].argmax(), order.shape[1:])
        raise ValueError(
            f"realizable order: |<exp(2 i theta)>| is {order[frame, y, x]:.6g} in frame"
            f" {at + frame} at y {y}, x {x}; expected less than 1. Hint: more cells to solve on."
        )


def keeps(fields: np.ndarray, box: float, tolerance: float, at: int = 0) -> None:
    """Trace of D, symmetry, and a strain that is that of a velocity without divergence."""
    from scipy import fft

    concentration, u, v, xx, xy, yx, yy, exx, exy, eyx, eyy = np.moveaxis(fields, -1, 0)
    cells = fields.shape[2]
    k = 2j * np.pi / box * np.fft.fftfreq(cells, 1 / cells)
    if cells % 2 == 0:
        k[cells // 2] = 0
    along = {"x": k[: cells // 2 + 1], "y": k[:, None]}
    modes = {"u": fft.rfft2(u), "v": fft.rfft2(v)}

    def slope(speed: str, dim: str) -> np.ndarray:
        return fft.irfft2(along[dim] * modes[speed], (cells, cells))

    ux, vy = slope("u", "x"), slope("v", "y")
    shear = (slope("u", "y") + slope("v", "x")) / 2
    large = np.maximum(np.abs(fields[..., 7:]).max(), np.finfo(float).tiny)
    for name, left, right, scale in (
        ("concentration", concentration, 1.0, 1.0),
        ("trace of D", xx + yy, concentration, 1.0),
        ("symmetry of D", xy, yx, 1.0),
        ("divergence", ux, -vy, large),
        ("E_xx", exx, ux, large),
        ("E_yy", eyy, vy, large),
        ("E_xy", exy, shear, large),
        ("E_yx", eyx, shear, large),
    ):
        apart = np.asarray(np.abs(left - right) / scale)
        if (frame := _gates.first(np.all(apart <= tolerance, axis=(1, 2)))) is not None:
            y, x = np.unravel_index(apart[frame].argmax(), apart.shape[1:])
            raise ValueError(
                f"{name}: off by {apart[frame, y, x]:.2g} of {scale:.3g} in frame {at + frame} at"
                f" y {y}, x {x}; expected {tolerance:g} or less."
            )


def is_balanced(
    fields: np.ndarray,
    second: np.ndarray | None,
    rods: solver.Rods,
    box: float,
    tolerance: float,
    at: int = 0,
) -> None:
    """Viscosity balances the stress of the rods."""
    vorticity, (pushed, strained, aligned), largest = curls(fields, second, box)
    made = rods.alpha * pushed + rods.beta * (strained + rods.zeta * aligned)
    apart = np.sqrt((np.abs(vorticity - made) ** 2).sum((1, 2)))
    # all directions alike: next to no vorticity, but D is as near to 1/2 as it is kept
    rounding = tolerance / 100 * (rods.beta * rods.zeta - rods.alpha)
    if (frame := _gates.first(apart <= tolerance * largest + rounding)) is not None:
        raise ValueError(
            f"balance of stresses: vorticity of frame {at + frame} is off by"
            f" {apart[frame] / largest:.2g} of it; expected {tolerance:g} or less, for alpha"
            f" {rods.alpha:.4g} and zeta {rods.zeta:.4g}."
        )
