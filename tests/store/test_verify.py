"""Verify finds what was changed, names it, and sets a store back to what is sound of it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from physprobe import __main__ as door
from physprobe.config import shipped
from physprobe.store import results, verify, writing, zarrs
from physprobe.store.results import Schema

CLIPS, BLOCK = 10, 4


def write(out: Path) -> list[int]:
    """Write a store; return the blocks that had to be computed."""
    computed = []

    def compute(block: slice) -> dict:
        computed.append(block.start)
        clips = np.arange(block.start, block.stop)[:, None, None]
        return {
            "video": np.broadcast_to(clips, (len(clips), 3, 5)),
            "pooled": np.broadcast_to(clips / 8, (len(clips), 2, 6)),
        }

    shapes = {"video": (CLIPS, 3, 5), "pooled": (CLIPS, 2, 6)}
    film = writing.Variable(("clip", "time", "y"), shapes["video"], "uint8", compress=True)
    pooled = writing.Variable(
        ("clip", "layer", "feature"), shapes["pooled"], "float16", inner=(1, 6)
    )
    coords = {
        "clip": (("clip",), np.arange(CLIPS), {}),
        "layer": (("layer",), np.array(["0", "final"]), {}),
        "alpha": (("clip",), np.linspace(0, 1, CLIPS), {"units": "px^2/s"}),
    }
    with writing.create(
        out,
        variables={"video": film, "pooled": pooled},
        coords=coords,
        attrs={"schema": "test"},
        fingerprint={"code": "a"},
        block=BLOCK,
    ) as store:
        store.fill(compute)
    return computed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of results as the workflow leaves one."""
    folder = tmp_path / "results"
    write(folder / "heat" / "clips.zarr")
    write(folder / "heat" / "embeddings" / "small.zarr")
    row = {"metric": "r2", "value": 0.5}
    results.write(
        folder / "heat" / "fits" / "small.ridge.json",
        schema=Schema("probe"), spec={}, rows=[row], provenance={"inputs": {}},
    )  # fmt: skip
    (folder / "encoders").mkdir()
    (folder / "encoders" / "config.json").write_text('{"hidden_size": 4}')
    return folder


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


def test_what_is_sound_is_said_to_be(folder: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    assert door.main(["verify", str(folder)]) == 0
    assert "2 stores and 1 results are what was written" in caplog.text


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    "name", ["video/c/1/0/0", "pooled/c/2/0/0", "alpha/c/0", "layer/c/0", "video/zarr.json"]
)
@pytest.mark.parametrize("how", [flip, Path.unlink], ids=["flipped", "missing"])
def test_every_file_of_a_store_is_looked_at(
    folder: Path, caplog: pytest.LogCaptureFixture, name: str, how: object
):
    """Faults 3 and 15: one bit in any of them, or one that is not there."""
    how(folder / "heat" / "clips.zarr" / name)
    assert door.main(["verify", str(folder)]) == 1
    fault, summary = lines(caplog)
    assert f"clips.zarr: {name} is " in fault
    assert "of 2 stores and 1 results, 1 stores and 0 results are damaged" in summary
    assert f"Hint: python -m physprobe verify --repair {folder}" in summary


@pytest.mark.parametrize("name", ["zarr.json", "manifest.json"])
@pytest.mark.parametrize("text", ["", "{}", None])
def test_a_store_whose_root_is_damaged_can_be_written_anew(
    folder: Path, caplog: pytest.LogCaptureFixture, name: str, text: str | None
):
    """Fault 15: what is sound of it can't be told then, so nothing is kept."""
    root = folder / "heat" / "clips.zarr"
    changed = (root / name).read_text().replace("5", "6") if text is None else text
    (root / name).write_text(changed)
    assert door.main(["verify", "--repair", str(folder)]) == 1
    assert f"snakemake {root / 'zarr.json'}" in lines(caplog)[-1]
    assert write(root) == [0, 4, 8]
    assert door.main(["verify", str(folder)]) == 0


@pytest.mark.parametrize(
    ("damaged", "again"),
    [
        (["video/c/1/0/0"], [4]),
        (["video/c/1/0/0", "pooled/c/2/0/0"], [4, 8]),
        (["alpha/c/0", "video/zarr.json"], []),
    ],
)
def test_a_repaired_store_keeps_its_sound_chunks(
    folder: Path, damaged: list[str], again: list[int]
):
    """Faults 3 and 15: what is missing alone is computed, and the root is the same to the byte."""
    root = folder / "heat" / "clips.zarr"
    before = (root / "zarr.json").read_text()
    for name in damaged:
        flip(root / name)
    with pytest.raises(ValueError, match="1 stores and 0 results are damaged"):
        verify.run(folder, repair=True)
    with pytest.raises(FileNotFoundError, match="not a finished store"):
        zarrs.read(root)
    assert write(root) == again
    assert (root / "zarr.json").read_text() == before
    verify.run(folder)


def test_swapped_chunks_are_told_from_sound_ones(folder: Path):
    """Fault 15: each has a sound checksum of its own."""
    root = folder / "heat" / "clips.zarr"
    first, second = root / "video/c/0/0/0", root / "video/c/1/0/0"
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    with pytest.raises(ValueError, match="1 stores"):
        verify.run(root, repair=True)
    assert write(root) == [0, 4]


def test_a_linked_store_is_repaired_where_it_lies(folder: Path, tmp_path: Path):
    root, disk = folder / "heat" / "clips.zarr", tmp_path / "disk.zarr"
    shutil.move(root, disk)
    root.symlink_to(disk)
    flip(disk / "video/c/1/0/0")
    with pytest.raises(ValueError, match="1 stores"):
        verify.run(folder, repair=True)
    assert root.is_dir()
    assert write(root) == [4]
    assert root.is_symlink()
    verify.run(folder)


@pytest.mark.parametrize("text", ["", '{"schema": "physprobe/probe/1", "rows": [', "[1, 2"])
def test_a_cut_result_is_named(folder: Path, caplog: pytest.LogCaptureFixture, text: str):
    """Fault 15: with what writes it again."""
    path = folder / "heat" / "fits" / "small.ridge.json"
    path.write_text(text)
    assert door.main(["verify", str(folder)]) == 1
    fault, summary = lines(caplog)
    assert str(path) in fault
    assert f"Hint: snakemake {path} --force" in summary


def test_what_is_unfinished_is_no_fault(folder: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    (folder / "heat" / "clips.zarr" / "zarr.json").unlink()
    assert door.main(["verify", str(folder)]) == 0
    assert "clips.zarr is unfinished. Hint: snakemake" in caplog.text


def test_what_a_killed_job_left_aside_is_cleared_by_repair(folder: Path):
    aside = folder / "heat" / ".clips.zarr.replaced"
    shutil.copytree(folder / "heat" / "clips.zarr", aside)
    verify.run(folder)
    assert aside.exists()
    verify.run(folder, repair=True)
    assert not aside.exists()


def test_one_store_or_one_result_can_be_named(folder: Path):
    flip(folder / "heat" / "clips.zarr" / "video/c/0/0/0")
    verify.run(folder / "heat" / "embeddings" / "small.zarr")
    verify.run(folder / "heat" / "fits" / "small.ridge.json")
    with pytest.raises(ValueError, match="1 stores"):
        verify.run(folder / "heat" / "clips.zarr" / "zarr.json")
    with pytest.raises(FileNotFoundError, match="not there"):
        verify.run(folder / "nowhere")


def test_a_digit_in_the_root_is_a_fault(folder: Path):
    """Fault 15: an attribute, or what the root repeats of an array."""
    path = folder / "heat" / "clips.zarr" / "zarr.json"
    about = json.loads(path.read_text())
    about["consolidated_metadata"]["metadata"]["video"]["shape"][2] = 4
    path.write_text(json.dumps(about))
    with pytest.raises(ValueError, match="1 stores"):
        verify.run(folder, repair=True)
    assert write(path) == []


def test_encoders_that_ship_are_known_by_hash(
    folder: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Fault 15: a bit in the shipped weights left label and verdicts as they were."""
    encoders = tmp_path / "encoders"
    shutil.copytree(shipped.ENCODERS, encoders)
    flip(encoders / "small" / "model.safetensors")
    monkeypatch.setattr(shipped, "ENCODERS", encoders)
    assert door.main(["verify", str(folder)]) == 1
    fault, summary = lines(caplog)
    assert "small/model.safetensors: found sha256" in fault
    assert "1 files of shipped encoders. Hint: install the package again" in summary
