"""Stores open only when whole, go on where they stopped, never read what was not written."""

import errno
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from physprobe.core import export, stores

CLIPS, BLOCK = 10, 4


def variables(compress: bool = True) -> dict:
    return {
        "video": stores.Variable(("clip", "time", "y"), (CLIPS, 3, 5), "uint8", compress=compress),
        "pooled": stores.Variable(
            ("clip", "layer", "feature"), (CLIPS, 2, 6), "float16", inner=(1, 6)
        ),
    }


def content(block: slice) -> dict:
    clips = np.arange(block.start, block.stop)
    return {
        "video": np.broadcast_to(clips[:, None, None], (len(clips), 3, 5)).astype("uint8"),
        "pooled": np.broadcast_to(clips[:, None, None] / 8, (len(clips), 2, 6)),
    }


def write(out: Path, stop_after: int | None = None, **identity: object) -> list[int]:
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
    with stores.create(
        out,
        variables=variables(),
        coords=coords,
        attrs={"schema": "test"},
        fingerprint={"code": "a", **identity},
        block=BLOCK,
    ) as store:
        store.fill(compute)
    return computed


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
        stores.read(out)
    assert write(out) == [4, 8]
    np.testing.assert_array_equal(stores.read(out).video[:, 0, 0], np.arange(CLIPS))


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
    before = out.read_text()
    assert write(out) == []
    assert out.read_text() == before


def test_clips_are_read_when_they_are_indexed(out: Path, monkeypatch: pytest.MonkeyPatch):
    write(out)
    source, asked = stores.read(out), []
    block = slice(3, 9)
    whole = stores.values(source, "video", clip=block)
    values = stores.values

    def watched(dataset, name, clip):
        asked.append(clip)
        return values(dataset, name, clip=clip)

    monkeypatch.setattr(stores, "values", watched)
    lazy = stores.Lazy(source, "video", block)
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
        stores.values(stores.read(out), name)
    digest = stores.digest(out)
    out.unlink()
    assert write(out) == [4]
    assert stores.digest(out) == digest


def test_the_digest_follows_content(out: Path, tmp_path: Path):
    write(out)
    other = tmp_path / "b.zarr" / "zarr.json"
    write(other, code="b")
    assert stores.digest(out) == stores.digest(other)


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
        stores.create(
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
        import test_stores
        slow = test_stores.content
        def content(block):
            if block.start == 8:
                print("there", flush=True)
                time.sleep(60)
            return slow(block)
        test_stores.content = content
        test_stores.write(Path({str(out)!r}))
    """)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout.readline().strip() == "there"
        job.send_signal(signal.SIGKILL)
    assert not out.exists()
    assert write(out) == [8]


def test_a_second_writer_waits(out: Path):
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
    assert out.exists()


def test_export_writes_the_four_published_files(tmp_path: Path):
    rng = np.random.default_rng(0)
    pooled = rng.normal(size=(3, 2, 4, 6))
    tokens = rng.normal(size=(3, 4, 2, 2, 6))
    out = tmp_path / "e.zarr" / "zarr.json"
    with stores.create(
        out,
        variables={
            "pooled": stores.Variable(
                ("clip", "layer", "time", "feature"), pooled.shape, "float16"
            ),
            "tokens_final": stores.Variable(
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
