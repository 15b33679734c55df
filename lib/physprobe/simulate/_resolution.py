"""Resolution: by how much fields change when they are solved in shorter steps, or on finer grids.

Of each trajectory, from one initial condition, with f(t) its fields as they are stored:

    error(t) = rms_f rms_yx (f(t) - f'(t)) / sd(f')

where f' is solved in the most steps, or on the finest grid, and sd is the deviation over all cells
and times. Fields that are constant are left out. Of a finer grid the steps are those that it
takes, which are no longer.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physprobe.config import kinds
from physprobe.simulate.section import Kind
from physprobe.statistics import seeds
from physprobe.store import job, log, results
from physprobe.store.results import Schema

SCHEMA = Schema("resolution", ("refined", "times", "trajectory", "field", "time"))
WAYS = {"steps": "finer", "grid": "cells"}
"""What is refined, and the argument of ``trajectory`` that says how many times."""
CONSTANT = 1e-6  # deviation of a field that is left out, in parts of its largest value


def run(*, out: Path, spec: str) -> None:
    """Solve trajectories of a system again, in more steps and on finer grids.

    Parameters
    ----------
    out : Path
        The result: errors of all fields together by time, and of each field at the last time.
    spec : str
        JSON of the system's ``simulate``, and of how many trajectories are solved again, and how.
    """
    entry = json.loads(spec)
    system: Kind
    system, simulate = kinds.parse("simulate", json.dumps(entry["simulate"]))
    labels = system.draw(simulate)
    simulate = simulate.model_copy(update={"length": entry["length"]})
    times = np.arange(entry["length"]) * simulate.interval
    channels = [str(name) for name in system.coords(simulate)["channel"]]
    rows = []
    for number in log.progress(range(entry["trajectories"]), "trajectories"):
        clip = int(np.flatnonzero(labels["trajectory"] == number)[0])
        own = {name: float(values[clip]) for name, values in labels.items()}
        first = solution(system, simulate, own, number)
        for way, argument in WAYS.items():
            solved = {1: first} | {
                each: solution(system, simulate, own, number, **{argument: each})
                for each in entry["finer"]
            }
            where = {"trajectory": number, "refined": way}
            rows += [{**where, **row} for row in errors(solved, times, channels)]
    results.write(
        out,
        schema=SCHEMA,
        of={"system": out.absolute().parent.name},
        spec=entry,
        rows=rows,
        fluid=simulate.kind,
        unit=system.DIMENSIONS["time"],
        provenance=job.provenance({}, device="cpu", dtype="float64", threads=1),
    )
    worst = {way: max(row["value"] for row in rows if row["refined"] == way) for way in WAYS}
    log.done(
        f"{out}: {entry['trajectories']} trajectories of {len(times)} frames change by up to"
        f" {worst['steps']:.1e} in more steps, {worst['grid']:.1e} on finer grids"
    )


def solution(
    system: Kind, spec: Any, own: Mapping[str, float], number: int, **finer: int
) -> np.ndarray:
    """A trajectory (time, y, x, channel) of the system's data set, perhaps more finely solved."""
    rng = seeds.rng(spec.kind, spec.seed, "initial", number)
    return system.trajectory(spec, own, rng, **finer)


def errors(
    solved: Mapping[int, np.ndarray], times: np.ndarray, channels: Sequence[str]
) -> Iterator[dict]:
    """Rows of one trajectory.

    Parameters
    ----------
    solved : mapping of int to (time, y, x, channel)
        By how many times as fine it was solved.
    times : (time,)
    channels : sequence of str
    """
    right = solved[max(solved)].astype(float)
    deviation = right.std((0, 1, 2))
    varies = deviation > CONSTANT * np.abs(right).max((0, 1, 2))
    for each, found in sorted(solved.items())[:-1]:
        apart = np.sqrt(((found - right) ** 2).mean((1, 2)))[:, varies] / deviation[varies]
        about = {"times": each, "metric": "relative_error"}
        together = np.sqrt((apart**2).mean(1))
        for time, value in zip(times, together, strict=True):
            yield {**about, "field": "all", "time": time, "value": value}
        for channel, value in zip(np.array(channels)[varies], apart[-1], strict=True):
            yield {**about, "field": str(channel), "time": times[-1], "value": value}
