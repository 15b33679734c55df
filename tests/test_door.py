"""The door, ``python -m physprobe``: one line per command, one line per error, and exit codes."""

import inspect
import json
import logging
import os
import re
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from physprobe import __main__ as door
from physprobe.config import stages
from physprobe.falsify.stage import SCHEMA as VERDICTS
from physprobe.store import job as jobs
from physprobe.store import results, zarrs

ROOT = Path(__file__).parents[1]


def run(*options: str | Path, **more: object) -> subprocess.CompletedProcess:
    """Run the door as people do."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    return subprocess.run(
        [sys.executable, "-m", "physprobe", *map(str, options)],
        env=environment, capture_output=True, text=True, check=False, **more,
    )  # fmt: skip


@pytest.fixture
def refused(caplog: pytest.LogCaptureFixture):
    """Run a command in this process that refuses what it was given; return its one line."""

    def line(*options: str | Path) -> str:
        caplog.clear()
        assert door.main(list(map(str, options))) == door.REFUSED
        (record,) = (r for r in caplog.records if r.levelno == logging.ERROR)
        text = record.getMessage()
        assert record.exc_info is None and "\n" not in text
        return text

    return line


def verdicts(folder: Path) -> Path:
    """Write the verdicts of a study without claims."""
    out = folder / "heat" / "verdicts.json"
    results.write(out, schema=VERDICTS, spec={}, rows=[], provenance={}, claims=[], study="heat")
    return out


@pytest.mark.parametrize("command", stages.commands())
def test_every_command_has_help_and_a_line(command: str, capsys: pytest.CaptureFixture):
    assert door.main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: python -m physprobe {command} ")
    line = dict(door._summaries())[command]
    assert line.endswith(".") and ":func:" not in line
    assert line in re.sub(r"``", "", shown)


def test_help_lists_every_command_with_its_line(capsys: pytest.CaptureFixture):
    assert door.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for command, about in door._summaries():
        assert any(re.fullmatch(rf"  {command} +{re.escape(about)}", line) for line in lines)
    assert not any("{simulate,render" in line for line in lines)


def test_no_command_is_wrong_usage_and_shows_the_commands(capsys: pytest.CaptureFixture):
    assert door.main([]) == door.WRONG_USAGE
    assert "calibrate" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture):
    assert door.main(["--version"]) == 0
    assert re.fullmatch(r"physprobe \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["rendre"], r"no command 'rendre'\. Did you mean 'render'\?"),
        (["--threads", "2"], "unrecognized arguments"),
        (["figure", "--kind", "verdicts"], "required: --out, --vector, --table"),
        (
            [
                "figure",
                "--kind",
                "verdicts",
                "--sources",
                "a",
                "--out",
                "b",
                "--vector",
                "c",
                "--table",
                "d",
                "--fast",
            ],
            "--fast",
        ),
        (["schema", "--ou", "a"], "--ou"),
        (
            [
                "figure",
                "--kind",
                "a",
                "--sources",
                "a",
                "--out",
                "b",
                "--vector",
                "c",
                "--table",
                "d",
                "--threads",
                "0",
            ],
            "from 1 on",
        ),
        (
            [
                "figure",
                "--kind",
                "a",
                "--sources",
                "a",
                "--out",
                "b",
                "--vector",
                "c",
                "--table",
                "d",
                "--threads",
                "x",
            ],
            "from 1 on",
        ),
        (["simulate", "--out", "a", "--spec", "{kind: heat}"], "--spec: .*expected JSON"),
        (["simulate", "--out", "a", "--spec", "[1]"], "--spec: .*expected JSON"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    options: list[str], says: str, capsys: pytest.CaptureFixture
):
    assert door.main(options) == door.WRONG_USAGE
    printed = capsys.readouterr().err
    assert re.search(says, printed) and "Hint:" in printed
    assert printed.count("\n") == 1


def test_a_switch_is_a_flag_and_an_optional_path_may_be_left_out():
    def command(*, out: Path, force: bool = False, where: Path | None = None) -> None:
        """Do nothing."""

    parser = door._parser("any", command)
    assert vars(parser.parse_args(["--out", "a"])) == {
        "out": Path("a"), "force": False, "where": None, "code": "by hand", "threads": 1,
    }  # fmt: skip
    found = parser.parse_args(["--out", "a", "--force", "--where", "b"])
    assert found.force is True and found.where == Path("b")


def test_what_is_finished_is_status_0(tmp_path: Path):
    assert door.main(["schema", "--out", str(tmp_path / "schema.json")]) == 0
    assert json.loads((tmp_path / "schema.json").read_text())["properties"]


def test_files_that_are_not_what_they_should_be_are_one_line(tmp_path: Path, refused):
    def draw(result: Path, out: Path = tmp_path / "a.png", kind: str = "verdicts") -> str:
        return refused("figure", "--kind", kind, "--sources", result, "--out", out, *beside)

    good = verdicts(tmp_path)
    beside = "--vector", tmp_path / "a.svg", "--table", tmp_path / "a.csv"
    assert draw(tmp_path / "no.json").startswith(f"error: {tmp_path / 'no.json'}: No such file")
    assert "Is a directory. Hint: " in draw(tmp_path)
    assert "Hint: " in draw(good / "below.json")
    (tmp_path / "cut.json").write_text(good.read_text()[:-30])
    assert "cut.json: cut or broken JSON" in draw(tmp_path / "cut.json")
    (tmp_path / "empty.json").write_text("")
    assert "empty.json: empty" in draw(tmp_path / "empty.json")
    assert "expected physprobe/calibration/" in draw(good, kind="calibration")
    assert "has no kind 'nothing'" in draw(good, kind="nothing")
    assert "draws no result by itself" in draw(good, kind="filmstrip")
    broken = tmp_path / "vjepa" / "training.csv"
    broken.parent.mkdir()
    broken.write_text("step,seconds\n1,2\n")
    assert "training.csv: has no column" in refused(
        "figure",
        "--kind",
        "learning",
        "--sources",
        broken,
        "--out",
        tmp_path / "a.png",
        *beside,
    )


def test_outputs_that_cannot_be_written_are_one_line(tmp_path: Path, refused):
    (tmp_path / "file").write_text("")
    line = refused("schema", "--out", tmp_path / "file" / "schema.json")
    assert str(tmp_path / "file") in line and "Hint: " in line
    (tmp_path / "folder").mkdir()
    line = refused("schema", "--out", tmp_path / "folder")
    assert f"{tmp_path / 'folder'}: Is a directory" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_one_line(tmp_path: Path, refused):
    tmp_path.chmod(0o500)
    assert "Permission denied. Hint: " in refused("schema", "--out", tmp_path / "a.json")


def test_a_defect_of_the_program_keeps_its_traceback(tmp_path: Path, monkeypatch):
    """Also where its type is one that refusals have: it was no ``raise`` of this package."""

    def broken(*, out: Path) -> None:
        """Fail by accident."""
        np.zeros(3) + np.zeros(4)

    monkeypatch.setattr(results, "broken", broken, raising=False)
    broken_one = ("store", stages.Command("results:broken"))
    monkeypatch.setitem(stages.commands(), "broken", broken_one)
    with pytest.raises(ValueError, match="broadcast"):
        door.main(["broken", "--out", str(tmp_path)])


@pytest.mark.parametrize(
    "accident",
    [
        "int('x')",
        "np.ones(3) + np.ones(4)",
        "dict(zip([1], [], strict=True))",
        "{}['a']",
        "1 / 0",
    ],
)
def test_only_what_this_package_raises_by_itself_is_a_refusal(accident: str):
    place = str(door.PACKAGE / "core" / "made_up.py")
    refusal = "raise ValueError('where: what. Hint: how')"
    for line, is_refusal in ((accident, False), (refusal, True)):
        try:
            exec(compile(line, place, "exec"), {"np": np})
        except Exception as error:
            assert (door.told(error) is not None) == is_refusal


def test_a_refusal_elsewhere_is_none_of_ours():
    try:
        raise ValueError("of a library")
    except ValueError as error:
        assert door.told(error) is None


def test_what_the_system_says_of_a_file_is_one_line_wherever_it_was_raised():
    try:
        Path("/no/such/file").read_text()
    except OSError as error:
        assert door.told(error).startswith("/no/such/file: No such file or directory. Hint: ")
    full = OSError(28, "disk full while writing clips. Hint: make room", "a.zarr")
    assert door.told(full) == "a.zarr: disk full while writing clips. Hint: make room"
    assert door.told(ConnectionResetError("reset\nby peer")) == "reset by peer"


def test_a_disk_that_is_full_leaves_one_line_and_nothing_else(tmp_path: Path):
    """A file that may not grow beyond 1000 bytes, as on a full disk."""
    out = tmp_path / "schema.json"
    done = run(
        "schema", "--out", out,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )  # fmt: skip
    assert done.returncode == door.REFUSED
    assert done.stderr == f"schema: error: {out}: File too large\n" or "Hint" in done.stderr
    assert done.stderr.count("\n") == 1 and str(out) in done.stderr
    assert list(tmp_path.iterdir()) == []


def simulation(folder: Path, clips: int) -> list[str]:
    """Options of a simulation."""
    spec = {"kind": "heat", "clips": clips, "frames": 16, "size": 64, "sigma": [3.0, 6.0]}
    return ["simulate", "--out", str(folder / "s.zarr" / zarrs.ROOT), "--spec", json.dumps(spec)]


@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGUSR1, 138), (signal.SIGINT, 130)]
)
def test_a_signal_ends_a_job_without_a_traceback(tmp_path: Path, sent: int, status: int):
    job = subprocess.Popen(
        [sys.executable, "-m", "physprobe", *simulation(tmp_path, 1000)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while job.poll() is None and not list(tmp_path.glob(".s.zarr.unfinished/*/c/*")):
        time.sleep(0.02)
    job.send_signal(sent)
    _, printed = job.communicate(timeout=60)
    assert job.returncode == status, printed
    assert "Traceback" not in printed and "Hint: run the same command again" in printed


def test_what_waits_in_a_pool_is_dropped_when_its_user_ends():
    done = []

    def work(number: int) -> None:
        time.sleep(0.02)
        done.append(number)

    with pytest.raises(KeyboardInterrupt), jobs.at_once(ThreadPoolExecutor(1)) as pool:
        next(pool.map(work, range(100)))
        raise KeyboardInterrupt
    assert 1 <= len(done) < 50


def test_a_reader_that_leaves_early_is_no_traceback():
    done = subprocess.run(
        f"{sys.executable} -m physprobe --help | head -1; exit ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib")},
    )  # fmt: skip
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
    assert done.stdout.startswith("usage: python -m physprobe")


def test_every_stage_says_what_it_raises_and_takes_threads():
    for place in map(door._place, stages.commands()):
        module, name = place
        function = getattr(__import__(module, fromlist=[name]), name)
        text = inspect.getdoc(function)
        for parameter in inspect.signature(function).parameters:
            described = text.partition("Parameters")[2]
            assert re.search(rf"\b{parameter}\b", described), (place, parameter)


def test_a_spec_that_does_not_fit_its_kind_is_one_line(tmp_path: Path, refused):
    spec = json.dumps({"kind": "heat", "clips": -1, "sise": 64})
    line = refused("simulate", "--out", tmp_path / "s.zarr" / zarrs.ROOT, "--spec", spec)
    assert "clips: " in line and "sise" in line and "Hint: " in line
    assert list(tmp_path.iterdir()) == []


def test_export_refuses_what_is_no_embedding(tmp_path: Path, refused):
    assert door.main(simulation(tmp_path, 2)) == 0
    line = refused("export", "--embeddings", tmp_path / "s.zarr", "--out", tmp_path / "out")
    assert "s.zarr is no embedding: it holds" in line and "Hint: " in line
    assert not (tmp_path / "out").exists()
