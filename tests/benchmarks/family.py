"""Family: how often the default study tells anything false of noise.

The claims, encoders, controls and methods are those of ``config.yaml``; embeddings, tokens and
labels are independent noise, 60 clips of 8 times, and are written, fitted and judged as those of a
real run are. Fewer permutations and draws than there: p below 0.05 takes 39. That an embedding is
no linear function of the pixels is true of noise, so this claim is left out. Not timed, and no part
of ``make bench``:

    python tests/benchmarks/family.py 200
"""

import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.stats import binomtest

from physprobe.config import config_files
from physprobe.config.pipeline import Pipeline
from physprobe.falsify import stage as falsify
from physprobe.fit import stage as fit
from physprobe.statistics import seeds
from physprobe.store import results

sys.path.insert(0, str(Path(__file__).parents[1]))

from planted import store

STUDY = "heat"
CLIPS, TIMES, FEATURES, GRID = 60, 8, 12, 3
FEWER = {
    "ridge": {"permutations": 39, "bootstraps": 1000},
    "dmd": {"shuffles": 39, "spectra": 100, "bootstraps": 1000},
    "spatial_heat_head": {"permutations": 39, "refits": 100, "bootstraps": 1000},
}
TRUE_OF_NOISE = ("beyond_pixels",)


def noise(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Noise of all clips, as embeddings keep numbers."""
    return rng.normal(size=(CLIPS, *shape)).astype("f4")


def verdicts(
    pipeline: Pipeline, rng: np.random.Generator, folder: Path, planted: bool = False
) -> list[dict]:
    """Lines of the study's claims, read off noise; planted, its encoders know alpha."""
    config, home = pipeline.config, folder / STUDY
    study = config.studies[STUDY]
    methods = {name: config.methods[name] for name in study.methods}
    labels = {
        name: (("clip",), rng.normal(size=CLIPS), {}) for name in ("alpha", "sigma", "x0", "y0")
    }
    labels["alpha"] = (("clip",), rng.uniform(0.5, 5, CLIPS), {})
    fields = {"field": (("clip", "x"), np.ones((CLIPS, 1), "f4"))}
    given: dict[str, list[Path]] = {
        "simulation": [store(home / "simulation.zarr/zarr.json", fields, labels, {})],
        "embeddings": [],
        "fits": [],
    }  # fmt: skip
    times = {"time": (("time",), 0.5 + np.arange(TIMES), {"units": "s"})}
    entries = {**config.encoders, **config.controls}
    for name in (*study.encoders, *study.controls):
        entry = entries[name]
        if entry.kind == "equation":
            continue
        layers = ("0", "final") if name in study.encoders else ("final",)
        coords = {"layer": (("layer",), np.array(layers), {}), **times}
        pooled = noise(rng, len(layers), TIMES, FEATURES)
        if planted and name in study.encoders:
            pooled[..., 0] += labels["alpha"][1][:, None, None]
        variables = {"pooled": (("clip", "layer", "time", "feature"), pooled)}
        if "tokens" in entry.dump() and entry.tokens:
            tokens = noise(rng, TIMES, GRID, GRID, FEATURES)
            variables["tokens_final"] = (("clip", "time", "y", "x", "feature"), tokens)
        out = home / f"embeddings/{name}.zarr/zarr.json"
        about = {"spec": entry.dump() | {"components": None}, "label": name, "role": "rival"}
        given["embeddings"].append(store(out, variables, coords, about))
        for method, spec in methods.items():
            if spec.kind == "spatial_heat_head" and len(variables) == 1:
                continue
            out = home / "fits" / f"{name}.{method}.json"
            fewer = spec.model_copy(update=FEWER[spec.kind])
            stores = {"embeddings": given["embeddings"][-1:], "simulation": given["simulation"]}
            fit.run(**stores, out=out, spec=fewer.canonical())
            given["fits"].append(out)
    judged = json.loads(study.canonical())
    judged["controls"] = [name for name in study.controls if entries[name].kind != "equation"]
    out = home / "verdicts.json"
    falsify.run(**given, out=out, spec=json.dumps(judged))
    return results.read(out, "verdicts")["claims"]


def check(pipeline: Pipeline) -> str:
    """Gate: claims on alpha are supported where encoders know it, so that none is a finding."""
    with tempfile.TemporaryDirectory() as folder:
        rng = seeds.rng("family", "planted")
        lines = verdicts(pipeline, rng, Path(folder), planted=True)
    told = {line["verdict"] for line in lines if line["claim"].startswith("alpha_beyond")}
    if told != {"supported"}:
        raise SystemExit(f"gate: of encoders that know alpha claims are {', '.join(told)}")
    return "gate: where encoders know alpha, that they are above all controls is supported"


def main(studies: int) -> None:
    """Print how often each claim, and any claim of a study, is supported."""
    pipeline = Pipeline(config_files.gather([Path("config.yaml")]))
    print(check(pipeline))
    told: Counter[str] = Counter()
    for number in range(studies):
        rng = seeds.rng("family", "noise", number)
        with tempfile.TemporaryDirectory() as folder:
            lines = verdicts(pipeline, rng, Path(folder))
        lines = [line for line in lines if line["claim"] not in TRUE_OF_NOISE]
        supported = {f"{each['claim']}, {each['encoder']}" for each in lines
                     if each["verdict"] == "supported"}  # fmt: skip
        alone = any(each["p_margin"] is not None and each["p_margin"] < 0.05
                    and each["value"] > 0 for each in lines)  # fmt: skip
        told.update(supported)
        told["any claim"] += bool(supported)
        told["any interval above its margin, by itself"] += alone
        print(f"{number + 1}: {', '.join(sorted(supported)) or 'none'}", flush=True)
    for name, count in sorted(told.items()):
        low, high = binomtest(count, studies).proportion_ci()
        print(f"{name}: {count} of {studies} [{100 * low:.1f}, {100 * high:.1f}] %")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 200)
