"""Occlusion: quadruplets that share all frames, bodies that are hidden when they are exchanged."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.scenes import screens
from physprobe.simulate import occlusion, stage
from physprobe.statistics import splits
from physprobe.store import zarrs

SPEC = occlusion.Spec(scenes=12)


@pytest.fixture(scope="module")
def movies():
    """Labels, and descriptions (clip, time, quantity) that passed their gates."""
    labels, fields = occlusion.draw(SPEC), []
    occlusion.check_labels(SPEC, labels)
    for number in range(len(labels["scene"])):
        fields.append(occlusion.field(SPEC, one(labels, number)))
        occlusion.check(SPEC, one(labels, number), fields[-1])
    return labels, np.stack(fields)


def one(labels, number):
    return {name: label[number] for name, label in labels.items()}


def quantity(fields, name):
    return fields[..., screens.QUANTITIES.index(name)].astype(float)


def runs(fields, length):
    """All runs of so many frames in a row of some movies, as a sorted list."""
    starts = range(fields.shape[1] - length + 1)
    return sorted(movie[s : s + length].tobytes() for movie in fields for s in starts)


def quadruplets(movies):
    """Labels of a scene's first movie, and its possible and impossible ones."""
    labels, fields = movies
    for scene in range(3 * SPEC.scenes):
        mine = np.flatnonzero(labels["scene"] == scene)
        possible = labels["possible"][mine] == 1
        yield one(labels, mine[0]), fields[mine[possible]], fields[mine[~possible]]


def test_every_scene_has_two_possible_and_two_impossible_movies(movies):
    labels, fields = movies
    assert len(fields) == 3 * 12 * 4
    assert labels["principle"].tolist() == sorted(labels["principle"])
    assert np.array_equal(labels["group"], labels["scene"])
    for scene in range(36):
        mine = labels["scene"] == scene
        assert labels["movie"][mine].tolist() == [1, 2, 3, 4]
        assert labels["possible"][mine].tolist() == [1, 1, 0, 0]
        assert len({movie.tobytes() for movie in fields[mine]}) == 4, "no two are the same"


def test_movies_of_a_scene_share_every_frame_and_every_short_run_of_frames(movies):
    for _, possible, impossible in quadruplets(movies):
        for length in range(1, SPEC.hidden + 2):
            parts = [exchangeable(part) for part in (possible, impossible)]
            assert runs(parts[0], length) == runs(parts[1], length)
        assert runs(possible, SPEC.frames) != runs(impossible, SPEC.frames)


def exchangeable(fields):
    """The same with what nobody sees of a hidden body left out."""
    seen = quantity(fields, "body_visible") > 0
    shown = fields.copy()
    for name in ("body_shape", "body_x"):
        place = screens.QUANTITIES.index(name)
        shown[..., place] = np.where(seen, shown[..., place], 0)
    return shown


def test_the_body_is_hidden_around_the_exchange_and_in_view_else(movies):
    labels, fields = movies
    there = quantity(fields, "body_shape") > 0
    visible = quantity(fields, "body_visible")
    frame = np.arange(SPEC.frames)
    around = np.abs(frame + 0.5 - labels["swap"][:, None]) < SPEC.hidden / 2
    assert (around.sum(1) == SPEC.hidden).all()
    assert (visible[around] == 0).all()
    assert (visible[:, [0, -1]][there[:, [0, -1]]] == 1).all()
    reach = np.abs(quantity(fields, "body_x")) + quantity(fields, "body_size")
    assert (reach[there] <= occlusion.VIEW / 2).all()
    assert (visible[~there] == 0).all()


def test_each_principle_is_broken_in_its_own_way(movies):
    for labels, (a, b), (ab, ba) in quadruplets(movies):
        swap = labels["swap"]
        shape = [quantity(movie, "body_shape") for movie in (a, b)]
        place = [quantity(movie, "body_x") for movie in (a, b)]
        match labels["principle"]:
            case "O1":
                assert (shape[0] > 0).all() and (shape[1] == 0).all()
            case "O2":
                assert (shape[0] != shape[1]).all() and (shape[1] > 0).all()
                assert np.array_equal(*place)
            case "O3":
                assert np.array_equal(*shape)
                assert (place[1] - place[0]).min() >= 2 * occlusion.BOTH[0] - 1e-5
                assert (quantity(a, "right_height").max() > 0).all()
        assert np.array_equal(ab, np.concatenate([a[:swap], b[swap:]]))
        assert np.array_equal(ba, np.concatenate([b[:swap], a[swap:]]))


def test_a_body_that_is_there_moves_uniformly(movies):
    labels, fields = movies
    steps = np.diff(quantity(fields[labels["possible"] == 1], "body_x"), axis=1)
    velocity = labels["velocity"][labels["possible"] == 1]
    np.testing.assert_allclose(steps * occlusion.FPS, np.tile(velocity[:, None], 15), atol=2e-5)
    assert np.abs(velocity).max() > 1 and np.abs(velocity).min() < 0.2


def test_what_is_visible_is_measured():
    row = dict.fromkeys(screens.QUANTITIES, 0.0) | {
        "body_shape": 2.0, "body_size": 0.5, "view": 6.0, "pixels": 60.0,
        "left_width": 1.2, "left_height": 1.5,
    }  # fmt: skip
    assert (screens.visible(row), screens.hidden(row)) == (0.0, True)
    assert screens.visible(row | {"left_height": 0.5}) == pytest.approx(0.5)
    assert screens.visible(row | {"left_x": 0.6}) == pytest.approx(0.5)
    assert screens.visible(row | {"body_x": 3.0}) == pytest.approx(0.5)
    assert not screens.hidden(row | {"left_width": 1.19}), "a pixel is left around it"
    assert screens.visible(row | {"body_shape": 0.0}) == 0.0
    free = row | {"left_height": 0.0}
    assert all(screens.visible(free | {"body_shape": shape}) == 1.0 for shape in (1, 2, 3))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"screen_height": 0.3}, "hidden: .* at frame"),
        ({"left_width": 0.1}, "hidden: .* at frame"),
        ({"velocity": 30.0}, "in view: the body is at"),
        ({"rises": -5, "velocity": 0.0}, "seen: 0% of the body is seen at frame 0"),
    ],
)
def test_gates_refuse_an_exchange_that_shows(labels, message):
    drawn = one(occlusion.draw(occlusion.Spec(principles=("O2",), scenes=1)), 2) | labels
    with pytest.raises(ValueError, match=message):
        occlusion.check(SPEC, drawn, occlusion.field(SPEC, drawn))


def test_gates_refuse_frames_of_no_possible_movie_and_broken_quadruplets(movies):
    labels, fields = movies
    spoiled = fields[2].copy()
    spoiled[5, screens.QUANTITIES.index("wall_red")] += 0.01
    with pytest.raises(ValueError, match="shared: frame 5"):
        occlusion.check(SPEC, one(labels, 2), spoiled)
    with pytest.raises(ValueError, match="scene 0 has 3 possible movies of 4"):
        occlusion.check_labels(SPEC, labels | {"possible": np.r_[1, 1, 1, labels["possible"][3:]]})
    with pytest.raises(ValueError, match="velocity differs between movies of scene 0"):
        occlusion.check_labels(SPEC, labels | {"velocity": np.arange(144.0)})


def test_more_scenes_keep_the_first_and_seeds_differ():
    few, many = (occlusion.draw(occlusion.Spec(principles=("O3",), scenes=n)) for n in (2, 5))
    assert all(np.array_equal(few[name], many[name][:8]) for name in few)
    other = occlusion.draw(occlusion.Spec(principles=("O3",), scenes=2, seed=1))
    assert not np.array_equal(few["velocity"], other["velocity"])


@pytest.mark.parametrize("wrong", [{"hidden": 3}, {"hidden": 6}, {"principles": ["O1", "O1"]}])
def test_specs_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValidationError):
        occlusion.Spec(**wrong)


@pytest.mark.parametrize(("frames", "hidden"), [(16, 2), (32, 8), (64, 16)])
def test_longer_movies_pass_their_gates(frames, hidden):
    spec = occlusion.Spec(scenes=4, frames=frames, hidden=hidden)
    labels = occlusion.draw(spec)
    for number in range(len(labels["scene"])):
        occlusion.check(spec, one(labels, number), occlusion.field(spec, one(labels, number)))


def test_a_store_keeps_scenes_together(tmp_path: Path):
    out = tmp_path / "occlusion" / "simulation.zarr" / "zarr.json"
    stage.run(out=out, spec=occlusion.Spec(scenes=2).canonical())
    found = zarrs.read(out)
    assert found.screens.dims == ("clip", "time", "quantity")
    assert {name: found[name].attrs["units"] for name in occlusion.UNITS} == occlusion.UNITS
    assert found.principle.values.tolist() == ["O1"] * 8 + ["O2"] * 8 + ["O3"] * 8
    groups, _ = splits.declared_by(found, outer=2, inner=2, seed=0)
    assert np.array_equal(groups, np.arange(24) // 4)
