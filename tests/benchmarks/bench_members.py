"""Members: what five random networks cost beside one, embedded and fitted by ridge.

    python tests/benchmarks/bench_members.py

The gate: of one member a store of five holds what a store of that member alone does.
"""

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from physprobe.embed import stage as embed
from physprobe.fit import stage as fit
from physprobe.fit.methods import ridge
from physprobe.render import stage as render
from physprobe.simulate import stage as simulate
from physprobe.store import zarrs

CLIPS, SEEDS = 40, (1, 2, 3, 4, 5)


def clips(system: Path, count: int) -> tuple[Path, Path]:
    """Simulation and clips of a small heat system."""
    simulation, films = (system / f"{name}.zarr" / "zarr.json" for name in ("simulation", "clips"))
    simulate.run(out=simulation, spec=json.dumps({"kind": "heat", "clips": count}))
    render.run(simulation=simulation, out=films, spec=json.dumps({"kind": "fields"}))
    return simulation, films


def embedded(system: Path, films: Path, seeds: tuple[int, ...]) -> Path:
    """Embedding by so many random networks."""
    name = "_".join(map(str, seeds))
    out = system / "embeddings" / f"untrained_{name}.zarr" / "zarr.json"
    embed.run(clips=films, out=out, spec=json.dumps({"kind": "untrained", "seeds": seeds}))
    return out


def check() -> str:
    """Gate: members are the single networks, stacked."""
    with tempfile.TemporaryDirectory() as folder:
        system = Path(folder) / "heat"
        _, films = clips(system, 4)
        both, second = (zarrs.read(embedded(system, films, seeds)) for seeds in ((1, 2), (2,)))
        stacked, alone = zarrs.values(both, "pooled")[1], zarrs.values(second, "pooled")
        assert np.array_equal(stacked, alone)
    return "gate: the second of two members is the network of that seed, bit for bit"


def main() -> None:
    """Time both."""
    print(check())
    with tempfile.TemporaryDirectory() as folder:
        system = Path(folder) / "heat"
        simulation, films = clips(system, CLIPS)
        took = {}
        for seeds in (SEEDS[:1], SEEDS):
            begun = time.perf_counter()
            out = embedded(system, films, seeds)
            middle = time.perf_counter()
            result = system / "fits" / f"{out.parent.stem}.ridge.json"
            spec = ridge.Spec(targets=("alpha", "log_alpha")).canonical()
            fit.run(embeddings=[out], simulation=[simulation], out=result, spec=spec)
            took[len(seeds)] = middle - begun, time.perf_counter() - middle
            print(
                f"{len(seeds)} members, {CLIPS} clips: embed {took[len(seeds)][0]:.1f} s,"
                f" ridge {took[len(seeds)][1]:.1f} s, {result.stat().st_size / 1e6:.1f} MB"
            )
        print(f"five members cost {sum(took[5]) / sum(took[1]):.1f} times one")


if __name__ == "__main__":
    main()
