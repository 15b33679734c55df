"""Members: what five random networks cost beside one, embedded and fitted by ridge.

python tests/benchmarks/bench_members.py
"""

import json
import tempfile
import time
from pathlib import Path

from physprobe.embed import stage as embed
from physprobe.fit import stage as fit
from physprobe.fit.methods import ridge
from physprobe.render import stage as render
from physprobe.simulate import stage as simulate

CLIPS = 40


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        system = Path(folder) / "heat"
        paths = {name: system / f"{name}.zarr" / "zarr.json" for name in ("simulation", "clips")}
        simulate.run(out=paths["simulation"], spec=json.dumps({"kind": "heat", "clips": CLIPS}))
        render.run(
            simulation=paths["simulation"], out=paths["clips"], spec=json.dumps({"kind": "fields"})
        )
        for seeds in ([1], [1, 2, 3, 4, 5]):
            name = f"untrained_{len(seeds)}"
            out = system / "embeddings" / f"{name}.zarr" / "zarr.json"
            begun = time.perf_counter()
            spec = json.dumps({"kind": "untrained", "seeds": seeds})
            embed.run(clips=paths["clips"], out=out, spec=spec)
            embedded = time.perf_counter()
            result = system / "fits" / f"{name}.ridge.json"
            fit.run(
                embeddings=[out],
                simulation=[paths["simulation"]],
                out=result,
                spec=ridge.Spec(targets=("alpha", "log_alpha")).canonical(),
            )
            fitted = time.perf_counter()
            size = result.stat().st_size / 1e6
            print(
                f"{len(seeds)} of {CLIPS} clips: embed {embedded - begun:.1f} s,"
                f" ridge {fitted - embedded:.1f} s, {size:.1f} MB"
            )


if __name__ == "__main__":
    main()
