"""Spectrum: eigenvalues of the dynamics, and how far they move when other clips are drawn.

The ridge pulls towards persistence: in directions that the penalty outweighs, eigenvalues near 1
are its choice and not the data's. The effective rank says how many directions the data decide.
"""

from dataclasses import dataclass

import numpy as np

from physprobe.fit.methods._pairs import Layout, Moments
from physprobe.fit.methods._transition import Transition, effective_rank, fit, matrix, solve_all
from physprobe.statistics import seeds


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues per frame of one model, largest modulus first."""

    model: Transition
    eigenvalues: np.ndarray
    """(eigenvalue,) complex."""
    draws: np.ndarray
    """(draw, eigenvalue) complex, of the same model on resampled clips."""
    effective_rank: float
    """Of the rank + 1 inputs, how many the data decide."""

    @property
    def radius(self) -> tuple[float, float, float]:
        """Spectral radius with its 95 % interval over data sets of this size.

        The largest of many moduli is as much too large in a data set as it is, compared with that
        data set, in what is drawn from it: what draws say is how far the radius scatters about its
        own mean. So their quantiles are taken relative to their median, and the radius lies inside.
        """
        radius, drawn = np.abs(self.eigenvalues).max(), np.abs(self.draws).max(-1)
        low, high = np.quantile(drawn, (0.025, 0.975)) / np.median(drawn)
        return float(radius), float(radius * low), float(radius * high)


def spectrum(
    sums: Moments,
    layout: Layout,
    rank: int,
    order: int,
    penalty: float,
    *,
    groups: np.ndarray,
    draws: int,
    seed: int,
) -> Spectrum:
    """Eigenvalues with a bootstrap over clips, by reweighting the sums of each clip.

    Parameters
    ----------
    sums : Moments
        One block per clip, in a latent space that is held fixed.
    layout : Layout
    rank, order, penalty
        The model; the penalty is relative, and held fixed.
    groups : (clip,)
        Clips of one group are drawn together.
    draws, seed : int
    """
    inputs = np.append(layout.inputs(rank, order), layout.one)
    model = fit(sums, layout, rank, order, penalty)
    names, member = np.unique(groups, return_inverse=True)
    rng = seeds.rng("spectrum", seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    weights = counts[:, member].astype(float)
    gram = sums.gram[:, inputs[:, None], inputs]
    cross = sums.cross[:, inputs, :rank]
    size = len(inputs)
    drawn = solve_all(
        (weights @ gram.reshape(len(gram), -1)).reshape(draws, size, size),
        (weights @ cross.reshape(len(cross), -1)).reshape(draws, size, rank),
        penalty,
    )
    clouds = Transition(rank, order, penalty, matrix(drawn, rank, order)).companion
    return Spectrum(
        model,
        _eigenvalues(model.companion),
        _eigenvalues(clouds),
        effective_rank(gram.sum(0), penalty),
    )


def _eigenvalues(matrices: np.ndarray) -> np.ndarray:
    """Eigenvalues (..., eigenvalue), largest modulus first, of a pair the upper one first."""
    values = np.linalg.eigvals(matrices).astype(complex)
    order = np.lexsort((-values.imag, -np.round(np.abs(values), 12)), axis=-1)
    return np.take_along_axis(values, order, axis=-1)
