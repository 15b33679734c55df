"""Memory and time of every stage at 200, 800 and 3,200 small clips, and what 10,000 would take.

Each stage runs as a process of its own, as a rule runs it. ``anonymous`` is memory that nobody can
take back, the peak of samples; ``resident`` also counts files that are mapped. Slopes are between
the two larger numbers of clips; time is of the processor, whoever else is busy. With ``full`` as
first argument clips are those of the heat study, 64 frames of 256 px, and the encoder is the
one that ships: 3,200 of them need half an hour of a core, and 16 GB of ``TMPDIR``.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from physprobe.statistics import ridge, splits

COUNTS = (200, 800, 3200)
FAR = 10_000
SPECS = {
    "simulate": {"kind": "heat", "frames": 16, "size": 32, "sigma": [2.0, 3.2]},
    "render": {"kind": "fields"},
    "embed": {
        "kind": "untrained", "seeds": [1], "hidden_size": 64, "num_hidden_layers": 2,
        "patch_size": 8, "crop_size": 32, "tokens": ["final"], "batch": 16,
    },
    "ridge": {"kind": "ridge", "targets": ["log_alpha", "sigma"], "permutations": 200},
    "attentive": {
        "kind": "attentive", "targets": ["log_alpha"], "samples": ["space_time"], "rates": [0.1],
        "epochs": [4], "permutations": 1, "bootstraps": 100, "outer": 2, "inner": 2,
    },
    "head": {
        "kind": "spatial_heat_head", "permutations": 20, "refits": 100, "horizons": [1, 4],
        "bootstraps": 100,
    },
}  # fmt: skip
"""Fields of 32 px in 16 frames; eight token times of 16 places and 64 features, in four layers."""
FULL = {
    "simulate": {"kind": "heat"},
    "render": {"kind": "fields"},
    "embed": {"kind": "huggingface", "model": "physprobe/small", "tokens": ["final"]},
    "ridge": {"kind": "ridge", "targets": ["alpha", "log_alpha", "sigma", "x0", "y0"]},
}
"""64 frames of 256 px; 32 token times of 256 places and 128 features, in nine layers."""
ROOM = "import physprobe.store.scratch as scratch; scratch.LARGE = 2**20; "
"""In the processes large arrays go to files from 1 MB on, as those of 10,000 real clips would."""


class Cost(NamedTuple):
    """What one stage took."""

    seconds: float
    """Of the processor."""
    anonymous: float
    """[MB]"""
    resident: float
    """[MB]"""


def paths(folder: Path, stage: str) -> list[str]:
    """Options that name stores."""
    simulation, clips, embeddings = (
        str(folder / name / "zarr.json")
        for name in ("simulation.zarr", "clips.zarr", "embeddings/small.zarr")
    )
    fit = ["--embeddings", embeddings, "--simulation", simulation]
    known = {
        "simulate": ["--out", simulation],
        "render": ["--simulation", simulation, "--out", clips],
        "embed": ["--clips", clips, "--out", embeddings],
    }
    return known.get(stage, [*fit, "--out", str(folder / f"fits/small.{stage}.json")])


def cost(folder: Path, stage: str, spec: dict, count: int, room: str) -> Cost:
    """Run a stage, and see what it takes."""
    spec = {**spec, **({"clips": count} if stage == "simulate" else {})}
    command = stage if stage in ("simulate", "render", "embed") else "fit"
    options = [command, *paths(folder, stage), "--spec", json.dumps(spec)]
    program = room + "import sys; from physprobe.__main__ import main; sys.exit(main())"
    log, write = folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    child = os.posix_spawn(
        sys.executable, [sys.executable, "-c", program, *options], os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, 2, str(log), write, 0o644)],
    )  # fmt: skip
    most = 0
    while True:
        ended, status, used = os.wait4(child, os.WNOHANG)
        if ended:
            break
        most = max(most, anonymous(child))
        time.sleep(0.02)
    if status:
        raise SystemExit(f"{stage} of {count} clips: {log.read_text()[-500:]}")
    return Cost(used.ru_utime + used.ru_stime, most / 1e3, used.ru_maxrss / 1e3)


def anonymous(process: int) -> int:
    """Memory of a process that is in no file [kB]; 0 once it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("RssAnon")), 0)


def slope(found: dict[int, Cost], place: int) -> float:
    """More of it per clip, between the two larger numbers of clips."""
    few, many = sorted(found)[-2:]
    return (found[many][place] - found[few][place]) / (many - few)


def check() -> str:
    """Gate: errors of the inner folds without matrices of clips are those with them."""
    rng = np.random.default_rng(0)
    fold = splits.nested(np.arange(60))[0]
    centred, labels = ridge.centre(rng.normal(size=(60, 2, 8)), fold), rng.normal(size=(60, 5))
    ((_, primal),) = ridge.solvers(centred, ridge.blocks_of(fold), ["none"])
    ways = primal._by_columns, primal._by_clips
    one, other = (way(labels[fold.train], ridge.PENALTIES) for way in ways)
    gap = float(np.abs(one / other - 1).max())
    if not gap <= 1e-9:
        raise SystemExit(f"gate: errors with and without matrices of clips differ by {gap:.1e}")
    return f"gate: errors with and without matrices of clips agree to {gap:.1e}"


def main(counts: tuple[int, ...] = COUNTS, full: bool = False) -> None:
    """Print a table, and last how much the hungriest stage grows over the numbers of clips."""
    print(check())
    specs, room = (FULL, "") if full else (SPECS, ROOM)
    found: dict[str, dict[int, Cost]] = {stage: {} for stage in specs}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            for stage, costs in found.items():
                costs[count] = cost(Path(folder), stage, specs[stage], count, room)
                print(f"{stage:10} {count:6} clips  {costs[count].seconds:7.1f} s"
                      f"  anonymous {costs[count].anonymous:6.0f} MB"
                      f"  resident {costs[count].resident:6.0f} MB", flush=True)  # fmt: skip
    print(f"{'stage':10} {'ms/clip':>9} {'kB/clip':>9}  {FAR} clips")
    for stage, costs in found.items():
        last, more = costs[max(costs)], FAR - max(costs)
        seconds, memory = (slope(costs, place) for place in (0, 1))
        print(
            f"{stage:10} {1e3 * seconds:9.2f} {1e3 * memory:9.1f}"
            f"  {last.seconds + more * seconds:7.0f} s {last.anonymous + more * memory:7.0f} MB"
        )
    few, many = min(counts), max(counts)
    grown = {s: costs[many].anonymous / costs[few].anonymous for s, costs in found.items()}
    worst = max(grown, key=lambda stage: grown[stage])
    print(f"ratio: memory at {many} / at {few} clips = {grown[worst]:.2f} ({worst})")


if __name__ == "__main__":
    asked = sys.argv[1:]
    main(tuple(int(each) for each in asked if each != "full") or COUNTS, full="full" in asked)
