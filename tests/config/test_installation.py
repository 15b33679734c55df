"""Where the package lies: files of one that is installed have one path, wherever that is."""

import shutil
import sysconfig
from pathlib import Path

import pytest

from physprobe.config import installation

STYLE = "drawing/physprobe.mplstyle"


def test_files_of_a_checkout_are_named_from_the_working_directory(tmp_path: Path, monkeypatch):
    assert not installation.installed()
    monkeypatch.chdir(tmp_path)
    assert Path(installation.packaged(STYLE)).resolve() == installation.PACKAGE / STYLE
    assert not Path(".snakemake").exists()


def test_files_of_an_installed_package_keep_their_path_when_it_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        package = tmp_path / name / "site-packages" / "physprobe"
        (package / "drawing").mkdir(parents=True)
        shutil.copy(installation.PACKAGE / STYLE, package / STYLE)
        monkeypatch.setattr(installation, "PACKAGE", package)
        monkeypatch.setattr(sysconfig, "get_path", lambda _, place=package.parent: str(place))
        assert installation.installed()
        installation.link()
        installation.link()
        assert installation.packaged(STYLE) == f".snakemake/physprobe/{STYLE}"
        assert Path(installation.packaged(STYLE)).resolve() == package / STYLE
    assert [path.name for path in Path(".snakemake").iterdir()] == ["physprobe"]
