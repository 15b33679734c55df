r"""Kernels: closed-form fits of x[t+1] = x[t] + alpha K(x[t]), one 3 x 3 kernel per channel.

The model is linear in the kernel, so per clip n sums G_n and c_n over its cells settle everything,

    (sum_n alpha_n^2 G_n + lambda) w = sum_n alpha_n c_n,

and another alpha only reweights the clips: real, shuffled and no alpha (1 for every clip) share the
same sums, as do hundreds of permutations. Two families have nine parameters per channel: ``free``
is any kernel; ``zero_sum``, as a Laplacian is, has weights that sum to zero, and a constant source.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from physprobe.fit.methods._stencil import ONE, Sums

ROOM = 2**22  # numbers that the sums of several alphas may take
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


class Choice(NamedTuple):
    """Penalty that left-out clips chose."""

    penalty: float
    edge_hit: bool


@dataclass(frozen=True)
class Choices:
    """Penalties that left-out clips chose, one for each of several alphas."""

    penalties: np.ndarray
    """All that there are to choose from."""
    place: np.ndarray
    """(draw,)"""

    @property
    def penalty(self) -> np.ndarray:
        """Of each alpha (draw,)."""
        return self.penalties[self.place]

    @property
    def first(self) -> Choice:
        """Choice of the first alpha."""
        edges = (0, len(self.penalties) - 1)
        return Choice(float(self.penalty[0]), bool(self.place[0] in edges))


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
    gram = np.zeros((len(alpha), *sums.gram.shape[1:]))
    cross = np.zeros((len(alpha), *sums.cross.shape[1:]))
    for part in _parts(sums, len(clips)):
        some, weight = clips[part], alpha[:, part]
        gram += ((weight**2) @ sums.gram[some].reshape(len(some), -1)).reshape(gram.shape)
        cross += np.tensordot(weight, sums.cross[some], 1)
    return gram, cross


def _parts(sums: Sums, clips: int) -> list[slice]:
    """Parts of so many clips whose sums are read at once."""
    step = max(1, ROOM // sums.gram[0].size)
    return [slice(start, start + step) for start in range(0, clips, step)]


def fit(
    gram: np.ndarray, cross: np.ndarray, basis: np.ndarray, penalty: float | np.ndarray
) -> np.ndarray:
    """Kernels (draw, channel, column), by penalties relative to a channel's mean eigenvalue.

    Parameters
    ----------
    gram, cross
        Of :func:`weigh`.
    basis : (column, parameter)
    penalty : float or (draw,)
        One for all draws, or one for each.
    """
    inner = basis.T @ gram @ basis
    unit = np.trace(inner, axis1=-2, axis2=-1)[..., None, None] / basis.shape[1]
    # a channel without variance has no kernel; any positive shift gives it zeros
    penalty = np.reshape(penalty, (-1, 1, 1, 1))
    shift = np.where(unit > 0, penalty * unit, 1.0) * np.eye(basis.shape[1])
    return np.linalg.solve(inner + shift, (cross @ basis)[..., None])[..., 0] @ basis.T


def select(
    sums: Sums,
    blocks: Sequence[np.ndarray],
    alpha: np.ndarray,
    basis: np.ndarray,
    penalties: Sequence[float],
) -> Choices:
    """Penalties with the smallest errors over left-out blocks of clips, for every alpha its own.

    Parameters
    ----------
    sums : Sums
    blocks : sequence of (clip,)
        They partition the training clips.
    alpha : (draw, clip)
        Of all clips.
    basis : (column, parameter)
    penalties : sequence of float
        Ascending.
    """
    step = max(1, ROOM // sums.gram[0].size)
    parts = [alpha[start : start + step] for start in range(0, len(alpha), step)]
    errors = np.concatenate([_left_out(sums, blocks, part, basis, penalties) for part in parts])
    errors /= sum(sums.energy[block].sum() for block in blocks) or 1.0
    # where rounding decides, the stronger penalty is the simpler model
    tied = errors <= errors.min(1, keepdims=True) + 1e-10
    return Choices(np.asarray(penalties), len(penalties) - 1 - tied[:, ::-1].argmax(1))


def _left_out(
    sums: Sums,
    blocks: Sequence[np.ndarray],
    alpha: np.ndarray,
    basis: np.ndarray,
    penalties: Sequence[float],
) -> np.ndarray:
    """Squared errors (draw, penalty) on left-out blocks, less those of persistence."""
    held = [weigh(sums, block, alpha[:, block]) for block in blocks]
    held = [(basis.T @ gram @ basis, cross @ basis) for gram, cross in held]
    whole, along = (sum(part[i] for part in held) for i in (0, 1))
    errors = np.zeros((len(alpha), len(penalties)))
    for gram, cross in held:
        values, vectors = np.linalg.eigh(whole - gram)
        turned = vectors.swapaxes(-1, -2)
        towards = (turned @ (along - cross)[..., None])[..., 0]
        bent, beside = turned @ gram @ vectors, (turned @ cross[..., None])[..., 0]
        unit = values.mean(-1, keepdims=True)
        values = np.maximum(values, 0)
        for place, penalty in enumerate(penalties):
            kernels = towards / np.where(unit > 0, values + penalty * unit, 1.0)
            missed = (bent @ kernels[..., None])[..., 0] - 2 * beside
            errors[:, place] += np.einsum("dci,dci->d", kernels, missed)
    return errors


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
    flat = kernels.reshape(draws, -1)
    bent, along = np.empty((2, draws, len(clips)))
    for part in _parts(sums, len(clips)):
        some = clips[part]
        bent[:, part] = square @ sums.gram[some].reshape(len(some), -1).T
        along[:, part] = flat @ sums.cross[some].reshape(len(some), -1).T
    return sums.energy[clips] - 2 * alpha * along + alpha**2 * bent


def laplacian_residual(kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of a kernel (..., 9) that is no Laplacian, and the scale of what is.

    The share is |K - c L| / |K| with the best c, for the five-point Laplacian L.
    """
    scale = kernels @ LAPLACIAN / (LAPLACIAN @ LAPLACIAN)
    rest = kernels - scale[..., None] * LAPLACIAN
    norms = np.linalg.norm(kernels, axis=-1)
    return np.linalg.norm(rest, axis=-1) / np.where(norms > 0, norms, np.nan), scale
