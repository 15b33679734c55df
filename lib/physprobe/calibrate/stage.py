"""Calibrate: run tests on noise and shortcuts, intervals on planted truth, many times over."""

import json
import multiprocessing
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import binomtest, sem, t

from physprobe.calibrate import _chance, _coverage, _noise, _shortcuts
from physprobe.statistics import seeds
from physprobe.statistics.intervals import Interval
from physprobe.store import job, log, results
from physprobe.store.results import Schema

SCHEMA = Schema("calibration", ("test",))
NOMINAL = {
    "rejection_rate": 0.05,
    "coverage": 0.95,
    "chance_level": 0.0,
    "shortcut_refuted": 0.95,
    "shortcut_supported": 0.05,
}
"""Of a shortcut's claim, what is asked at least and at most."""


def run(*, out: Path, spec: str) -> None:
    """Measure how often tests reject noise and intervals hold the truth, and what noise scores.

    And how often a claim of an encoder that knows a planted shortcut is refuted, or supported.

    Parameters
    ----------
    out : Path
        The result: a row per test, per interval and per solver, two per shortcut; ``test`` names
        it. The interval of a rate is that of Clopper and Pearson, of a mean score that of Student.
    spec : str
        JSON of the config's ``calibration``: repetitions of each, and in which worlds intervals
        are tried.
    """
    entry = json.loads(spec)
    noise, planted, chance = entry["noise"], entry["planted"], entry["chance"]
    draw = partial(_planted_draw, worlds=entry["worlds"])
    job.limit_threads(1)  # of each process
    # not forked: a fork of a process with threads can hang
    context = multiprocessing.get_context("spawn")
    with job.at_once(ProcessPoolExecutor(job.current().threads, mp_context=context)) as pool:
        rows = [
            *_rows("rejection_rate", _repeated(_noise_draw, noise, pool, "noise")),
            *_rows("coverage", held(_repeated(draw, planted, pool, "planted truth"))),
            *_levels(_repeated(_chance_draw, chance, pool, "chance levels")),
            *_fooled(_repeated(_shortcut_draw, entry["shortcuts"], pool, "shortcuts")),
        ]
    results.write(
        out,
        schema=SCHEMA,
        spec=entry,
        rows=rows,
        nominal=NOMINAL,
        provenance=job.provenance({}, device="cpu", dtype="float64", threads=job.current().threads),
    )
    worst = max(row["value"] for row in rows if row["metric"] == "rejection_rate")
    covered = [row["value"] for row in rows if row["metric"] == "coverage"]
    log.done(
        f"noise rejected in at most {100 * worst:.1f} % of {noise} draws at 5 %;"
        f" 95 % intervals hold the truth in {100 * min(covered):.1f} to"
        f" {100 * max(covered):.1f} % of {planted}"
    )


def _noise_draw(number: int) -> dict[str, bool]:
    return _noise.rejections(seeds.rng("calibrate", "noise", number))


def _planted_draw(number: int, *, worlds: str = "few") -> dict[str, _coverage.Held]:
    return _coverage.intervals(seeds.rng("calibrate", "planted", number), worlds=worlds)


def _chance_draw(number: int) -> dict[str, np.ndarray]:
    return _chance.levels(seeds.rng("calibrate", "chance", number))


def _shortcut_draw(number: int) -> dict[str, str]:
    return _shortcuts.verdicts(seeds.rng("calibrate", "shortcuts", number))


def held(intervals: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Which intervals (repetition, 4) hold the truth: by default, the mean over repetitions.

    An interval without ends holds nothing.
    """
    found = {}
    for name, (value, low, high, known) in ((name, parts.T) for name, parts in intervals.items()):
        truth = np.where(np.isnan(known), value.mean(), known)
        found[name] = (low <= truth) & (truth <= high)
    return found


def _repeated(
    draw: Callable[[int], Mapping[str, object]], repetitions: int, pool: Executor, what: str
) -> dict[str, np.ndarray]:
    """Outcomes (repetition, ...) of every test, in the processes of a pool."""
    outcomes = pool.map(draw, range(repetitions))
    waiting = log.progress(range(repetitions), f"draws of {what}")
    found = [outcome for _, outcome in zip(waiting, outcomes, strict=False)]
    return (
        {name: np.array([outcome[name] for outcome in found]) for name in found[0]} if found else {}
    )


def _rows(metric: str, outcomes: Mapping[str, np.ndarray]) -> list[dict]:
    rows = []
    for name, happened in outcomes.items():
        test = binomtest(int(happened.sum()), len(happened))
        low, high = test.proportion_ci()
        rows.append(
            {
                "test": name, "metric": metric,
                **Interval(happened.mean(), low, high).columns(),
                "note": f"{len(happened)} repetitions",
            }
        )  # fmt: skip
    return rows


def _fooled(verdicts: Mapping[str, np.ndarray]) -> list[dict]:
    """How often claims on shortcuts are refuted, and supported, from verdicts (repetition,)."""
    return [
        row
        for word in ("refuted", "supported")
        for row in _rows(
            f"shortcut_{word}", {name: found == word for name, found in verdicts.items()}
        )
    ]


def _levels(found: Mapping[str, np.ndarray]) -> list[dict]:
    """Mean scores over repetitions, from scores (repetition, label) of noise."""
    rows = []
    for name, scores in found.items():
        means = scores.mean(1)
        low, high = t.interval(0.95, len(means) - 1, means.mean(), sem(means))
        rows.append(
            {
                "test": name, "metric": "chance_level",
                **Interval(means.mean(), low, high).columns(),
                "null_q95": float(np.quantile(scores, 0.95)),
                "note": f"{len(means)} repetitions of {scores.shape[1]} labels,"
                f" {100 * (scores > 0).mean():.0f} % above 0",
            }
        )  # fmt: skip
    return rows
