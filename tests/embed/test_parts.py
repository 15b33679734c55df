"""Parts: an embedding by four jobs and one that seals, whatever kills them in between."""

import json
import signal
from pathlib import Path

import numpy as np
import pytest

from physprobe import __main__ as door
from physprobe.embed import stage
from physprobe.store import parts, writing, zarrs

CLIPS, BLOCK = 36, 2
SPEC = json.dumps({"kind": "statistics"})


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("films") / "clips.zarr" / "zarr.json"
    films = np.random.default_rng(0).integers(0, 256, (CLIPS, 4, 8, 8, 3), dtype="uint8")
    with writing.create(
        out,
        variables={
            "video": writing.Variable(("clip", "time", "y", "x", "rgb"), films.shape, "uint8")
        },
        coords={
            "clip": (("clip",), np.arange(CLIPS), {}),
            "time": (("time",), np.arange(4.0), {"units": "s"}),
        },
        attrs={},
        fingerprint={},
        block=BLOCK,
    ) as store:
        store.fill(lambda block: {"video": films[block]})
    return out


@pytest.fixture
def written(monkeypatch) -> list[slice]:
    """Every block that any job writes, in order."""
    found: list[slice] = []
    write = writing.Writer.write

    def noted(self, block, values):
        write(self, block, values)
        found.append(block)

    monkeypatch.setattr(writing.Writer, "write", noted)
    monkeypatch.setattr(stage, "BLOCK", BLOCK)
    return found


def embed(clips: Path, out: Path, part: str = "", spec: str = SPEC) -> None:
    stage.run(clips=clips, out=out / "zarr.json", spec=spec, part=part)


def test_shares_are_neighbours_and_make_up_all_blocks():
    blocks = [slice(n, n + 1) for n in range(11)]
    shares = [parts.Part(n, 4).share(blocks) for n in range(1, 5)]
    assert [block for share in shares for block in share] == blocks
    assert {len(share) for share in shares} == {2, 3}
    few = [parts.Part(n, 4).share(blocks[:2]) for n in range(1, 5)]
    assert [block for share in few for block in share] == blocks[:2]


@pytest.mark.parametrize("text", ["0/4", "5/4", "2", "2/4/1", "a/b"])
def test_a_part_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="Hint: 2/4 is the second of four"):
        parts.Part.parsed(text)


def test_four_parts_of_which_one_is_terminated_make_the_store_of_one_job(
    clips, tmp_path, written, monkeypatch
):
    whole, scattered = tmp_path / "whole.zarr", tmp_path / "scattered.zarr"
    embed(clips, whole)
    alone = len(written)
    assert alone == CLIPS // BLOCK
    written.clear()

    embed(clips, scattered, "1/4")
    assert not (scattered / "zarr.json").exists()
    before = list(written)
    computed = []
    fill = writing.Writer.fill

    def preempted(self, compute, threads=1):
        def counted(block):
            computed.append(block)
            if len(computed) == 3:  # as Slurm does; two blocks of this part are written
                signal.raise_signal(signal.SIGTERM)
            return compute(block)

        fill(self, counted, threads)

    with monkeypatch.context() as patch:
        patch.setattr(writing.Writer, "fill", preempted)
        previous = signal.signal(signal.SIGTERM, door._terminated)
        try:
            with pytest.raises(SystemExit) as ended:
                embed(clips, scattered, "2/4")
        finally:
            signal.signal(signal.SIGTERM, previous)
    assert ended.value.code == 128 + signal.SIGTERM
    share = parts.Part(2, 4).share([slice(n, n + BLOCK) for n in range(0, CLIPS, BLOCK)])
    kept = written[len(before) :]
    assert len(computed) - len(kept) <= 1, "at most the block in work is lost"
    assert kept == share[: len(kept)] and 2 <= len(kept) < len(share)

    written.clear()
    embed(clips, scattered, "2/4")  # requeued
    assert written == share[len(kept) :]
    for part in ("4/4", "3/4"):
        embed(clips, scattered, part)
    written.clear()
    embed(clips, scattered)
    assert not written, "sealing computes nothing"
    one, other = (zarrs.read(path) for path in (whole, scattered))
    np.testing.assert_array_equal(one.pooled, other.pooled)
    assert other.sizes["clip"] == CLIPS
    assert {path.name for path in tmp_path.iterdir()} == {
        "whole.zarr", "scattered.zarr", ".whole.zarr.lock", ".scattered.zarr.lock",
    }  # fmt: skip


def test_what_no_part_has_written_or_is_damaged_the_last_job_writes(clips, tmp_path, written):
    out = tmp_path / "few.zarr"
    embed(clips, out, "1/4")
    chunk = next((tmp_path / ".few.part1of4.zarr.unfinished/pooled/c").rglob("0"))
    chunk = next(path for path in chunk.rglob("*") if path.is_file())
    damaged = bytearray(chunk.read_bytes())
    damaged[3] ^= 1
    chunk.write_bytes(damaged)
    first = list(written)
    written.clear()
    embed(clips, out)
    assert len(written) == CLIPS // BLOCK - len(first) + 1
    assert zarrs.read(out).pooled.notnull().all()


def test_parts_of_another_encoder_are_left_aside(clips, tmp_path, written):
    out = tmp_path / "other.zarr"
    embed(clips, out, "1/2", spec=json.dumps({"kind": "pixels", "size": 4}))
    written.clear()
    embed(clips, out)
    assert len(written) == CLIPS // BLOCK
    assert (tmp_path / ".other.part1of2.zarr.unfinished").is_dir()
    embed(clips, out, "1/2")  # the store is finished: nothing is begun
    assert len(written) == CLIPS // BLOCK
