"""Members: one fit to each of an encoder's networks, and rows of their mean."""

import json
from pathlib import Path

import numpy as np
import pytest

from physprobe.fit import _members, stage
from physprobe.fit.designs import every_way
from physprobe.fit.methods import dmd, logistic
from physprobe.fit.methods.ridge import Spec as Ridge
from physprobe.statistics import paired
from physprobe.store import fits, results, writing
from physprobe.store.fits import Fits

CLIPS, TIMES, SEEDS = 40, 12, [3, 8, 5]
FEW = {"permutations": 39, "bootstraps": 300}
RIDGE = Ridge(**FEW, targets=("alpha",), samples=("clip", "token"))


def store(
    root: Path, name: str, dims: tuple[str, ...], values: np.ndarray, coords: dict, **attrs: object
) -> Path:
    with writing.create(
        root / "zarr.json",
        variables={name: writing.Variable(dims, values.shape, "float32")},
        coords=coords,
        attrs={"spec": {"kind": "untrained"}, "label": "untrained, planted", **attrs},
        fingerprint={},
        block=16,
    ) as writer:
        lead = "member" in dims
        for part, own in enumerate(values if lead else [values]):
            (writer.of(part) if lead else writer).fill(lambda block, own=own: {name: own[block]})
    return root / "zarr.json"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Embeddings of three networks that hold alpha the better the later they come, and of each."""
    folder = tmp_path_factory.mktemp("world") / "system"
    rng = np.random.default_rng(0)
    alpha = np.exp(rng.uniform(-1, 2, CLIPS))
    noise = rng.normal(size=(3, CLIPS, 2, TIMES, 6)).cumsum(3)
    loud = np.array([3.0, 2.0, 1.0])[:, None, None, None, None]
    pooled = (np.log(alpha)[:, None, None, None] * rng.normal(size=6) + loud * noise).astype("f4")
    ids = {"clip": (("clip",), np.arange(CLIPS), {})}
    coords = ids | {
        "layer": (("layer",), np.array(["0", "final"]), {}),
        "time": (("time",), np.arange(float(TIMES)), {"units": "s"}),
    }
    labels = ids | {
        "alpha": (("clip",), alpha, {}),
        "fast": (("clip",), (alpha > 1.5).astype(int), {}),
    }
    dims = ("clip", "layer", "time", "feature")
    field = np.ones((CLIPS, 2), "f4")
    named = {"member": (("member",), np.array(SEEDS), {})}
    return {
        "simulation": store(folder / "simulation.zarr", "field", ("clip", "x"), field, labels),
        "random": store(
            folder / "embeddings" / "random.zarr", "pooled", ("member", *dims), pooled,
            named | coords, weights_hash=["a", "b", "c"],
        ),
        **{
            str(seed): store(
                folder / "embeddings" / f"alone_{seed}.zarr", "pooled", dims, own, coords
            )
            for seed, own in zip(SEEDS, pooled, strict=True)
        },
    }  # fmt: skip


def told(world: dict[str, Path], name: str, spec: object, **more: str) -> dict:
    out = world["simulation"].parents[1] / "fits" / f"{name}.{spec.kind}.json"
    stage.run(
        embeddings=[world[name]],
        simulation=[world["simulation"]],
        out=out,
        spec=spec.canonical(),
        **more,
    )
    return results.read(out)


@pytest.fixture(scope="module")
def ridge(world: dict[str, Path]) -> dict[str, dict]:
    return {name: told(world, name, RIDGE) for name in ("random", *map(str, SEEDS))}


def test_each_member_is_fitted_as_if_it_were_alone(ridge: dict[str, dict]):
    whole = ridge["random"]
    assert [part["member"] for part in whole["members"]] == SEEDS
    for part in whole["members"]:
        alone = ridge[str(part["member"])]
        same = {"encoder": "random", "member": part["member"]}
        assert part["rows"] == [{**row, **same} for row in alone["rows"]]
        assert part["predictions"] == alone["predictions"]
    assert whole["provenance"]["weights_hash"] == ["a", "b", "c"]


def test_rows_without_a_member_are_of_the_mean(world: dict[str, Path], ridge: dict[str, dict]):
    found = Fits(random=ridge["random"])
    row = found.probe("random", "alpha", "clip")
    each = [fits.row(ridge["random"], **{k: row[k] for k in ("target", "sample", "layer")},
                     metric="r2", time=None, member=seed) for seed in SEEDS]  # fmt: skip
    values = [one["value"] for one in each]
    assert row["member"] is None and row["value"] == pytest.approx(np.mean(values))
    assert f"members from {min(values):.4g} to {max(values):.4g}" in row["note"]
    # wider than the mean of intervals over clips: the members are far apart
    assert max(values) - min(values) > 0.1
    width = np.mean([one["ci_high"] - one["ci_low"] for one in each])
    assert row["ci_high"] - row["ci_low"] > width
    assert row["p"] == pytest.approx(1 / 40)
    assert row["null_mean"] == pytest.approx(np.mean([one["null_mean"] for one in each]))
    rows = ridge["random"]["rows"]
    assert len(rows) == len(ridge["3"]["rows"])
    trained = found.row("random", metric="train_r2", layer="final", sample="clip")
    assert trained["ci_low"] is None and "members from" in trained["note"]
    # what is written is tidy: all rows in one table
    path = world["simulation"].parents[1] / "fits" / "random.ridge.json"
    written = json.loads(path.read_text())["rows"]
    assert {row["member"] for row in written} == {None, *SEEDS}


def test_comparisons_draw_members_and_other_readers_see_the_mean(ridge: dict[str, dict]):
    found = Fits({name: result for name, result in ridge.items()})
    score = found.decoded("random", "alpha", "clip")
    row = found.probe("random", "alpha", "clip")
    assert score.members == (("random", 3),) and score.metric == "r2"
    interval = score.interval(RIDGE.bootstraps, RIDGE.seed)
    ends = [row[k] for k in ("value", "ci_low", "ci_high")]
    np.testing.assert_allclose(np.minimum(interval, 1.0), ends, 1e-6)  # a row's R2 ends at 1
    each = [found.decoded(str(seed), "alpha", "clip") for seed in SEEDS]
    assert score.value == pytest.approx(np.mean([one.value for one in each]))
    wide = paired.above(each[2], score).interval(300)
    narrow = paired.above(each[2], paired.combined(each, lambda f: np.mean(f, 0))).interval(300)
    assert wide.high - wide.low > narrow.high - narrow.low
    # summary blocks: the mean's own squared errors, so R2 of them is the mean R2
    block = found.held_out("random", "alpha", "clip")
    errors = [found.held_out(str(seed), "alpha", "clip")["squared_error"] for seed in SEEDS]
    np.testing.assert_allclose(block["squared_error"], np.mean(errors, 0), rtol=1e-6)
    choices = ridge["random"]["predictions"]["choices"]
    assert {choice["member"] for choice in choices} == set(SEEDS)


def test_skills_of_dynamics_draw_members(world: dict[str, Path]):
    spec = dmd.Spec(bootstraps=200, shuffles=19, spectra=100, horizons=(1, 4), orders=(1,))
    whole = told(world, "random", spec)
    found = Fits(random=whole)
    skill = found.skills("random", 1)["persistence"]
    about = {"layer": "final", "horizon": 1, "baseline": "persistence", "order": 1}
    row = found.row("random", metric="skill", model="dmd", **about)
    assert skill.members == (("random", 3),)
    np.testing.assert_allclose(skill.value, row["value"], atol=1e-5)
    ends = skill.interval(spec.bootstraps, spec.seed)[1:]
    np.testing.assert_allclose(ends, [row["ci_low"], row["ci_high"]], atol=1e-3)
    assert 1 / 20 <= row["p"] <= 1
    alone = Fits(alone=told(world, "8", spec))
    assert fits.member(whole, 8)["published"] == alone["alone"]["published"]
    # the eigenvalues' own bootstrap draws no clips that others draw: no interval of the mean
    radius = found.row("random", metric="spectral_radius", layer="final", order=1)
    assert radius["value"] is not None and radius["ci_low"] is None


def test_classes_and_designs_get_members_as_well(world: dict[str, Path]):
    classes = logistic.Spec(targets=("fast",), samples=("clip",), **FEW)
    found = Fits(random=told(world, "random", classes))
    score = found.decoded("random", "fast", "clip")
    row = found.probe("random", "fast", "clip", "accuracy")
    assert score.members and row["value"] == pytest.approx(float(score.value))
    auc = found.probe("random", "fast", "clip", "auc")
    assert 0.0 <= auc["ci_low"] < auc["value"] < auc["ci_high"] <= 1.0
    ways = every_way.Spec(targets=("alpha",), samples=("clip",), normalisations=("zscore", "none"))
    whole = told(world, "random", RIDGE, design=ways.canonical())
    assert {row["way"] for row in whole["rows"]} == set(whole["fits"])
    assert all(row["ci_low"] is not None for row in whole["rows"])
    assert len(whole["members"]) == 3


def test_a_score_that_a_member_lacks_is_undefined():
    row = {"metric": "r2", "layer": "0", "value": 0.5}
    lacking = {"metric": "r2", "layer": "0", "value": None, "note": "target is constant"}
    (found,) = _members.mean_rows([[row], [lacking]], "random")
    assert found["value"] is None and "target is constant" in found["note"]
    (found,) = _members.mean_rows([[row], []], "random")
    assert found["value"] is None and "some of 2 members" in found["note"]


def test_other_members_are_refused(world: dict[str, Path]):
    with pytest.raises(ValueError, match=r"random\.zarr: no member 4\. Hint: its members are 3, 8"):
        next(_cases(world, 4))
    with pytest.raises(ValueError, match=r"no member 4\. Hint: members are none"):
        fits.member({"rows": []}, 4)


def _cases(world: dict[str, Path], member: int) -> object:
    return stage.Plain().cases([world["random"]], [world["simulation"]], RIDGE.canonical(), member)
