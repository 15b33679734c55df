"""Tiny studies: whatever number of clips the config accepts runs to its end, undefined or not."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import planted
import pytest

from physprobe.config import kinds
from physprobe.drawing import canvas
from physprobe.embed import pixels
from physprobe.falsify import stage as falsify
from physprobe.falsify.entries import Study
from physprobe.fit import stage as fit
from physprobe.layouts import stage as layouts
from physprobe.simulate import heat_published
from physprobe.store import results

TIMES, SIDE = 8, 4
PROBES = {
    "ridge": {"kind": "ridge", "targets": ["alpha", "log_alpha"]},
    "logistic": {"kind": "logistic", "targets": ["stable"], "samples": ["clip"]},
}
CLAIMS = {
    "chance": {"kind": "decodable", "target": "alpha", "beyond": "chance"},
    "controls": {"kind": "decodable", "target": "alpha"},
    "forecast": {"kind": "forecast"},
    "forecast_more": {"kind": "forecast", "beyond": "controls"},
    "conditioned": {"kind": "conditioned"},
    "zero_sum": {"kind": "conditioned", "family": "zero_sum"},
    "order": {"kind": "order"},
    "pixels": {"kind": "beyond_pixels"},
}
PIXELS = pixels.Spec(size=16, color="gray").dump()


@pytest.fixture(autouse=True)
def drawn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Panels are made of every study, and the picture of them of the smallest one alone."""
    if not request.node.name.endswith("[5]"):
        monkeypatch.setattr(canvas, "encoded", lambda *_, forms, **__: [b"picture"] * len(forms))


def written(root: Path, variables: Mapping, coords: Mapping, attrs: Mapping) -> Path:
    return planted.store(root / "zarr.json", variables, coords, attrs)


def embedded(folder: Path, name: str, pooled: np.ndarray) -> Path:
    rng = np.random.default_rng(len(name))
    cells = pooled[:, :, None, None] + rng.normal(size=(*pooled.shape[:2], SIDE, SIDE, 1))
    return written(
        folder / "embeddings" / f"{name}.zarr",
        {
            "pooled": (("clip", "layer", "time", "feature"), pooled[:, None].astype("f4")),
            "tokens_final": (("clip", "time", "y", "x", "feature"), cells.astype("f4")),
        },
        {
            "layer": (("layer",), np.array(["final"]), {}),
            "time": (("time",), np.arange(TIMES, dtype=float), {"units": "s"}),
        },
        {"label": name, "spec": PIXELS if name.startswith("pixels") else {"kind": "any"}},
    )


def judged(folder: Path, labels: Mapping, features: Mapping, kind: str = "ridge") -> dict:
    """Verdicts on a study whose embeddings are given, by the real stages."""
    folder = folder / "tiny"
    field = np.random.default_rng(0).normal(size=(len(labels["alpha"]), TIMES, 4, 4))
    simulation = written(
        folder / "simulation.zarr",
        {"temperature": (("clip", "time", "y", "x"), field.astype("f4"))},
        {
            "time": (("time",), np.arange(TIMES, dtype=float), {"units": "s"}),
            **{name: (("clip",), np.asarray(values), {}) for name, values in labels.items()},
        },
        {"field": "temperature"},
    )
    draws = {"permutations": 20, "bootstraps": 100, "outer": 2, "inner": 2}
    specs = {
        kind: {**PROBES[kind], **draws},
        "dmd": {
            "kind": "dmd", "shuffles": 20, "bootstraps": 100, "spectra": 100, "outer": 2,
            "inner": 2, "ranks": [3], "components": 4,
        },
        "spatial_heat_head": {
            "kind": "spatial_heat_head", "refits": 100, "horizons": [1], **draws
        },
    }  # fmt: skip
    fits = []
    embeddings = [embedded(folder, name, values) for name, values in features.items()]
    for path in embeddings:
        for method, spec in specs.items():
            if method == "spatial_heat_head" and path.parent.stem != "small":
                continue
            fits.append(folder / "fits" / f"{path.parent.stem}.{method}.json")
            validated = kinds.load("fit/methods", spec["kind"]).Spec.model_validate(spec)
            fit.run(
                embeddings=[path], simulation=[simulation], out=fits[-1], spec=validated.canonical()
            )
    study = Study(
        system="tiny",
        encoders=["small"],
        controls=[name for name in features if name != "small"],
        methods=list(specs),
        claims={name: {"statement": name, **claim} for name, claim in CLAIMS.items()},
    ).canonical()
    out = folder.parent / "study" / "verdicts.json"
    given = {"fits": fits, "embeddings": embeddings, "simulation": [simulation], "spec": study}
    falsify.run(**given, out=out)
    video = np.zeros((len(labels["alpha"]), TIMES, 4, 4, 3), np.uint8)
    seconds = {"time": (("time",), np.arange(TIMES, dtype=float), {"units": "s"})}
    films = written(
        folder / "clips.zarr", {"video": (("clip", "time", "y", "x", "rgb"), video)}, seconds, {}
    )
    for form in ("pixel_falsification", "fit") if kind == "ridge" else ("pixel_falsification",):
        files = [out.parent / name for name in kinds.load("layouts", form).FILES]
        layouts.run(kind=form, **given, clips=[films], verdicts=out, out=files)
        (summary,) = (path for path in files if path.suffix == ".txt")
        assert "nan" not in summary.read_text()
    return results.read(out)


def noise(clips: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(clips)
    return {
        name: rng.normal(size=(clips, TIMES, 5)).cumsum(1) for name in ("small", "pixels_gray16")
    }


def check(found: dict) -> None:
    """Every claim is there; one without an interval, or without a p that it needs, says why."""
    assert [claim["claim"] for claim in found["claims"]] == list(CLAIMS)
    for claim in found["claims"]:
        if claim["value"] is None or claim["ci_low"] is None:
            assert claim["verdict"] == "cannot tell" and claim["note"], claim
        assert (claim["ci_low"] is None) == (claim["ci_high"] is None), claim


@pytest.mark.parametrize("clips", [5, 9, 10, 15, 16])
def test_a_published_study_of_any_size_is_judged(tmp_path: Path, clips: int):
    """As with `heat_published: {clips: 10}`: 2 clips are held out, and draws of one have no R2."""
    labels = heat_published.draw(heat_published.Spec(clips=clips))
    check(judged(tmp_path, labels, noise(clips)))


@pytest.mark.parametrize("stable", [0, 1])
def test_clips_that_are_all_stable_or_none_leave_a_stratum_undefined(tmp_path: Path, stable: int):
    labels = {"alpha": np.linspace(0.5, 5, 12), "stable": np.full(12, stable)}
    found = judged(tmp_path, labels, noise(12))
    check(found)
    empty = "unstable clips" if stable else "stable clips"
    rows = [row for row in found["rows"] if row["metric"] == "r2_stratum"]
    assert rows and all((row["value"] is None) == (row["stratum"] == empty) for row in rows)


def test_a_label_that_is_constant_can_not_be_judged(tmp_path: Path):
    labels = {"alpha": np.full(12, 2.0), "stable": np.arange(12) % 2}
    found = judged(tmp_path, labels, noise(12))
    check(found)
    verdicts = {claim["claim"]: claim["verdict"] for claim in found["claims"]}
    assert {verdicts[name] for name in ("chance", "controls", "conditioned")} == {"cannot tell"}


@pytest.mark.parametrize("name", ["small", "pixels_gray16"])
def test_features_that_are_constant_are_refused_with_a_hint(tmp_path: Path, name: str):
    features = noise(12)
    features[name] = np.ones_like(features[name])
    labels = {"alpha": np.linspace(0.5, 5, 12)}
    with pytest.raises(ValueError, match=r"all 5 are constant .* Hint: look at the embedding"):
        judged(tmp_path, labels, features)


def test_classes_that_a_fold_lacks_are_undefined_with_a_note(tmp_path: Path):
    """One clip of the second class: some training clips have none of it."""
    labels = {"alpha": np.linspace(0.5, 5, 12), "stable": (np.arange(12) == 3).astype(int)}
    check(judged(tmp_path, labels, noise(12), "logistic"))
