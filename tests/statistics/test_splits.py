"""Splits: no group on both sides, ever; the same seed, the same folds."""

import numpy as np
import pytest
from xarray import Dataset

from physprobe.simulate import balls_velocity
from physprobe.statistics import splits
from physprobe.statistics.splits import Fold


def test_every_clip_is_held_out_once_and_sizes_are_even():
    folds = splits.nested(np.arange(103), outer=5, inner=4, seed=3)
    assert np.array_equal(np.sort(np.concatenate([f.test for f in folds])), np.arange(103))
    assert {len(f.test) for f in folds} <= {20, 21}
    for fold in folds:
        assert np.array_equal(np.sort(np.concatenate([fold.train, fold.test])), np.arange(103))
        validated = np.concatenate([validation for _, validation in fold.inner])
        assert np.array_equal(np.sort(validated), fold.train)
        assert max(len(v) for _, v in fold.inner) - min(len(v) for _, v in fold.inner) <= 1


def test_groups_stay_together_in_outer_and_inner_folds():
    pairs = np.repeat([f"pair {i}" for i in range(30)], 2)
    groups = np.random.default_rng(0).permutation(pairs)
    for fold in splits.nested(groups, outer=5, inner=4):
        for train, held in ((fold.train, fold.test), *fold.inner):
            assert not set(groups[train]) & set(groups[held])


def test_uneven_groups_are_balanced():
    groups = np.repeat(np.arange(12), [9, 1, 1, 9, 1, 1, 1, 1, 1, 1, 4, 4])
    sizes = [len(fold.test) for fold in splits.nested(groups, outer=2, inner=2)]
    assert sizes == [17, 17]


def test_a_seed_fixes_the_folds():
    first, again, other = (splits.nested(np.arange(40), seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.test, b.test) for a, b in zip(first, other, strict=True))


def test_a_published_split_is_one_fold():
    declared = np.where(np.arange(50) % 5 == 0, "test", "train")
    (fold,) = splits.nested(np.arange(50), declared=declared)
    assert np.array_equal(fold.test, np.arange(0, 50, 5))
    assert len(fold.inner) == 4


def test_clips_may_be_declared_to_be_neither():
    declared = np.array(["train", "test", "neither", "train"] * 10)
    (fold,) = splits.nested(np.arange(40), declared=declared)
    assert np.array_equal(fold.test, np.arange(1, 40, 4)) and len(fold.train) == 20


def published(grouping):
    """Folds of the published balls, and the labels that they go by."""
    labels = balls_velocity.draw(balls_velocity.Spec())
    system = Dataset({name: ("clip", values) for name, values in labels.items()})
    return labels, splits.declared_by(system, outer=5, inner=4, seed=0, grouping=grouping)


@pytest.mark.parametrize("grouping", splits.GROUPINGS)
def test_a_grouping_keeps_its_clips_on_one_side_of_every_fold(grouping):
    labels, (groups, folds) = published(grouping)
    assert groups.tolist() == list(range(392)), "intervals and nulls go by clip"
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(392))
    parts = splits.GROUPINGS[grouping]
    if not parts:
        return
    kept = np.stack([labels[f"{part}_id"] for part in parts])
    kept = np.unique(kept, axis=1, return_inverse=True)[1].ravel()
    for fold in folds:
        for train, test in ((fold.train, fold.test), *fold.inner):
            assert not np.intersect1d(kept[train], kept[test]).size
    sizes = sorted(len(fold.test) for fold in folds)
    if grouping == "direction":
        assert sizes == [49, 49, 98, 98, 98]
    if len(parts) == 2:
        # each combination is a group of its own: both parts are on both sides
        for fold in folds:
            for part in parts:
                values = labels[f"{part}_id"]
                assert np.intersect1d(values[fold.train], values[fold.test]).size


def test_a_grouping_that_a_system_lacks_or_that_parts_its_groups_is_refused():
    system = Dataset({"direction_id": ("clip", np.arange(20) % 5)})
    with pytest.raises(ValueError, match="no label spatial_sector_id"):
        splits.declared_by(system, outer=5, inner=2, seed=0, grouping="direction_spatial_sector")
    pairs = system.assign(group=("clip", np.arange(20) // 2))
    with pytest.raises(ValueError, match="both sides"):
        splits.declared_by(pairs, outer=5, inner=2, seed=0, grouping="direction")


def test_leaks_are_refused():
    declared = ["train"] * 30 + ["test"] * 10
    twins = np.arange(40) % 20
    with pytest.raises(ValueError, match="both sides"):
        splits.nested(twins, declared=declared)
    fold = splits.nested(np.arange(40))[0]
    validation = fold.inner[0][1]
    peeking = Fold(fold.train, fold.test, ((fold.train, validation), *fold.inner[1:]))
    with pytest.raises(ValueError, match=r"inner fold 0.*both sides"):
        splits.check([peeking], np.arange(40))
    with pytest.raises(ValueError, match="partition"):
        splits.check([Fold(fold.train, fold.test, fold.inner[1:])], np.arange(40))
    with pytest.raises(ValueError, match="held out by two"):
        splits.check([fold, fold], np.arange(40))


def test_impossible_requests_are_explained():
    with pytest.raises(ValueError, match="Hint: fewer folds"):
        splits.nested([0, 0, 0, 1, 1, 2], outer=5)
    with pytest.raises(ValueError, match="'train' or 'test'"):
        splits.nested(np.arange(4), declared=["train", "test", "val", "train"])
    with pytest.raises(ValueError, match="need both"):
        splits.nested(np.arange(4), declared=["train"] * 4)
