"""Curves by shares of trajectories: whole groups, nested, scored on the same clips throughout."""

from itertools import pairwise

import numpy as np
import pytest
from planted import store
from pydantic import ValidationError

from physprobe.fit.designs import counts
from physprobe.fit.methods.ridge import Spec
from physprobe.fit.stage import run as fit
from physprobe.store import results, zarrs

GROUPS, WINDOWS, FEATURES = 20, 3, 4
CLIPS = GROUPS * WINDOWS
GROUP = np.repeat(np.arange(GROUPS), WINDOWS)
ALPHA = np.random.default_rng(1).normal(size=GROUPS)[GROUP]
METHOD = Spec(
    targets=("alpha",), samples=("clip",), outer=4, inner=2, permutations=1, bootstraps=100,
    z_mse=True,
)  # fmt: skip
SHARES = (0.2, 0.5, 1.0)


@pytest.fixture(scope="module", params=["folds", "split"])
def paths(request, tmp_path_factory):
    """Stores of windows of trajectories, without a split of their own and with one."""
    folder = tmp_path_factory.mktemp(request.param) / "waves"
    clip = {"clip": (("clip",), np.arange(CLIPS), {})}
    labels = {"alpha": ALPHA, "group": GROUP}
    if request.param == "split":
        labels["split"] = np.where(GROUP < 16, "train", "test")
    system = folder / "simulation.zarr/zarr.json"
    store(
        system, {"field": (("clip", "time"), np.zeros((CLIPS, 1), np.float32))},
        {**clip, "time": (("time",), np.zeros(1), {}),
         **{name: (("clip",), values, {}) for name, values in labels.items()}},
        {"field": "field"},
    )  # fmt: skip
    pooled = np.random.default_rng(2).normal(size=(CLIPS, 1, 1, FEATURES))
    pooled[..., 0] += 2 * ALPHA[:, None, None]
    embedded = folder / "embeddings/ours.zarr/zarr.json"
    times = {name: (("time",), np.zeros(1), {}) for name in ("time", "time_start")}
    store(
        embedded,
        {"pooled": (("clip", "layer", "time", "feature"), pooled.astype(np.float32))},
        {**clip, **times, "time_end": (("time",), np.ones(1), {}),
         "layer": (("layer",), np.array(["0"]), {})},
        {"simulation": zarrs.digest(system)},
    )  # fmt: skip
    return {"embeddings": [embedded], "simulation": [system]}


def test_smaller_shares_are_parts_of_larger_ones_and_held_out_clips_stay(paths):
    cases = list(counts.Spec(shares=SHARES).cases(**paths, method=METHOD.canonical()))
    assert [case.about["share"] for case in cases] == list(SHARES)
    whole = cases[-1].given.folds
    trained = []
    for case in cases:
        kept = []
        for fold, full in zip(case.given.folds, whole, strict=True):
            np.testing.assert_array_equal(fold.test, full.test)
            own = np.unique(GROUP[fold.train])
            assert len(fold.train) == len(own) * WINDOWS, "whole groups"
            there = len(np.unique(GROUP[full.train]))
            assert len(own) == round(case.about["share"] * there)
            assert len(fold.inner) == METHOD.inner
            kept.append(set(own))
        assert case.about["groups"] == np.mean([len(part) for part in kept])
        assert case.about["count"] == case.about["groups"] * WINDOWS
        trained.append(kept)
    for some, more in pairwise(trained):
        assert all(one < other for one, other in zip(some, more, strict=True))


def test_rows_are_by_share_and_all_groups_score_as_an_ordinary_fit(paths):
    folder = paths["simulation"][0].parents[2]
    curve, plain = folder / "curve/fits/ours.ridge.json", folder / "waves/fits/ours.ridge.json"
    design = counts.Spec(shares=SHARES).canonical()
    fit(**paths, out=curve, spec=METHOD.canonical(), design=design)
    fit(**paths, out=plain, spec=METHOD.canonical())
    rows = results.read(curve, "shares")["rows"]
    known = results.read(plain, "probe")["rows"]
    for metric in ("r2", "z_mse", "group_r2"):
        found = {row["share"]: row for row in rows if row["metric"] == metric}
        assert list(found) == list(SHARES)
        (expected,) = [
            row for row in known
            if (row["metric"], row["layer"], row["time"]) == (metric, "selected", None)
        ]  # fmt: skip
        assert found[1.0]["value"] == expected["value"]
        assert found[1.0]["n_clips"] == found[0.2]["n_clips"]
    chosen = {choice["share"] for choice in results.read(curve)["choices"]}
    assert chosen == set(SHARES)


def test_what_was_trained_on_a_share_is_scored_at_that(paths):
    design = counts.Spec(shares=SHARES, trained={"ours": 0.5})
    (case,) = design.cases(**paths, method=METHOD.canonical())
    assert case.about["share"] == 0.5
    few = counts.Spec(shares=(0.05,))
    with pytest.raises(ValueError, match=r"0.05 of 1\d training groups are 1, and 2 inner"):
        list(few.cases(**paths, method=METHOD.canonical()))


def test_a_curve_is_by_counts_or_by_shares():
    for wrong, why in (
        ({}, "either counts"),
        ({"counts": (2,), "shares": (0.5,)}, "either counts"),
        ({"shares": (0.5, 0.2)}, "expected to ascend"),
        ({"shares": (0.5, 1.5)}, "less than or equal to 1"),
        ({"shares": (0.5,), "order": "alpha"}, "drawn by the seed"),
    ):
        with pytest.raises(ValidationError, match=why):
            counts.Spec(**wrong)
