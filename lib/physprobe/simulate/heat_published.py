"""Heat as published: explicit Euler steps, unstable for alpha > 2.5, kept to show what probes read.

    u <- u + alpha dt lap(u),    dt = 0.1,    lap by five points 1 px apart

The outer ring of cells keeps its first value. In two dimensions the steps are stable up to
alpha dt = 1/4; 22 of the 50 draws lie beyond, and 21 of them visibly explode into a checkerboard.
The first frame is taken after ten steps, at t = 1 s. Nothing here is meant to be right: the gates
of ``heat`` refuse these fields, and ``check`` only wants finite numbers.

References
----------
Parameters, order of the draws and split as in Physics-Probe-VJEPA2, ``heat/equation_sim.py`` and
``heat/try_to_fit.py``; written anew. Limit of stability: Strikwerda, Finite Difference Schemes and
Partial Differential Equations, 2nd ed., section 7.3.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.simulate import _blob, _cells, _gates, _spectral

FIELD, FIELD_UNIT = "temperature", "1"  # stored as it is: exploded values span all of float32
PERIODIC = (False, False)
UNITS = {"alpha": "px^2/s", "sigma": "px", "y0": "px", "x0": "px"}

SEED, SIZE, STEP, SUBSTEPS = 42, 256, 0.1, 10
STABLE = 1 / (4 * STEP)
TOLD = _blob.TOLD
ROUGH = 0.1
"""By how much a cell may differ from the mean of those above and below it: five times what the
narrowest blob does."""


class Spec(Base):
    """Published heat clips: everything but their number is fixed."""

    kind: Literal["heat_published"] = "heat_published"
    """Two-dimensional heat diffusion by the published explicit steps, instability included."""
    clips: int = Field(50, ge=5, le=50)
    """Number of clips: the first ones of the published 50; a fifth of them is the test set."""
    frames: int = Field(64, gt=1, le=64)
    """Frames of a clip, one time unit [s] apart; beyond 64 the explosions overflow."""

    @property
    def size(self) -> int:
        """Cells along each side of the square."""
        return SIZE


def draw(spec: Spec) -> dict[str, np.ndarray]:
    """Labels of every clip, in the published order of draws.

    Parameters
    ----------
    spec : Spec

    Returns
    -------
    dict of str to (clip,)
        ``alpha`` [px^2/s], ``sigma`` [px], ``y0`` and ``x0`` [px] (whole numbers; the published
        ``cx`` is the image row, here ``y0``), all float64; ``split`` of "train" and "test";
        ``stable``, 1 where the steps are stable, else 0.
    """
    rng = np.random.RandomState(SEED)
    drawn = [
        (rng.uniform(0.5, 5.0), rng.uniform(5, 20), rng.randint(64, 192), rng.randint(64, 192))
        for _ in range(spec.clips)
    ]
    labels = dict(zip(("alpha", "sigma", "y0", "x0"), np.array(drawn, float).T.copy(), strict=True))
    test = np.random.RandomState(SEED).permutation(spec.clips)[: spec.clips // 5]
    labels["split"] = np.where(np.isin(np.arange(spec.clips), test), "test", "train")
    labels["stable"] = (labels["alpha"] <= STABLE).astype(int)
    return labels


def coords(spec: Spec) -> dict[str, np.ndarray]:
    """Times [s] and positions [px] of the field's cells."""
    return {**_cells.coords(spec), "time": np.arange(1.0, spec.frames + 1)}


def field(spec: Spec, labels: Mapping[str, float]) -> np.ndarray:
    """Temperature of one clip, or what the steps made of it.

    Parameters
    ----------
    spec : Spec
    labels : mapping of str to float
        ``alpha``, ``sigma``, ``y0``, ``x0`` of the clip.

    Returns
    -------
    (time, y, x) float32
        Temperature [1]. Stepped in float64, where an explosion reaches 1e283, and clipped to the
        finite range of float32; only 0 to 1 is ever rendered.
    """
    axes = coords(spec)
    rows, columns = (
        np.exp(-((axes[axis] - labels[centre]) ** 2) / (2 * labels["sigma"] ** 2))
        for axis, centre in (("y", "y0"), ("x", "x0"))
    )
    u = np.outer(rows, columns)
    inside, around = u[1:-1, 1:-1], np.empty((SIZE - 2, SIZE - 2))
    rate = labels["alpha"] * STEP
    largest = np.finfo(np.float32).max
    frames = np.empty((spec.frames, SIZE, SIZE), np.float32)
    for frame in frames:
        for _ in range(SUBSTEPS):
            np.add(u[2:, 1:-1], u[:-2, 1:-1], out=around)
            around += u[1:-1, 2:]
            around += u[1:-1, :-2]
            around *= rate
            inside *= 1 - 4 * rate
            inside += around
        frame[:] = np.clip(u, -largest, largest)
    return frames


def check(spec: Spec, labels: Mapping[str, float], field: np.ndarray) -> None:
    """Let only finite numbers pass: this system is here to break the laws.

    Raises
    ------
    ValueError
        If a value is not finite; the message names the frame.
    """
    _gates.finite(field, labels["alpha"])


def told(spec: Spec, field: np.ndarray) -> dict[str, float]:
    """Parameters of a clip, from its frames before it explodes; see ``_blob``.

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
    shown = np.clip(field, 0, 1).astype(float)
    rough = np.abs(shown[:, 1:-1] - (shown[:, 2:] + shown[:, :-2]) / 2).max((1, 2)) > ROUGH
    sound = max(int(np.argmax(rough)), 1) if rough.any() else len(shown)
    return _blob.told(shown[:sound], coords(spec)["time"][:sound], _stepped)


def _stepped(
    rows: np.ndarray, columns: np.ndarray, alpha: float, time: np.ndarray
) -> _blob.Products:
    """Frames by explicit steps, mode by mode, r = alpha dt, kappa = 2 - 2 cos k, with n steps.

    (1 - r (ky + kx))^n is that of each axis, (1 - r ky)^n (1 - r kx)^n, less by the part
    n r^2 ky kx / (1 - r ky) (1 - r kx), to first order: 3e-4 of a blob are beyond that.
    """
    steps = np.rint(np.asarray(time) / STEP)[:, None]
    own, mixed = [], []
    for profile in (rows, columns):
        wavenumber, basis = _spectral.cosines(len(profile))
        kappa = 2 - 2 * np.cos(wavenumber)
        kept = 1 - alpha * STEP * kappa
        modes = np.where(np.abs(kept) <= 1, kept, 0) ** steps * (basis @ profile)
        own.append(modes @ basis)
        mixed.append((modes * (alpha * STEP * kappa / kept)) @ basis)
    return [(own[0], own[1]), (-steps * mixed[0], mixed[1])]
