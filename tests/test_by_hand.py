"""Steps run by hand under bad conditions: a full disk leaves nothing that reads as finished."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

ROOT = Path(__file__).parents[1]
SPECS = {
    "simulate": {"kind": "heat", "clips": 20, "frames": 8, "size": 64, "sigma": [3.0, 6.0]},
    "render": {"kind": "fields"},
    "embed": {"kind": "untrained", "num_hidden_layers": 1, "patch_size": 16, "seeds": [1, 2]},
    "fit": {"kind": "ridge", "targets": ["alpha", "sigma"], "permutations": 1, "bootstraps": 100},
}
FULL = 2_000
"""Bytes that a file may have on the full disk: less than any block or result."""


class Folder:
    """Results of a chain of steps.

    Parameters
    ----------
    root : Path
        Where they are written.
    """

    def __init__(self, root: Path):
        self.simulation = root / "heat/simulation.zarr/zarr.json"
        self.clips = root / "heat/clips.zarr/zarr.json"
        self.embeddings = root / "heat/embeddings/untrained.zarr/zarr.json"
        self.fits = root / "heat/fits/untrained.ridge.json"

    def out(self, stage: str) -> Path:
        """What a step writes."""
        return {
            "simulate": self.simulation,
            "render": self.clips,
            "embed": self.embeddings,
            "fit": self.fits,
        }[stage]

    def step(self, stage: str, full: bool = False, threads: int = 1) -> subprocess.CompletedProcess:
        """Run one, perhaps on a disk that is full."""
        paths = {
            "simulate": [],
            "render": ["--simulation", self.simulation],
            "embed": ["--clips", self.clips],
            "fit": ["--embeddings", self.embeddings, "--simulation", self.simulation],
        }[stage]
        paths += ["--out", self.out(stage)]
        more = ["--spec", json.dumps(SPECS[stage]), "--threads", str(threads)]

        def limit() -> None:
            if full:
                resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, FULL))

        return subprocess.run(
            [sys.executable, "-m", "physprobe", stage, *paths, *more],
            env={**os.environ, "PYTHONPATH": str(ROOT / "lib"), "OMP_NUM_THREADS": "1"},
            preexec_fn=limit, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def run(self, *stages: str, threads: int = 1) -> None:
        """Run some, which have to succeed."""
        for stage in stages:
            done = self.step(stage, threads=threads)
            assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("undisturbed"))
    folder.run(*SPECS)
    return folder


@pytest.mark.parametrize("stage", ["simulate", "fit"])
def test_a_full_disk_ends_in_one_line_and_the_next_run_goes_on(
    stage: str, undisturbed: Folder, tmp_path: Path
):
    folder = Folder(tmp_path)
    if stage == "fit":
        shutil.copytree(undisturbed.fits.parents[1], tmp_path / "heat")
        shutil.rmtree(tmp_path / "heat/fits")
    out = folder.out(stage)
    failed = folder.step(stage, full=True)
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith(f"{stage}: error: ")
    assert "Traceback" not in failed.stderr
    assert not out.exists()
    folder.run(stage)
    assert out.read_bytes() == undisturbed.out(stage).read_bytes()
    assert not [file for file in tmp_path.rglob("*") if "partial" in file.name]


@pytest.mark.parametrize("threads", [2, 3])
def test_more_threads_give_the_numbers_of_one(undisturbed: Folder, tmp_path: Path, threads: int):
    folder = Folder(tmp_path)
    folder.run("simulate", "render", "embed", threads=threads)
    for stage in ("simulate", "render", "embed"):
        one, two = (xr.open_zarr(each.out(stage).parent) for each in (undisturbed, folder))
        xr.testing.assert_equal(one, two)
