"""Init: a folder of one's own, and the config of a first study of films."""

import json
import logging
import os
import re
from pathlib import Path

import filmed
import numpy as np
import pytest

from physprobe import __main__ as door
from physprobe.config import config_files, installation, model
from physprobe.init import _films, stage

ROOT = Path(__file__).parents[2]


@pytest.fixture
def refused(caplog: pytest.LogCaptureFixture):
    """Run ``init`` so that it refuses; return its one line."""

    def line(*options: str | Path) -> str:
        caplog.clear()
        assert door.main(["init", *map(str, options)]) == door.REFUSED
        (record,) = (r for r in caplog.records if r.levelno == logging.ERROR)
        assert "\n" not in record.getMessage()
        return record.getMessage()

    return line


def film(folder: Path, name: str, count: int, rate: int = 10) -> None:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(count)
    filmed.write(folder / name, rng.integers(0, 255, (count, 12, 16, 3), dtype=np.uint8), rate=rate)


def written(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_folder_has_what_people_change_and_no_rules(tmp_path: Path):
    assert door.main(["init", str(tmp_path / "new" / "mine")]) == 0
    found = written(tmp_path / "new" / "mine")
    assert 'include: repository("Snakefile")' in found["Snakefile"].decode()
    for name in ("config.yaml", "profiles/default/config.yaml", "workflow/studies/balls.yaml"):
        assert found[name] == (ROOT / name).read_bytes()
    assert not [name for name in found if name.endswith(".smk")]
    assert os.access(tmp_path / "new/mine/workflow/profiles/generic/status.sh", os.X_OK)


def test_the_repository_is_that_around_the_package_unless_a_wheel_brought_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert installation.repository("Snakefile") == ROOT / "Snakefile"
    monkeypatch.setattr(installation, "PACKAGE", tmp_path)
    (tmp_path / "repository").mkdir()
    assert installation.repository("envs", "cpu.yaml") == tmp_path / "repository/envs/cpu.yaml"


def test_nothing_is_written_over(tmp_path: Path, refused):
    (tmp_path / "config.yaml").write_text("mine")
    (tmp_path / "notes.txt").write_text("mine too")
    assert "holds config.yaml already. Hint: physprobe init NAME" in refused(tmp_path)
    assert written(tmp_path) == {"config.yaml": b"mine", "notes.txt": b"mine too"}
    (tmp_path / "config.yaml").unlink()
    assert door.main(["init", str(tmp_path)]) == 0
    assert "holds .gitignore and 2" in refused(tmp_path)


def test_a_place_that_cannot_be_written_to_is_told_in_a_line(tmp_path: Path, refused, monkeypatch):
    (tmp_path / "file").write_text("")
    assert re.search(r"file.*Not a directory.*Hint: .* name a folder", refused(tmp_path / "file/m"))

    def forbidden(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", forbidden)
    line = refused(tmp_path / "mine")
    assert "mine: Permission denied. Hint: see who owns it" in line


def test_films_that_cannot_be_used_are_refused_before_anything_is_written(tmp_path: Path, refused):
    mine = tmp_path / "mine"
    assert "none: there is no such folder" in refused(mine, "--films", tmp_path / "none")
    film(tmp_path / "films", "a.mkv", 40)
    (tmp_path / "films" / "b.mp4").write_bytes(b"")
    assert "b.mp4: is empty (0 bytes)" in refused(mine, "--films", tmp_path / "films")
    assert "--spec: fram" in refused(mine, "--films", tmp_path, "--spec", '{"fram": 3}')
    assert not mine.exists()


def read(folder: Path) -> model.Config:
    """Config of a folder as Snakemake reads it there; encoders of a test's own."""
    wide = ROOT / "tests/configs/wide.yaml"
    return model.load(config_files.gather([wide, folder / "films.yaml"]))


def test_films_without_labels_are_asked_how_they_are_played(tmp_path: Path, monkeypatch):
    for count, rate in ((66, 10), (90, 10), (132, 20)):
        film(tmp_path / "my films", f"{count}.mkv", count, rate)
    (tmp_path / "my films" / "broken.mp4").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    out = json.dumps({"leave_out": ["broken.mp4"]})
    assert door.main(["init", "mine", "--films", "my films", "--spec", out]) == 0
    monkeypatch.chdir(tmp_path / "mine")
    found = read(Path())
    spec = found.systems["own"].simulate
    assert spec.folder == "../my films" and spec.labels == _films.TWINS
    # three films are fewer than folds; the slowest has the rate that all can be shown at
    assert spec.frame_rate == 10 and spec.pieces == 4 and spec.leave_out == ("broken.mp4",)
    assert (spec.frames - 1) * 3 < 66 / 4
    assert found.studies["own_films"].claims.keys() == {"rate", "reversed", "flipped"}


def test_labels_of_films_are_asked_for_by_their_kind(tmp_path: Path, monkeypatch):
    for number in range(6):
        film(tmp_path / "films", f"{number}.mkv", 30 + number)
    rows = "".join(f"{n}.mkv,{n},{'ab'[n % 2]},7\n" for n in range(6))
    table = tmp_path / "films" / "metadata.csv"
    table.write_text(f"file_name,Speed [<i>px</i>/s],speed,gravity\n{rows}")
    stage.run(tmp_path / "mine", films=str(table))
    monkeypatch.chdir(tmp_path / "mine")
    found = read(Path())
    assert found.methods["numbers"].targets == ("Speed",)
    assert found.methods["classes"].targets == ("speed",)
    claims = found.studies["own_films"].claims
    assert {name: claim.target for name, claim in claims.items()} == {
        "speed": "Speed",
        "speed_": "speed",
    }
    assert "gravity" not in Path("films.yaml").read_text(), "the same everywhere: not decodable"


def test_the_example_is_what_init_writes():
    fields = {"frames": 8, "frame_rate": 29.97, "step": 144, "labels": [*_films.TWINS]}
    own = _films.config("films", fields, [], [], "examples/own_films.yaml")
    assert own == (ROOT / "examples/own_films.yaml").read_text()


@pytest.mark.parametrize("text", ["../it's", "a: b", "1e3", "true", "null", "-x", "# a", "ä/b", ""])
def test_text_is_read_back_as_it_was_written(text: str):
    line = f"a: {_films._yaml(text)}\nb: {_films._yaml([text, 3])}"
    assert config_files.parse(line, "it").values == {"a": text, "b": [text, 3]}
