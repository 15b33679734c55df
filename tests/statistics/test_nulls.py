"""Nulls: arrangements are counted by hand, p is never smaller than they allow, noise is no finding.

The designs are of few groups, where whole groups that change places give few arrangements, or none.
"""

from itertools import permutations
from math import comb, factorial

import numpy as np
import pytest

from physprobe.fit.methods import (
    _readout,
    attentive,
    dmd,
    logistic,
    ridge,
    spatial_heat_head,
    trained_sweep,
)
from physprobe.fit.methods._classes import Classes
from physprobe.fit.probe import probe
from physprobe.statistics import nulls, seeds, splits
from physprobe.statistics.nulls import Arrangements

UNEQUAL = np.repeat(np.arange(12), np.arange(1, 13))
"""Twelve groups, all of different size: only the identity permutes them."""
DESIGNS = {
    "unequal": UNEQUAL,
    "four groups": np.repeat(np.arange(4), 5),
    "six pairs": np.repeat(np.arange(6), 2),
    "forty clips": np.arange(40),
}


def of(labels: np.ndarray, groups: np.ndarray, draws: int = 60, **more: object) -> Arrangements:
    """Arrangements of labels (clip,) that are drawn as for a null."""
    source = nulls.permutations(groups, draws, 0, more.get("strata"))
    every = np.concatenate([labels[None], labels[source]]).T[..., None]
    return Arrangements.of_labels(every, groups, **more)


def test_permutations_move_whole_groups_among_their_like():
    groups = np.array([0, 0, 1, 2, 2, 3, 4, 4])
    for source in nulls.permutations(groups, 50, seed=0):
        assert np.array_equal(np.sort(source), np.arange(8))
        assert len({groups[source[i]] for i in (0, 1)}) == 1
        assert set(source[[2, 5]]) == {2, 5}
    single = nulls.permutations(np.arange(30), 2, seed=0)
    assert not np.array_equal(single[0], single[1])


def test_permutations_stay_within_strata():
    groups, strata = np.array([0, 0, 1, 2, 2, 3, 4, 4]), np.array([1, 1, 0, 0, 0, 0, 0, 0])
    for source in nulls.permutations(groups, 50, 0, strata):
        assert source[:2].tolist() == [0, 1] and set(source[3:5]) <= {3, 4, 6, 7}
    alike = nulls.permutations(groups, 5, 0, np.zeros(8))
    assert np.array_equal(alike, nulls.permutations(groups, 5, 0))
    with pytest.raises(ValueError, match="several strata"):
        nulls.permutations(groups, 5, 0, np.arange(8))


def test_p_counts_the_observed_score_among_the_null():
    assert nulls.permutation_p(np.array(2.0), np.arange(4.0)) == pytest.approx(3 / 5)
    assert nulls.permutation_p(np.array(9.0), np.arange(4.0)) == pytest.approx(1 / 5)


def test_fault_13_a_tie_speaks_against_the_data_however_it_is_rounded():
    null = np.array([0.3 - 1e-12, 0.1, 0.3 + 1e-12, 0.2])
    assert nulls.permutation_p(np.array(0.3), null) == pytest.approx(3 / 5)
    assert nulls.permutation_p(np.array(0.3 - 1e-8), null) == pytest.approx(3 / 5)
    assert nulls.permutation_p(np.array(0.3 + 1e-8), null) == pytest.approx(1 / 5)
    # what is tiny is no tie for that: a gain of 1e-8 has its own null
    tiny = 1e-8 * np.array([0.3, 0.9, 1.1, 0.2])
    assert nulls.permutation_p(np.array(1e-8), tiny) == pytest.approx(2 / 5)
    assert nulls.permutation_p(np.array(1e-8), np.full(4, 1e-8 - 1e-16)) == 1.0
    # a draw that is as good by construction is one, whatever its score says
    same = np.array([False, True, False, False])
    assert nulls.permutation_p(np.array(0.4), null, same=same) == pytest.approx(2 / 5)


def test_an_undefined_draw_is_no_evidence():
    assert nulls.permutation_p(np.array(0.3), np.array([np.nan, 0.1])) == pytest.approx(2 / 3)
    found = Arrangements(np.inf, "labels").columns(0.3, np.array([np.nan, 0.1]))
    assert found["null_mean"] == 0.1 and found["p"] == pytest.approx(2 / 3)
    assert "p" not in Arrangements(np.inf, "labels").columns(0.3, np.full(3, np.nan))


def test_fault_13_p_is_never_smaller_than_the_arrangements_allow():
    never = np.zeros(200)
    assert nulls.permutation_p(np.array(1.0), never, 24) == pytest.approx(1 / 24)
    assert nulls.permutation_p(np.array(1.0), never, 1e9) == pytest.approx(1 / 201)


@pytest.mark.parametrize("better", [1.0, -1.0])
def test_columns_are_on_the_better_side(better: float):
    null = np.linspace(0.0, 1.0, 101)
    found = Arrangements(np.inf, "labels").columns(better * 2.0, better * null, better)
    assert found["p"] == pytest.approx(1 / 102)
    assert found["null_mean"] == pytest.approx(better * 0.5)
    assert found["null_q95"] == pytest.approx(better * 0.95)


def test_arrangements_of_labels_are_those_counted_one_by_one():
    rng = seeds.rng("counted")
    for groups in (np.arange(5), np.array([0, 0, 1, 1, 2, 2, 3]), np.array([0, 0, 0, 1, 2])):
        for labels in (rng.normal(size=len(groups)), np.round(rng.uniform(0, 2, len(groups)))):
            blocks = [np.flatnonzero(groups == group) for group in np.unique(groups)]
            found = set()
            for order in permutations(blocks):
                if all(len(new) == len(old) for new, old in zip(order, blocks, strict=True)):
                    moved = np.empty(len(groups))
                    for new, old in zip(order, blocks, strict=True):
                        moved[old] = labels[new]
                    found.add(tuple(moved))
            assert of(labels, groups).count == len(found)


def test_arrangements_within_strata_and_of_many_clips():
    assert of(np.arange(8.0), np.arange(8), strata=np.repeat([0, 1], 4)).count == factorial(4) ** 2
    assert of(np.random.default_rng(0).normal(size=400), np.arange(400)).count == np.inf


def test_arrangements_of_classes_are_those_counted_one_by_one():
    groups = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    classes = np.array([0, 0, 1, 1, 1, 1, 0, 1])
    # two groups of three exchange {0, 0, 1} and {1, 1, 1}; 3 orders of the first, 2 of the pair
    found = Arrangements.of_classes(np.stack([classes] * 3, axis=1), groups)
    assert found.count == 2 * 3 * 2
    assert found.same.all()


def test_arrangements_of_signs_are_those_of_groups_that_differ():
    assert Arrangements.of_signs(np.array([0.3, 0.0, -0.1])).count == 4
    found = Arrangements.of_signs(np.zeros(3)).columns(0.0, np.zeros(9))
    assert found == {"note": "no permutation is possible: the two models differ in no group"}


def test_labels_that_are_mirrored_or_turned_are_decoded_as_well():
    angle = 2 * np.pi * np.arange(8) / 8
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    other = circle[[1, 0, 2, 3, 4, 5, 6, 7]]
    labels = np.stack([circle, np.roll(circle, 2, axis=0), circle[::-1], other], axis=1)
    assert Arrangements.of_labels(labels, np.arange(8)).same.tolist() == [True, True, False]
    assert not Arrangements.of_labels(labels, np.arange(8), turned=False).same.any()
    line = np.arange(4.0)
    labels = np.stack([line, line[::-1], line[[0, 2, 1, 3]], line], axis=1)[..., None]
    assert Arrangements.of_labels(labels, np.arange(4)).same.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("labels", "groups", "why"),
    [
        (np.arange(78.0), UNEQUAL, "of 12 groups no two are of the same size"),
        (np.array([1.0, 1.0, 2.0]), np.array([0, 1, 1]), "of 2 groups no two"),
        (np.array([1.0, 1.0, 2.0, 3.0]), np.array([0, 1, 2, 2]), "have the same labels"),
    ],
)
def test_fault_13_no_arrangement_but_one_is_said(labels: np.ndarray, groups: np.ndarray, why: str):
    found = of(labels, groups).columns(0.3, np.zeros(60))
    assert set(found) == {"note"}
    assert found["note"].startswith("no permutation is possible: ") and why in found["note"]


def test_few_arrangements_are_said():
    found = of(np.arange(4.0), np.repeat([0, 1], 2)).columns(1.0, np.zeros(60))
    assert found["p"] == 0.5
    assert found["note"] == "p is at least 1/2: 2 arrangements of labels between 2 groups"
    assert "note" not in of(np.arange(4.0), np.arange(4)).columns(1.0, np.zeros(60))


def noise(groups: np.ndarray, seed: int, binary: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Features (clip, time, feature) that know nothing of a label (clip,) of groups."""
    rng = seeds.rng("noise", seed)
    count = groups.max() + 1
    own = rng.permutation(np.arange(count) % 2.0) if binary else rng.normal(size=count)
    shared = rng.normal(size=(count, 1, 6))
    return rng.normal(size=(len(groups), 1, 6)) + shared[groups], own[groups]


def ridge_p(groups: np.ndarray, seed: int, binary: bool) -> dict:
    features, label = noise(groups, seed, binary)
    spec = ridge.Spec(targets=("y",), samples=("clip",), permutations=99, bootstraps=100, seed=seed)
    folds = splits.nested(groups, outer=4, inner=2, seed=seed)
    rows, _ = probe(spec, [features], ["0"], {"y": label}, folds, groups=groups)
    return next(row for row in rows if row["layer"] == "selected" and row["metric"] == "r2")


@pytest.mark.parametrize("binary", [False, True], ids=["numbers", "two values"])
@pytest.mark.parametrize("design", DESIGNS)
def test_fault_13_noise_is_rejected_in_one_draw_of_twenty_at_most(design: str, binary: bool):
    """60 draws: more than 7 rejections have a probability of 1 % if 1 in 20 is rejected."""
    count = 8 if design == "unequal" else 60  # of the first, every one fails without its mend
    draws = [ridge_p(DESIGNS[design], seed, binary) for seed in range(count)]
    p = [row.get("p") for row in draws]
    if design == "unequal":
        assert p == [None] * len(draws)
        assert all("no permutation is possible" in row["note"] for row in draws)
        assert all(np.isfinite(row["value"]) and "null_q95" not in row for row in draws)
    else:
        assert sum(value < nulls.LEVEL for value in p) <= 7
        least = {"four groups": 6 if binary else 24, "six pairs": comb(6, 3) if binary else 720}
        assert min(p) >= 1 / least.get(design, np.inf)


@pytest.mark.parametrize(
    "asked",
    [
        (ridge, {}),
        (trained_sweep, {"epochs": 20, "rates": (0.01,), "decays": (0.1,)}),
        (attentive, {"epochs": (1, 2), "rates": (0.1,), "decays": (0.1,), "samples": ("time",)}),
        (logistic, {}),
        (attentive, {"epochs": (1, 2), "rates": (0.1,), "decays": (0.1,), "readout": "class"}),
    ],
    ids=["ridge", "trained_sweep", "attentive", "logistic", "attentive, classes"],
)
def test_fault_13_no_probe_has_a_null_of_groups_that_nothing_permutes(asked: tuple):
    kind, more = asked
    more = {"samples": ("clip",), **more} if kind is not attentive else more
    spec = kind.Spec(targets=("y",), permutations=20, bootstraps=100, **more)
    features, label = noise(UNEQUAL, 1, binary=True)
    folds = splits.nested(UNEQUAL, outer=4, inner=2)
    rows, _ = probe(spec, [features], ["0"], {"y": label}, folds, groups=UNEQUAL)
    scored = [row for row in rows if row["metric"] in ("r2", "accuracy", "auc", "log_loss")]
    assert scored
    for row in scored:
        assert row["value"] is not None and "p" not in row and "null_mean" not in row
        assert "no permutation is possible: of 12 groups" in row["note"]


def test_fault_13_sign_flips_of_one_group_say_no_more_than_a_coin():
    rng = seeds.rng("coin")
    values = rng.normal(size=(20, 9, 8)).cumsum(1)
    spec = dmd.Spec(
        components=6, ranks=(6,), horizons=(1,), shuffles=20, bootstraps=100, spectra=100
    )
    folds = splits.nested(np.arange(20), declared=np.repeat(["train", "test"], [16, 4]))
    rows, _ = dmd.dynamics(
        spec, [values], {}, folds, layers=["final"], times=np.arange(9.0),
        groups=np.repeat(np.arange(17), [1] * 16 + [4]),
    )  # fmt: skip
    flipped = [row for row in rows if "sign flips" in (row.get("note") or "")]
    assert flipped
    for row in flipped:
        assert row["p"] >= 0.5 and "p is at least 1/2: signs of 1 groups" in row["note"]


def test_fault_13_the_spatial_head_has_no_shuffled_twin_if_nothing_permutes():
    rng = seeds.rng("head")
    groups = np.repeat(np.arange(4), (1, 2, 3, 4))
    tokens = rng.normal(size=(10, 6, 3, 3, 2)).cumsum(1)
    alpha = rng.uniform(0.5, 5, 4)[groups]
    spec = spatial_heat_head.Spec(horizons=(1,), permutations=20, bootstraps=100, refits=100)
    folds = splits.nested(groups, outer=2, inner=2)
    rows, _ = spatial_heat_head.head(spec, tokens, {"alpha": alpha}, folds, groups=groups)
    assert all(row.get("p") is None for row in rows)
    twins = [r for r in rows if "shuffled" in f"{r.get('model')} {r.get('baseline')}"]
    assert twins
    for row in twins:
        assert row["value"] is None and "no permutation is possible" in row["note"]
    alone = [r for r in rows if r["metric"] == "skill_difference" and r["baseline"] == "none"]
    assert all(row["value"] is not None for row in alone)


@pytest.mark.parametrize("classes", [2, 3])
def test_permuted_classes_that_a_fold_lacks_start_from_a_finite_guess(classes: int):
    """Permuted labels may leave a class to no training clip, or to all."""
    labels = np.stack([np.arange(9) % classes, np.zeros(9, int), np.ones(9, int)], axis=1)
    asked = _readout.of(Classes(labels, classes, np.arange(9), {None: np.ones(9, bool)}))
    guess = asked.offset(np.arange(6))
    assert guess.shape == (3, asked.outputs) and np.isfinite(guess).all()
    share = np.mean(labels[:6, 0] == asked.numbers[-1])
    expected = np.log(share / (1 - share)) if classes == 2 else np.log(share)
    assert guess[0, -1] == pytest.approx(expected)
