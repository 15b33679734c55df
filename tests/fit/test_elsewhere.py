"""Transfer: what holds elsewhere is carried over, what doesn't is not, nothing held out is seen."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge as Peer

from physprobe.falsify import stage as falsify
from physprobe.falsify.entries import Study
from physprobe.fit import stage
from physprobe.fit.designs import elsewhere
from physprobe.fit.methods import logistic
from physprobe.fit.methods.ridge import Spec
from physprobe.fit.probe import probe
from physprobe.statistics import splits
from physprobe.store import results, writing, zarrs

CLIPS, TIMES, FEATURES = 80, 2, 12
RNG = np.random.default_rng(3)
ALPHA, SIGMA = RNG.uniform(0.5, 5, CLIPS), RNG.uniform(5, 20, CLIPS)
AXES = RNG.normal(size=(4, FEATURES))
SPEC = {"permutations": 19, "bootstraps": 200, "targets": ("alpha",), "samples": ("clip",)}


def noise(seed: int, size: float = 0.2) -> np.ndarray:
    return size * np.random.default_rng(seed).normal(size=(CLIPS, 2, TIMES, FEATURES))


def linear(axis: int, seed: int) -> np.ndarray:
    """Features whose second layer holds alpha along one direction."""
    pooled = noise(seed)
    pooled[:, 1] += (ALPHA[:, None] * AXES[axis])[:, None]
    return pooled


def tuned(seed: int) -> np.ndarray:
    """Features that each respond to a narrow range of alpha, and to nothing beyond it."""
    centres = np.linspace(0.5, 5, FEATURES)
    response = np.exp(-0.5 * ((ALPHA[:, None] - centres) / 0.4) ** 2)
    return noise(seed, 0.01) + response[:, None, None]


def written(root: Path, name: str, dims: tuple, values: np.ndarray, coords: dict, **attrs) -> Path:
    out = root / "zarr.json"
    with writing.create(
        out,
        variables={name: writing.Variable(dims, values.shape, str(values.dtype))},
        coords=coords,
        attrs={"spec": {"kind": "any"}, "label": "untrained, planted", **attrs},
        fingerprint={},
        block=CLIPS,
    ) as store:
        store.fill(lambda block: {name: values[block]})
    return out


def system(
    folder: Path, pooled: np.ndarray, encoder: str = "tiny", **labels: np.ndarray
) -> dict[str, Path]:
    """Stores of one rendering."""
    root = folder / "embeddings" / f"{encoder}.zarr"
    coords = {
        "layer": (("layer",), np.array(["0", "final"]), {}),
        "time": (("time",), 0.5 + np.arange(TIMES), {"units": "s"}),
    }
    named = {"alpha": ALPHA, "sigma": SIGMA, **labels}
    units = {"alpha": {"units": "px^2/s"}}
    dims = ("clip", "layer", "time", "feature")
    return {
        "embeddings": written(root, "pooled", dims, pooled.astype("f4"), coords),
        "simulation": written(
            folder / "simulation.zarr",
            "field",
            ("clip", "x"),
            np.ones((CLIPS, 1), "f4"),
            {name: (("clip",), values, units.get(name, {})) for name, values in named.items()},
        ),
    }


def listed(*systems: dict[str, Path]) -> dict[str, list[Path]]:
    return {key: [found[key] for found in systems] for key in ("embeddings", "simulation")}


def transferred(out: Path, *systems: dict[str, Path], region=None, **spec) -> dict:
    text = Spec(**{**SPEC, **spec}).canonical()
    design = elsewhere.Spec(region=region or {}).canonical()
    stage.run(**listed(*systems), out=out, spec=text, design=design)
    return results.read(out)


def ordinary(out: Path, found: dict[str, Path], **spec) -> dict:
    stage.run(**listed(found), out=out, spec=Spec(**{**SPEC, **spec}).canonical())
    return results.read(out)


def row(found: dict, **where) -> dict:
    where = {"metric": "r2", "time": None, "layer": "selected", **where}
    return next(r for r in found["rows"] if all(r.get(key) == where[key] for key in where))


def test_what_both_renderings_hold_alike_is_carried_over_and_what_one_holds_is_not(tmp_path):
    home = system(tmp_path / "home", linear(0, 1))
    alike = system(tmp_path / "alike", linear(0, 2))
    other = system(tmp_path / "other", linear(1, 3))
    kept = transferred(tmp_path / "kept.json", alike, home)
    assert row(kept)["value"] > 0.95 and row(kept)["p"] == pytest.approx(0.05)
    assert row(kept)["n_clips"] == CLIPS and kept["predictions"]["clip"] == list(range(CLIPS))
    lost = transferred(tmp_path / "lost.json", other, home)
    assert row(lost)["value"] < 0.3
    assert row(ordinary(tmp_path / "other.json", other))["value"] > 0.95
    assert kept["provenance"]["inputs"]["embeddings 1"] == zarrs.digest(home["embeddings"])
    assert kept["setting"]["training_clips"] == [CLIPS * 4 // 5] * 5


def test_tuning_curves_interpolate_and_do_not_extrapolate_but_a_line_does(tmp_path):
    scores = {}
    for name, pooled in {"line": linear(0, 1), "tuned": tuned(2)}.items():
        found = system(tmp_path / name, pooled)
        top = transferred(tmp_path / f"{name}.json", found, region={"alpha": [0.8, 1.0]})
        edge = np.quantile(ALPHA, 0.8)
        clips = np.array(top["predictions"]["clip"])
        assert clips.tolist() == np.flatnonzero(edge <= ALPHA).tolist()
        assert top["setting"]["training_clips"] == [CLIPS - len(clips)]
        assert top["setting"]["region"] == {
            "alpha": {
                "quantiles": [0.8, 1.0],
                "low": pytest.approx(edge),
                "high": pytest.approx(ALPHA.max()),
                "units": "px^2/s",
            }
        }
        mean = ALPHA[edge > ALPHA].mean()
        assert top["setting"]["training_mean"]["alpha"] == pytest.approx([mean] * len(clips))
        scores[name] = row(top)["value"]
        assert row(ordinary(tmp_path / f"{name}.inside.json", found))["value"] > 0.95
    assert scores["line"] > 0.8
    assert scores["tuned"] < -1


def test_what_each_part_of_the_image_holds_in_its_own_way_is_not_carried_across(tmp_path):
    """A region of places: a code per half of the image is read by ordinary folds alone."""
    place = np.random.default_rng(9).uniform(-1, 1, CLIPS)
    region = {"cx": [0.5, 1.0]}
    scores = {}
    for name, axes in {"global": (0, 0), "local": (0, 1)}.items():
        pooled = noise(12)
        mine = np.where(place[:, None] < np.median(place), AXES[axes[0]], AXES[axes[1]])
        pooled[:, 1] += (ALPHA[:, None] * mine)[:, None]
        found = system(tmp_path / name, pooled, cx=place)
        across = transferred(tmp_path / f"{name}.json", found, region=region)
        assert (place[across["predictions"]["clip"]] >= np.median(place)).all()
        assert row(across)["n_clips"] == CLIPS // 2
        own = ordinary(tmp_path / f"own_{name}.json", found)
        scores[name] = (row(across)["value"], row(own)["value"])
    assert min(scores["global"]) > 0.95
    assert scores["local"][0] < 0.3 and scores["local"][1] > 0.95


def test_a_combination_is_held_out_where_all_of_its_ranges_meet(tmp_path):
    found = system(tmp_path / "home", linear(0, 1))
    region = {"alpha": [0.5, 1.0], "sigma": [0.5, 1.0]}
    both = transferred(tmp_path / "a.json", found, region=region)
    inside = (np.median(ALPHA) <= ALPHA) & (np.median(SIGMA) <= SIGMA)
    assert both["predictions"]["clip"] == np.flatnonzero(inside).tolist()
    assert row(both)["value"] > 0.9
    onto = system(tmp_path / "onto", linear(0, 2))
    again = transferred(tmp_path / "b.json", onto, found, region=region)
    assert again["predictions"]["clip"] == both["predictions"]["clip"]
    assert again["setting"]["training_clips"] == both["setting"]["training_clips"]


def refit(pooled: np.ndarray, choice: dict, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Predictions for rows (clip, feature) by scikit-learn, as an outer fold chose."""
    mean = train.mean(0)
    rows = train - mean
    scale = rows.std(0) if choice["scaling"] == "feature" else np.sqrt((rows**2).mean())
    rows = rows / scale
    unit = (rows**2).sum() / min(rows.shape)
    model = Peer(alpha=choice["lambda"] * unit).fit(rows, pooled)
    return model.predict((test - mean) / scale)


def test_predictions_equal_a_plain_refit_on_the_same_clips(tmp_path):
    first, second = linear(1, 3), linear(0, 1)
    both = [system(tmp_path / name, x) for name, x in {"b": first, "a": second}.items()]
    region = {"sigma": [0.0, 0.3]}
    for stacks, found in (
        ((first, first), transferred(tmp_path / "r.json", both[0], region=region)),
        ((first, second), transferred(tmp_path / "o.json", *both)),
        ((first, second), transferred(tmp_path / "ro.json", *both, region=region)),
    ):
        scored, fitted = (x.astype("f4").astype(float).mean(2) for x in stacks)
        block = found["predictions"]
        clip, fold = np.array(block["clip"]), np.array(block["fold"])
        held = next(k for k in block["held_out"] if k["layer"] == "selected")
        choices = [c for c in block["choices"] if c["layer"] == "selected"]
        assert len(choices) == len(set(fold))
        for number, choice in enumerate(choices):
            test = clip[fold == number]
            train = np.setdiff1d(np.arange(CLIPS), test)
            layer = ["0", "final"].index(choice["chosen_layer"])
            expected = refit(ALPHA[train], choice, fitted[train, layer], scored[test, layer])
            mine = np.array(held["prediction"])[fold == number]
            np.testing.assert_allclose(mine, expected, rtol=1e-6)
            error = np.array(held["absolute_error"])[fold == number]
            np.testing.assert_allclose(error, np.abs(expected - ALPHA[test]), rtol=1e-5, atol=1e-7)


def test_clips_of_the_region_are_never_seen_in_training(tmp_path):
    clean, spoilt = linear(0, 1), linear(0, 1)
    region = {"alpha": [0.6, 0.9]}
    inside, _ = elsewhere.within({"alpha": ALPHA}, region)
    spoilt[inside] = 100 * noise(9)[inside]
    found = [
        transferred(tmp_path / f"{name}.json", system(tmp_path / name, x), region=region)
        for name, x in {"clean": clean, "spoilt": spoilt}.items()
    ]
    choices = [result["predictions"]["choices"] for result in found]
    assert choices[0] == choices[1]
    training = [row(result, metric="train_r2")["value"] for result in found]
    assert training[0] == training[1]


def test_a_clip_is_not_known_from_its_other_rendering(tmp_path):
    """Clip 0 of the rendering that is fitted changes nothing for the fold that holds out clip 0."""
    onto = system(tmp_path / "onto", linear(0, 2))
    spoilt = linear(0, 1)
    spoilt[0] = 100.0
    clean = transferred(tmp_path / "a.json", onto, system(tmp_path / "clean", linear(0, 1)))
    other = transferred(tmp_path / "b.json", onto, system(tmp_path / "spoilt", spoilt))
    block = clean["predictions"]
    mine = np.array(block["fold"]) == block["fold"][0]
    guesses = [
        np.array(next(k for k in r["predictions"]["held_out"] if k["layer"] == "selected")[
            "prediction"
        ])
        for r in (clean, other)
    ]  # fmt: skip
    np.testing.assert_array_equal(guesses[0][mine], guesses[1][mine])
    assert not np.allclose(guesses[0][~mine], guesses[1][~mine])


def test_groups_of_held_out_clips_and_declared_test_clips_are_kept_out():
    pair = np.arange(CLIPS) // 2
    inside, _ = elsewhere.within({"alpha": ALPHA}, {"alpha": (0.8, 1.0)})
    fold = elsewhere.apart(splits.nested(pair), pair, inside, Spec())
    assert np.array_equal(fold.test, np.flatnonzero(inside))
    assert not set(pair[fold.train]) & set(pair[inside])
    assert len(fold.train) == CLIPS - 2 * len(set(pair[inside]))
    declared = np.where(np.arange(CLIPS) < 60, "train", "test")
    published = splits.nested(np.arange(CLIPS), declared=declared)
    fold = elsewhere.apart(published, np.arange(CLIPS), inside, Spec())
    assert np.array_equal(fold.test, np.flatnonzero(inside & (declared == "test")))
    assert np.array_equal(fold.train, np.flatnonzero(~inside & (declared == "train")))


def test_the_null_of_a_region_permutes_within_it():
    """Of noise p is uniform; permuted over the region's edge, labels would be easier to guess."""
    p = {"within": [], "over": []}
    for seed in range(30):
        rng = np.random.default_rng(seed)
        label, features = rng.normal(size=60), rng.normal(size=(1, 60, 1, 6))
        inside, _ = elsewhere.within({"a": label}, {"a": (0.7, 1.0)})
        alone = np.arange(60)
        fold = elsewhere.apart(splits.nested(alone), alone, inside, Spec())
        wanted = Spec(permutations=39, bootstraps=100, targets=("a",), samples=("clip",))
        for name, strata in {"within": inside, "over": None}.items():
            rows, _ = probe(wanted, features, ["0"], {"a": label}, [fold], strata=strata)
            found = next(r for r in rows if r["layer"] == "selected" and r["metric"] == "r2")
            p[name].append(found["p"])
    assert 0.35 < np.mean(p["within"]) < 0.65
    assert np.mean(np.array(p["within"]) <= 0.1) < 0.25
    assert np.mean(p["over"]) > 0.9


def test_undefined_targets_are_null_with_a_note(tmp_path):
    flat = np.where(np.quantile(ALPHA, 0.8) <= ALPHA, 1.0, ALPHA)
    found = system(tmp_path / "home", linear(0, 1), flat=flat)
    top = transferred(
        tmp_path / "a.json", found, region={"alpha": [0.8, 1.0]}, targets=("flat", "alpha")
    )
    assert row(top, target="flat")["value"] is None
    assert "constant over held-out clips" in row(top, target="flat")["note"]
    assert row(top, target="alpha")["value"] > 0.8


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ({"beta": [0, 0.5]}, r"no label 'beta'. Hint: labels are .*alpha"),
        ({"alpha": [0, 0.1], "copy": [0.9, 1]}, r"0 clips to hold out and \d+ to train.*Hint"),
        ({"alpha": [0, 1]}, r"all clips are inside, so none is left to train on"),
    ],
)
def test_impossible_regions_are_explained(tmp_path, region, expected):
    found = system(tmp_path / "home", linear(0, 1), copy=ALPHA)
    with pytest.raises(ValueError, match=expected):
        transferred(tmp_path / "a.json", found, region=region)
    assert not (tmp_path / "a.json").exists()


def test_what_does_not_go_together_is_refused(tmp_path):
    home = system(tmp_path / "home", linear(0, 1))
    with pytest.raises(ValueError, match=r"alpha is not that of .*Hint: film one simulation twice"):
        other = system(tmp_path / "other", linear(0, 1), alpha=ALPHA[::-1])
        transferred(tmp_path / "a.json", home, other)
    with pytest.raises(ValueError, match=r"feature 11, but .* has 12.*Hint"):
        narrow = system(tmp_path / "narrow", linear(0, 1)[..., :11])
        transferred(tmp_path / "a.json", home, narrow)
    with pytest.raises(ValueError, match="3 systems"):
        transferred(tmp_path / "a.json", home, home, home)
    with pytest.raises(ValueError, match="only ridge is fitted elsewhere"):
        text, design = logistic.Spec(targets=("alpha",)).canonical(), elsewhere.Spec().canonical()
        stage.run(**listed(home), out=tmp_path / "a.json", spec=text, design=design)


def compared(
    folder: Path,
    features: dict[str, np.ndarray],
    region: dict,
    target: str,
    encoders: list[str],
    controls: list[str],
) -> dict:
    """Verdicts on a target of embeddings by name, fitted outside of a region of one system."""
    given = {"fits": [], "embeddings": [], "simulation": []}
    for name, pooled in features.items():
        found = system(folder / "heat", pooled, name)
        moved, inside = (folder / part / "fits" / f"{name}.ridge.json" for part in ("top", "heat"))
        transferred(moved, found, region=region, targets=(target,), permutations=39)
        ordinary(inside, found, targets=(target,))
        given["fits"] += [moved, inside]
        given["embeddings"].append(found["embeddings"])
        given["simulation"] = [found["simulation"]]
    claim = {"kind": "holds_elsewhere", "statement": "It holds there.", "target": target}
    study = Study(
        system="heat", design={"kind": "elsewhere", "region": region}, encoders=encoders,
        controls=controls, methods=["ridge"], claims={"there": claim},
    )  # fmt: skip
    out = folder / "top" / "verdicts.json"
    falsify.run(**given, out=out, spec=study.canonical())
    return results.read(out)


def test_the_comparison_with_ordinary_folds_says_what_was_planted(tmp_path):
    """Two features: alpha linearly, alpha as tuning curves; the second loses beyond its range."""
    features = {"line": linear(0, 1), "tuned": tuned(2), "brightness": noise(5)}
    region, encoders = {"alpha": [0.8, 1.0]}, ["line", "tuned"]
    result = compared(tmp_path, features, region, "alpha", encoders, ["brightness"])
    best, worse = result["claims"]
    assert best["verdict"] == "supported"
    # far below 0, though not as far as features that hold nothing; other data sets, other heights
    assert worse["verdict"] == "cannot tell" and worse["ci_low"] < 0 < worse["value"]
    line, tuning = (row(result, encoder=name, metric="error_ratio") for name in ("line", "tuned"))
    assert line["ci_low"] < 1 and max(2, line["ci_high"]) < tuning["ci_low"]
    assert row(result, encoder="tuned", metric="r2_difference", against="heat")["ci_high"] < 0
    assert row(result, encoder="tuned", metric="bias", folds="transferred")["ci_high"] < 0
    best = row(
        result, encoder="line", metric="r2_difference", control="best control", claim="there"
    )
    assert best["note"] == "brightness" and best["ci_low"] > 0.5


def test_a_direction_is_transferred_by_both_of_its_columns(tmp_path):
    region = {"sigma": [0.7, 1.0]}
    found = compared(tmp_path, {"line": linear(0, 1)}, region, "sincos_alpha", ["line"], [])
    result = results.read(tmp_path / "top" / "fits" / "line.ridge.json")
    block = result["predictions"]
    kept = np.setdiff1d(np.arange(CLIPS), block["clip"])
    mean = np.stack([np.sin(ALPHA[kept]), np.cos(ALPHA[kept])], axis=1).mean(0)
    np.testing.assert_allclose(
        result["setting"]["training_mean"]["sincos_alpha"], [mean] * len(block["clip"])
    )
    (own,) = (
        r["value"] for r in result["rows"] if r["layer"] == "selected" and r["metric"] == "r2"
    )
    assert row(found, folds="transferred")["value"] == pytest.approx(own, abs=1e-6)
