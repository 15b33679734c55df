"""Logistic regression with an L2 penalty, float64: many labels of the same rows at once.

    min over w, b of  sum_i -log p(y_i | x_i) + lambda/2 |w|^2,    b unpenalised

    two classes         p(1 | x) = 1 / (1 + exp(-b - w . x)), one vector w
    more than two       p(k | x) proportional to exp(b_k + w_k . x), one vector for each class

These are scikit-learn's two models, with C = 1 / lambda. The rows are rotated once into their
singular directions, in which the penalty is diagonal, and at most as many are left as there are
rows. All labels are then fitted by Newton's method together: each step is solved by conjugate
gradients, preconditioned with the penalty plus the mean curvature, so that an iteration costs two
matrix products for all labels and no factorization at all.

References
----------
Hastie, Tibshirani, Friedman, "The Elements of Statistical Learning", 4.4.1 and 18.3.5;
Nocedal, Wright, "Numerical Optimization", 7.1 (inexact Newton) and 3.1 (sufficient decrease).
"""

import numpy as np

SELECTION, FINAL = 1e-8, 1e-20
"""Squared Newton decrement per row at which a fit stops: to compare losses, or for good."""
NEWTON, GRADIENTS, HALVINGS = 100, 200, 40
# Labels are fitted in blocks whose logits stay in the processor's cache, or near it.
BLOCK = 2_000_000


class Basis:
    """Singular directions of training rows about their mean, and a constant one for the intercept.

    Parameters
    ----------
    rows : (row, feature)
    """

    def __init__(self, rows: np.ndarray):
        from scipy.linalg import eigh

        count, features = rows.shape
        self.mean = rows.mean(0)
        centred = rows - self.mean
        gram = centred @ centred.T if count <= features else centred.T @ centred
        spectrum, vectors = eigh(gram, driver="evd", overwrite_a=True, check_finite=False)
        # What is dropped has no variance but rounding's, and the penalty leaves nothing of it.
        sound = spectrum > 1e-12 * max(spectrum[-1], np.finfo(float).tiny)
        spectrum, vectors = spectrum[sound], vectors[:, sound]
        if count <= features:
            self.axes = centred.T @ (vectors / spectrum)
        else:
            self.axes = vectors / np.sqrt(spectrum)
            vectors = centred @ self.axes
        self.constant = count**-0.5
        self.directions = np.hstack([vectors, np.full((count, 1), self.constant)])
        """(row, direction) coordinates of the training rows; the last one is the intercept's."""
        self.spectrum = np.append(spectrum, np.inf)
        """(direction,) squared singular values."""

    def coordinates(self, rows: np.ndarray) -> np.ndarray:
        """Coordinates (..., direction) of any rows (..., feature)."""
        found = (rows - self.mean) @ self.axes
        return np.concatenate([found, np.full((*found.shape[:-1], 1), self.constant)], axis=-1)

    def rotated(self, rows: np.ndarray) -> np.ndarray:
        """Rows (..., feature) as (..., direction): to a fit to the training rows they are equal."""
        return ((rows - self.mean) @ self.axes) * np.sqrt(self.spectrum[:-1])

    def weights(self, fitted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights (feature, logit, column) and intercepts (logit, column) of what `fit` found."""
        weights = np.einsum("fd,dkc->fkc", self.axes, fitted[:-1])
        intercepts = fitted[-1] * self.constant - np.einsum("f,fkc->kc", self.mean, weights)
        return weights, intercepts


def fit(
    basis: Basis,
    labels: np.ndarray,
    classes: int,
    penalties: np.ndarray | float,
    *,
    start: np.ndarray | None = None,
    tolerance: float = FINAL,
) -> np.ndarray:
    """Coefficients of every column of labels.

    Parameters
    ----------
    basis : Basis
    labels : (row, column) int
        Number of each row's class.
    classes : int
    penalties : (column,) or float
        lambda, absolute.
    start : (direction, logit, column), optional
        Where to start; at the classes' frequencies if not given.
    tolerance : float
        Squared Newton decrement per row, about, at which a column is left alone.

    Returns
    -------
    (direction, logit, column)
        One logit for two classes, else one for each class.
    """
    logits = 1 if classes == 2 else classes
    penalties = np.broadcast_to(penalties, labels.shape[1:])
    found = np.empty((len(basis.spectrum), logits, labels.shape[1]))
    step = max(8, BLOCK // (len(labels) * logits))
    for first in range(0, labels.shape[1], step):
        block = slice(first, first + step)
        truth = _one_hot(labels[:, block], logits)
        begin = _frequencies(basis, truth) if start is None else start[..., block]
        found[..., block] = _newton(basis, truth, penalties[block], begin, tolerance)
    return found


def log_probabilities(logits: np.ndarray, axis: int) -> np.ndarray:
    """Log-probability of each class from logits, which lie along an axis."""
    if logits.shape[axis] == 1:
        return -np.concatenate([np.logaddexp(0, logits), np.logaddexp(0, -logits)], axis)
    return logits - _log_sum(logits, axis)


def _log_sum(logits: np.ndarray, axis: int) -> np.ndarray:
    """Logarithm of the sum of exponentials, its axis kept; scipy's checks take thrice the time."""
    most = logits.max(axis, keepdims=True)
    return most + np.log(np.exp(logits - most).sum(axis, keepdims=True))


def _one_hot(labels: np.ndarray, logits: int) -> np.ndarray:
    """(row, logit, column) 1 where the row is of the logit's class."""
    numbers = np.arange(1, 2) if logits == 1 else np.arange(logits)
    return (labels[:, None] == numbers[:, None]).astype(float)


def _frequencies(basis: Basis, truth: np.ndarray) -> np.ndarray:
    """Coefficients that give every row the frequencies of the classes."""
    count, logits, columns = truth.shape
    share = np.clip(truth.mean(0), 0.5 / count, 1 - 0.5 / count)
    start = np.zeros((len(basis.spectrum), logits, columns))
    start[-1] = (np.log(share / (1 - share)) if logits == 1 else np.log(share)) / basis.constant
    return start


def _probabilities(logits: np.ndarray) -> np.ndarray:
    from scipy.special import expit, softmax

    return expit(logits) if logits.shape[1] == 1 else softmax(logits, axis=1)


def _loss(logits: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Negative log-likelihood (column,)."""
    whole = np.logaddexp(0, logits) if logits.shape[1] == 1 else _log_sum(logits, 1)
    return whole.sum((0, 1)) - np.einsum("nkc,nkc->c", truth, logits)


def _curved(probabilities: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Change of the probabilities with a change of the logits."""
    if probabilities.shape[1] == 1:
        return probabilities * (1 - probabilities) * change
    mean = np.einsum("nkc,nkc->nc", probabilities, change)
    return probabilities * (change - mean[:, None])


def _newton(
    basis: Basis, truth: np.ndarray, penalties: np.ndarray, start: np.ndarray, tolerance: float
) -> np.ndarray:
    found, rows = start.copy(), basis.directions
    left = np.arange(truth.shape[-1])
    here, shrink = start.copy(), penalties / basis.spectrum[:, None, None]
    logits = _times(rows, here)
    loss = _loss(logits, truth) + 0.5 * _dot(shrink * here, here)
    for _ in range(NEWTON):
        probabilities = _probabilities(logits)
        gradient = _times(rows.T, probabilities - truth) + shrink * here
        mean = (probabilities * (1 - probabilities)).mean(0)
        scale = shrink + np.maximum(mean, 1e-10)
        decrement = _dot(gradient / scale, gradient) / len(rows)
        going = decrement > tolerance
        if not going.all():
            found[..., left[~going]] = here[..., ~going]
            left, decrement, loss = left[going], decrement[going], loss[going]
            if not len(left):
                return found
            truth, here, shrink, logits, probabilities, gradient, scale = (
                np.ascontiguousarray(part[..., going])
                for part in (truth, here, shrink, logits, probabilities, gradient, scale)
            )
        step, change = _solve(rows, probabilities, shrink, scale, gradient, decrement)
        here, logits, loss, moved = _descend(
            here, logits, loss, truth, shrink, step, change, gradient
        )
        if not moved.all():
            # not even the least of steps gains anything
            found[..., left[~moved]] = here[..., ~moved]
            left, loss = left[moved], loss[moved]
            if not len(left):
                return found
            truth, here, shrink, logits = (p[..., moved] for p in (truth, here, shrink, logits))
    found[..., left] = here
    return found


def _solve(
    rows: np.ndarray,
    probabilities: np.ndarray,
    shrink: np.ndarray,
    scale: np.ndarray,
    gradient: np.ndarray,
    decrement: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Newton step by conjugate gradients, and the change of the logits that it makes."""
    step, change = np.zeros_like(gradient), np.zeros_like(probabilities)
    residual = -gradient
    towards = residual / scale
    size = _dot(residual, towards)
    enough = size * np.clip(decrement, 1e-10, 1e-2)
    live = size > 0
    for _ in range(GRADIENTS):
        ahead = _times(rows, towards)
        pulled = _times(rows.T, _curved(probabilities, ahead)) + shrink * towards
        length = np.where(live, size / np.where(live, _dot(towards, pulled), 1.0), 0.0)
        step += length * towards
        change += length * ahead
        residual -= length * pulled
        corrected = residual / scale
        after = _dot(residual, corrected)
        live &= after > enough
        if not live.any():
            break
        towards = corrected + np.where(live, after / np.where(live, size, 1.0), 0.0) * towards
        size = after
    return step, change


def _descend(
    here: np.ndarray,
    logits: np.ndarray,
    loss: np.ndarray,
    truth: np.ndarray,
    shrink: np.ndarray,
    step: np.ndarray,
    change: np.ndarray,
    gradient: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Go along a step, half as far as long as the loss doesn't fall; whether each column moved."""
    slope = _dot(gradient, step)
    length = np.ones_like(loss)
    # near the end rounding hides what the loss falls by: a full step is right there
    slack = 1e-11 * (1 + np.abs(loss))
    for _ in range(HALVINGS):
        there, ahead = here + length * step, logits + length * change
        reached = _loss(ahead, truth) + 0.5 * _dot(shrink * there, there)
        short = ~(reached <= loss + 1e-4 * length * slope + slack)
        if not short.any():
            break
        length = np.where(short, 0.5 * length, length)
    moved = ~short
    return (
        np.where(moved, there, here),
        np.where(moved, ahead, logits),
        np.where(moved, reached, loss),
        moved,
    )


def _times(matrix: np.ndarray, stack: np.ndarray) -> np.ndarray:
    """Matrix (m, n) times a stack (n, logit, column)."""
    return (matrix @ stack.reshape(len(stack), -1)).reshape(len(matrix), *stack.shape[1:])


def _dot(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.einsum("dkc,dkc->c", one, other)
