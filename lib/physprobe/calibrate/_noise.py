"""Noise: features that know nothing, through everything that is chosen and tested.

Labels and features are drawn apart from each other, so every rejection is a false one. The tests
are the pipeline's own, selection of layer, scaling, rank and penalty included; only their sizes are
small.
"""

from collections.abc import Callable, Iterator

import numpy as np

from physprobe.discover import linear
from physprobe.falsify import decodable
from physprobe.falsify.onset import Curve
from physprobe.fit.designs import elsewhere
from physprobe.fit.methods import dmd, logistic, ridge, spatial_heat_head
from physprobe.fit.probe import probe
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import families, nulls, splits
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS, TIMES, FEATURES, LAYERS, SIDE = 60, 8, 12, 3, 4
CLAIMS = 10  # of a study
PERMUTATIONS = 99  # with these a test at 5 % rejects in exactly 5 of 100 cases


def rejections(rng: np.random.Generator) -> dict[str, bool]:
    """Which of all tests reject at 5 % in one draw of noise."""
    found: dict[str, bool] = {}
    for test in TESTS:
        found |= dict(test(rng))
    return found


def _noise(rng: np.random.Generator) -> list[np.ndarray]:
    # clips differ in their mean, as embeddings of different clips do
    return [
        rng.normal(size=(CLIPS, TIMES, FEATURES)) + rng.normal(size=(CLIPS, 1, FEATURES))
        for _ in range(LAYERS)
    ]


def _probed(rng: np.random.Generator, target: np.ndarray) -> dict:
    layers = [str(layer) for layer in range(LAYERS)]
    spec = ridge.Spec(targets=("noise",), permutations=PERMUTATIONS, bootstraps=1000)
    folds = splits.nested(np.arange(CLIPS))
    rows, predictions = probe(spec, _noise(rng), layers, {"noise": target}, folds)
    return {"spec": spec.dump(), "rows": rows, "predictions": predictions}


def _ridge(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Probe of noise by permutation of labels; two of them under a claim."""
    target = rng.normal(size=CLIPS)
    probes = {name: _probed(rng, target) for name in ("encoder", "control")}
    for row in probes["encoder"]["rows"]:
        if row["metric"] == "r2" and row.get("time") is None:
            layer = "selected" if row["layer"] == "selected" else "one"
            if row["layer"] in ("selected", "0"):
                yield f"ridge, {row['sample']}, {layer} layer", row["p"] <= 0.05
    evidence = Evidence(
        encoders=("encoder",),
        controls=("control",),
        labels={},
        probes=Fits({name: _named(name, probe) for name, probe in probes.items()}),
        bootstraps=1000,
    )
    curve, beside = (
        Curve(name, _named(name, probe), "noise", "clip") for name, probe in probes.items()
    )
    above = curve.above({"control": beside})
    yield "layerwise, any layer above the control", bool((above.low > 0).any())
    for beyond in ("chance", "controls"):
        claim = decodable.Spec(statement="noise", target="noise", beyond=beyond)
        judged = decodable.line(claim, evidence, "encoder")
        yield f"claim decodable beyond {beyond}", judged["verdict"] == "supported"


def _named(name: str, probe: dict) -> dict:
    return {
        **probe,
        "rows": [SCHEMAS["probe"].row(**row | {"encoder": name}) for row in probe["rows"]],
    }


def _logistic(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Probe of classes that are noise, by permutation of labels."""
    target, folds = rng.integers(0, 2, CLIPS), splits.nested(np.arange(CLIPS))
    spec = logistic.Spec(
        targets=("noise",), samples=("clip",), permutations=PERMUTATIONS, bootstraps=100
    )
    layers = [str(layer) for layer in range(LAYERS)]
    rows, _ = probe(spec, _noise(rng), layers, {"noise": target}, folds)
    for row in rows:
        if row["metric"] in ("accuracy", "auc") and row["layer"] == "selected":
            yield f"logistic, {row['metric']}, selected layer", row["p"] <= 0.05


def _transfer(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Probe of noise that is fitted to the lower labels and tried on the top fifth of them."""
    target, clips = rng.normal(size=CLIPS), np.arange(CLIPS)
    spec = ridge.Spec(
        targets=("noise",), samples=("clip",), permutations=PERMUTATIONS, bootstraps=100
    )
    inside, _ = elsewhere.within({"noise": target}, {"noise": (0.8, 1.0)})
    fold = elsewhere.apart(splits.nested(clips), clips, inside, spec)
    layers = [str(layer) for layer in range(LAYERS)]
    rows, _ = probe(
        spec, _noise(rng), layers, {"noise": target}, (fold,), strata=inside.astype(int)
    )
    for row in rows:
        if row["metric"] == "r2" and row["layer"] == "selected":
            yield "ridge, transferred to the top fifth", row["p"] <= 0.05


def _dmd(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Dynamics of noise that is the same in any order of time, against shuffled fits."""
    spec = dmd.Spec(
        components=8, ranks=(4, 8), horizons=(1, 2), orders=(1,), shuffles=PERMUTATIONS,
        bootstraps=100, spectra=100,
    )  # fmt: skip
    folds = splits.nested(np.arange(CLIPS))
    rows, _ = dmd.dynamics(
        spec, [_noise(rng)[0]], {}, folds, layers=["final"], times=list(map(float, range(TIMES)))
    )
    for row in rows:
        about = row["metric"], row.get("order"), row.get("baseline"), row.get("horizon")
        if about == ("skill", 1, "persistence", 1):
            yield "dmd, skill by time shuffle", row["p"] <= 0.05


def _head(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Spatial head with a label that has nothing to do with the tokens."""
    spec = spatial_heat_head.Spec(
        horizons=(1,), permutations=PERMUTATIONS, bootstraps=100, refits=100
    )
    tokens = rng.normal(size=(CLIPS, TIMES, SIDE, SIDE, 4)).cumsum(1)
    labels = {"alpha": rng.uniform(0.5, 5, CLIPS)}
    folds = splits.nested(np.arange(CLIPS))
    rows, _ = spatial_heat_head.head(spec, tokens, labels, folds)
    for row in rows:
        if row.get("p") is not None and row.get("horizon") in (None, 1):
            yield f"spatial head, {row['metric']}, {row.get('model')}", row["p"] <= 0.05


def _family(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """A study of claims, all of them on noise: whether any is told, in either direction."""
    folds = splits.nested(np.arange(CLIPS))
    # labels of one study hang together
    labels = rng.normal(size=(CLIPS, CLAIMS)) + rng.normal(size=(CLIPS, 1))
    targets = {str(number): label for number, label in enumerate(labels.T)}
    spec = ridge.Spec(
        targets=tuple(targets), samples=("clip",), permutations=1, bootstraps=100,
        scalings=("none",),
    )  # fmt: skip
    probes = {}
    for name in ("encoder", "control"):
        rows, predictions = probe(spec, _noise(rng)[:1], ["0"], targets, folds)
        found = {"spec": spec.dump(), "rows": rows, "predictions": predictions}
        probes[name] = _named(name, found)
    evidence = Evidence(
        encoders=("encoder",), controls=("control",), labels={}, probes=Fits(probes)
    )
    lines = [
        decodable.line(decodable.Spec(statement="noise", target=target), evidence, "encoder")
        for target in targets
    ]
    family = families.holm([line["p_margin"] for line in lines], nulls.LEVEL)
    yield f"any of {CLAIMS} claims of a study", bool((family.p < nulls.LEVEL).any())


TESTS: tuple[Callable, ...] = (
    _ridge, _logistic, _transfer, _dmd, _head, _family, linear.rejections,
)  # fmt: skip
