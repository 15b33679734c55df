"""From what was fitted to rows: scores with interval and null, predictions, choices."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from physprobe.fit.methods._selection import OfNumbers, Solver, Tally, by_target
from physprobe.fit.section import MethodSpec
from physprobe.statistics import bootstrap, half_samples, nulls, scores, splits, targets
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.intervals import Interval
from physprobe.statistics.splits import Fold
from physprobe.store import scratch


@dataclass(frozen=True)
class HeldOut:
    """Held-out clips, in order."""

    clip: np.ndarray
    fold: np.ndarray
    groups: np.ndarray
    everyone: np.ndarray
    """Groups of all clips, held out or not."""
    halves: np.ndarray
    """(split, clip) 1 or -1: halves of all clips, on which fits are redone; 0 of groups that are
    not fitted to. Of no split where one was declared."""
    rendered: bool = False
    """Whether these clips are fitted to in another rendering."""

    @classmethod
    def of(
        cls, folds: Sequence[Fold], groups: np.ndarray, seed: int = 0, follows: bool = False
    ) -> "HeldOut":
        """All clips that some outer fold holds out; whether the split follows from labels."""
        clip = np.concatenate([fold.test for fold in folds])
        number = np.repeat(np.arange(len(folds)), [len(fold.test) for fold in folds])
        order = np.argsort(clip)
        # one published split is one fit, and its score is about that fit
        train = np.concatenate([fold.train for fold in folds])
        crossed = bool(np.isin(groups[train], groups[clip]).all())
        halves = splits.halves(groups, seed, splits.HALVES if crossed or follows else 0)
        halves = np.where(np.isin(groups, groups[train]), halves, 0)
        rendered = crossed and not np.isin(train, clip).all()
        return cls(clip[order], number[order], groups[clip[order]], groups, halves, rendered)

    @property
    def signs(self) -> np.ndarray:
        """(split, held-out clip) 1 or -1, or 0."""
        return self.halves[:, self.clip]


def begun(
    targets: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    groups: Sequence | np.ndarray | None,
    seed: int = 0,
    strata: np.ndarray | None = None,
) -> tuple[HeldOut, dict]:
    """Held-out clips, and a block of predictions that has nothing but them and their labels.

    Raises
    ------
    ValueError
        If folds leak, or disagree with the groups in size.
    """
    clips = len(next(iter(targets.values())))
    groups = np.arange(clips) if groups is None else np.asarray(groups)
    splits.check(folds, groups)
    held = HeldOut.of(folds, groups, seed, follows=strata is not None)
    return held, {
        "clip": held.clip,
        "fold": held.fold,
        "group": held.groups,
        "halves": held.signs,
        "truth": {name: np.asarray(values)[held.clip] for name, values in targets.items()},
        "held_out": [],
        "choices": [],
    }


@dataclass(frozen=True)
class Asked:
    """What rows are asked for, beside labels and what is fitted."""

    spec: MethodSpec
    folds: Sequence[Fold]
    held: HeldOut
    times: Sequence[float] | None = None
    """(time,) of each token [s]."""
    strata: np.ndarray | None = None
    """(clip,) clips that labels are permuted among."""
    parts: np.ndarray | None = None
    """(clip,) label whose values are scored apart as well."""
    standardised: bool = False
    """Whether numbers have ``z_mse`` too."""

    @property
    def used(self) -> np.ndarray:
        """Clips that some fold trains on or holds out."""
        return np.unique(np.concatenate([[*fold.train, *fold.test] for fold in self.folds]))


@dataclass
class Found:
    """Rows and predictions of one sample."""

    rows: list[dict] = field(default_factory=list)
    held_out: list[dict] = field(default_factory=list)
    choices: list[dict] = field(default_factory=list)


def undefined(values: np.ndarray, folds: Sequence[Fold]) -> str | None:
    """Why a target (clip,) or (clip, column) can't be scored, or None if it can."""
    values = np.asarray(values, float).reshape(len(values), -1)
    finite = np.isfinite(values).all(1)
    if not finite.all():
        return f"target is not finite for {(~finite).sum()} of {len(values)} clips"
    tests = np.concatenate([fold.test for fold in folds])
    parts = {"held-out": [tests], "training": [fold.train for fold in folds]}
    for name, members in parts.items():
        if any((np.ptp(values[part], 0) <= 1e-12 * np.abs(values).max()).all() for part in members):
            return f"target is constant over {name} clips"
    return None


def missing(target: str, sample: str, layer: str, metric: str, note: str, clips: int) -> dict:
    """Row of an undefined score."""
    return {
        "target": target,
        "sample": sample,
        "layer": layer,
        "metric": metric,
        "value": None,
        "n_clips": clips,
        "note": note,
    }


def collect(
    spec: MethodSpec,
    tally: Tally[OfNumbers],
    labels: np.ndarray,
    widths: Mapping[str, int],
    arranged: Sequence[nulls.Arrangements],
    folds: Sequence[Fold],
    held: HeldOut,
    times: Sequence[float] | None,
    solver: Solver,
) -> Found:
    """Rows, predictions and choices of one sample.

    Parameters
    ----------
    spec : probe's Spec
    tally : Tally
    labels : (clip, 1 + permutation, column)
        True labels first.
    widths : mapping of str to int
        Columns of each target, in their order.
    arranged : (target,) of Arrangements
        How the labels of each target can be permuted.
    folds : sequence of Fold
    held : HeldOut
    times : (time,) or None
    solver : Solver
        What was fitted by.
    """
    found, counts = Found(), list(widths.values())
    columns = dict(zip(widths, slices(counts), strict=True))
    spread = ((labels[held.clip] - labels[held.clip].mean(0)) ** 2).sum(0)
    spread, true = by_target(spread, counts), labels[held.clip, 0]
    truth = padded(true, columns.values())
    for place, layer in enumerate((*tally.names, "selected")):
        fits = tally.selected if layer == "selected" else tally.layers[place]
        errors = np.sum([fit.errors for fit in fits], axis=0).reshape(-1, *labels.shape[1:])
        errors = by_target(errors, counts)
        score = 1.0 - errors.mean(0) / spread
        predicted, halved = joined(fits, folds)
        residual = predicted - true[:, None]
        squared = by_target(residual**2, counts).transpose(2, 0, 1)
        absolute = (by_target(np.abs(residual), counts) / counts).transpose(2, 0, 1)
        by_half = _missed(halved, true, counts)
        ratios, apart = (half_samples.ratios(part.mean(1)) for part in by_half)
        interval = intervals(spec, held, truth, squared.mean(-1), ratios)
        band = means(spec, held, absolute.mean(-1), apart)
        training = _training(fits, labels[:, 0], counts, folds)
        for t, (target, own) in enumerate(columns.items()):
            chosen = choices(tally, fits, solver, own.start)
            shared = common(target, tally.sample, layer, len(held.clip), chosen)
            note = choice_note(chosen) if layer == "selected" else None
            null = arranged[t].row(score[0, t], score[1:, t])
            found.rows += [
                {
                    **shared,
                    **_score(interval, t),
                    **null,
                    "metric": "r2",
                    "note": nulls.noted(null.get("note"), note),
                },
                {**shared, **_score(band, t), "metric": "mae"},
                {**shared, "metric": "train_r2", "value": training[0][t]},
                {**shared, "metric": "train_mae", "value": training[1][t]},
            ]
            if targets.harmonic(target):
                angle, turned = (
                    targets.angle_error(true[:, None, own], part[..., own]).mean(-1)
                    for part in (predicted, halved)
                )
                about_half = half_samples.ratios(turned.sum(-1))
                circular = _score(means(spec, held, angle, about_half))
                found.rows.append({**shared, **circular, "metric": "circular_mae"})
            about = {"target": target, "sample": tally.sample, "layer": layer}
            mean = predicted[..., own].mean(1)
            found.held_out.append(
                {
                    **about,
                    "prediction": mean[:, 0] if widths[target] == 1 else mean,
                    "squared_error": squared[t].mean(-1),
                    "absolute_error": absolute[t].mean(-1),
                    "halves": {"r2": ratios[t], "mae": apart[t]},
                }
            )
            found.choices += [{**about, "fold": f, **choice} for f, choice in enumerate(chosen)]
        if layer == "selected" and tally.sample == "token":
            # Every token time has its own score; interval (time, target) by the same draws.
            each = half_samples.ratios(by_half[0]).transpose(1, 0, 2)
            by_time = intervals(spec, held, truth, squared.transpose(2, 0, 1), each)
            drawn = 1.0 - errors / spread
            for t, target in enumerate(widths):
                found.rows += [
                    {
                        "target": target,
                        "sample": tally.sample,
                        "layer": layer,
                        "time": number if times is None else times[number],
                        "metric": "r2",
                        "n_clips": len(held.clip),
                        **_score(by_time, number, t),
                        **arranged[t].row(drawn[number, 0, t], drawn[number, 1:, t]),
                    }
                    for number in range(len(errors))
                ]
    return found


def joined(fits: Sequence[OfNumbers], folds: Sequence[Fold]) -> tuple[np.ndarray, np.ndarray]:
    """Predictions of all held-out clips in order, and those of fits to halves."""
    order = np.argsort(np.concatenate([fold.test for fold in folds]))
    predicted = np.concatenate([fit.predicted for fit in fits])[order]
    halved = scratch.zeros((*fits[0].halved.shape[:2], *predicted.shape), float)
    ends = np.cumsum([len(fold.test) for fold in folds])[:-1]
    for fit, place in zip(fits, np.split(np.argsort(order), ends), strict=True):
        halved[:, :, place] = fit.halved
    return predicted, halved


def _missed(halved: np.ndarray, true: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """Squared and absolute errors (2, target, time, split, half), summed over held-out clips.

    Parameters
    ----------
    halved : (split, half, clip, time, column)
        Looked at split by split, since it may be large.
    true : (clip, column)
    counts : (target,)
        Columns of each target.
    """
    found = np.zeros((2, *halved.shape[:2], halved.shape[3], len(counts)))
    for split, predicted in enumerate(halved):
        missed = predicted - true[:, None]
        for place, errors in enumerate((missed**2, np.abs(missed))):
            found[place, split] = by_target(errors.sum(1), counts)
    return np.moveaxis(found, (4, 3), (1, 2))


def choices(
    tally: Tally[OfNumbers], fits: Sequence[OfNumbers], solver: Solver, column: int
) -> list[dict]:
    """What each outer fold chose for a column."""
    return [
        {"chosen_layer": tally.names[fit.layer[column]], **solver.chosen(fit, column)}
        for fit in fits
    ]


def common(target: str, sample: str, layer: str, clips: int, chosen: Sequence[dict]) -> dict:
    """What all rows of a target say."""
    return {
        "target": target,
        "sample": sample,
        "layer": layer,
        "n_clips": clips,
        "lambda": median([c["lambda"] for c in chosen if "lambda" in c]),
        "edge_hit": any(c["edge_hit"] for c in chosen),
    }


def slices(counts: Sequence[int]) -> list[slice]:
    """Columns of each target."""
    ends = np.cumsum(counts).tolist()
    return [slice(end - count, end) for count, end in zip(counts, ends, strict=True)]


def padded(true: np.ndarray, columns: Iterable[slice]) -> np.ndarray:
    """(target, clip, column) from (clip, column of all): zeros where a target has no more."""
    parts = [true[:, own] for own in columns]
    most = max(part.shape[1] for part in parts)
    return np.stack([np.pad(part, ((0, 0), (0, most - part.shape[1]))) for part in parts])


def intervals(
    spec: MethodSpec, held: HeldOut, truth: np.ndarray, squared: np.ndarray, ratios: np.ndarray
) -> Interval:
    """R2 with interval.

    Parameters
    ----------
    spec : probe's Spec
    held : HeldOut
    truth : (target, clip, column)
    squared : (..., target, clip)
    ratios : (..., target, split)
        Of squared errors; see ``half_samples.ratios``.
    """
    sums = scores.pooled_r2_sums(truth, squared)
    return _drawn(spec, held, sums, scores.r2_of, scores.ERROR, ratios)


def means(spec: MethodSpec, held: HeldOut, values: np.ndarray, ratios: np.ndarray) -> Interval:
    """Mean with interval of values (..., clip), and what halves say of it (..., split)."""
    sums = np.stack([values, np.ones_like(values)], -1)
    return _drawn(spec, held, sums, scores.mean_of, 0, ratios)


def _drawn(
    spec: MethodSpec,
    held: HeldOut,
    sums: np.ndarray,
    statistic: scores.Statistic,
    place: int,
    ratios: np.ndarray,
) -> Interval:
    return bootstrap.interval(
        sums,
        statistic,
        groups=held.groups,
        draws=spec.bootstraps,
        seed=spec.seed,
        halves=Halves.at(place, sums.shape[-1], ratios, held.signs),
    )


def _score(interval: Interval, *place: int) -> dict:
    return interval.at(*place).row()


def median(values: Sequence[float]) -> float | None:
    """Lower median, one of the values themselves; None of none."""
    return sorted(values)[(len(values) - 1) // 2] if values else None


def _training(
    fits: Sequence[OfNumbers], truth: np.ndarray, counts: Sequence[int], folds: Sequence[Fold]
) -> tuple[np.ndarray, np.ndarray]:
    """R2 and mean absolute error on training rows, folds pooled; each (target,)."""
    sizes = np.array([len(fold.train) for fold in folds], float)
    spread = by_target(np.array([truth[fold.train].var(0) for fold in folds]), counts)
    squared = by_target(np.array([fit.train_squared for fit in fits]), counts)
    absolute = by_target(np.array([fit.train_absolute for fit in fits]), counts) / counts
    return 1.0 - sizes @ squared / (sizes @ spread), sizes @ absolute / sizes.sum()


def choice_note(chosen: Sequence[dict]) -> str:
    """Layers that the outer folds chose, most frequent first."""
    counts = Counter(choice["chosen_layer"] for choice in chosen).most_common()
    return "layer " + ", ".join(f"{layer} in {count}" for layer, count in counts) + " of the folds"
