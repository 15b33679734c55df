r"""Kernels: closed-form fits of x[t+1] = x[t] + alpha K(x[t]), one 3 x 3 kernel per channel.

The model is linear in the kernel, so per clip n sums G_n and c_n over its cells settle everything,

    (sum_n alpha_n^2 G_n + lambda) w = sum_n alpha_n c_n,

and another alpha only reweights the clips: real, shuffled and no alpha (1 for every clip) share the
same sums, as do hundreds of permutations. Two families have nine parameters per channel: ``free``
is any kernel; ``zero_sum``, as a Laplacian is, has weights that sum to zero, and a constant source.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.koopman._stencil import ONE, Sums

LAPLACIAN = np.array([0, 1, 0, 1, -4, 1, 0, 1, 0], float)


def _families() -> dict[str, np.ndarray]:
    columns = np.eye(ONE + 1)
    around = np.linalg.qr(np.column_stack([np.ones(ONE), np.eye(ONE)[:, 1:]]))[0][:, 1:]
    zero_sum = np.vstack([around, np.zeros(ONE - 1)])
    return {
        "free": columns[:, :ONE],
        "zero_sum": np.column_stack([zero_sum, columns[:, ONE]]),
    }


FAMILIES = _families()
"""Basis (column, parameter) of each family, orthonormal."""


@dataclass(frozen=True)
class Choice:
    """Penalty that left-out clips chose."""

    penalty: float
    edge_hit: bool


def weigh(sums: Sums, clips: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Add up clips: gram (draw, channel, column, column) and cross (draw, channel, column).

    Parameters
    ----------
    sums : Sums
    clips : (clip,)
        Which of them.
    alpha : (draw, clip)
        Of these clips.
    """
    gram, cross = sums.gram[clips], sums.cross[clips]
    shape = (len(alpha), *gram.shape[1:])
    weighted = (alpha**2) @ gram.reshape(len(gram), -1)
    return weighted.reshape(shape), np.tensordot(alpha, cross, 1)


def fit(gram: np.ndarray, cross: np.ndarray, basis: np.ndarray, penalty: float) -> np.ndarray:
    """Kernels (draw, channel, column); the penalty is relative to a channel's mean eigenvalue."""
    inner = basis.T @ gram @ basis
    unit = np.trace(inner, axis1=-2, axis2=-1)[..., None, None] / basis.shape[1]
    # a channel without variance has no kernel; any positive shift gives it zeros
    shift = np.where(unit > 0, penalty * unit, 1.0) * np.eye(basis.shape[1])
    return np.linalg.solve(inner + shift, (cross @ basis)[..., None])[..., 0] @ basis.T


def select(
    sums: Sums,
    blocks: Sequence[np.ndarray],
    alpha: np.ndarray,
    basis: np.ndarray,
    penalties: Sequence[float],
) -> Choice:
    """Penalty with the smallest error over left-out blocks of clips.

    Parameters
    ----------
    sums : Sums
    blocks : sequence of (clip,)
        They partition the training clips.
    alpha : (clip,)
        Of all clips.
    basis : (column, parameter)
    penalties : sequence of float
        Ascending.
    """
    parts = [weigh(sums, block, alpha[None, block]) for block in blocks]
    gram, cross = (sum(part[i][0] for part in parts) for i in (0, 1))
    errors = np.zeros(len(penalties))
    energy = sum(sums.energy[block].sum() for block in blocks)
    for held_gram, held_cross in parts:
        held_gram, held_cross = basis.T @ held_gram[0] @ basis, held_cross[0] @ basis
        values, vectors = np.linalg.eigh(basis.T @ gram @ basis - held_gram)
        towards = np.einsum("cij,ci->cj", vectors, cross @ basis - held_cross)
        unit = values.mean(-1, keepdims=True)
        for place, penalty in enumerate(penalties):
            shrunk = towards / np.where(unit > 0, np.maximum(values, 0) + penalty * unit, 1.0)
            kernels = np.einsum("cij,cj->ci", vectors, shrunk)
            bent = np.einsum("cij,cj->ci", held_gram, kernels)
            errors[place] += np.vdot(kernels, bent - 2 * held_cross)
    errors /= energy or 1.0
    last = len(penalties) - 1
    # where rounding decides, the stronger penalty is the simpler model
    place = last - int((errors <= errors.min() + 1e-10)[::-1].argmax())
    return Choice(penalties[place], place in (0, last))


def sse(sums: Sums, clips: np.ndarray, alpha: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Squared error (draw, clip) of one step.

    Parameters
    ----------
    sums : Sums
    clips : (clip,)
        Which of them.
    alpha : (clip,) or (draw, clip)
        Of these clips.
    kernels : (draw, channel, column)
    """
    draws = len(kernels)
    square = (kernels[..., :, None] * kernels[..., None, :]).reshape(draws, -1)
    bent = square @ sums.gram[clips].reshape(len(clips), -1).T
    along = kernels.reshape(draws, -1) @ sums.cross[clips].reshape(len(clips), -1).T
    return sums.energy[clips] - 2 * alpha * along + alpha**2 * bent


def laplacian_residual(kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of a kernel (..., 9) that is no Laplacian, and the scale of what is.

    The share is |K - c L| / |K| with the best c, for the five-point Laplacian L.
    """
    scale = kernels @ LAPLACIAN / (LAPLACIAN @ LAPLACIAN)
    rest = kernels - scale[..., None] * LAPLACIAN
    norms = np.linalg.norm(kernels, axis=-1)
    return np.linalg.norm(rest, axis=-1) / np.where(norms > 0, norms, np.nan), scale
