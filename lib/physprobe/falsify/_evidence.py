"""Evidence: the results of one study, by encoder and control, as the claims read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from physprobe.statistics import nulls, scores
from physprobe.store import results

Result = Mapping[str, object]


@dataclass(frozen=True)
class Decoded:
    """How well a probe decodes a target from held-out clips."""

    name: str
    """Name of the score, for people."""
    metric: str
    """Its name in rows."""
    sums: np.ndarray
    """(clip, part) what the score follows from."""
    statistic: scores.Statistic
    """From totals (..., part) to the score."""
    chance: float = 0.0
    """Score of the best guess that knows no clip: 0 of R2, about the held-out mean; of accuracy the
    share of the most frequent class."""


@dataclass(frozen=True)
class Evidence:
    """Results of a study's encoders and controls."""

    encoders: tuple[str, ...]
    controls: tuple[str, ...]
    labels: Mapping[str, str]
    """What each embedding is, for people; random weights say ``untrained``."""
    probes: Mapping[str, Result]
    koopman: Mapping[str, Result]
    heads: Mapping[str, Result]
    pixels: tuple[dict, ...] = ()
    """Rows of the linear maps between pixels and encoders; see ``_pixels``."""
    pixel_sums: Mapping[tuple[str, str, str], np.ndarray] = field(default_factory=dict)
    bootstraps: int = 2000
    groups: np.ndarray | None = None
    """(clip,) clips that are drawn together; each on its own if not given."""
    systems: Mapping[str, "Evidence"] = field(default_factory=dict)
    """Of a comparison: the evidence of each of its systems."""

    def of(self, system: str) -> "Evidence":
        """Evidence of one system of a comparison, which knows the others too; all if unnamed."""
        return replace(self.systems[system], systems=self.systems) if system else self

    def row(self, results: Mapping[str, Result], name: str, **where: object) -> dict | None:
        """First row of a result that agrees with what is given, if any."""
        rows = results[name]["rows"] if name in results else ()
        return next(
            (row for row in rows if all(row[key] == value for key, value in where.items())), None
        )

    def probe(self, name: str, target: str, sample: str, metric: str = "r2") -> dict | None:
        """Row of a probe in which the layer too was chosen inside the training clips."""
        return self.row(
            self.probes,
            name,
            target=target,
            sample=sample,
            layer="selected",
            metric=metric,
            time=None,
        )

    def decoded(self, name: str, target: str, sample: str, fixed: bool = False) -> Decoded | None:
        """How well an encoder's probe decodes a target, group by group, if it is defined."""
        found = decoded(self.probes[name], target, sample, fixed=fixed)
        if found is None or self.groups is None:
            return found
        held = self.groups[np.asarray(self.probes[name]["predictions"]["clip"])]
        _, member = np.unique(held, return_inverse=True)
        sums = np.zeros((member.max() + 1, found.sums.shape[1]))
        np.add.at(sums, member, found.sums)
        return replace(found, sums=sums)

    def forecast_errors(self, name: str, horizon: int) -> dict[str, np.ndarray] | None:
        """Squared errors (clip,) at one horizon of the first-order model and of each baseline."""
        forecast = self.koopman[name]["forecast"]
        if not forecast:
            return None
        *_, last = forecast.values()
        if horizon not in last["horizon"]:
            return None
        place = last["horizon"].index(horizon)
        return {
            model: np.asarray(errors, float)[:, place] for model, errors in last["errors"].items()
        }

    def shuffled_null(self, name: str, horizon: int) -> dict:
        """95th percentile and p of skill against persistence, or a note; of time-shuffled fits."""
        *_, layer = self.koopman[name]["forecast"]
        where = {"metric": "skill", "order": 1, "baseline": "persistence", "horizon": horizon}
        row = self.row(self.koopman, name, layer=layer, **where)
        null = {key: row[key] if row else None for key in ("null_q95", "p")}
        return null | {"note": undefined_p(row)}


def decoded(
    probe: Result, target: str, sample: str, layer: str = "selected", fixed: bool = False
) -> Decoded | None:
    """How well a probe decodes a target; by default, layer chosen inside the training clips.

    R2 of a number, or of several columns together, accuracy of a class; None if the target is
    undefined. The sums count what each clip does to the fits that score the others, unless these
    are to be taken as fixed: as they have to be where some clips are scored by themselves.
    """
    predictions = probe["predictions"]
    for block in predictions["held_out"]:
        if (block["target"], block["sample"], block["layer"]) != (target, sample, layer):
            continue
        if "correct" in block:
            right = results.held_out(block, "correct", fixed)
            sums = np.stack([right, np.ones_like(right)], axis=-1)
            _, counts = np.unique(predictions["truth"][target], return_counts=True)
            chance = float(counts.max() / counts.sum())
            return Decoded("accuracy", "accuracy", sums, scores.share_of, chance)
        truth = np.asarray(predictions["truth"][target], float)
        error = results.held_out(block, "squared_error", fixed)
        sums = scores.pooled_r2_sums(truth.reshape(len(error), -1), error)
        return Decoded("R2", "r2", sums, scores.r2_of)
    return None


def told(interval: scores.Interval, note: str) -> dict:
    """Columns of a score with its interval; of one that is undefined the note that says why."""
    value, low, high = (float(part) for part in interval)
    if not np.isfinite(value):
        return {"note": note}
    return {"value": value, "ci_low": low, "ci_high": high}


def against_best(
    first: np.ndarray,
    others: Mapping[str, np.ndarray],
    statistic: scores.Statistic,
    draws: int,
    groups: np.ndarray | None = None,
) -> tuple[scores.Interval, str]:
    """How far a score is above the best of several others, on the same clips.

    The best is found anew in every bootstrap draw, so that choosing it costs what it should.

    Parameters
    ----------
    first : (clip, part)
    others : mapping of str to (clip, part)
    statistic : callable
        Score from totals (..., part).
    draws : int
    groups : (clip,), optional
        Clips of one group are drawn together.

    Returns
    -------
    Interval, str
        Difference with interval, and the name of the best.
    """
    stacked = np.concatenate([first, *others.values()], axis=-1)
    difference = above_best_of(statistic, len(others))
    each = {name: float(statistic(sums.sum(0))) for name, sums in others.items()}
    return scores.bootstrap(stacked, difference, groups=groups, draws=draws), max(
        each, key=each.get
    )


def p_against_best(
    first: np.ndarray,
    others: Mapping[str, np.ndarray],
    statistic: scores.Statistic,
    draws: int,
    margin: float,
) -> float:
    """Two-sided p of what `against_best` measures against a margin."""
    stacked = np.concatenate([first, *others.values()], axis=-1)
    return scores.bootstrap_p(stacked, above_best_of(statistic, len(others)), margin, draws=draws)


def above_best_of(statistic: scores.Statistic, others: int) -> scores.Statistic:
    """How far a score is above the best of several others, from all of their sums side by side."""

    def difference(totals: np.ndarray) -> np.ndarray:
        found = [statistic(part) for part in np.split(totals, 1 + others, axis=-1)]
        return found[0] - np.max(found[1:], axis=0)

    return difference


def verdict(low: float | None, high: float | None, margin: float, p: float | None = 0.0) -> str:
    """Supported if the whole interval is above the margin and p below 0.05, refuted if below.

    A p that is undefined (None) supports nothing; a claim that needs none gives none. Without an
    interval (None or nan) nothing can be told.
    """
    if low is None or high is None or not np.isfinite([low, high]).all():
        return "cannot tell"
    if low > margin and p is not None and p < nulls.LEVEL:
        return "supported"
    return "refuted" if high <= margin else "cannot tell"


def undefined_p(row: Mapping | None) -> str | None:
    """Why a row has no p; None if it has one."""
    if row is None:
        return "no score has a p"
    if row["p"] is not None:
        return None
    told = [part for part in (row.get("note") or "").split("; ") if part.startswith("no permut")]
    return "p is undefined: " + (told[0] if told else "there are no permutations")
