"""The wheel: it holds all that a run needs, and its ``init`` makes a folder that runs."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the wheel unpacks to; the build leaves nothing in the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    apart = folder / "apart.cfg"
    apart.write_text(f"[build]\nbuild_base = {folder / 'build'}\n[egg_info]\negg_base = {folder}\n")
    run(
        ROOT, "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index",
        "--wheel-dir", folder, ".", DIST_EXTRA_CONFIG=str(apart), PIP_DISABLE_PIP_VERSION_CHECK="1",
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(folder: Path, module: str, *options: str | Path, **more: str) -> str:
    """Run a module of this environment in a folder; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, options)],
        cwd=folder, env={**os.environ, **more}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def files(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return {path.relative_to(folder).as_posix() for path in found}


def test_it_holds_the_library_and_the_workflow_and_nothing_else(site: Path):
    library = {name for name in files(ROOT / "lib") if ".egg-info/" not in name}
    carried = {"Snakefile", "config.yaml"}
    for folder in ("envs", "examples", "profiles", "workflow"):
        carried |= {f"{folder}/{name}" for name in files(ROOT / folder) if "/." not in f"/{name}"}
    found = {name for name in files(site) if ".dist-info/" not in name}
    assert found == library | {f"physprobe/repository/{name}" for name in carried}
    assert {"workflow/rules/fit.smk", "workflow/config.schema.json"} < carried
    (entry,) = site.glob("*.dist-info/entry_points.txt")
    assert "physprobe = physprobe.__main__:script" in entry.read_text()


def test_a_folder_that_it_makes_runs_by_its_own_rules(site: Path, tmp_path: Path):
    alone = {"PYTHONPATH": str(site)}
    assert "Next: cd mine && snakemake" in run(tmp_path, "physprobe", "init", "mine", **alone)
    mine = tmp_path / "mine"
    planned = run(mine, "snakemake", "--dry-run", "--printshellcmds", **alone)
    assert "layout_fit " in planned and "simulate " in planned
    template = os.path.relpath(site / "physprobe/report/page.html.j2", mine)
    assert f"--template {template} " in planned, "another package's than the wheel's"
