"""How much of one representation is a linear function of another: nested multi-target ridge."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.statistics import dense, ridge, scores
from physprobe.statistics.splits import Fold


@dataclass(frozen=True)
class HeldOut:
    """Errors of a map on held-out clips, one entry per clip that is held out."""

    clip: np.ndarray
    """(clip,) indices, sorted."""
    sse: np.ndarray
    """(clip,) squared errors summed over time and outputs."""
    sst: np.ndarray
    """(clip,) squared distances to the mean of all held-out rows, summed likewise."""
    cosine: np.ndarray
    """(clip,) mean over time of the uncentred cosine; for comparison only."""
    choices: tuple[dict, ...]
    """Per outer fold: scaling, lambda (relative penalty), edge_hit, inner R2."""

    @property
    def r2(self) -> float:
        """Total-variance R2 over all held-out rows and outputs."""
        return float(scores.skill(self.sse.sum(), self.sst.sum()))


def fit(
    inputs: np.ndarray,
    outputs: np.ndarray,
    folds: Sequence[Fold],
    *,
    penalties: Sequence[float] = ridge.PENALTIES,
    scalings: Sequence[str] = ridge.SCALINGS,
) -> HeldOut:
    """Predict outputs from inputs, row by row, on clips that no choice has seen.

        y = b + W x,    one penalty and one scaling for all outputs, chosen by total inner R2

    Parameters
    ----------
    inputs : (clip, time, feature)
    outputs : (clip, time, output)
        Not rescaled: total variance weighs each output by its own variance.
    folds : sequence of Fold
    penalties, scalings : sequence
        Grid to choose from; penalties ascend and are relative (see `ridge`).

    Returns
    -------
    HeldOut

    Raises
    ------
    ValueError
        If clips or times of the two differ.
    """
    inputs, outputs = np.asarray(inputs, float), np.asarray(outputs, float)
    if inputs.shape[:2] != outputs.shape[:2]:
        raise ValueError(
            f"linear map: inputs have (clip, time) {inputs.shape[:2]}, outputs {outputs.shape[:2]}."
            " Hint: align both in time first."
        )
    predicted, choices = np.full_like(outputs, np.nan), []
    for fold in folds:
        predicted[fold.test], choice = _fold(inputs, outputs, fold, penalties, scalings)
        choices.append(choice)
    held = np.sort(np.concatenate([fold.test for fold in folds]))
    truth, predicted = outputs[held], predicted[held]
    return HeldOut(
        held,
        ((truth - predicted) ** 2).sum((1, 2)),
        ((truth - truth.mean((0, 1))) ** 2).sum((1, 2)),
        scores.cosine(truth, predicted).mean(-1),
        tuple(choices),
    )


def _fold(
    inputs: np.ndarray,
    outputs: np.ndarray,
    fold: Fold,
    penalties: Sequence[float],
    scalings: Sequence[str],
) -> tuple[np.ndarray, dict]:
    """Predictions (clip, time, output) for a fold's held-out clips, and what was chosen."""
    centred, blocks = ridge.centre(inputs, fold), ridge.blocks_of(fold)
    mean = outputs[fold.train].mean((0, 1))
    targets = outputs[fold.train] - mean
    moments = ridge.Moments.of(centred.train, blocks)
    cross = np.stack([_rows(centred.train[b]).T @ _rows(targets[b]) for b in blocks])
    totals = np.stack([_rows(targets[b]).sum(0) for b in blocks])
    energy = (targets**2).sum()
    best: tuple[float, str, int, np.ndarray] | None = None
    for scaling in scalings:
        scale = centred.scale(scaling)
        scaled, mixed = moments.scaled(scale), cross / scale[:, None]
        gram = scaled.grams.sum(0)
        unit = np.trace(gram) / min(scaled.counts.sum(), len(gram))
        shifts = np.asarray(penalties) * unit
        errors = np.zeros(len(shifts))
        for number, (within, beyond) in enumerate(scaled.inner()):
            count, rest = scaled.counts[number], scaled.counts.sum() - scaled.counts[number]
            square = np.outer(scaled.sums[number], totals[number])
            more = (2 * rest + count) / rest**2
            towards = mixed.sum(0) - mixed[number] - square / rest
            beyond_cross = mixed[number] + more * square
            spread = (targets[blocks[number]] ** 2).sum() + more * (totals[number] ** 2).sum()
            values, vectors = dense.eigen(within)
            towards, beside = vectors.T @ towards, vectors.T @ beyond_cross
            # In the eigenvectors a penalty divides, and all outputs have the same one.
            bent = (vectors.T @ beyond @ vectors) * (towards @ towards.T)
            along = np.einsum("fo,fo->f", towards, beside)
            shares = 1.0 / (np.maximum(values, 0.0) + shifts[:, None])
            errors += spread + ((shares @ bent) * shares).sum(1) - 2.0 * shares @ along
        errors /= energy or 1.0
        place = int(ridge.best_penalty(errors))
        if best is None or errors[place] < best[0] - ridge.TIE:
            weights = dense.solve(gram, shifts[place], np.asfortranarray(mixed.sum(0)))
            best = errors[place], scaling, place, weights / scale[:, None]
    if best is None:
        raise ValueError("no scaling to choose from.")
    error, scaling, place, weights = best
    choice = {
        "scaling": scaling,
        "lambda": float(penalties[place]),
        "edge_hit": place in (0, len(penalties) - 1),
        "inner_r2": float(1.0 - error),
    }
    return mean + centred.test @ weights, choice


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, values.shape[-1])
