"""Quadruplets: relative accuracy, scores apart, and readouts that must know nothing."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from physprobe.fit.methods import _class_rows
from physprobe.fit.methods.logistic import Spec
from physprobe.fit.probe import probe
from physprobe.render import occlusion as renderer
from physprobe.simulate import occlusion
from physprobe.statistics import splits

SCENES = 30
SCENE = np.repeat(np.arange(SCENES), 4)
POSSIBLE = np.tile([1, 1, 0, 0], SCENES)
PRINCIPLE = np.array(["O1", "O2", "O3"])[SCENE * 3 // SCENES]
FOLDS = splits.nested(SCENE, outer=5, inner=3)
SPEC = Spec(targets=("possible",), samples=("clip",), permutations=20, bootstraps=200)


def halves(times=6, features=5, seed=0):
    """Movies (clip, time, feature) that share their frames: AA, BB, AB, BA."""
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 256, (SCENES, 2, times, features)).astype(float)
    half = times // 2
    pairs = ((0, 0), (1, 1), (0, 1), (1, 0))
    movies = [
        np.concatenate([world[first, :half], world[second, half:]])
        for world in frames
        for first, second in pairs
    ]
    return np.stack(movies)


def run(features, parts=None, spec=SPEC, folds=FOLDS):
    return probe(
        spec, features, [str(n) for n in range(len(features))], {"possible": POSSIBLE}, folds,
        groups=SCENE, parts=parts,
    )  # fmt: skip


def score(rows, metric, layer="selected", part=None):
    wanted = {"metric": metric, "layer": layer, "part": part}
    (row,) = [r for r in rows if all(r.get(key) == value for key, value in wanted.items())]
    return row


def exactly_at_chance(rows):
    for layer in ("0", "selected"):
        for metric in ("auc", "accuracy", "relative_accuracy"):
            row = score(rows, metric, layer)
            assert (row["value"], row["ci_low"], row["ci_high"]) == (0.5, 0.5, 0.5), metric


def test_a_bag_of_frames_is_exactly_at_chance():
    """Means over time sum alike over possible and impossible movies, so the best weights are 0."""
    rows, _ = run([halves()])
    exactly_at_chance(rows)


def test_time_mean_pixels_of_rendered_movies_are_exactly_at_chance():
    spec = occlusion.Spec(scenes=10, size=48)
    labels = occlusion.draw(spec)
    assert np.array_equal(labels["possible"], POSSIBLE)
    assert np.array_equal(labels["principle"], PRINCIPLE)
    video = np.stack(
        [
            renderer.frames(
                renderer.Spec(rays=2),
                occlusion.field(spec, {name: label[clip] for name, label in labels.items()}),
            )
            for clip in range(len(POSSIBLE))
        ]
    )
    small = video.reshape(len(video), 16, 8, 6, 8, 6, 3).sum((3, 5), dtype=float)
    rows, _ = run([small.reshape(len(video), 16, -1)])
    exactly_at_chance(rows)
    # so is what of neighbouring frames is put together: bodies are hidden for four of them
    energy = np.abs(np.diff(small.reshape(len(video), 16, -1), axis=1))
    exactly_at_chance(run([energy])[0])


def test_what_connects_the_two_halves_is_found():
    features = halves(seed=1)
    same = np.tile([1.0, 1.0, -1.0, -1.0], SCENES)
    features[:, :, 0] += 60 * same[:, None]
    rows, block = run([halves(), features], PRINCIPLE)
    found = score(rows, "relative_accuracy", "1")
    assert found["value"] > 0.95 and found["p"] == pytest.approx(1 / 21)
    assert found["null_mean"] == pytest.approx(0.5, abs=0.1)
    assert score(rows, "relative_accuracy", "0")["value"] == 0.5
    assert block["part"].tolist() == PRINCIPLE.tolist()


def test_scores_apart_are_those_of_their_clips_and_add_up():
    rng = np.random.default_rng(3)
    features = rng.normal(size=(120, 1, 4))
    features[:, 0, 0] += np.where(PRINCIPLE == "O2", 2.0, 0.3) * POSSIBLE
    rows, block = run([features], PRINCIPLE)
    held = next(b for b in block["held_out"] if b["layer"] == "0")
    probability = np.exp(held["log_probability"][:, 1])
    relative = []
    for part in ("O1", "O2", "O3"):
        mine = part == PRINCIPLE
        assert score(rows, "accuracy", "0", part)["n_clips"] == mine.sum() == 40
        right = (probability > 0.5) == POSSIBLE
        assert score(rows, "accuracy", "0", part)["value"] == pytest.approx(right[mine].mean())
        scenes = [
            probability[[4 * s, 4 * s + 1]].sum() > probability[[4 * s + 2, 4 * s + 3]].sum()
            for s in np.unique(SCENE[mine])
        ]
        relative.append(np.mean(scenes))
        found = score(rows, "relative_accuracy", "0", part)
        assert found["value"] == pytest.approx(relative[-1])
        assert found["ci_low"] <= found["value"] <= found["ci_high"]
        wins = pairs = 0
        for fold in FOLDS:
            test = fold.test[mine[fold.test]]
            count = (POSSIBLE[test] == 1).sum() * (POSSIBLE[test] == 0).sum()
            wins += count * roc_auc_score(POSSIBLE[test], probability[test])
            pairs += count
        assert score(rows, "auc", "0", part)["value"] == pytest.approx(wins / pairs)
    whole = score(rows, "relative_accuracy", "0")["value"]
    assert whole == pytest.approx(np.mean(relative))
    assert score(rows, "auc", "0", "O2")["value"] > score(rows, "auc", "0", "O1")["value"]


def test_the_null_relabels_within_scenes_and_redoes_the_selection():
    labels = _class_rows.shuffled(POSSIBLE, SCENE, 30, seed=0)
    by_scene = labels.reshape(SCENES, 4, 31)
    assert (by_scene.sum(1) == 2).all(), "every scene keeps two of each"
    assert len(np.unique(by_scene[:, :, 1:].transpose(0, 2, 1).reshape(-1, 4), axis=0)) == 6
    # a relabelled null is what the probe gives if it is asked for those very labels
    spec = SPEC.model_copy(update={"permutations": 3})
    features = np.random.default_rng(5).normal(size=(2, 120, 1, 6))
    labels = _class_rows.shuffled(POSSIBLE, SCENE, 3, seed=0)
    rows, _ = run(features, spec=spec)
    given = []
    for column in (1, 2, 3):
        found, _ = probe(
            spec, features, ["0", "1"], {"possible": labels[:, column]}, FOLDS, groups=SCENE
        )
        given.append(score(found, "relative_accuracy")["value"])
    assert score(rows, "relative_accuracy")["null_mean"] == pytest.approx(np.mean(given))


def test_groups_of_one_class_and_several_classes_have_no_order():
    features = np.random.default_rng(0).normal(size=(1, 120, 1, 3))
    alone, _ = probe(SPEC, features, ["0"], {"possible": POSSIBLE}, splits.nested(np.arange(120)))
    several, _ = probe(SPEC, features, ["0"], {"possible": np.arange(120) % 3}, FOLDS, groups=SCENE)
    for rows in (alone, several):
        assert not [row for row in rows if row["metric"] == "relative_accuracy"]


def test_noise_orders_half_of_the_scenes():
    values = []
    for seed in range(30):
        features = np.random.default_rng(seed).normal(size=(1, 120, 1, 4))
        rows, _ = run(features, spec=SPEC.model_copy(update={"permutations": 1}))
        values.append(score(rows, "relative_accuracy")["value"])
    assert np.mean(values) == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(30 * SCENES))


def test_a_part_that_no_fold_holds_out_is_null_and_says_so():
    """Clips of a declared split's training part alone have no held-out score of their own."""
    declared = np.where(PRINCIPLE == "O1", "train", "test")
    folds = splits.nested(SCENE, inner=3, declared=declared)
    rows, _ = run([np.random.default_rng(0).normal(size=(120, 1, 4))], PRINCIPLE, folds=folds)
    for layer in ("0", "selected"):
        for metric in ("accuracy", "auc", "log_loss"):
            lacking = score(rows, metric, layer, "O1")
            assert lacking["value"] is None and lacking["n_clips"] == 0
            assert lacking["note"] == _class_rows.NOBODY
            assert score(rows, metric, layer, "O2")["value"] is not None
