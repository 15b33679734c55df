"""From fitted classes to rows: scores with interval and null, calibration, predictions, choices."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from physprobe.fit.methods import _class_halves, _class_scores, _rows
from physprobe.fit.methods._class_halves import Ratios
from physprobe.fit.methods._selection import OfClasses, Solver, Tally
from physprobe.fit.section import MethodSpec
from physprobe.statistics import bootstrap, nulls, orders, scores, seeds
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.intervals import Interval
from physprobe.statistics.splits import Fold

SCORED = ("accuracy", "auc", "log_loss")
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
        loss = _class_scores.losses(predicted[..., None], truth[:, None, None])[..., 0]
        correct = _class_scores.hits(predicted[..., None], truth[:, None, None])[..., 0]
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
            known[name] = _class_halves.ratios(
                halved[:, :, mine], truth[mine], held.fold[mine], held.groups[mine]
            )
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
                metric: interval(values, statistic, known[name][metric].mean, mine)
                for metric, (values, statistic) in asked.items()
            }
            (found.rows if name is None else apart).extend(
                {**common, "part": name, "n_clips": int(mine.sum()), "metric": metric}
                | _told(score, _null(arranged, metric, drawn[name][metric].mean(0)), note)
                for metric, score in measured.items()
            )
        bins = _class_scores.reliability(np.exp(predicted.max(2)), correct)
        error = interval(bins, _class_scores.ece_of)
        found.rows.append({**common, "metric": "ece", **_value(error)})
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
    line = _class_scores.recalibrated(predicted, truth)
    if line is None:
        note = "no line is best: the predictions separate the classes, or are all the same"
        return [{"metric": metric, "value": None, "note": note} for metric in metrics]
    return [{"metric": m, "value": value} for m, value in zip(metrics, line, strict=True)]
