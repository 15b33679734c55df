"""From fitted classes to rows: scores with interval and null, calibration, predictions, choices."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from physprobe.fit.methods import _rows
from physprobe.fit.methods._selection import OfClasses, Solver, Tally
from physprobe.fit.section import MethodSpec
from physprobe.statistics import (
    bootstrap,
    half_samples,
    logistic,
    nulls,
    orders,
    resampling,
    scores,
    seeds,
)
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.intervals import Interval
from physprobe.statistics.splits import Fold

BINS = 10
SCORED = ("accuracy", "auc", "log_loss")
COUNTED = (*SCORED, "relative_accuracy")
NOBODY = "no fold holds out clips of this part"


def undefined(values: np.ndarray, folds: Sequence[Fold]) -> str | None:
    """Why a target's classes can't be told apart, or None if they can."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        return f"target is not finite for {(~np.isfinite(values)).sum()} of {len(values)} clips"
    names = np.unique(values)
    if len(names) < 2:
        return f"all clips are of one class, {names[0]}"
    for number, fold in enumerate(folds):
        for train in (fold.train, *(train for train, _ in fold.inner)):
            lacking = np.setdiff1d(names, values[train])
            if len(lacking):
                return (
                    f"no clip of class {lacking[0]} is among {len(train)} training clips of outer"
                    f" fold {number}"
                )
    return None


def shuffled(labels: np.ndarray, groups: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Labels (clip, 1 + draw): the true ones first, then permuted ones.

    Labels change places within each group, and whole groups with groups of the same size. The first
    is what a null needs where each group holds one clip of every class, the second where a group's
    clips are of one class.
    """
    _, member = np.unique(groups, return_inverse=True)
    rng = seeds.rng("permutation within", seed, len(member))
    home = np.argsort(member, kind="stable")
    within = np.empty((draws, len(member)), int)
    for draw in within:
        draw[home] = np.lexsort((rng.random(len(member)), member))
    between = nulls.permutations(groups, draws, seed)
    source = np.take_along_axis(within, between, axis=1)
    return np.concatenate([labels[None], labels[source]]).T


def reliability(probability: np.ndarray, correct: np.ndarray) -> np.ndarray:
    """Sums per clip that `ece_of` needs: (clip, 3 x bin), from (clip, time)."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    inside = place[..., None] == np.arange(BINS)
    parts = (np.ones_like(probability), correct, probability)
    return np.concatenate([(inside * part[..., None]).mean(1) for part in parts], axis=-1)


def ece_of(totals: np.ndarray) -> np.ndarray:
    """Expected calibration error from totals of `reliability`."""
    count, correct, probability = np.split(totals, 3, axis=-1)
    return np.abs(correct - probability).sum(-1) / count.sum(-1)


def recalibrated(predicted: np.ndarray, truth: np.ndarray) -> tuple[float, float] | None:
    """Intercept and slope of the truth's log-odds on the predicted ones; 0 and 1 are calibrated.

    None if the predictions separate the classes, or are all the same: no line is best then.
    """
    odds = (predicted[:, :, 1] - predicted[:, :, 0]).reshape(-1, 1)
    rows = np.repeat(truth, predicted.shape[1])
    low, high = odds[rows == 0], odds[rows == 1]
    if low.max() <= high.min() or high.max() <= low.min():
        return None
    basis = logistic.Basis(odds)
    if len(basis.spectrum) < 2:
        return None
    slope, intercept = basis.weights(logistic.fit(basis, rows[:, None], 2, 0.0))
    return float(intercept[0, 0]), float(slope[0, 0, 0])


def collect(
    spec: MethodSpec,
    target: str,
    tally: Tally[OfClasses],
    labels: np.ndarray,
    arranged: nulls.Arrangements,
    folds: Sequence[Fold],
    held: _rows.HeldOut,
    times: Sequence[float] | None,
    parts: Mapping[str | None, np.ndarray],
    solver: Solver,
) -> _rows.Found:
    """Rows, predictions and choices of one target on one sample.

    Parameters
    ----------
    spec : probe's Spec
    target : str
    tally : Tally
    labels : (clip, 1 + permutation) int
        True classes first.
    arranged : Arrangements
        How they can be permuted.
    folds : sequence of Fold
    held : HeldOut
    times : (time,) or None
    parts : mapping of str to (clip,) bool
        Clips that are scored together: all of them first, by the name None.
    solver : Solver
        What was fitted by.
    """
    found, apart = _rows.Found(), []
    truth, count = labels[held.clip, 0], len(held.clip)
    order = np.argsort(np.concatenate([fold.test for fold in folds]))
    sizes = np.array([len(fold.train) for fold in folds], float)

    def interval(
        sums: np.ndarray,
        statistic: Callable,
        ratios: np.ndarray | None = None,
        mine: np.ndarray | slice = slice(None),
    ) -> Interval:
        """Of sums of some clips; what halves say (..., split) is about their first part."""
        halves = None
        if ratios is not None:
            halves = Halves.at(0, sums.shape[-1], ratios, held.signs[:, mine])
        return bootstrap.interval(
            sums, statistic, groups=held.groups[mine], draws=spec.bootstraps, seed=spec.seed,
            halves=halves,
        )  # fmt: skip

    for place, layer in enumerate((*tally.names, "selected")):
        fits = tally.selected if layer == "selected" else tally.layers[place]
        drawn = {
            name: _scores(fits, number, int(part[held.clip].sum()))
            for number, (name, part) in enumerate(parts.items())
        }
        predicted = np.concatenate([fit.predicted for fit in fits])[order][..., 0]
        loss = losses(predicted[..., None], truth[:, None, None])[..., 0]
        correct = hits(predicted[..., None], truth[:, None, None])[..., 0]
        halved = np.concatenate([fit.halved for fit in fits], axis=2)[:, :, order][..., 0]
        sums = {
            "accuracy": (_counted(1.0 - correct.mean(1)), scores.accuracy_of),
            "log_loss": (_counted(loss.mean(1)), scores.mean_of),
        }
        order_sums = orders.relative_sums(predicted, truth, held.groups)
        known: dict[str | None, dict[str, Ratios]] = {}
        chosen = [
            {"chosen_layer": tally.names[fit.layer[0]], **solver.chosen(fit, 0)} for fit in fits
        ]
        about = {"target": target, "sample": tally.sample, "layer": layer}
        common = {
            **about,
            "n_clips": count,
            "lambda": _rows.median([c["lambda"] for c in chosen if "lambda" in c]),
            "edge_hit": any(c["edge_hit"] for c in chosen),
        }
        note = _rows.choice_note(chosen) if layer == "selected" else None
        for name, part in parts.items():
            mine = part[held.clip]
            if not mine.any():
                lacking = {"part": name, "n_clips": 0, "value": None, "note": NOBODY}
                apart += [{**about, **lacking, "metric": metric} for metric in SCORED]
                continue
            about_fits = half_ratios(
                halved[:, :, mine], truth[mine], held.fold[mine], held.groups[mine]
            )
            known[name] = about_fits
            asked = {
                **{
                    metric: (values[mine], statistic)
                    for metric, (values, statistic) in sums.items()
                },
                "auc": (
                    orders.auc_sums(predicted[mine], truth[mine], held.fold[mine]),
                    scores.accuracy_of,
                ),
            }
            if order_sums[mine, 1].any():
                asked["relative_accuracy"] = (order_sums[mine], scores.accuracy_of)
            measured = {
                metric: interval(values, statistic, about_fits[metric].mean, mine)
                for metric, (values, statistic) in asked.items()
            }
            (found.rows if name is None else apart).extend(
                {**common, "part": name, "n_clips": int(mine.sum()), "metric": metric}
                | _told(score, _null(arranged, metric, drawn[name][metric].mean(0)), note)
                for metric, score in measured.items()
            )
        bins = reliability(np.exp(predicted.max(2)), correct)
        found.rows.append({**common, "metric": "ece", **_value(interval(bins, ece_of))})
        found.rows += [{**common, **row} for row in _calibration(predicted, truth)]
        for metric, values in (
            ("train_accuracy", [fit.train_correct[0] for fit in fits]),
            ("train_log_loss", [fit.train_loss[0] for fit in fits]),
        ):
            found.rows.append({**common, "metric": metric, "value": sizes @ values / sizes.sum()})
        found.held_out.append(
            {
                **about,
                "log_probability": np.logaddexp.reduce(predicted, 1) - np.log(predicted.shape[1]),
                "log_loss": loss.mean(1),
                "correct": correct.mean(1),
                "halves": _means(known[None]),
                "halves_of_parts": {
                    name: _means(ratios) for name, ratios in known.items() if name is not None
                },
            }
        )
        found.choices += [{**about, "fold": f, **choice} for f, choice in enumerate(chosen)]
        if layer == "selected" and tally.sample == "token":
            # Every token time has its own scores; intervals by the same draws.
            wrong = _counted(1.0 - correct.T)
            right = interval(wrong, scores.accuracy_of, known[None]["accuracy"].each)
            cost = interval(_counted(loss.T), scores.mean_of, known[None]["log_loss"].each)
            for number in range(predicted.shape[1]):
                here = {
                    **about,
                    "time": number if times is None else times[number],
                    "n_clips": count,
                }
                by_time = {
                    "accuracy": right.at(number),
                    "auc": interval(
                        orders.auc_sums(predicted[:, number : number + 1], truth, held.fold),
                        scores.accuracy_of,
                        known[None]["auc"].each[number],
                    ),
                    "log_loss": cost.at(number),
                }
                found.rows += [
                    {**here, "metric": m} | _told(score, _null(arranged, m, drawn[None][m][number]))
                    for m, score in by_time.items()
                ]
    found.rows += apart
    return found


class Ratios(NamedTuple):
    """What halves say of one score; see ``half_samples.ratios``."""

    mean: np.ndarray
    """(split,) of the mean over token times."""
    each: np.ndarray
    """(time, split) of each token time."""


def half_ratios(
    halved: np.ndarray, truth: np.ndarray, fold: np.ndarray, groups: np.ndarray
) -> dict[str, Ratios]:
    """What fits to halves say of every score.

    Half a clip, or half a group, is added to counts of what is wrong, which may be none.

    Parameters
    ----------
    halved : (split, half, clip, time, class)
        Log-probabilities.
    truth, fold, groups : (clip,)
    """
    count, _, clips, times, classes = halved.shape
    if not count:
        return dict.fromkeys(COUNTED, Ratios(np.zeros(0), np.zeros((times, 0))))
    found = halved.transpose(2, 3, 4, 0, 1).reshape(clips, times, classes, 2 * count)
    labels = np.repeat(truth[:, None], 2 * count, axis=1)
    wins, pairs = (np.sum(each, axis=0) for each in zip(*(
        orderings(found[fold == number], labels[fold == number]) for number in np.unique(fold)
    ), strict=True))  # fmt: skip
    ordered, compared = orders.contrasted(found, labels, groups)
    compared = compared.sum(0)
    half = 0.5 / len(np.unique(groups))
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = {
            "accuracy": half + 1.0 - hits(found, labels[:, None]).mean(0),
            "auc": half + 1.0 - (wins / pairs).mean(1),
            "log_loss": losses(found, labels[:, None]).mean(0),
            "relative_accuracy": (0.5 + compared - ordered.sum(0)) / np.maximum(compared, 1),
        }
    by_clip = {
        "accuracy": 1.0 - hits(found, labels[:, None]).mean(1),
        "relative_accuracy": -ordered.mean(1),
    }  # fmt: skip
    said = {}
    for metric, error in errors.items():
        each = np.nan_to_num(error, nan=1.0).reshape(times, count, 2)
        share = 1.0
        if metric in by_clip:
            values = by_clip[metric]
            if metric != "relative_accuracy":
                values = resampling.by_group(values, groups)
            share = _in_common(np.nan_to_num(values).reshape(len(values), count, 2))
        mean, each = half_samples.ratios(each.mean(0)), half_samples.ratios(each)
        said[metric] = Ratios(share * mean, share * each)
    return said


def _in_common(errors: np.ndarray) -> float:
    """Share of the halves' deviations that groups of clips have in common.

    Whether a clip is right flips from fit to fit, clip by clip. So far as it does, errors of fixed
    fits scatter over clips just as much, and hold it already. Half of that is taken off, for what
    halves know nothing of, choices and folds.

    Parameters
    ----------
    errors : (group, split, half)
        Of each group of clips.
    """
    apart = errors[..., 0] - errors[..., 1]
    whole = (apart.sum(0) ** 2).mean()
    own = ((apart - apart.mean(0)) ** 2).sum(0).mean()
    return float(np.sqrt(max(0.0, 1.0 - 0.5 * own / whole))) if whole > 0 else 1.0


def _means(ratios: Mapping[str, Ratios]) -> dict[str, np.ndarray]:
    """(split,) by metric."""
    return {metric: each.mean for metric, each in ratios.items()}


def _counted(values: np.ndarray) -> np.ndarray:
    """Sums per clip of a mean."""
    return np.stack([values, np.ones_like(values)], -1)


def _scores(fits: Sequence[OfClasses], part: int, clips: int) -> dict[str, np.ndarray]:
    """Each score (time, 1 + permutation) of one part of the clips."""

    def total(name: str) -> np.ndarray:
        return np.sum([getattr(fit, name)[part] for fit in fits], axis=0)

    def share(some: np.ndarray, whole: np.ndarray | int) -> np.ndarray:
        return some / np.where(whole > 0, whole, np.nan)

    return {
        "accuracy": share(total("correct"), clips),
        "auc": share(total("wins"), total("pairs")).mean(1),
        "log_loss": share(total("loss"), clips),
        "relative_accuracy": share(total("ordered"), total("compared")),
    }


def _value(interval: Interval) -> dict:
    return interval.row("no outer fold holds out clips of two classes")


def _told(score: Interval, null: dict, note: str | None = None) -> dict:
    """A score with its null, and what is to be said of both."""
    value = _value(score)
    return {**null, **value, "note": nulls.noted(value.get("note"), null.get("note"), note)}


def _null(arranged: nulls.Arrangements, metric: str, score: np.ndarray) -> dict:
    """Null columns from scores (1 + permutation,), the observed one first; small loss is good."""
    return arranged.row(score[0], score[1:], -1.0 if metric == "log_loss" else 1.0)


def _calibration(predicted: np.ndarray, truth: np.ndarray) -> list[dict]:
    """Rows of the calibration's intercept and slope, of two classes."""
    if predicted.shape[2] > 2:
        return []
    metrics = ("calibration_intercept", "calibration_slope")
    line = recalibrated(predicted, truth)
    if line is None:
        note = "no line is best: the predictions separate the classes, or are all the same"
        return [{"metric": metric, "value": None, "note": note} for metric in metrics]
    return [{"metric": m, "value": value} for m, value in zip(metrics, line, strict=True)]


def scored(
    log_probabilities: np.ndarray, truth: np.ndarray, groups: np.ndarray, parts: np.ndarray
) -> dict[str, np.ndarray]:
    """Sums over each part of the held-out clips: fields of ``OfClasses``.

    Parameters
    ----------
    log_probabilities : (clip, time, class, column)
    truth : (clip, column) int
    groups : (clip,)
    parts : (part, clip) bool
    """
    kept = []
    for part in parts:
        mine, asked = log_probabilities[part], truth[part]
        wins, pairs = orderings(mine, asked)
        ordered, compared = orders.contrasted(mine, asked, groups[part])
        kept.append(
            {
                "loss": losses(mine, asked[:, None]).sum(0),
                "correct": hits(mine, asked[:, None]).sum(0),
                "wins": wins,
                "pairs": pairs,
                "ordered": ordered.sum(0),
                "compared": compared.sum(0),
            }
        )
    return {name: np.stack([part[name] for part in kept]) for name in kept[0]}


def losses(log_probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Log loss (clip, time, column) from (clip, time, class, column) and numbers of classes."""
    truth = np.broadcast_to(truth, np.delete(log_probabilities.shape, 2))
    return -np.take_along_axis(log_probabilities, truth[:, :, None], 2)[:, :, 0]


def hits(log_probabilities: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Whether the most probable class is the true one (clip, time, column); those tied share."""
    best = log_probabilities >= log_probabilities.max(2, keepdims=True) - orders.TIED
    truth = np.broadcast_to(truth, np.delete(log_probabilities.shape, 2))
    return np.take_along_axis(best, truth[:, :, None], 2)[:, :, 0] / best.sum(2)


def orderings(log_probabilities: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of clips in the right order, of one class and another: AUC is their share.

    Parameters
    ----------
    log_probabilities : (clip, time, class, column)
    truth : (clip, column) int

    Returns
    -------
    wins : (time, one-against-rest, column)
        Clips at the same token time are compared; a tie counts half.
    pairs : (one-against-rest, column)
    """
    marks = orders.ranked(log_probabilities)
    order = marks.argsort(0, kind="stable")
    ranks = np.empty(marks.shape)
    numbers = np.arange(1.0, len(marks) + 1).reshape(-1, 1, 1, 1)
    np.put_along_axis(ranks, order, numbers, 0)
    backwards = np.empty(marks.shape)
    np.put_along_axis(backwards, marks[::-1].argsort(0, kind="stable"), numbers, 0)
    ranks = 0.5 * (ranks + backwards[::-1])  # ties share their mean rank
    member = truth[:, None] == orders.numbers_of(log_probabilities.shape[2])[:, None]
    inside = member.sum(0)
    wins = np.einsum("ntac,nac->tac", ranks, member.astype(float)) - inside * (inside + 1) / 2
    return wins, inside * (len(truth) - inside)
