"""Transfer: what is left of a probe's score on clips unlike those that it was fitted on.

The clips that a transferred probe is scored on are held out by ordinary folds too; both scores, and
everything that compares them, are read on these clips alone. R2 is about the mean of the labels of
these very clips, which inside a narrow region is a good guess already: to do no better scores 0.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from physprobe.falsify._evidence import against_best
from physprobe.statistics import scores

Result = Mapping[str, object]


@dataclass(frozen=True)
class Decoded:
    """Held-out clips of one result, target and sample."""

    clip: np.ndarray
    """(clip,)"""
    truth: np.ndarray
    """(clip, column)"""
    prediction: np.ndarray
    """(clip, column)"""
    squared: np.ndarray
    """(clip,) summed over columns."""
    absolute: np.ndarray
    """(clip,) mean over columns."""

    @classmethod
    def of(cls, result: Result, target: str, sample: str) -> "Decoded | None":
        """What the layer that was chosen inside the training clips predicts; None if undefined."""
        predictions = result["predictions"]
        for block in predictions["held_out"]:
            if (block["target"], block["sample"], block["layer"]) == (target, sample, "selected"):
                clip = np.asarray(predictions["clip"], int)
                columns = (predictions["truth"][target], block["prediction"])
                truth, prediction = (np.reshape(part, (len(clip), -1)) for part in columns)
                errors = (np.asarray(block[f"{key}_error"]) for key in ("squared", "absolute"))
                return cls(clip, truth, prediction, *errors)
        return None

    def on(self, clip: np.ndarray) -> "Decoded":
        """The same, of some of its clips.

        Raises
        ------
        ValueError
            If ordinary folds don't hold a clip out.
        """
        order = np.argsort(self.clip)
        place = np.minimum(np.searchsorted(self.clip, clip, sorter=order), len(order) - 1)
        place = order[place]
        if not np.array_equal(self.clip[place], clip):
            lacking = np.setdiff1d(clip, self.clip)
            raise ValueError(f"Ordinary folds don't hold out clip {lacking[0]}.")
        parts = (self.truth, self.prediction, self.squared, self.absolute)
        return Decoded(clip, *(part[place] for part in parts))

    def r2_sums(self) -> np.ndarray:
        """Sums (clip, part) that R2 follows from."""
        return scores.pooled_r2_sums(self.truth, self.squared)

    def line_sums(self) -> np.ndarray:
        """Sums (clip, 6) that the correlation of a number and its prediction follows from."""
        first, second = (part[:, 0] - part.mean() for part in (self.truth, self.prediction))
        parts = (np.ones_like(first), first, second, first**2, second**2, first * second)
        return np.stack(parts, axis=-1)


def correlation_of(totals: np.ndarray) -> np.ndarray:
    """Pearson's correlation from totals of `Decoded.line_sums`; nan if a part is constant."""
    count, first, second, squares, others, products = np.moveaxis(totals, -1, 0)
    spread = (squares - first**2 / count) * (others - second**2 / count)
    return (products - first * second / count) / np.sqrt(np.where(spread > 0, spread, np.nan))


def ratio_of(totals: np.ndarray) -> np.ndarray:
    """Ratio of two sums of squared errors; nan if the second is nothing."""
    return totals[..., 0] / np.where(totals[..., 1] > 0, totals[..., 1], np.nan)


def rows(
    transferred: Mapping[str, Result],
    ordinary: Mapping[str, Mapping[str, Result]],
    controls: tuple[str, ...],
) -> Iterator[dict]:
    """Scores of every encoder and control where it was transferred, beside ordinary folds.

    Parameters
    ----------
    transferred : mapping of str to dict
        Results of transferred probes by encoder and control.
    ordinary : mapping of str to mapping of str to dict
        Probe results by system and encoder.
    controls : tuple of str
        Which of them are controls.

    Yields
    ------
    dict
        Rows of a result; ``model`` is ``transferred``, or the system whose own clips were decoded
        by ordinary folds, and ``baseline`` what the transferred probe is compared with.
    """
    spec = next(iter(transferred.values()))["spec"]
    for target in spec["targets"]:
        for sample in spec["samples"]:
            for name, result in transferred.items():
                own = {system: results[name] for system, results in ordinary.items()}
                about = {"encoder": name, "target": target, "sample": sample, "layer": "selected"}
                found = _one(result, own, target, sample)
                yield from ({**about, **row} for row in found)
            yield from _above_controls(transferred, controls, target, sample)


def _one(
    result: Result, ordinary: Mapping[str, Result], target: str, sample: str
) -> Iterator[dict]:
    """Rows of one encoder, target and sample."""
    moved = Decoded.of(result, target, sample)
    model = {"model": "transferred"}
    whole = next(
        row
        for row in result["rows"]
        if (row["target"], row["sample"], row["layer"], row["metric"], row["time"])
        == (target, sample, "selected", "r2", None)
    )
    if moved is None:
        yield {**model, "metric": "r2", "n_clips": whole["n_clips"], "note": whole["note"]}
        return
    drawn = _Draws.of(result)
    kept = ("null_mean", "null_q95", "p", "lambda", "edge_hit", "note")
    yield from (
        {**model, **row, **({key: whole[key] for key in kept} if row["metric"] == "r2" else {})}
        for row in _scores(moved, drawn)
    )
    guess = np.reshape(result["setting"]["training_mean"][target], moved.truth.shape)
    sums = np.stack([moved.squared, ((moved.truth - guess) ** 2).sum(1)], axis=-1)
    yield {
        **model, "baseline": "training mean", "metric": "skill",
        **drawn.said(sums, scores.skill_of, "the training clips' mean is exact"),
    }  # fmt: skip
    for system, other in ordinary.items():
        near = Decoded.of(other, target, sample)
        if near is None:
            note = "ordinary folds leave the target undefined"
            yield {"model": system, "metric": "r2", "n_clips": len(moved.clip), "note": note}
            continue
        near = near.on(moved.clip)
        yield from ({"model": system, **row} for row in _scores(near, drawn))
        both = np.concatenate([moved.r2_sums(), near.r2_sums()], axis=-1)
        yield {
            **model, "baseline": system, "metric": "r2_difference",
            **drawn.said(both, scores.difference_of(scores.r2_of), "the clips' labels are equal"),
        }  # fmt: skip
        sums = np.stack([moved.squared, near.squared], axis=-1)
        yield {
            **model, "baseline": system, "metric": "error_ratio",
            **drawn.said(sums, ratio_of, "ordinary folds make no error"),
        }  # fmt: skip


def _scores(decoded: Decoded, drawn: "_Draws") -> Iterator[dict]:
    """R2 and errors of one probe; bias and correlation too where it decodes a single number."""
    said = drawn.said
    yield {"metric": "r2", **said(decoded.r2_sums(), scores.r2_of, "the clips' labels are equal")}
    yield {"metric": "mae", **said(_counted(decoded.absolute), scores.mean_of, None)}
    if decoded.truth.shape[1] > 1:
        return
    signed = (decoded.prediction - decoded.truth)[:, 0]
    yield {"metric": "bias", **said(_counted(signed), scores.mean_of, None)}
    sums = decoded.line_sums()
    yield {"metric": "correlation", **said(sums, correlation_of, "all predictions are equal")}


def _counted(values: np.ndarray) -> np.ndarray:
    """Sums (clip, 2) that a mean over clips follows from."""
    return np.stack([values, np.ones_like(values)], axis=-1)


def _above_controls(
    transferred: Mapping[str, Result], controls: tuple[str, ...], target: str, sample: str
) -> Iterator[dict]:
    """How far every transferred encoder is above each transferred control, and the best."""
    decoded = {name: Decoded.of(result, target, sample) for name, result in transferred.items()}
    defined = {name: found for name, found in decoded.items() if found is not None}
    others = {name: defined[name].r2_sums() for name in controls if name in defined}
    for name in (name for name in defined if name not in controls and others):
        drawn, own = _Draws.of(transferred[name]), defined[name].r2_sums()
        about = {"encoder": name, "target": target, "sample": sample, "layer": "selected"}
        about |= {"model": "transferred", "metric": "r2_difference"}
        for control, sums in others.items():
            both = np.concatenate([own, sums], axis=-1)
            difference = scores.difference_of(scores.r2_of)
            yield {**about, "baseline": control, **drawn.said(both, difference, None)}
        interval, best = against_best(own, others, scores.r2_of, drawn.draws, drawn.groups)
        yield {
            **about, "baseline": "best control", **_told(interval, len(own), None), "note": best,
        }  # fmt: skip


@dataclass(frozen=True)
class _Draws:
    """Bootstrap draws of a result's held-out clips, the same for all of its scores."""

    groups: np.ndarray
    draws: int

    @classmethod
    def of(cls, result: Result) -> "_Draws":
        return cls(np.asarray(result["predictions"]["group"]), result["spec"]["bootstraps"])

    def said(self, sums: np.ndarray, statistic: scores.Statistic, note: str | None) -> dict:
        """Score with interval, or the note that says why there is none."""
        interval = scores.bootstrap(sums, statistic, groups=self.groups, draws=self.draws)
        return _told(interval, len(sums), note)


def _told(interval: scores.Interval, clips: int, note: str | None) -> dict:
    value, low, high = (float(part) for part in interval)
    if not np.isfinite(value):
        return {"n_clips": clips, "note": note}
    return {"value": value, "ci_low": low, "ci_high": high, "n_clips": clips}


def spread(transferred: Result, ordinary: Result) -> dict[str, dict[str, float]]:
    """Standard deviation of every target over the clips that are scored, and over all clips.

    Of several columns together, the root of their summed variances.
    """
    parts = {"scored": transferred, "all": ordinary}
    return {
        target: {
            name: float(np.sqrt(np.var(result["predictions"]["truth"][target], axis=0).sum()))
            for name, result in parts.items()
        }
        for target in transferred["spec"]["targets"]
    }


def words(found: list[dict]) -> str:
    """First encoder's first target, transferred and by ordinary folds, in words."""
    first = found[0]
    about = {key: first[key] for key in ("encoder", "target", "sample")}
    mine = [row for row in found if about.items() <= row.items() and row["metric"] == "r2"]
    if any(row.get("value") is None for row in mine):
        return f"{first['target']} is undefined"
    scored = ", ".join(f"{row['model']} {row['value']:.3f}" for row in mine)
    return f"R2 of {first['target']} from {first['encoder']}: {scored}"
