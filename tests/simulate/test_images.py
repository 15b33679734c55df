"""Images from idx files: read whole or refused by name; subsets as published, or drawn."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from physprobe.config.system import System
from physprobe.render import images as renderer
from physprobe.render import stage as render
from physprobe.scenes import idx
from physprobe.simulate import images
from physprobe.simulate import stage as simulate
from physprobe.statistics import splits
from physprobe.store import zarrs

REAL = Path(__file__).parents[3] / "shared/data/mnist"
SIDE = 6


def packed(values: np.ndarray) -> bytes:
    """An idx file, written by hand."""
    head = bytes([0, 0, 8, values.ndim])
    return head + b"".join(size.to_bytes(4, "big") for size in values.shape) + values.tobytes()


def shown(count: int, first: int = 1) -> np.ndarray:
    """Images whose first pixel is their number."""
    found = np.zeros((count, SIDE, SIDE), np.uint8)
    found[:, 0, 0], found[:, 3, 2] = np.arange(first, first + count), 255
    return found


def put(folder: Path, name: str, count: int, first: int = 1, gz: bool = True) -> None:
    digits = (np.arange(count) % 3).astype(np.uint8)
    for part, values in ((idx.IMAGES, shown(count, first)), (idx.LABELS, digits)):
        content = packed(values)
        path = folder / f"{name}-{part}"
        if gz:
            path = path.with_name(f"{path.name}.gz")
            content = gzip.compress(content, mtime=0)
        path.write_bytes(content)


def spec(folder: Path, **more) -> images.Spec:
    return images.Spec(folder=str(folder), **{"validation": 8, "test": 12, **more})


def test_of_one_set_the_subsets_are_drawn(tmp_path):
    put(tmp_path, "t10k", 40)
    labels = images.draw(spec(tmp_path))
    subset = labels["subset"]
    assert {name: (subset == name).sum() for name in np.unique(subset)} == {
        "train": 20, "validation": 8, "test": 12,
    }  # fmt: skip
    np.testing.assert_array_equal(labels["digit"], np.arange(40) % 3)
    np.testing.assert_array_equal(np.sort(labels["rank"]), np.arange(40))
    assert set(labels["rank"][subset == "train"]) == set(range(20)), "the first ones are trained on"
    assert ((labels["split"] == "test") == (subset == "test")).all()
    first = labels["rank"][:20] < 20
    assert 3 < first.sum() < 17, "drawn from both halves of the file"
    other = images.draw(spec(tmp_path, seed=1))
    assert (other["rank"] != labels["rank"]).any()


def test_of_both_sets_the_published_one_is_held_out(tmp_path):
    put(tmp_path, "train", 30, gz=False)
    put(tmp_path, "t10k", 10, first=31)
    labels = images.draw(spec(tmp_path))
    assert (labels["split"] == np.repeat(["train", "test"], [30, 10])).all()
    assert (labels["subset"] == "validation").sum() == 8
    field = images.solved(spec(tmp_path), labels)[0]
    np.testing.assert_array_equal(field[:, 0, 0, 0], np.arange(1, 41))


def test_stores_hold_what_the_files_do(tmp_path):
    put(tmp_path, "t10k", 40)
    roots = [tmp_path / "w" / name / "zarr.json" for name in ("simulation.zarr", "clips.zarr")]
    simulate.run(out=roots[0], spec=spec(tmp_path).canonical())
    render.run(simulation=roots[0], out=roots[1], spec='{"kind": "images"}')
    system, clips = zarrs.read(roots[0]), zarrs.read(roots[1])
    assert system["image"].dims == ("clip", "time", "y", "x")
    np.testing.assert_array_equal(system["image"].values[:, 0], shown(40))
    assert clips.video.shape == (40, 1, SIDE, SIDE, 3) and clips.video.dtype == np.uint8
    for colour in range(3):
        np.testing.assert_array_equal(clips.video.values[:, 0, ..., colour], shown(40))
    groups, (fold,) = splits.declared_by(system, outer=5, inner=4, seed=0)
    assert len(groups) == 40 and len(fold.test) == 12


def test_perturbed_images_follow_from_seed_and_image_alone():
    field = shown(2)[:, None].astype(np.float32)
    made = [renderer.frames(renderer.Spec(perturbed=1.0), each) for each in field]
    again = renderer.frames(renderer.Spec(perturbed=1.0), field[1])
    np.testing.assert_array_equal(made[1], again)
    other = renderer.frames(renderer.Spec(perturbed=1.0, seed=1), field[1])
    assert (other != again).any() and (made[0] != made[1]).any()
    with pytest.raises(ValueError, match="no whole numbers from 0 to 255"):
        renderer.frames(renderer.Spec(), field[0] + 0.5)


def test_content_is_that_of_the_files_and_listing_sees_their_checksums(tmp_path):
    put(tmp_path, "t10k", 40)
    before = spec(tmp_path).content(), spec(tmp_path).listing()
    assert before == (spec(tmp_path).content(), spec(tmp_path).listing())
    changed = shown(40)
    changed[3, 1, 1] = 9
    path = tmp_path / f"t10k-{idx.IMAGES}.gz"
    path.write_bytes(gzip.compress(packed(changed), mtime=0))
    after = spec(tmp_path).content(), spec(tmp_path).listing()
    assert before[0] != after[0] and before[1] != after[1]


def cut(path: Path, by: int = 5) -> None:
    path.write_bytes(path.read_bytes()[:-by])


def plain(folder: Path, part: str, content: bytes) -> None:
    (folder / f"t10k-{part}.gz").unlink()
    (folder / f"t10k-{part}").write_bytes(content)


BROKEN = {
    "truncated within its packing": (
        lambda f: cut(f / f"t10k-{idx.IMAGES}.gz"),
        r"t10k-images-idx3-ubyte\.gz: can't be unpacked .* truncated or damaged",
    ),
    "truncated": (
        lambda f: plain(f, idx.IMAGES, packed(shown(40))[:-7]),
        r"t10k-images-idx3-ubyte: truncated, 1449 bytes, expected 1456 for 40 x 6 x 6 values",
    ),
    "longer": (
        lambda f: plain(f, idx.LABELS, packed(np.zeros(40, np.uint8)) + b"x"),
        r"t10k-labels-idx1-ubyte: longer than it says",
    ),
    "malformed": (
        lambda f: plain(f, idx.IMAGES, b"PNG!" + packed(shown(40))[4:]),
        r"begins with 50 4e 47 21, expected 00 00 08 03, an idx file of bytes in 3 dimensions",
    ),
    "a header's part": (
        lambda f: plain(f, idx.LABELS, b"\0\0\x08\x01\0"),
        r"truncated, 5 bytes of a header of 8",
    ),
    "other counts": (
        lambda f: plain(f, idx.LABELS, packed(np.zeros(39, np.uint8))),
        r"has 40 images, and t10k-labels-idx1-ubyte 39 labels",
    ),
    "no labels": (
        lambda f: (f / f"t10k-{idx.LABELS}.gz").unlink(),
        r"t10k-labels-idx1-ubyte: is missing beside .*t10k-images-idx3-ubyte\.gz",
    ),
    "twice": (
        lambda f: (f / f"t10k-{idx.LABELS}").write_bytes(packed(np.zeros(40, np.uint8))),
        r"is there packed as well",
    ),
    "other sizes": (
        lambda f: [
            (f / f"train-{idx.IMAGES}").write_bytes(packed(np.ones((40, 5, 6), np.uint8))),
            (f / f"train-{idx.LABELS}").write_bytes(packed(np.zeros(40, np.uint8))),
        ],
        r"images are of several sizes, train 5 x 6 px, t10k 6 x 6 px",
    ),
    "too few": (
        lambda f: [path.unlink() for path in f.iterdir()] and put(f, "t10k", 20),
        r"20 images, of which 8 are for validation and 12 held out: none are left",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_cant_be_read_is_told_by_name(tmp_path, fault):
    put(tmp_path, "t10k", 40)
    broken, message = BROKEN[fault]
    broken(tmp_path)
    with pytest.raises(ValueError, match=message):
        images.draw(spec(tmp_path))


def test_a_missing_folder_is_told_where_files_belong(tmp_path):
    nowhere = spec(tmp_path / "mnist")
    assert not list(images.problems(nowhere)), "other studies run without it"
    with pytest.raises(ValueError, match=r"mnist: there is no such folder\. Hint: put the files"):
        images.draw(nowhere)
    (tmp_path / "mnist").mkdir()
    (line,) = images.problems(nowhere)
    assert "has none of the files" in line and "t10k-labels-idx1-ubyte.gz" in line


def test_an_image_without_a_shape_is_refused(tmp_path):
    put(tmp_path, "t10k", 40)
    labels = {"number": 3}
    with pytest.raises(ValueError, match="image 3: all of its pixels are 0"):
        images.check(spec(tmp_path), labels, np.zeros((1, SIDE, SIDE), np.float32))
    images.check(spec(tmp_path), labels, shown(1)[:1].astype(np.float32))


def test_a_renderer_that_reads_no_files_needs_no_folder(tmp_path):
    entry = {"kind": "images", "folder": str(tmp_path)}
    assert System.strict({"simulate": entry, "render": {"kind": "images"}})
    with pytest.raises(ValueError, match="two folders"):
        System.strict({"simulate": entry, "render": {"kind": "films", "folder": "elsewhere"}})


@pytest.mark.skipif(not REAL.is_dir(), reason="no MNIST beside the project")
def test_the_published_files_are_read():
    labels = images.draw(images.Spec(folder=str(REAL)))
    assert len(labels["digit"]) == 10_000
    assert labels["digit"][:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(labels["digit"]).tolist() == [
        980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009,
    ]  # fmt: skip
