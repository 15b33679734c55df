"""Balls: the law of motion, places that tell nothing, and the published design with its flaws."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError

from physprobe.scenes import scene
from physprobe.simulate import _plane, balls, balls_acceleration, balls_velocity, stage
from physprobe.statistics import splits
from physprobe.store import zarrs

SPEC = balls.Spec(clips=120)
PUBLISHED = {
    "velocity": (balls_velocity, ("vx", "vy"), 392),
    "acceleration": (balls_acceleration, ("ax", "ay"), 280),
}


def clip(labels, number):
    return {name: label[number] for name, label in labels.items()}


def simulated(kind, spec):
    """Labels, and scenes (clip, time, quantity) that passed their gates."""
    labels = kind.draw(spec)
    fields = []
    for number in range(len(labels["x0"])):
        fields.append(kind.field(spec, clip(labels, number)))
        kind.check(spec, clip(labels, number), fields[-1])
    return labels, np.stack(fields)


@pytest.fixture(scope="module")
def fixed():
    return simulated(balls, SPEC)


@pytest.fixture(scope="module")
def published():
    return {name: simulated(kind, kind.Spec()) for name, (kind, *_) in PUBLISHED.items()}


def quantity(fields, name):
    return fields[..., scene.QUANTITIES.index(name)].astype(float)


def image(fields):
    """(clip, time, 2) column and row [px]."""
    return np.stack([quantity(fields, f"ball_{name}") for name in ("column", "row")], -1)


def decoded(places, targets):
    """R2 of ridge from places (clip, 2) to targets (clip, target), held out in five folds."""
    order = np.random.default_rng(0).permutation(len(places))
    error = 0.0
    for fold in range(5):
        test, train = order[fold::5], np.setdiff1d(order, order[fold::5])
        mean, scale = places[train].mean(0), places[train].std(0)
        known, asked = (places[train] - mean) / scale, (places[test] - mean) / scale
        middle = targets[train].mean(0)
        gram = known.T @ known + 1e-3 * len(train) * np.eye(2)
        weights = np.linalg.solve(gram, known.T @ (targets[train] - middle))
        error += ((targets[test] - middle - asked @ weights) ** 2).sum()
    return 1 - error / ((targets - targets.mean(0)) ** 2).sum()


def columns(labels, *names):
    return np.stack([labels[name] for name in names], 1)


def test_the_camera_straight_above_has_the_published_scale():
    row = {**_plane.PUBLISHED, "camera_tilt": 0.0, "camera_azimuth": 0.0}
    camera = scene.Camera.of(row)
    rows, places = camera.project(np.array([[0, 0, 0.3], [1, 0, 0.3], [0, 1, 0.3], [-2, 2, 0.3]]))
    np.testing.assert_allclose(places, [128, 160.99, 128, 62.02], atol=0.01)
    np.testing.assert_allclose(rows, [128, 128, 95.01, 62.02], atol=0.01)


@pytest.mark.parametrize("azimuth", [-2.0, 0.0, 1.1])
def test_a_tilted_camera_looks_at_the_origin_and_its_rays_hit_what_it_projects(azimuth):
    row = {**_plane.PUBLISHED, "camera_tilt": 0.2, "camera_azimuth": azimuth}
    camera = scene.Camera.of(row)
    np.testing.assert_allclose(camera.project(np.zeros(3)), 128, atol=1e-9)
    np.testing.assert_allclose(camera.axes @ camera.axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.norm(camera.place) == pytest.approx(10)
    assert camera.place[2] == pytest.approx(10 * np.cos(0.2))
    points = np.random.default_rng(0).uniform(-2, 2, (20, 3))
    ways = (points - camera.place) / np.linalg.norm(points - camera.place, axis=1)[:, None]
    np.testing.assert_allclose(camera.rays(*camera.project(points)), ways, atol=1e-12)


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.3), (3.0, -2.0, 0.3)])
def test_visible_is_the_part_of_the_disc_in_view(centre):
    camera = scene.Camera.of({**_plane.PUBLISHED, "camera_tilt": 0.0, "camera_azimuth": 0.0})
    assert camera.visible(np.array(centre), 0.3) == 1
    edge = 0.4 * (10 - 0.3)
    assert camera.visible(np.array([edge, 0, 0.3]), 0.3) == pytest.approx(0.5, abs=0.03)
    assert camera.visible(np.array([edge + 0.4, 0, 0.3]), 0.3) == 0


def test_balls_keep_to_the_law_of_motion(fixed):
    """In float64 from the labels alone; what is stored is the nearest float32."""
    labels, fields = fixed
    time = np.arange(16) / 24
    for axis in "xy":
        start, v, a = (labels[name][:, None] for name in (f"{axis}0", f"v{axis}", f"a{axis}"))
        expected = start + v * time + a * time**2 / 2
        np.testing.assert_allclose(quantity(fields, f"ball_{axis}"), expected, atol=2.5e-7)
        np.testing.assert_allclose(expected.mean(1), labels[f"c{axis}"], atol=1e-12)
    for size, pair in (("speed", ("vx", "vy")), ("acceleration", ("ax", "ay"))):
        np.testing.assert_allclose(labels[size], np.hypot(*(labels[name] for name in pair)))
    np.testing.assert_allclose(labels["direction"], np.arctan2(labels["vy"], labels["vx"]))
    np.testing.assert_allclose(quantity(fields, "ball_z"), 0.3, atol=1e-7)


def test_draws_fill_their_ranges_and_all_directions():
    labels = balls.draw(balls.Spec(clips=400))
    for name, (low, high) in {"speed": (0.5, 3), "acceleration": (1, 6)}.items():
        found = np.sort(labels[name])
        assert low <= found[0] < low + 0.05 * (high - low)
        assert high >= found[-1] > high - 0.05 * (high - low)
    for name in ("direction", "acceleration_direction", "light_azimuth", "camera_azimuth"):
        assert np.histogram(labels[name], 8, (-np.pi, np.pi))[0].min() > 25, name
    assert set(labels["texture"]) == {0, 1, 2}
    assert labels["distractor"].mean() == pytest.approx(0.5, abs=0.1)
    assert len(np.unique(labels["speed"])) == 400


def test_the_same_seed_gives_the_same_clips_and_more_keep_the_first():
    few, many, other = (
        balls.draw(balls.Spec(clips=n, seed=s)) for n, s in ((4, 0), (9, 0), (4, 1))
    )
    for name in balls.UNITS:
        np.testing.assert_array_equal(many[name][:4], few[name])
    assert not np.isin(other["vx"], few["vx"]).any()


def test_every_ball_is_in_view_and_clear_of_the_other(fixed):
    labels, fields = fixed
    assert (quantity(fields, "ball_visible") == 1).all()
    there = labels["distractor"] == 1
    assert (quantity(fields, "distractor_visible")[there] == 1).all()
    assert (quantity(fields, "distractor_radius")[~there] == 0).all()
    places = image(fields)
    assert places.min() > 10 and places.max() < 246


def test_the_widest_draws_stay_in_view():
    """At the rim of the disc of centres, outwards, as fast as it goes, at the largest tilt."""
    spec = balls.Spec()
    for angle in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        way = np.array([np.cos(angle), np.sin(angle)])
        for sign in (1, -1):
            motion = dict(zip(("cx", "cy"), balls._room(spec) * way, strict=True))
            motion |= dict(zip(("vx", "vy"), 3.0 * sign * way, strict=True))
            motion |= dict(zip(("ax", "ay"), 6.0 * sign * way, strict=True))
            labels = motion | balls._centred(spec, motion)
            labels |= {"camera_tilt": 0.15, "camera_azimuth": angle + 0.4}
            balls.check(spec, labels, balls.field(spec, labels))


def test_mean_place_tells_nothing_about_the_motion():
    """On the fixed design; on the published one, clip mean and last tubelet give velocity away."""
    spec = balls.Spec(clips=400)
    labels = balls.draw(spec)
    fields = np.stack([balls.field(spec, clip(labels, n)) for n in range(400)])
    mean = image(fields).mean(1)
    for pair in (("vx", "vy"), ("ax", "ay")):
        assert abs(decoded(mean, columns(labels, *pair))) < 0.03
    radius = np.hypot(*(mean - 128).T)[:, None]
    assert (
        np.abs(np.corrcoef(np.hstack([radius, columns(labels, "speed", "acceleration")]).T))[
            0, 1:
        ].max()
        < 0.1
    )
    last = image(fields)[:, 14:].mean(1)
    assert decoded(last, columns(labels, "vx", "vy")) < 0.25


def test_the_published_places_give_velocity_away(published):
    for name, pair, expected in (
        ("velocity", ("vx", "vy"), {"last": 0.72, "mean": 0.40}),
        ("acceleration", ("ax", "ay"), {"last": 0.37}),
    ):
        labels, fields = published[name]
        places = {"last": image(fields)[:, 14:].mean(1), "mean": image(fields).mean(1)}
        for where, score in expected.items():
            found = decoded(places[where], columns(labels, *pair))
            assert found == pytest.approx(score, abs=0.03), (name, where)


@pytest.mark.parametrize(
    ("name", "starts", "sizes"),
    [
        ("velocity", [(-0.50184, 1.80286), (0.92798, 0.39463)], range(1, 8)),
        ("acceleration", [(-1.53978, 0.43627), (-1.46644, -1.03764)], range(2, 11, 2)),
    ],
)
def test_the_published_design(published, name, starts, sizes):
    labels, _ = published[name]
    _, pair, count = PUBLISHED[name]
    found = columns(labels, "x0", "y0")
    np.testing.assert_allclose(found[:2], starts, atol=5e-6)
    assert found.shape == (count, 2) and np.abs(found).max() < 2
    size = labels["speed" if name == "velocity" else "acceleration"]
    assert np.unique(size).tolist() == list(sizes)
    angle = np.degrees(np.arctan2(labels[pair[1]], labels[pair[0]])) % 360
    assert np.unique(angle.round(6)).tolist() == list(range(0, 360, 45))
    np.testing.assert_allclose(labels["direction"], np.radians(angle + 180) % (2 * np.pi) - np.pi
                               + 2 * np.pi * (labels["direction_id"] == 4), atol=1e-9)  # fmt: skip
    for group, groups in {
        "direction_id": 8,
        "magnitude_id": len(sizes),
        "condition_id": 8 * len(sizes),
        "position_id": 7,
    }.items():
        counts = np.bincount(labels[group])
        assert len(counts) == groups and (counts == count // groups).all()


def test_the_published_groups_of_places(published):
    labels, _ = published["velocity"]
    assert np.bincount(labels["spatial_sector_id"]).tolist() == [98, 71, 73, 68, 82]
    assert np.bincount(labels["pixel_region_id"]).tolist() == [68, 60, 55, 44, 165]
    assert np.bincount(labels["spatial_cluster_id"]).tolist() == [82, 81, 79, 63, 87]


def test_groups_of_drawn_balls_are_parts_of_what_they_are_named_for():
    labels = balls.draw(SPEC)
    parts = {"direction": (8, 2 * np.pi / 8), "magnitude": (5, 2.5 / 5)}
    for name, values in {"direction": labels["direction"], "magnitude": labels["speed"]}.items():
        count, width = parts[name]
        found = labels[f"{name}_id"]
        assert set(found) == set(range(count))
        for number in range(count):
            mine = values[found == number]
            turned = mine if name == "magnitude" else np.angle(np.exp(1j * (mine - width * number)))
            assert np.ptp(turned) <= width
    rest = balls.draw(balls.Spec(clips=60, speed=None))
    assert set(rest["magnitude_id"]) == set(range(5))
    for part in ("spatial_sector", "pixel_region", "spatial_cluster"):
        assert set(labels[f"{part}_id"]) == set(range(5)), part
    starts = np.column_stack([labels["x0"], labels["y0"]])
    clusters = labels["spatial_cluster_id"]
    middles = np.array([starts[clusters == number].mean(0) for number in range(5)])
    nearest = np.linalg.norm(starts[:, None] - middles, axis=-1).argmin(1)
    np.testing.assert_array_equal(clusters, nearest)


@pytest.mark.parametrize("grouping", splits.GROUPINGS)
def test_drawn_balls_can_be_split_by_every_grouping(grouping):
    system = xr.Dataset({name: ("clip", values) for name, values in balls.draw(SPEC).items()})
    _, folds = splits.declared_by(system, outer=5, inner=4, seed=0, grouping=grouping)
    names = [f"{part}_id" for part in splits.GROUPINGS[grouping]] or ["group"]
    kept = list(zip(*(system[name].values for name in names), strict=True))
    for fold in folds:
        assert not {kept[clip] for clip in fold.train} & {kept[clip] for clip in fold.test}
    np.testing.assert_array_equal(
        np.sort(np.concatenate([fold.test for fold in folds])), range(120)
    )


def test_the_published_pixels_per_frame(published):
    labels, fields = published["velocity"]
    step = np.linalg.norm(np.diff(image(fields), axis=1), axis=-1)
    np.testing.assert_allclose(step, 1.3746 * labels["speed"][:, None] * np.ones(15), rtol=2e-4)
    labels, fields = published["acceleration"]
    change = np.linalg.norm(np.diff(image(fields), 2, axis=1), axis=-1)
    expected = labels["acceleration"][:, None] * np.full(14, 0.5727 / 10)
    np.testing.assert_allclose(change, expected, atol=1e-4)
    assert image(fields)[:, 0].min() > 62 and image(fields)[:, 0].max() < 194


def test_the_published_balls_leave_the_view(published):
    """12.0 % out of sight in the last two frames by a radius of 9.9 px, and none of the others."""
    labels, fields = published["velocity"]
    out = np.abs(image(fields)[:, 14:] - 128).max(-1)
    assert ((out > 128 + 9.9).all(1)).sum() == 47
    assert ((out > 128).any(1)).sum() == 76
    gone = (out > 128 + 9.9).all(1)
    shares = [gone[labels["speed"] == speed].mean().round(3) for speed in range(1, 8)]
    assert shares == [0, 0, 0, 0.036, 0.125, 0.339, 0.339]
    # one of them still shows its edge, drawn out by the perspective
    assert (quantity(fields, "ball_visible")[:, 14:] == 0).all(1).sum() == 46
    assert (quantity(published["acceleration"][1], "ball_visible") > 0).all()


def spoilt(fields, name, frame, change):
    found = fields.copy()
    found[frame, scene.QUANTITIES.index(name)] += change
    return found


@pytest.mark.parametrize(
    ("name", "frame", "change", "expected"),
    [
        ("ball_x", 3, 1e-5, "law of motion: x of frame 3"),
        ("ball_y", 15, np.nan, "law of motion: y of frame 15 is nan"),
        ("ball_z", 7, 0.01, "law of motion: z of frame 7"),
        ("ball_visible", 9, -0.25, "in view: 75% of the ball is in view at frame 9"),
        ("distractor_radius", 5, 9.0, "apart: the balls are -.* m apart at frame 5"),
    ],
)
def test_each_gate_names_the_frame_that_breaks_it(fixed, name, frame, change, expected):
    labels, fields = fixed
    number = int(np.argmax(labels["distractor"]))
    with pytest.raises(ValueError, match=expected):
        balls.check(SPEC, clip(labels, number), spoilt(fields[number], name, frame, change))


def test_a_gate_refuses_the_published_balls_out_of_view(published):
    _, fields = published["velocity"]
    gone = int(np.argmax((quantity(fields, "ball_visible") < 1).any(1)))
    with pytest.raises(ValueError, match=r"in view: .* of the ball is in view at frame \d+"):
        _plane.in_view(fields[gone])


def test_a_gate_refuses_places_that_foretell_velocity():
    labels = balls.draw(balls.Spec(clips=60))
    balls.check_labels(balls.Spec(clips=60), labels)
    with pytest.raises(ValueError, match="independence: cx and vx correlate by 0"):
        balls.check_labels(balls.Spec(clips=60), labels | {"cx": labels["cx"] + 1.5 * labels["vx"]})
    with pytest.raises(ValueError, match="speed has 1 distinct values in 60 clips"):
        balls.check_labels(balls.Spec(clips=60), labels | {"speed": np.ones(60)})


def test_uniform_motion_and_starts_from_rest():
    spec = balls.Spec(clips=20, acceleration=None)
    labels, _ = simulated(balls, spec)
    balls.check_labels(spec, labels)
    assert not labels["acceleration"].any() and labels["speed"].min() >= 0.5
    spec = balls.Spec(clips=20, speed=None, tilt=0, texture=0, distractor=0)
    labels, fields = simulated(balls, spec)
    balls.check_labels(spec, labels)
    assert not labels["speed"].any() and not labels["distractor"].any()
    np.testing.assert_allclose(labels["direction"], np.arctan2(labels["ay"], labels["ax"]))
    assert not quantity(fields, "camera_tilt").any()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"speed": None, "acceleration": None}, "would never move"),
        ({"speed": (1, 12)}, "the fastest ball leaves -.* m around the origin"),
        ({"frames": 48}, "the fastest ball leaves"),
        ({"background": (0.5, 1.5)}, "background: a floor returns 1 at most, not 1.5"),
        ({"light": (0.1, 1)}, "light: has to be between 0.3 rad"),
        ({"tilt": 1.0}, "less than or equal to 0.3"),
        ({"speed": (3, 2)}, "low end 3"),
        ({"gravity": 1}, "Extra inputs"),
    ],
)
def test_impossible_values_are_refused(entry, expected):
    with pytest.raises(ValidationError, match=expected):
        balls.Spec(**entry)


def test_a_store_holds_scene_labels_and_units(tmp_path: Path):
    spec = balls.Spec(clips=6)
    out = tmp_path / "balls" / "simulation.zarr" / "zarr.json"
    stage.run(out=out, spec=spec.canonical())
    found = zarrs.read(out)
    assert found.scene.dims == ("clip", "time", "quantity")
    assert found.quantity.values.tolist() == list(scene.QUANTITIES)
    assert "ball_x [m]" in found.scene.attrs["units"]
    assert {name: found[name].attrs["units"] for name in balls.UNITS} == balls.UNITS
    labels = balls.draw(spec)
    np.testing.assert_array_equal(found.scene[2], balls.field(spec, clip(labels, 2)))
    assert found.scene.sel(quantity="ball_visible").values.min() == 1
    np.testing.assert_allclose(found.time, np.arange(16) / 24)
    groups, _ = splits.declared_by(found, outer=3, inner=2, seed=0)
    np.testing.assert_array_equal(groups, np.arange(6))
