"""Files: whole or not at all, leftovers cleared, broken ones told in one line."""

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from physprobe.store import files


def dead() -> int:
    """Id of a process that has ended."""
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.parametrize(
    ("name", "age", "goes"),
    [
        (".a.json.{host}.{dead}", 0, True),
        (".a.json.{host}.{alive}", 0, False),
        (".a.json.{host}.{alive}", 2 * files.ABANDONED, True),
        (".a.json.elsewhere.{dead}", 0, False),
        (".a.json.elsewhere.{dead}", 2 * files.ABANDONED, True),
        (".a.json.{dead}", 2 * files.ABANDONED, True),
        (".b.json.{host}.{dead}", 2 * files.ABANDONED, False),
        (".a.json.lock", 2 * files.ABANDONED, False),
    ],
)
def test_leftovers_of_killed_writers_go_and_nobody_elses(tmp_path, name, age, goes):
    names = {"host": files.HOST, "dead": dead(), "alive": os.getppid()}
    other = tmp_path / name.format(**names)
    other.write_text("half")
    os.utime(other, (time.time() - age,) * 2)
    files.write_text(tmp_path / "a.json", "{}")
    assert other.exists() != goes
    assert (tmp_path / "a.json").read_text() == "{}\n"


def test_a_full_disk_names_the_file_and_leaves_what_was_there(tmp_path, monkeypatch):
    out = tmp_path / "a.json"
    files.write_text(out, "old")

    def half(path: Path, content: bytes) -> int:
        with path.open("wb") as stream:
            stream.write(content[:1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left") as caught:
        files.write_text(out, "new")
    assert caught.value.filename == str(out) and caught.value.errno == errno.ENOSPC
    assert out.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [out]


def test_a_folder_that_is_a_file_names_itself(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(OSError) as caught:
        files.write_text(tmp_path / "a" / "b.json", "new")
    assert str(tmp_path / "a") in str(caught.value)


@pytest.mark.parametrize(
    ("read", "content", "says"),
    [
        (files.read_json, b"", "empty, expected JSON"),
        (files.read_json, b'{"rows": [1, 2', "cut or broken JSON: .*column 15"),
        (files.read_json, b"\x93NUMPY", "no text: byte 0 is 0x93"),
        (files.read_json, b"[" * 100_000, "cut or broken JSON"),
        (files.read_yaml, b"a: [1, 2", "cut or broken YAML: .*line 1"),
        (files.read_table, b" \n", "empty, expected CSV"),
        (files.read_table, b"step,score\n1,2\n1,2,3,4\n", "cut or broken CSV: .*line 3"),
        (files.read_table, b"step,score\n", "has no lines"),
    ],
)
def test_a_broken_file_is_one_line_that_names_it(tmp_path, read, content, says):
    path = tmp_path / "results" / "heat" / "a.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=says) as caught:
        read(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and "\n" not in text
    assert text.endswith("Hint: write it again: snakemake --force results/heat/a.txt --cores 1")


def test_a_table_has_the_columns_that_are_read(tmp_path):
    path = tmp_path / "training.csv"
    path.write_text("step,score\n1,2\n")
    assert list(files.read_table(path, ["step"])["score"]) == [2]
    with pytest.raises(ValueError, match="has no column kept, loss"):
        files.read_table(path, ["step", "kept", "loss"])


def test_what_ships_is_got_again_from_where_it_came():
    assert "git checkout" in files.anew(files.PACKAGE / "encoders" / "small" / "gate.json")


@pytest.mark.parametrize("content", [b"", b"cut", b"\x10\0\0\0\0\0\0\0{"])
def test_broken_tensors_are_one_line(tmp_path, content):
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    opened = files.open_tensors(path, "Hint: delete it.")
    with pytest.raises(ValueError, match="cut or broken safetensors") as caught, opened:
        pytest.fail("it opened")
    assert str(caught.value).startswith(str(path)) and str(caught.value).endswith(
        "Hint: delete it."
    )


def test_tensors_are_the_same_bytes_in_every_process(tmp_path):
    """Fault 19: the library writes metadata in an order of chance."""
    rng = np.random.default_rng(0)
    tensors = {"b": rng.normal(size=(3, 5)).astype("float32"), "a": rng.normal(size=4)}
    about = {f"name {number}": f"value {number} \N{MINUS SIGN}" for number in range(12)}
    for number in range(4):
        files.write_tensors(tmp_path / f"{number}.safetensors", tensors, about)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    loaded = load_file(tmp_path / "0.safetensors")
    assert all(np.array_equal(loaded[name], tensors[name]) for name in tensors)
    with safe_open(tmp_path / "0.safetensors", framework="np") as file:
        assert file.metadata() == about
