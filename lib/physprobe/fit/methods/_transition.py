r"""Transition: linear dynamics of a latent space, by ridge towards persistence.

    z[t+1] = z[t] + B h[t] + b,    minimise  sum |error|^2 + lambda (|B|^2 + |b|^2 / s^2)

with ``h`` the leading components at one, two or three lags, and ``s`` the root mean square of an
input. What is penalised is the distance from persistence, so the weakest model is the baseline
that a forecast has to beat, and not a collapse to the mean. A model of rank k moves the k leading
components by k inputs: k^2 + k parameters at every order. The other components persist, so all
ranks and orders are scored in the same space.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.fit.methods._pairs import FIRST, Layout, Moments, histories, lags


@dataclass(frozen=True)
class Transition:
    """A fitted model: from one state to the next."""

    rank: int
    order: int
    penalty: float
    """Relative lambda."""
    matrix: np.ndarray
    """(state, state); states are outputs, older inputs, and a one."""

    @property
    def companion(self) -> np.ndarray:
        """What feeds back on itself (..., rank, rank): all but outputs that are no inputs."""
        counts = lags(self.rank, self.order)
        fed = np.arange(counts[0])
        older = np.arange(self.rank, self.rank + sum(counts[1:]))
        closed = np.concatenate([fed, older])
        return self.matrix[..., closed[:, None], closed]

    def forecast(self, latent: np.ndarray, layout: Layout, horizon: int) -> Iterator[np.ndarray]:
        """Leading components (clip, start, component) after 1, 2, ... steps from every start."""
        state = histories(latent, layout)[..., layout.state(self.rank, self.order)]
        for _ in range(horizon):
            state = state[:, :-1] @ self.matrix.T
            yield state[..., : self.rank]

    def rollout(self, first: np.ndarray, steps: int) -> np.ndarray:
        """Components (clip, time, component) of so many steps from as many frames as it looks at.

        Parameters
        ----------
        first : (clip, order, component)
            What comes before the rollout, in order; components that the model does not move stay
            as they are in the last of these.
        steps : int
        """
        counts = (self.rank, *lags(self.rank, self.order)[1:])
        seen = [first[:, -1 - lag, :count] for lag, count in enumerate(counts)]
        found = np.repeat(first[:, -1:], steps, axis=1)
        state = np.concatenate([*seen, np.ones((len(first), 1))], axis=1)
        for step in range(steps):
            state = state @ self.matrix.T
            found[:, step, : self.rank] = state[:, : self.rank]
        return found

    def step(self, latent: np.ndarray) -> np.ndarray:
        """Each frame's successor, predicted from the frame itself; order 1 only."""
        found = latent.copy()
        weights, shift = self.matrix[: self.rank, :-1], self.matrix[: self.rank, -1]
        found[..., : self.rank] = latent[..., : self.rank] @ weights.T + shift
        return found


def solve(gram: np.ndarray, cross: np.ndarray, penalties: Sequence[float]) -> np.ndarray:
    """Weights (penalty, input, output) of the steps on the inputs; the one is the last input.

    Penalties are relative: lambda = penalty x mean eigenvalue of the inputs' Gram matrix. The one
    is penalised like an input of average power, so infinite lambda is persistence exactly.
    """
    scale, unit = _scale(gram)
    values, vectors = np.linalg.eigh(gram * scale * scale[:, None])
    turned = vectors.T @ (cross * scale[:, None])
    shrunk = np.maximum(values, 0.0) + np.asarray(penalties)[:, None] * unit
    return scale[:, None] * (vectors @ (turned / shrunk[..., None]))


def effective_rank(gram: np.ndarray, penalty: float) -> float:
    """Directions of the inputs, of rank + 1, that the data outweigh the penalty in: a trace."""
    scale, unit = _scale(gram)
    values = np.maximum(np.linalg.eigvalsh(gram * scale * scale[:, None]), 0.0)
    return float((values / (values + penalty * unit)).sum())


def _scale(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Factor of each input (..., input), and mean eigenvalue (...), from Gram matrices."""
    powers = np.diagonal(gram, axis1=-2, axis2=-1)
    unit = powers[..., :-1].mean(-1)
    scale = np.ones_like(powers)
    scale[..., -1] = np.sqrt(unit / powers[..., -1])
    return scale, unit


def solve_all(gram: np.ndarray, cross: np.ndarray, penalty: float | np.ndarray) -> np.ndarray:
    """Weights (draw, input, output) for many sets of sums (draw, input, ...).

    The penalty is relative, one for all or one for each (draw,).
    """
    scale, unit = _scale(gram)
    scaled = gram * scale[:, None, :] * scale[:, :, None]
    shifts = (penalty * unit)[:, None, None] * np.eye(gram.shape[-1])
    return scale[..., None] * np.linalg.solve(scaled + shifts, cross * scale[..., None])


def matrix(weights: np.ndarray, rank: int, order: int) -> np.ndarray:
    """Transition matrices (..., state, state) from weights (..., input, output)."""
    counts = lags(rank, order)
    starts = np.cumsum((0, rank, *counts[1:]))
    size = starts[-1] + 1
    found = np.zeros((*weights.shape[:-2], size, size))
    columns = np.concatenate(
        [start + np.arange(n) for start, n in zip(starts, counts, strict=False)]
    )
    found[..., :rank, np.append(columns, size - 1)] = np.swapaxes(weights, -1, -2)
    for component in range(rank):
        found[..., component, component] += 1.0
    # an older input is the next newer one, a frame later
    for lag, count in enumerate(counts[1:], 1):
        for component in range(count):
            found[..., starts[lag] + component, starts[lag - 1] + component] = 1.0
    found[..., -1, -1] = 1.0
    return found


def fit(sums: Moments, layout: Layout, rank: int, order: int, penalty: float) -> Transition:
    """Model of one rank, order and relative penalty from all blocks of some sums."""
    inputs = np.append(layout.inputs(rank, order), layout.one)
    gram, cross = sums.total()
    weights = solve(gram[np.ix_(inputs, inputs)], cross[inputs, :rank], [penalty])[0]
    return Transition(rank, order, penalty, matrix(weights, rank, order))


@dataclass(frozen=True)
class Choice:
    """Rank and penalties that the inner folds chose."""

    rank: int
    penalties: dict[int, float]
    """Relative lambda by order."""
    edges: dict[int, bool]
    """Whether it is on the grid's edge."""
    errors: dict[int, float]
    """Inner one-step error by order, persistence = 1."""


def select(
    sums: Moments,
    layout: Layout,
    ranks: Sequence[int],
    orders: Sequence[int],
    penalties: Sequence[float],
) -> Choice:
    """Choose by one-step error over left-out blocks: penalty per order, one rank for all orders.

    One rank, that of the smallest sum of errors over orders, keeps the number of parameters equal.
    """
    errors = np.zeros((len(ranks), len(orders), len(penalties)))
    for block, energy in enumerate(sums.energy):
        gram, cross = sums.total(without=block)
        for r, rank in enumerate(ranks):
            for o, order in enumerate(orders):
                inputs = np.append(layout.inputs(rank, order), layout.one)
                square = np.ix_(inputs, inputs)
                weights = solve(gram[square], cross[inputs, :rank], penalties)
                held = sums.gram[block][square] @ weights - 2 * sums.cross[block][inputs, :rank]
                errors[r, o] += energy + (weights * held).sum((1, 2))
    errors /= sums.energy.sum() or 1.0
    rank = int(errors.min(-1).sum(-1).argmin())
    # where rounding decides, the stronger penalty is the simpler model
    last = len(penalties) - 1
    best = [last - int((row <= row.min() + 1e-10)[::-1].argmax()) for row in errors[rank]]
    return Choice(
        ranks[rank],
        {order: penalties[place] for order, place in zip(orders, best, strict=True)},
        {order: place in (0, last) for order, place in zip(orders, best, strict=True)},
        {o: float(row[place]) for o, row, place in zip(orders, errors[rank], best, strict=True)},
    )


def halved(
    sums: Moments, layout: Layout, rank: int, order: int, penalty: float, signs: np.ndarray
) -> np.ndarray:
    """Transition matrices (split, half, state, state) of models of halves of the clips.

    The penalty is that of all clips, in absolute terms: noise is what it was.

    Parameters
    ----------
    sums : Moments
        One block per clip.
    layout, rank, order, penalty
        The model of all clips.
    signs : (split, clip)
        1 of clips in the first half, -1 of those in the second.
    """
    inputs = np.append(layout.inputs(rank, order), layout.one)
    clips = len(sums.energy)
    mine = np.stack([signs > 0, signs < 0], axis=1).reshape(-1, clips).astype(float)
    gram, cross = (
        np.tensordot(mine, part, 1)
        for part in (sums.gram[:, inputs[:, None], inputs], sums.cross[:, inputs, :rank])
    )
    unit = _scale(sums.gram.sum(0)[np.ix_(inputs, inputs)])[1]
    weights = solve_all(gram, cross, penalty * unit / _scale(gram)[1])
    found = matrix(weights, rank, order)
    return found.reshape(len(signs), 2, *found.shape[1:])


def sse_of_all(
    matrices: np.ndarray,
    rank: int,
    order: int,
    latent: np.ndarray,
    layout: Layout,
    horizons: Sequence[int],
) -> np.ndarray:
    """Squared errors (..., horizon) of many models, summed over clips, starts and components.

    They are quadratic forms of sums over the clips, so that no model is rolled out.

    Parameters
    ----------
    matrices : (..., state, state)
        Of models of one rank and order.
    latent : (clip, time, component)
    horizons : sequence of int
        Ascending.
    """
    states = histories(latent, layout)[..., layout.state(rank, order)]
    moved, reached = np.eye(rank, matrices.shape[-1]), 0
    found = np.empty((*matrices.shape[:-2], len(horizons)))
    for place, ahead in enumerate(horizons):
        for _ in range(ahead - reached):
            moved = moved @ matrices
        reached = ahead
        state = states[:, :-ahead].reshape(-1, states.shape[-1])
        truth = latent[:, FIRST + ahead :].reshape(-1, latent.shape[-1])
        rest = truth[:, rank:] - latent[:, FIRST:-ahead, rank:].reshape(len(truth), -1)
        lead = truth[:, :rank]
        spread = ((moved @ (state.T @ state)) * moved).sum((-1, -2))
        towards = np.tensordot(moved, lead.T @ state, 2)
        found[..., place] = np.vdot(lead, lead) + np.vdot(rest, rest) - 2 * towards + spread
    return found


def sse(model: Transition, latent: np.ndarray, layout: Layout, horizon: int) -> np.ndarray:
    """Squared error (clip, horizon) summed over starts and all components."""
    found = []
    for ahead, predicted in enumerate(model.forecast(latent, layout, horizon), 1):
        truth = latent[:, FIRST + ahead :]
        rest = truth[..., model.rank :] - latent[:, FIRST:-ahead, model.rank :]
        lead = truth[..., : model.rank] - predicted
        found.append(np.einsum("ntc,ntc->n", lead, lead) + np.einsum("ntc,ntc->n", rest, rest))
    return np.stack(found, axis=-1)
