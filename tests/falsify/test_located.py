"""Located: what one token alone holds is found there, and what a path gives away is not it."""

import json
from pathlib import Path

import numpy as np
import pytest
from figure_oracle import sound

from physprobe.falsify import located
from physprobe.falsify import stage as falsify
from physprobe.falsify.entries import Study
from physprobe.figures import located as drawn
from physprobe.fit import stage as fit
from physprobe.fit.designs import places
from physprobe.fit.methods.ridge import Spec
from physprobe.scenes import scene
from physprobe.store import results, writing

CLIPS, FRAMES, GRID, PIXELS = 96, 6, (4, 4), 64
TUBELET = 2
HOME = (1, 2)  # the patch that most balls are in
TARGETS = ("speed", "sincos_direction", "row")
RIDGE = Spec(targets=TARGETS, samples=("clip",), permutations=20, bootstraps=1000).canonical()


def film(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Scene whose ball is at rows and columns (clip, frame) [px] of an image seen from above."""
    found = np.zeros((*rows.shape, len(scene.QUANTITIES)), "f4")
    distance, view = 10.0, 0.761
    scale = 2 * np.tan(view / 2) * (distance - 0.3) / PIXELS
    for name, value in {
        "ball_x": (columns - PIXELS / 2) * scale,
        "ball_y": (PIXELS / 2 - rows) * scale,
        "ball_z": 0.3,
        "ball_radius": 0.3,
        "ball_row": rows,
        "ball_column": columns,
        "camera_distance": distance,
        "camera_view": view,
        "camera_pixels": PIXELS,
    }.items():
        found[..., scene.QUANTITIES.index(name)] = value
    return found


def store(root: Path, name: str, dims: tuple, values: np.ndarray, coords: dict, **attrs) -> Path:
    out = root / "zarr.json"
    pooled = {"pooled": values.mean((2, 3))[:, None]} if name.startswith("tokens") else {}
    arrays = {name: (dims, values)} | {
        key: (("clip", "layer", "time", "feature"), array) for key, array in pooled.items()
    }
    with writing.create(
        out,
        variables={
            key: writing.Variable(dims, array.shape, str(array.dtype))
            for key, (dims, array) in arrays.items()
        },
        coords=coords,
        attrs={"spec": {}, **attrs},
        fingerprint={},
        block=16,
    ) as made:
        made.fill(lambda block: {key: array[block] for key, (_, array) in arrays.items()})
    return out


class World:
    """Balls that most often stay in one patch, their labels, and tokens that know nothing."""

    def __init__(self, folder: Path):
        rng = np.random.default_rng(3)
        self.folder, self.rng = folder, rng
        patch = np.where(rng.random((CLIPS, 1)) < 0.75, [HOME], rng.integers(0, 4, (CLIPS, 2)))
        side = PIXELS / GRID[0]
        middle = (patch[:, None] + 0.5) * side + rng.uniform(-3, 3, (CLIPS, FRAMES, 2))
        self.film = film(middle[..., 0], middle[..., 1])
        self.labels = {
            "speed": rng.uniform(1, 2, CLIPS),
            "direction": rng.uniform(-np.pi, np.pi, CLIPS),
            "row": middle[..., 0].mean(1),
        }
        seconds = np.arange(FRAMES) / 24
        coords = {name: (("clip",), values, {}) for name, values in self.labels.items()}
        coords["time"] = (("time",), seconds, {"units": "s"})
        self.simulation = store(
            folder / "simulation.zarr", "scene", ("clip", "time", "quantity"), self.film, coords,
            field="scene",
        )  # fmt: skip
        self.patch, self.seconds = patch, seconds
        self.tokens = rng.normal(size=(CLIPS, FRAMES // TUBELET, *GRID, 8))

    def found(self, name: str, tokens: np.ndarray) -> dict:
        """Verdicts of a study of one encoder."""
        start = self.seconds[::TUBELET]
        embeddings = store(
            self.folder / "embeddings" / f"{name}.zarr", "tokens_final",
            ("clip", "time", "y", "x", "feature"), tokens.astype("f2"),
            {
                "layer": (("layer",), np.array(["final"]), {}),
                "time": (("time",), start + 1 / 48, {}),
                "time_start": (("time",), start, {}),
                "time_end": (("time",), start + TUBELET / 24, {}),
            },
            label=name,
        )  # fmt: skip
        place = self.folder.parent / name
        fitted, out = place / "fits" / f"{name}.ridge.json", place / "verdicts.json"
        fit.run(
            embeddings=[embeddings], simulation=[self.simulation], out=fitted, spec=RIDGE,
            design=places.Spec().canonical(),
        )  # fmt: skip
        claims = {
            f"{target}_above_{other}": {
                "kind": "located", "statement": "It is there.", "target": target, "against": other
            }
            for target in TARGETS
            for other in located.ELSEWHERE
        }  # fmt: skip
        study = Study(
            system="balls", design={"kind": "places"}, encoders=[name], methods=["ridge"],
            claims=claims,
        )  # fmt: skip
        falsify.run(
            fits=[fitted], embeddings=[embeddings], simulation=[self.simulation], out=out,
            spec=study.canonical(),
        )  # fmt: skip
        return results.read(out)


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("world") / "balls")


@pytest.fixture(scope="module")
def planted(world) -> dict:
    """Tokens of which only the one under the ball holds speed and direction."""
    codes = [world.labels["speed"] - 1.5, *(f(world.labels["direction"]) for f in (np.sin, np.cos))]
    maps = np.random.default_rng(8).normal(size=(3, 8)) * np.array([[6.0], [3.0], [3.0]])
    tokens = world.tokens.copy()
    clips, (y, x) = np.arange(CLIPS), world.patch.T
    tokens[clips, :, y, x] += (np.stack(codes, 1) @ maps)[:, None]
    return world.found("planted", tokens)


@pytest.fixture(scope="module")
def noise(world) -> dict:
    return world.found("noise", world.tokens)


def r2(found: dict, target: str) -> dict[str, dict]:
    return {
        row["place"]: row
        for row in found["rows"]
        if (row["claim"], row["metric"]) == (f"{target}_above_far", "r2")
    }


@pytest.mark.parametrize("target", ["speed", "sincos_direction"])
def test_what_the_token_under_the_ball_holds_is_found_there(planted, target):
    scores = r2(planted, target)
    assert scores["under"]["value"] > 0.9 and scores["under"]["p"] < 0.05
    for name in ("far", "elsewhere"):
        assert scores[name]["value"] < 0.15, name
    assert scores["far"]["value"] < scores["mean"]["value"] < scores["under"]["value"]
    patches = {name: row["value"] for name, row in scores.items() if "," in name}
    assert len(patches) == 16
    assert max(patches, key=patches.get) == "{},{}".format(*HOME)
    assert patches["1,2"] > 0.3
    assert max(value for name, value in patches.items() if name != "1,2") < 0.15
    gains = {
        row["against"]: row
        for row in planted["rows"]
        if (row["claim"], row["metric"]) == (f"{target}_above_far", "r2_difference")
    }
    for name in ("mean", "elsewhere", "far"):
        gap = scores["under"]["value"] - scores[name]["value"]
        assert gains[name]["value"] == pytest.approx(gap, abs=1e-6)
        assert gains[name]["ci_low"] > 0


@pytest.mark.parametrize("target", ["speed", "sincos_direction", "row"])
def test_noise_holds_nothing_anywhere(noise, target):
    scores = r2(noise, target)
    assert all(row["value"] < 0.15 for row in scores.values())
    assert np.mean([row["value"] for row in scores.values()]) < 0.02
    assert sum(row["ci_low"] > 0 for row in scores.values()) <= 2


def test_what_a_place_gives_away_is_read_in_another_clip_too(world):
    """Tokens that hold where they are: the ball's path follows from which of them are looked at."""
    tokens = world.tokens.copy()
    tokens[..., 0] += 8 * np.arange(GRID[0])[:, None]
    scores = r2(world.found("positions", tokens), "row")
    assert scores["under"]["value"] > 0.8
    assert scores["elsewhere"]["value"] == pytest.approx(scores["under"]["value"], abs=0.05)
    assert scores["mean"]["value"] < 0.1 and scores["far"]["value"] < 0.6


def test_the_mean_is_that_of_all_tokens(world):
    patches = np.zeros((CLIPS, 3, 2), int)
    parts = places.Parts(world.tokens.astype("f2"), patches, 0)
    assert parts.names[:4] == places.Parts.CHOSEN and len(list(parts)) == 4 + 16
    np.testing.assert_allclose(parts[0], world.tokens.astype("f2").mean((2, 3), dtype=float))
    np.testing.assert_array_equal(parts[1], world.tokens.astype("f2")[:, :, 0, 0])
    np.testing.assert_array_equal(parts[4 + 6], world.tokens.astype("f2")[:, :, 1, 2])
    np.testing.assert_array_equal(parts[3], world.tokens.astype("f2")[:, :, 3, 3])


def test_patches_are_those_of_each_tokens_frames():
    rows = np.array([[2.0, 4.0, 40.0, 44.0]])
    columns = np.array([[-5.0, -7.0, 31.0, 36.0]])
    member = np.array([[True, True, False, False], [False, False, True, True]])
    found = places.under(film(rows, columns), member, (4, 8))
    assert found.tolist() == [[[0, 0], [2, 4]]]


def test_far_is_as_far_as_can_be_all_the_time_and_others_are_other_clips():
    path = np.array([[[0, 0], [0, 3]], [[3, 3], [3, 3]]])
    assert places.far(path, (4, 4)).tolist() in ([[3, 1], [0, 0]], [[3, 2], [0, 0]])
    partner = places.others(50, 0)
    assert sorted(partner) == list(range(50)) and (partner != np.arange(50)).all()


def test_touched_patches_are_those_within_the_balls_radius(world):
    found = places.touched(world.film, GRID)
    radius = PIXELS * 0.3 / (2 * np.tan(0.761 / 2) * (10.0 - 0.3))
    side = PIXELS / GRID[0]
    rows, columns = (
        world.film[..., scene.QUANTITIES.index(f"ball_{name}")] for name in ("row", "column")
    )
    for y, x in np.ndindex(*GRID):
        down = np.maximum(np.maximum(y * side - rows, rows - (y + 1) * side), 0)
        across = np.maximum(np.maximum(x * side - columns, columns - (x + 1) * side), 0)
        away = np.hypot(down, across).min(1)
        # points of the disc are some px apart, and it is seen in perspective
        assert found[away < 0.7 * radius, y, x].all()
        assert not found[away > 1.15 * radius, y, x].any()


def test_the_result_says_how_many_clips_touch_and_is_plain(planted):
    touched = np.array(planted["shown"]["speed_above_far"]["touched"]["planted"])
    assert touched.shape == GRID and touched[HOME] == touched.max() >= 0.7 * CLIPS
    json.dumps(planted, allow_nan=False)
    assert {row["layer"] for row in planted["rows"]} == {"final"}


@pytest.mark.parametrize("target", ["speed", "sincos_direction"])
def test_the_difference_that_is_asked_for_decides(planted, noise, target):
    for other in located.ELSEWHERE:
        claim = f"{target}_above_{other}"
        (line,) = (line for line in planted["claims"] if line["claim"] == claim)
        (row,) = (
            row
            for row in planted["rows"]
            if (row["claim"], row["against"]) == (claim, other)
        )  # fmt: skip
        ends = ("value", "ci_low", "ci_high")
        assert [line[key] for key in ends] == [row[key] for key in ends]
        assert line["verdict"] == "supported"
        assert line["statistic"] == f"R2 of {target} under the ball less {located.WORDS[other]}"
    mine = [line for line in noise["claims"] if line["claim"].startswith(f"{target}_above")]
    assert len(mine) == len(located.ELSEWHERE)
    assert not any(line["verdict"] == "supported" for line in mine)


def test_the_picture_shows_each_part_once(planted):
    frame = drawn.frame(planted)
    sound(drawn.figure(frame))
    parts = frame[frame["item"] == "part"]
    assert len(parts) == len(TARGETS) * len(drawn.PARTS)
    assert (frame["item"] == "patch").sum() == len(TARGETS) * GRID[0] * GRID[1]


def test_what_has_no_tokens_or_no_ball_says_so(world, tmp_path):
    design = places.Spec(layer="3").canonical()
    embeddings = world.folder / "embeddings" / "noise.zarr" / "zarr.json"
    with pytest.raises(ValueError, match=r"no spatial tokens of layer '3'.*Hint"):
        fit.run(
            embeddings=[embeddings], simulation=[world.simulation], out=tmp_path / "x.json",
            spec=RIDGE, design=design,
        )  # fmt: skip
