"""Stores open only when whole, go on where they stopped, never read what was not written."""

import contextlib
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from physprobe import __main__ as door
from physprobe.store import export, verify, writing, zarrs

CLIPS, BLOCK = 10, 4


def variables(compress: bool = True) -> dict:
    return {
        "video": writing.Variable(("clip", "time", "y"), (CLIPS, 3, 5), "uint8", compress=compress),
        "pooled": writing.Variable(
            ("clip", "layer", "feature"), (CLIPS, 2, 6), "float16", inner=(1, 6)
        ),
    }


def content(block: slice) -> dict:
    clips = np.arange(block.start, block.stop)
    return {
        "video": np.broadcast_to(clips[:, None, None], (len(clips), 3, 5)).astype("uint8"),
        "pooled": np.broadcast_to(clips[:, None, None] / 8, (len(clips), 2, 6)),
    }


def write(
    out: Path, stop_after: int | None = None, force: bool = False, **identity: object
) -> list[int]:
    """Write the store; return the blocks that had to be computed."""
    computed = []

    def compute(block: slice) -> dict:
        if stop_after is not None and len(computed) == stop_after:
            raise KeyboardInterrupt
        computed.append(block.start)
        return content(block)

    coords = {
        "clip": (("clip",), np.arange(CLIPS), {}),
        "layer": (("layer",), np.array(["0", "final"]), {}),
        "alpha": (("clip",), np.linspace(0, 1, CLIPS), {"units": "px^2/s"}),
    }
    with writing.create(
        out,
        variables=variables(),
        coords=coords,
        attrs={"schema": "test"},
        fingerprint={"code": "a", **identity},
        block=BLOCK,
        force=force,
    ) as store:
        store.fill(compute)
    return computed


def unfinished(out: Path) -> Path:
    """Folder that a store is written in, beside its place."""
    return out.parents[1] / f".{out.parent.name}.unfinished"


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, locks left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "a.zarr" / "zarr.json"


def test_bare_xarray_opens_a_store_with_names_and_units(out: Path):
    write(out)
    found = xr.open_zarr(out.parent)
    assert found.pooled.dims == ("clip", "layer", "feature")
    assert found.alpha.attrs["units"] == "px^2/s"
    assert list(found.layer.values) == ["0", "final"]
    np.testing.assert_array_equal(found.video[7], 7)
    np.testing.assert_array_equal(found.pooled.sel(layer="final")[9], 9 / 8)


def test_an_interrupted_store_does_not_open_and_goes_on_at_the_first_missing_block(out: Path):
    with pytest.raises(KeyboardInterrupt):
        write(out, stop_after=1)
    assert not out.exists()
    with pytest.raises(FileNotFoundError, match="not a finished store"):
        zarrs.read(out)
    assert write(out) == [4, 8]
    np.testing.assert_array_equal(zarrs.read(out).video[:, 0, 0], np.arange(CLIPS))


def test_content_does_not_depend_on_how_often_it_was_interrupted(out: Path, tmp_path: Path):
    write(out)
    other = tmp_path / "b.zarr" / "zarr.json"
    with pytest.raises(KeyboardInterrupt):
        write(other, stop_after=2)
    write(other)
    assert out.read_text() == other.read_text()


def test_other_code_starts_clean(out: Path):
    with pytest.raises(KeyboardInterrupt):
        write(out, stop_after=1)
    assert write(out, code="b") == [0, 4, 8]


def test_a_finished_store_is_not_computed_again(out: Path):
    write(out)
    before = tree(out.parents[1])
    assert write(out) == []
    assert tree(out.parents[1]) == before


def test_a_finished_store_of_other_code_is_refused_unless_forced(out: Path):
    """Fault 18: a step by hand deleted what the workflow had made."""
    write(out)
    before = tree(out.parents[1])
    with pytest.raises(FileExistsError, match=r"a\.zarr is finished.*Hint: --force"):
        write(out, code="by hand")
    assert tree(out.parents[1]) == before
    assert write(out, code="by hand", force=True) == [0, 4, 8]
    assert zarrs.read(out).sizes["clip"] == CLIPS


def test_a_finished_store_is_replaced_when_the_new_one_is_whole(out: Path):
    """Fault 18: until then it can be read."""
    write(out)
    before = tree(out.parent)
    with pytest.raises(KeyboardInterrupt):
        write(out, stop_after=2, code="b", force=True)
    assert tree(out.parent) == before
    assert write(out, code="b", force=True) == [8]
    assert tree(out.parent) != before
    assert {path.name for path in out.parents[1].iterdir()} == {"a.zarr", ".a.zarr.lock"}


def test_a_forced_run_of_the_workflow_computes_again(out: Path):
    """Fault 2: it removes the root alone, and the chunks were taken for its own."""
    write(out)
    out.unlink()
    assert write(out) == [0, 4, 8]


@pytest.mark.parametrize("name", ["data.zip", "data", "zarr.json", "heat/zarr.json", ".zarr"])
def test_an_output_that_names_no_store_touches_nothing(tmp_path: Path, name: str):
    """Fault 1: the folder around it was deleted."""
    (tmp_path / "thesis.txt").write_text("all of it")
    before = tree(tmp_path)
    with pytest.raises(ValueError, match=r"is no store\. Hint: its name ends in \.zarr"):
        write(tmp_path / name)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("stage", ["simulate", "render", "embed"])
def test_every_stage_that_writes_a_store_refuses_another_name(
    tmp_path: Path, stage: str, caplog: pytest.LogCaptureFixture
):
    """Fault 1: likewise at the door."""
    (tmp_path / "thesis.txt").write_text("all of it")
    needs = {"simulate": [], "render": ["--simulation", "s.zarr"], "embed": ["--clips", "c.zarr"]}
    options = ["--out", str(tmp_path / "data.json"), "--spec", "{}", *needs[stage]]
    assert door.main([stage, *options]) == 1
    assert "data.json is no store" in caplog.text
    assert list(tree(tmp_path)) == ["thesis.txt"]


def test_a_store_may_be_named_by_its_folder(out: Path):
    write(out.parent)
    assert out.exists()
    assert zarrs.digest(out) == zarrs.digest(out.parent)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    "foreign", ["thesis.txt", "video/notes.txt", "video/c/0/film.mp4", "old/notes/0"]
)
def test_a_folder_with_other_files_is_refused_by_name(out: Path, foreign: str, force: bool):
    """Fault 1: nothing is removed that is not a store of ours."""
    write(out)
    (out.parent / foreign).parent.mkdir(parents=True, exist_ok=True)
    (out.parent / foreign).write_text("all of it")
    before = tree(out.parents[1])
    with pytest.raises(ValueError, match=re.escape(foreign.removesuffix("/0"))):
        write(out, force=force, code="b")
    assert tree(out.parents[1]) == before


def test_a_store_of_other_make_is_refused(out: Path):
    """Fault 1: likewise."""
    xr.Dataset({"a": ("clip", np.arange(3))}).to_zarr(out.parent, zarr_format=3)
    before = tree(out.parents[1])
    with pytest.raises(ValueError, match="not a store of this package"):
        write(out, force=True)
    assert tree(out.parents[1]) == before


def test_a_store_that_is_a_link_is_renewed_where_it_lies(out: Path, tmp_path: Path):
    disk = tmp_path / "disk" / "a.zarr"
    disk.mkdir(parents=True)
    out.parent.symlink_to(disk)
    write(out)
    write(out, code="b", force=True)
    assert out.parent.is_symlink() and not disk.is_symlink()
    assert xr.open_zarr(out.parent).sizes["clip"] == CLIPS
    assert {path.name for path in disk.parent.iterdir()} == {"a.zarr", ".a.zarr.lock"}


@pytest.mark.parametrize("steps", range(6))
def test_killed_while_it_takes_its_place_a_store_is_there_in_the_end(
    out: Path, monkeypatch: pytest.MonkeyPatch, steps: int
):
    """A finished store of other code is replaced; whatever step is the last one, all goes on."""
    write(out)
    done = []

    def last(name: str) -> None:
        whole = getattr(Path, name)

        def step(self: Path, *arguments: object, **more: object) -> object:
            if ".zarr" in self.name or ".json" in self.name:
                if len(done) == steps:
                    raise KeyboardInterrupt
                done.append(name)
            return whole(self, *arguments, **more)

        monkeypatch.setattr(Path, name, step)

    def ending(*_: object) -> None:
        for name in ("rename", "replace"):
            last(name)

    monkeypatch.setattr(writing, "_check_dimensions", ending)
    with contextlib.suppress(KeyboardInterrupt):
        write(out, code="b", force=True)
    monkeypatch.undo()
    assert len(done) == min(steps, 4)
    if out.exists():
        assert zarrs.read(out).sizes["clip"] == CLIPS
    assert write(out, code="b", force=True) == [] if steps < 4 else True
    assert zarrs.read(out).sizes["clip"] == CLIPS


@pytest.mark.parametrize(
    "leftover", ["video/c/0/0/0.5f2e.partial", "alpha/zarr.5f2e.partial", ".zarr.json.4711"]
)
def test_leftovers_of_a_killed_job_are_cleared_by_the_next(out: Path, leftover: str):
    with pytest.raises(KeyboardInterrupt):
        write(out, stop_after=1)
    file = unfinished(out) / leftover
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"half")
    assert write(out) == [4, 8]
    assert not [path for path in tree(out.parents[1]) if "partial" in path or "4711" in path]


@pytest.mark.parametrize("text", ["", "{", "[]"])
@pytest.mark.parametrize("name", ["video", "pooled"])
def test_metadata_that_an_interrupted_job_left_empty_is_written_again(
    out: Path, name: str, text: str
):
    with pytest.raises(KeyboardInterrupt):
        write(out, stop_after=1)
    (unfinished(out) / name / "zarr.json").write_text(text)
    assert write(out) == [4, 8]


def test_an_empty_chunk_of_an_interrupted_job_is_written_again(out: Path):
    with pytest.raises(KeyboardInterrupt):
        write(out, stop_after=2)
    (unfinished(out) / "pooled/c/0/0/0").write_bytes(b"")
    assert write(out) == [0, 8]


@pytest.mark.parametrize("part", ["index", "chunk"])
def test_a_damaged_file_of_an_interrupted_job_is_written_again(out: Path, part: str):
    """Of a file of several chunks zarr reads the index, at its end, before it writes one."""
    with pytest.raises(KeyboardInterrupt):
        write(out, stop_after=2)
    file = unfinished(out) / "pooled/c/0/0/0"
    whole = bytearray(file.read_bytes())
    whole[-8 if part == "index" else 1] ^= 0xFF
    file.write_bytes(whole)
    assert write(out) == [0, 8]
    np.testing.assert_array_equal(zarrs.read(out).pooled[:, 0, 0], np.arange(CLIPS) / 8)


ARRAYS = ["video", "pooled", "clip", "layer", "alpha"]


@pytest.mark.parametrize("name", ARRAYS)
def test_a_chunk_that_is_not_there_is_an_error_that_names_it(out: Path, name: str):
    """Fault 3: it was read as the fill value, as black film."""
    write(out)
    chunk = max(path for path in (out.parent / name / "c").rglob("*") if path.is_file())
    chunk.unlink()
    said = rf"{chunk.relative_to(out.parent)} is missing.*Hint: python -m physprobe verify"
    with pytest.raises(RuntimeError, match=said):
        zarrs.read(out)


@pytest.mark.parametrize("name", ["video", "pooled"])
def test_a_chunk_that_goes_away_later_is_an_error_too(out: Path, name: str):
    """Fault 3: after the store was opened."""
    write(out)
    source = zarrs.read(out)
    shutil.rmtree(out.parent / name / "c")
    with pytest.raises(RuntimeError, match=f"{name}/c/.* is missing"):
        zarrs.values(source, name)


@pytest.mark.parametrize("name", ["video", "pooled"])
@pytest.mark.parametrize("threads", [1, 4])
def test_swapped_chunks_are_an_error(out: Path, name: str, threads: int):
    """Fault 15: each has a sound checksum of its own."""
    write(out)
    first, second = (out.parent / name / "c" / block / "0/0" for block in "01")
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    source = zarrs.read(out)
    with ThreadPoolExecutor(threads) as pool:
        reads = [pool.submit(zarrs.values, source, name, clip=clip) for clip in range(CLIPS)]
    failed = [clip for clip, read in enumerate(reads) if read.exception()]
    assert failed == list(range(8))
    with pytest.raises(RuntimeError, match="damaged: its content is not what was written"):
        reads[0].result()


@pytest.mark.parametrize("name", ["clip", "layer", "alpha"])
def test_a_label_that_was_changed_is_an_error_at_opening(out: Path, name: str):
    """Fault 15: and so are coordinates."""
    write(out)
    (chunk,) = (path for path in (out.parent / name / "c").rglob("*") if path.is_file())
    content = bytearray(chunk.read_bytes())
    content[0] ^= 1
    chunk.write_bytes(content)
    with pytest.raises(RuntimeError, match=f"{name}/c/0 is damaged"):
        zarrs.read(out)


def halve(metadata: dict) -> None:
    metadata["shape"][1] //= 2


@pytest.mark.parametrize("where", ["array", "root", "both"])
def test_a_shape_that_was_changed_is_an_error_at_opening(out: Path, where: str):
    """Fault 15: half of an array's rows were read without a word."""
    write(out)
    array = out.parent / "video" / "zarr.json"
    if where != "root":
        metadata = json.loads(array.read_text())
        halve(metadata)
        array.write_text(json.dumps(metadata, indent=2))
    if where != "array":
        root = json.loads(out.read_text())
        halve(root["consolidated_metadata"]["metadata"]["video"])
        out.write_text(json.dumps(root))
    with pytest.raises(RuntimeError, match=r"zarr\.json is damaged"):
        zarrs.read(out)


@pytest.mark.parametrize("file", ["zarr.json", "manifest.json", "video/zarr.json"])
@pytest.mark.parametrize("text", ["", "{", "[1]", "{}"])
def test_empty_and_cut_metadata_is_one_line_that_names_it(out: Path, file: str, text: str):
    write(out)
    (out.parent / file).write_text(text)
    with pytest.raises((ValueError, RuntimeError), match=r"json.*Hint: ") as caught:
        zarrs.read(out)
    assert "\n" not in str(caught.value) and str(out.parent) in str(caught.value)


def test_a_changed_attribute_is_an_error(out: Path):
    """Fault 15: the digest is of the attributes too."""
    write(out)
    out.write_text(out.read_text().replace('"schema": "test"', '"schema": "tent"'))
    with pytest.raises(ValueError, match="don't agree"):
        zarrs.read(out)


def test_a_store_of_an_earlier_version_says_to_write_it_again(out: Path):
    write(out)
    (out.parent / "manifest.json").unlink()
    with pytest.raises(ValueError, match=r"earlier versions.*snakemake --force .*zarr.json"):
        zarrs.read(out)


def test_ids_of_clips_are_unique_and_dimensions_agree(out: Path):
    """Fault 16: what is joined by id has to have one."""
    about = {
        "variables": variables(), "attrs": {}, "fingerprint": {}, "block": BLOCK
    }  # fmt: skip
    wrong = {
        "clip 3 is there 2 times": {"clip": (("clip",), np.r_[:9, 3], {})},
        "alpha has clip 9, but clip has clip 10": {
            "clip": (("clip",), np.arange(CLIPS), {}), "alpha": (("clip",), np.ones(9), {})
        },
    }  # fmt: skip
    for said, coords in wrong.items():
        with (
            pytest.raises(ValueError, match=said),
            writing.create(out, coords=coords, **about) as store,
        ):
            store.fill(content)
        assert not out.exists()


def test_clips_are_read_when_they_are_indexed(out: Path, monkeypatch: pytest.MonkeyPatch):
    write(out)
    source, asked = zarrs.read(out), []
    block = slice(3, 9)
    whole = zarrs.values(source, "video", clip=block)
    values = zarrs.values

    def watched(dataset, name, clip):
        asked.append(clip)
        return values(dataset, name, clip=clip)

    monkeypatch.setattr(zarrs, "values", watched)
    lazy = zarrs.Lazy(source, "video", block)
    assert lazy.shape == whole.shape and not asked
    np.testing.assert_array_equal(lazy[4:8], whole[4:8])
    np.testing.assert_array_equal(lazy[2], whole[2])
    assert asked == [slice(7, 9), 5]
    np.testing.assert_array_equal(np.stack(list(lazy)), whole)
    with pytest.raises(IndexError):
        lazy[6]


@pytest.mark.parametrize("name", ["video", "pooled"])
def test_a_damaged_chunk_is_caught_when_read_and_rewritten_alone(out: Path, name: str):
    write(out)
    chunk = next(path for path in (out.parent / name / "c" / "1").rglob("*") if path.is_file())
    damaged = bytearray(chunk.read_bytes())
    damaged[3] ^= 1
    chunk.write_bytes(damaged)
    with pytest.raises(RuntimeError, match="damaged"):
        zarrs.values(zarrs.read(out), name)
    before = out.read_text()
    with pytest.raises(ValueError, match="1 stores and 0 results are damaged"):
        verify.run(out.parents[1], repair=True)
    assert write(out) == [4]
    assert out.read_text() == before


def test_the_digest_follows_content(out: Path, tmp_path: Path):
    write(out)
    other = tmp_path / "b.zarr" / "zarr.json"
    write(other, code="b")
    assert zarrs.digest(out) == zarrs.digest(other)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e6])
def test_what_is_not_finite_as_stored_is_an_error_that_names_the_clip(out: Path, bad: float):
    def compute(block: slice) -> dict:
        values = content(block)
        values["pooled"] = values["pooled"].copy()
        if block.start == 4:
            values["pooled"][2, 1, 3] = bad
        return values

    with (
        pytest.raises(ValueError, match="clip 6, layer 1, feature 3"),
        writing.create(
            out, variables=variables(), coords={}, attrs={}, fingerprint={}, block=BLOCK
        ) as store,
    ):
        store.fill(compute)
    assert not out.exists()


def test_a_full_disk_says_so_and_keeps_what_was_written(out: Path, monkeypatch: pytest.MonkeyPatch):
    from zarr.storage import LocalStore

    whole, calls = LocalStore.set, []

    async def full(self: LocalStore, key: str, *rest: object) -> None:
        if key.startswith("c/"):
            calls.append(key)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        await whole(self, key, *rest)

    monkeypatch.setattr(LocalStore, "set", full)
    with pytest.raises(OSError, match=r"disk full while writing clips 4 to 7") as caught:
        write(out)
    assert caught.value.errno == errno.ENOSPC
    assert not out.exists()
    monkeypatch.undo()
    assert write(out) == [4, 8]


def test_kill_9_leaves_nothing_that_reads_as_finished(out: Path):
    script = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        import test_zarrs
        slow = test_zarrs.content
        def content(block):
            if block.start == 8:
                print("there", flush=True)
                time.sleep(60)
            return slow(block)
        test_zarrs.content = content
        test_zarrs.write(Path({str(out)!r}))
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout.readline().strip() == "there"
        job.send_signal(signal.SIGKILL)
    assert not out.exists()
    assert write(out) == [8]


def test_a_second_writer_waits_and_says_so(out: Path, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    lock = out.parents[1] / ".a.zarr.lock"
    script = textwrap.dedent(f"""
        import sys, time
        from filelock import FileLock
        with FileLock({str(lock)!r}):
            print("held", flush=True)
            time.sleep(1.5)
            print("released", flush=True)
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout.readline().strip() == "held"
        write(out)
        assert job.stdout.readline().strip() == "released"
        job.wait()
    assert f"waits for another job that is writing {out.parent}" in caplog.text
    assert out.exists()


def test_export_writes_the_four_published_files(tmp_path: Path):
    rng = np.random.default_rng(0)
    pooled = rng.normal(size=(3, 2, 4, 6))
    tokens = rng.normal(size=(3, 4, 2, 2, 6))
    out = tmp_path / "e.zarr" / "zarr.json"
    with writing.create(
        out,
        variables={
            "pooled": writing.Variable(
                ("clip", "layer", "time", "feature"), pooled.shape, "float16"
            ),
            "tokens_final": writing.Variable(
                ("clip", "time", "y", "x", "feature"), tokens.shape, "float16"
            ),
        },
        coords={"layer": (("layer",), np.array(["0", "final"]), {})},
        attrs={"hf_repo": "untrained", "device": "cpu"},
        fingerprint={},
    ) as store:
        store.fill(
            lambda block: {"pooled": pooled[block], "tokens_final": tokens[block]},
        )
    export.run(embeddings=out, out=tmp_path / "files")
    clip = tmp_path / "files" / "sim_0002"
    assert {file.name for file in clip.iterdir()} == {
        "per_frame.npy", "per_frame_norm.npy", "tokens_spatial_fp16.npy", "embed_meta.json",
    }  # fmt: skip
    frames = np.load(clip / "per_frame.npy")
    assert frames.dtype == np.float32
    np.testing.assert_allclose(frames, pooled[2, 1], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(
        np.linalg.norm(np.load(clip / "per_frame_norm.npy"), axis=1), 1, rtol=1e-6
    )
    assert np.load(clip / "tokens_spatial_fp16.npy").shape == (4, 2, 2, 6)
    meta = json.loads((clip / "embed_meta.json").read_text())
    assert set(meta) == {
        "hf_repo", "device", "temporal_tokens", "token_grid_h", "token_grid_w", "token_dim",
        "per_frame_dim", "saved_files",
    }  # fmt: skip
