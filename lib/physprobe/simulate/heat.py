"""Heat: one Gaussian blob per clip, diffusing on an insulated square.

    du/dt = alpha lap(u),    du/dn = 0 at the walls,    u(x, 0) = exp(-|x - x0|^2 / 2 sigma^2)

Solved exactly, mode by mode: no time-step error, no stability limit. The first frame is the initial
condition, frame n the field at t = n. Cell j of an axis lies at x = j, the walls half a cell beyond
the grid. They are insulated, so that the heat stays what it is however wide the blob grows (32 px
after 63 s at most), and every gate holds to rounding for every draw. The centre keeps a quarter of
the side from every wall: the widest blob starts with three widths in between, and less than 1 % of
its peak at the wall.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from physprobe.config.spec import Spec as Base
from physprobe.simulate import _blob, _cells, _draws, _gates, _spectral
from physprobe.statistics import seeds

FIELD, FIELD_UNIT, RESOLUTION = "temperature", "1", _cells.RESOLUTION
GROUPED = False
PERIODIC = (False, False)
LAW = "diffusion"
UNITS = {"alpha": "px^2/s", "sigma": "px", "y0": "px", "x0": "px"}

coords = _cells.coords
TOLD = _blob.TOLD

# Narrower blobs have modes beyond the grid's, wider ones meet the walls at t = 0.
NARROWEST, WIDEST = 2.0, 1 / 10


class Spec(Base):
    """Heat diffusion: grid, frames, and the draws of each clip's parameters."""

    kind: Literal["heat"] = "heat"
    """Two-dimensional heat diffusion, solved exactly."""
    clips: int = Field(200, gt=0)
    """Number of clips."""
    frames: int = Field(64, gt=1)
    """Frames of a clip, one time unit [s] apart; the first is the initial condition."""
    size: int = Field(256, ge=32)
    """Cells along each side of the square, 1 px apart."""
    alpha: _draws.Range = (0.5, 5.0)
    """Diffusivity [px^2/s]: low and high end of the uniform draw."""
    sigma: _draws.Range = (5.0, 20.0)
    """Width of the blob [px]: low and high end of the uniform draw."""
    seed: int = Field(0, ge=0, lt=2**32)
    """Seed of the draws; the same seed gives the same clips, and more clips keep the first ones."""

    @field_validator("sigma")
    @classmethod
    def _fits(cls, sigma: tuple[float, float], info: ValidationInfo) -> tuple[float, float]:
        if "size" in info.data:
            widest = info.data["size"] * WIDEST
            if sigma[0] < NARROWEST or sigma[1] > widest:
                raise ValueError(
                    f"a blob has to be between {NARROWEST:g} px (resolved by the grid) and"
                    f" {widest:g} px wide (a tenth of the side: clear of the walls)"
                )
        return sigma


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip, drawn independently of each other.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,) float64
        ``alpha`` [px^2/s], ``sigma`` [px] and the centre ``y0``, ``x0`` [px].
    """
    centre = (spec.size / 4 - 0.5, 3 * spec.size / 4 - 0.5)
    ranges = {"alpha": spec.alpha, "sigma": spec.sigma, "y0": centre, "x0": centre}
    return _draws.uniform(seeds.rng("heat", spec.seed), ranges, spec.clips)


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Temperature of one clip.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha``, ``sigma``, ``y0``, ``x0`` of the clip.

    Returns
    -------
    (time, y, x) float32
        Temperature [1]; a Gaussian is a product of two profiles, and stays one.
    """
    axes = coords(spec)
    rows, columns = (
        _spectral.diffuse(
            np.exp(-((axes[axis] - labels[centre]) ** 2) / (2 * labels["sigma"] ** 2)),
            labels["alpha"],
            axes["time"],
        ).astype(np.float32)
        for axis, centre in (("y", "y0"), ("x", "x0"))
    )
    return rows[:, :, None] * columns[:, None, :]


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only heat pass: maximum principle, heat budget, decay of every mode.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha`` of the clip.
    field : (time, y, x) float32

    Raises
    ------
    ValueError
        If a gate is broken: which, where, expected, got.
    """
    # A field that explodes overflows the sums; the comparisons below refuse inf and nan alike.
    with np.errstate(over="ignore", invalid="ignore"):
        _gates.maximum_principle(field)
        _gates.budget(field)
        mode_decay(field, labels["alpha"], coords(spec)["time"])


def mode_decay(field: np.ndarray, alpha: float, time: np.ndarray) -> None:
    """Every mode decays at its own rate: a_mn(t) = a_mn(0) exp(-alpha (k_m^2 + k_n^2) t).

    For every mode at every frame, at a tenth of the cost of transforming them all: for each mode in
    x, random signs mix the modes in y four times, and a mode that goes astray shows in each mixture
    (Freivalds' check). The frame that fails is then transformed, to name the mode.

    Parameters
    ----------
    field : (time, y, x) float32
    alpha : float
        Diffusivity [px^2/s].
    time : (time,)
        Times [s].
    """
    rows, columns = (
        np.exp(-alpha * np.multiply.outer(time - time[0], _spectral.cosines(cells)[0] ** 2))
        for cells in field.shape[1:]
    )
    start = _spectral.coefficients(field[0]).astype(float)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (4, len(start)))
    expected = (signs * rows[:, None]) @ start * columns[:, None]
    noise = _gates.SUMMED * np.linalg.norm(start)
    near = np.abs(_spectral.sketch(field, signs) - expected) <= noise
    if (frame := _gates.first(near.all((1, 2)))) is not None:
        found = _spectral.coefficients(field[frame])
        left = start * np.multiply.outer(rows[frame], columns[frame])
        m, n = np.unravel_index(np.argmax(np.abs(found - left)), found.shape)
        raise ValueError(
            f"decay of every mode: mode ({m}, {n}) of frame {frame} is {found[m, n]:.6g};"
            f" expected {left[m, n]:.6g} within {noise:.1g}."
        )


def told(spec: Spec, field: np.ndarray) -> dict[str, float]:
    """Parameters of a clip, as of a Gaussian blob that diffuses; see ``_blob``.

    Parameters
    ----------
    spec : Spec
    field : (time, y, x)
        As it was, or as it is read off bytes.

    Returns
    -------
    dict of str to float
        ``alpha``, ``sigma``, ``y0``, ``x0``, and ``misfit``.
    """
    return _blob.told(field, coords(spec)["time"])
