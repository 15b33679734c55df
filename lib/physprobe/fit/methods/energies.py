"""Energies: how near a learned energy is to the density's own, and what is sampled by its score.

With E* = -log p_s, and s the deviation of the noise that smooths the density, of each layer:

    energy_correlation    correlation of E with E* on the mass of p_s
    fisher_divergence     E_p |score - grad log p_s|^2;    score_error: over E_p |grad log p_s|^2
    denoising_loss        of a smoothed one: 1 / s^2 + (fisher_divergence - E_p |grad log p_s|^2)/2
    contrastive_loss      of one told from noise: E_p[E] + E_q[exp(-E)],  q uniform on its square
    optimum               what that loss can be at its least

All are integrals over a grid, with no error of sampling; so the unit of every interval is the
member. Then points are drawn by Langevin dynamics (``_langevin``), of all layers together, and
compared with as many of the density itself, layer ``samples``; layer ``truth`` is what other draws
of the density are apart from these, in the mean:

    sliced_wasserstein    root mean square of W2 along directions
    mmd                   squared maximum mean discrepancy with a normal kernel of deviation 1
    share                 of the points in each mode, by the likeliest component (``part``)
    share_error           largest difference of a share from the component's weight

References
----------
Hyvarinen, "Estimation of non-normalized statistical models by score matching", JMLR 6 (2005);
Gretton et al., "A kernel two-sample test", JMLR 13 (2012), equation 3.
"""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
from pydantic import Field

from physprobe.fit.methods import _langevin, _squares
from physprobe.fit.section import Given, MethodSpec
from physprobe.statistics import seeds

CELLS = 120
"""Of the grid of integrals, along either side; a sixth of a unit wide on a square of side 20."""
REACH = 4.0
"""Deviations of the noise that the grid of a smoothed density is larger by."""
WIDE = 10.0
"""Half the side of the grid, where no square is given."""
DIRECTIONS, OTHERS = 100, 10
"""Along which points are compared, and draws of the density that two of its draws are judged by."""


class Spec(MethodSpec):
    """What is kept to be drawn, and how many points are sampled."""

    ROLE = "energy"
    ANYWHERE = True

    kind: Literal["energies"] = "energies"
    """Energies and samples against the density."""
    samples: int = Field(1000, ge=0)  # type: ignore[assignment]
    """Points drawn by Langevin dynamics; none are with 0."""
    steps: int = Field(500, gt=0)
    """Of Langevin dynamics, in all."""
    shown: tuple[float, ...] = (0.0, 1.0)
    """Deviations of noise whose landscapes are kept, to be drawn."""
    cells: int = Field(50, gt=1)
    """Of a landscape that is kept, along either side."""
    frames: int = Field(40, ge=2)
    """Times at which samples are kept on their way."""
    walkers: int = Field(100, gt=0)
    """Samples that are kept on their way."""
    outer: int = Field(2, ge=2)
    """Not used: nothing is fitted."""
    inner: int = Field(2, ge=2)
    """Not used."""
    bootstraps: int = Field(2000, ge=100)
    """Not used: integrals have no clips to draw."""
    seed: int = Field(0, ge=0)
    """Seed of samples and of what they are compared with."""

    def takes(self, encoder: Any) -> bool:
        """Whether an encoder gives energies: networks on points, and the density."""
        return encoder is not None and encoder.kind in ("points", "density")


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Rows, and what is drawn: ``landscape``, ``samples``.

    Raises
    ------
    ValueError
        If the encoder gives no energy.
    """
    plane = given.plane
    if plane is None or plane.given is None or plane.output != "energy":
        raise ValueError("energies: the encoder gives none. Hint: take one of dsm or contrastive.")
    rows, count = [], len(given.features[0])
    levels = []
    for number, (layer, noise) in enumerate(zip(given.layers, plane.deviations, strict=True)):
        density = plane.mixture.smoothed(noise)
        half = plane.half_width if plane.half_width and not noise else WIDE + REACH * noise
        grid, area = _squares.squares((-half, half), (-half, half), CELLS)
        found = plane.given(grid, number)[0].astype(float)
        told = dict(integrals(density, grid, area, found, noise, plane.half_width))
        rows += [_row(layer, None, metric, value, count) for metric, value in told.items()]
        levels.append(told["level"])
    landscape = _landscape(spec, plane, given.layers, levels)
    if not spec.samples:
        return rows, {"landscape": landscape}
    more, samples = _sampled(spec, plane, count)
    return rows + more, {"landscape": landscape, "samples": samples}


def _row(layer: str, part: str | None, metric: str, value: float, count: int) -> dict:
    return {"layer": layer, "part": part, "metric": metric, "value": value, "n_clips": count}


def integrals(
    density: Any,
    grid: np.ndarray,
    area: float,
    found: np.ndarray,
    noise: float,
    half_width: float | None,
) -> Iterator[tuple[str, float]]:
    """Metrics of one layer; see the module.

    Parameters
    ----------
    density : Mixture
        The smoothed one.
    grid : (cell, 2)
    area : float
        Of a cell.
    found : (cell, 3)
        Energy and score there.
    noise : float
        Deviation of the noise.
    half_width : float, optional
        Half the side of the square that noise was drawn from, and the grid is of.
    """
    true, truth = density.log_density(grid), density.score(grid)
    mass = np.exp(true) * area
    energy, score = found[:, 0], found[:, 1:]
    own, ideal = energy - mass @ energy / mass.sum(), true - mass @ true / mass.sum()
    spread = np.sqrt((mass @ own**2) * (mass @ ideal**2))
    yield "energy_correlation", float(-(mass @ (own * ideal)) / spread) if spread else 0.0
    apart = float(mass @ ((score - truth) ** 2).sum(1))
    size = float(mass @ (truth**2).sum(1))
    yield "fisher_divergence", apart
    yield "score_error", apart / size
    # what the constant of E comes to: E + log p_s at the mean
    yield "level", float(mass @ (energy + true) / mass.sum())
    if noise:
        yield "denoising_loss", 1 / noise**2 + (apart - size) / 2
        yield "optimum", 1 / noise**2 - size / 2
    elif half_width:
        share = area / (2 * half_width) ** 2
        yield "contrastive_loss", float(mass @ energy + share * np.exp(-energy).sum())
        yield "optimum", float(mass @ -true + 1 - 2 * np.log(2 * half_width))


def _landscape(spec: Spec, plane: Any, layers: Any, levels: list[float]) -> dict:
    """Log densities (layer, y, x), of the networks with the constant that suits them best."""
    kept = [n for n, noise in enumerate(plane.deviations) if noise in spec.shown]
    grid, _ = _squares.squares(*_squares.PLOT, spec.cells)
    shape = (spec.cells, spec.cells)
    own = [(levels[n] - plane.given(grid, n)[0, :, 0].astype(float)) for n in kept]
    true = [plane.mixture.smoothed(plane.deviations[n]).log_density(grid) for n in kept]
    return {
        "x": grid[: spec.cells, 0], "y": grid[:: spec.cells, 1],
        "layer": [layers[n] for n in kept], "noise": [plane.deviations[n] for n in kept],
        "half_width": plane.half_width,
        "value": [np.round(each, 2).reshape(shape) for each in own],
        "truth": [np.round(each, 2).reshape(shape) for each in true],
    }  # fmt: skip


def _sampled(spec: Spec, plane: Any, count: int) -> tuple[list[dict], dict]:
    """Rows of samples and of the density's own draws, and points to draw."""
    noisy = any(plane.deviations)
    half = plane.half_width or WIDE
    rng = seeds.rng("langevin", spec.seed)
    start = rng.uniform(-half, half, (spec.samples, 2))
    found, path = _langevin.sampled(
        lambda points, layer: plane.given(points, layer)[0, :, 1:].astype(float),
        _langevin.levels(plane.deviations), start, spec.steps, rng,
        None if noisy else half, spec.frames,
    )  # fmt: skip
    truth, *others = (
        plane.mixture.drawn(spec.samples, seeds.rng("truth", spec.seed, number))[0]
        for number in range(1 + OTHERS)
    )
    rows = []
    for layer, each in (("samples", [found]), ("truth", others)):
        told: dict[tuple[str, str | None], list[float]] = {}
        for points in each:
            rng = seeds.rng("directions", spec.seed)
            for metric, part, value in compared(points, truth, plane.mixture, rng):
                told.setdefault((metric, part), []).append(value)
        rows += [_row(layer, p, m, float(np.mean(v)), count) for (m, p), v in told.items()]
    return rows, {
        "found": np.round(found, 2), "truth": np.round(truth, 2),
        "path": np.round(path[:, : spec.walkers], 2),
    }  # fmt: skip


def compared(
    points: np.ndarray, truth: np.ndarray, mixture: Any, rng: np.random.Generator
) -> Iterator[tuple[str, str | None, float]]:
    """Metric, part and value of samples (row, 2) beside as many of the density (row, 2)."""
    yield "sliced_wasserstein", None, sliced_wasserstein(points, truth, rng)
    yield "mmd", None, discrepancy(points, truth)
    modes = mixture.posterior(points).argmax(1)
    shares = np.bincount(modes, minlength=len(mixture.weights)) / len(points)
    for number, share in enumerate(shares):
        yield "share", chr(ord("a") + number), float(share)
    yield "share_error", None, float(np.abs(shares - mixture.weights).max())


def sliced_wasserstein(first: np.ndarray, second: np.ndarray, rng: np.random.Generator) -> float:
    """Root mean square over random directions of W2 between as many points (row, 2)."""
    angles = rng.uniform(0, np.pi, DIRECTIONS)
    along = np.stack([np.cos(angles), np.sin(angles)])
    sides = [np.sort(points @ along, axis=0) for points in (first, second)]
    return float(np.sqrt(((sides[0] - sides[1]) ** 2).mean()))


def discrepancy(first: np.ndarray, second: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of points (row, 2), of a kernel exp(-d^2 / 2)."""

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(-1) / 2)

    own = [(kernel(p, p).sum() - len(p)) / (len(p) * (len(p) - 1)) for p in (first, second)]
    return float(own[0] + own[1] - 2 * kernel(first, second).mean())
