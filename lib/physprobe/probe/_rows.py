"""From what was fitted to rows: scores with interval and null, predictions, choices."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from physprobe.core import scores
from physprobe.core.splits import Fold
from physprobe.probe._nested import Fitted
from physprobe.probe._selection import Tally


@dataclass(frozen=True)
class HeldOut:
    """Held-out clips, in order."""

    clip: np.ndarray
    fold: np.ndarray
    groups: np.ndarray

    @classmethod
    def of(cls, folds: Sequence[Fold], groups: np.ndarray) -> "HeldOut":
        """All clips that some outer fold holds out."""
        clip = np.concatenate([fold.test for fold in folds])
        number = np.repeat(np.arange(len(folds)), [len(fold.test) for fold in folds])
        order = np.argsort(clip)
        return cls(clip[order], number[order], groups[clip[order]])


@dataclass
class Found:
    """Rows and predictions of one sample."""

    rows: list[dict] = field(default_factory=list)
    held_out: list[dict] = field(default_factory=list)
    choices: list[dict] = field(default_factory=list)


def undefined(values: np.ndarray, folds: Sequence[Fold]) -> str | None:
    """Why a target can't be scored, or None if it can."""
    values = np.asarray(values, float)
    if not np.isfinite(values).all():
        return f"target is not finite for {(~np.isfinite(values)).sum()} of {len(values)} clips"
    tests = np.concatenate([fold.test for fold in folds])
    parts = {"held-out": [tests], "training": [fold.train for fold in folds]}
    for name, members in parts.items():
        if any(np.ptp(values[part]) <= 1e-12 * np.abs(values).max() for part in members):
            return f"target is constant over {name} clips"
    return None


def missing(target: str, sample: str, layer: str, note: str, clips: int) -> dict:
    """Row of an undefined score."""
    return {
        "target": target,
        "sample": sample,
        "layer": layer,
        "metric": "r2",
        "value": None,
        "n_clips": clips,
        "note": note,
    }


def collect(
    spec: object,
    tally: Tally,
    labels: np.ndarray,
    names: Sequence[str],
    layers: Sequence[str],
    folds: Sequence[Fold],
    held: HeldOut,
    times: Sequence[float] | None,
) -> Found:
    """Rows, predictions and choices of one sample.

    Parameters
    ----------
    spec : probe's Spec
    tally : Tally
    labels : (clip, 1 + permutation, target)
        True labels first.
    names : (target,)
    layers : (layer,)
    folds : sequence of Fold
    held : HeldOut
    times : (time,) or None
    """
    found = Found()
    spread = ((labels[held.clip] - labels[held.clip].mean(0)) ** 2).sum(0)
    truth = labels[held.clip, 0].T
    for place, layer in enumerate((*layers, "selected")):
        fits = tally.selected if layer == "selected" else tally.layers[place]
        errors = sum(fit.errors for fit in fits).reshape(-1, *labels.shape[1:])
        score = 1.0 - errors.mean(0) / spread
        predicted = np.concatenate([fit.predicted for fit in fits])
        predicted = predicted[np.argsort(np.concatenate([fold.test for fold in folds]))]
        residual = predicted.transpose(2, 0, 1) - truth[..., None]
        squared, absolute = (residual**2).mean(-1), np.abs(residual).mean(-1)
        interval = _intervals(spec, held, truth, squared)
        band = scores.bootstrap(
            np.stack([absolute, np.ones_like(absolute)], -1),
            scores.mean_of,
            groups=held.groups,
            draws=spec.bootstraps,
            seed=spec.seed,
        )
        training = _training(fits, labels[:, 0], folds)
        for t, target in enumerate(names):
            chosen = _choices(spec, fits, layers, t)
            common = {
                "target": target,
                "sample": tally.sample,
                "layer": layer,
                "n_clips": len(held.clip),
                "lambda": sorted(c["lambda"] for c in chosen)[(len(chosen) - 1) // 2],
                "edge_hit": any(c["edge_hit"] for c in chosen),
            }
            note = choice_note(chosen) if layer == "selected" else None
            found.rows += [
                {
                    **common,
                    **_score(interval, t),
                    **_null(score[..., t]),
                    "metric": "r2",
                    "note": note,
                },
                {**common, **_score(band, t), "metric": "mae"},
                {**common, "metric": "train_r2", "value": training[0][t]},
                {**common, "metric": "train_mae", "value": training[1][t]},
            ]
            about = {"target": target, "sample": tally.sample, "layer": layer}
            found.held_out.append(
                {
                    **about,
                    "prediction": predicted[..., t].mean(1),
                    "squared_error": squared[t],
                    "absolute_error": absolute[t],
                }
            )
            found.choices += [{**about, "fold": f, **choice} for f, choice in enumerate(chosen)]
        if layer == "selected" and tally.sample == "token":
            # Every token time has its own score; interval (time, target) by the same draws.
            by_time = _intervals(spec, held, truth, (residual**2).transpose(2, 0, 1))
            null = 1.0 - errors / spread
            for t, target in enumerate(names):
                found.rows += [
                    {
                        "target": target,
                        "sample": tally.sample,
                        "layer": layer,
                        "time": number if times is None else times[number],
                        "metric": "r2",
                        "n_clips": len(held.clip),
                        **_score(by_time, (number, t)),
                        **_null(null[number, :, t]),
                    }
                    for number in range(len(errors))
                ]
    return found


def _intervals(
    spec: object, held: HeldOut, truth: np.ndarray, squared: np.ndarray
) -> scores.Interval:
    """R2 with interval from squared errors (..., target, clip)."""
    return scores.bootstrap(
        scores.r2_sums(truth, squared),
        scores.r2_of,
        groups=held.groups,
        draws=spec.bootstraps,
        seed=spec.seed,
    )


def _score(interval: scores.Interval, place: int | tuple[int, ...]) -> dict:
    value, low, high = (part[place] for part in interval)
    return {"value": value, "ci_low": low, "ci_high": high}


def _null(score: np.ndarray) -> dict:
    """Null columns from scores (1 + permutation,), the observed one first."""
    observed, null = score[0], score[1:]
    return {
        "null_mean": null.mean(),
        "null_q95": np.quantile(null, 0.95),
        "p": scores.permutation_p(observed, null),
    }


def _training(
    fits: Sequence[Fitted], truth: np.ndarray, folds: Sequence[Fold]
) -> tuple[np.ndarray, np.ndarray]:
    """R2 and mean absolute error on training rows, folds pooled; each (target,)."""
    sizes = np.array([len(fold.train) for fold in folds], float)
    spread = np.array([truth[fold.train].var(0) for fold in folds])
    squared = np.array([fit.train_squared for fit in fits])
    absolute = np.array([fit.train_absolute for fit in fits])
    return 1.0 - sizes @ squared / (sizes @ spread), sizes @ absolute / sizes.sum()


def _choices(spec: object, fits: Sequence[Fitted], layers: Sequence[str], t: int) -> list[dict]:
    """Describe what each outer fold chose for one target."""
    return [
        {
            "chosen_layer": layers[fit.layer[t]],
            "scaling": spec.scalings[fit.scaling[t]],
            "lambda": spec.penalties[fit.penalty[t]],
            "inner_r2": 1.0 - fit.inner[t],
            "edge_hit": bool(fit.penalty[t] in (0, len(spec.penalties) - 1)),
        }
        for fit in fits
    ]


def choice_note(chosen: Sequence[dict]) -> str:
    """Layers that the outer folds chose, most frequent first."""
    counts = Counter(choice["chosen_layer"] for choice in chosen).most_common()
    return "layer " + ", ".join(f"{layer} in {count}" for layer, count in counts) + " of the folds"
