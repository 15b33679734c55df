"""The workflow for real, on a small study: it runs, caches exactly, and survives being killed."""

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil
import pytest
import xarray as xr
import yaml
from figure_oracle import sound

from physprobe.calibrate import _battery, _chance
from physprobe.config import kinds
from physprobe.figures import calibration

ROOT = Path(__file__).parents[1]
PARTS = ["Snakefile", "workflow", "profiles", "lib", "envs"]
FIRST = ("pooled/c/0/0/0/0", "tokens_final/c/0/0/0/0/0")  # files of an embedding's first block
DOWNSTREAM = {"falsify", "figure", "page", "all"}
PUBLISHED = {"layout_fit", "layout_pixel_falsification"}
TARGETS = (
    "all",
    "results/encoders/tiny/learning.png",
    "results/encoders/learning.png",
    "results/calibration.png",
)
"""The page and what it shows; and what it doesn't wait for."""
NOTEBOOK = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
ODD = "physprobe's clone, \N{LATIN SMALL LETTER E WITH ACUTE}t\N{LATIN SMALL LETTER E WITH ACUTE}"


def checkout(folder: Path) -> Path:
    """Copy what a clone holds, with the small study as its config."""
    copied(ROOT, PARTS, folder, "__pycache__")
    shutil.copy(ROOT / "tests/configs/smoke.yaml", folder / "config.yaml")
    return folder


def copied(source: Path, parts: Iterable[str], folder: Path, *without: str) -> None:
    """Copy parts of a checkout to a new folder."""
    folder.mkdir(parents=True)
    for part in parts:
        if (source / part).is_dir():
            shutil.copytree(source / part, folder / part, ignore=shutil.ignore_patterns(*without))
        else:
            shutil.copy(source / part, folder / part)


def outside(**more: str) -> dict[str, str]:
    """Environment of a user who has not activated ours."""
    here = str(Path(sys.executable).parent)
    paths = [path for path in os.environ["PATH"].split(os.pathsep) if path != here]
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**kept, "PATH": os.pathsep.join(paths), **more}


def snakemake(folder: Path, *options: str, check: bool = True, **environment: str) -> str:
    """Run Snakemake in a folder; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *options],
        cwd=folder, env=outside(**environment), capture_output=True, text=True, check=False,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert not check or done.returncode == 0, printed[-4000:]
    return printed


def planned(folder: Path, *options: str) -> dict[str, int]:
    """Jobs that Snakemake would run, by rule, from its table of them."""
    printed = snakemake(folder, *(options or TARGETS), "--dry-run", "--cores", "2")
    found = re.findall(r"^(\w+)\s+(\d+)$", printed, re.MULTILINE)
    return {rule: int(count) for rule, count in found if rule != "total"}


def would_run(folder: Path, *options: str) -> set[str]:
    """Rules that Snakemake would run."""
    return set(planned(folder, *options))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which every rule has been run, in a folder with an odd name."""
    folder = checkout(tmp_path_factory.mktemp("finished") / ODD)
    snakemake(folder, *TARGETS, "--cores", "2")
    return folder


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished checkout, to be changed."""
    folder = tmp_path / "physprobe"
    shutil.copytree(finished, folder)
    return folder


def test_everything_that_was_asked_for_is_there(finished: Path):
    results = finished / "results"
    for name in (
        "report.html",
        "heat/fit_metrics.json",
        "heat/fit_summary.txt",
        "heat/fit_results.png",
        "heat/fit_results.csv",
        "heat/pixel_falsification_metrics.json",
        "heat/pixel_falsification_summary.txt",
        "heat/spatial_heat_head.safetensors",
        "heat/preview.mp4",
        "heat/verdicts.json",
        "heat/verdicts.png",
        "heat/verdicts.svg",
        "heat/ladder.csv",
        "heat_high_alpha/verdicts.json",
        "heat_high_alpha/transfer.png",
        "pair/fit_metrics.json",
        "pair/fit_results.png",
        "pair/orders.png",
        "laws/confusion.png",
        "laws/dispersion.png",
        "beyond_random/above_random.png",
        "encoders/tiny/model.safetensors",
        "encoders/tiny/learning.png",
        "encoders/learning.png",
        "encoders/shipped/small.png",
        "calibration.png",
        "calibration.csv",
        "balls/polar.png",
        "balls/polar.csv",
        "balls/reconstruction.png",
        "balls/forecast.mp4",
        "balls_places/located.png",
        "balls_multiverse/specifications.png",
        "intphys/fig1.png",
    ):
        assert (results / name).stat().st_size > 100, name


def test_every_rule_is_run(finished: Path):
    written = "\n".join(f.read_text() for f in (finished / "workflow/rules").glob("*.smk"))
    rules = set(re.findall(r"^rule (\w+):", written, re.MULTILINE))
    rules |= {f"layout_{form}" for form in kinds.names("layouts")}
    log = min((finished / ".snakemake/log").glob("*.log"))  # by time: of the run, not of a dry one
    counted = re.findall(r"^(\w+) +\d+$", log.read_text(), re.MULTILINE)
    assert rules == set(counted) - {"all", "total"}


def test_snakemake_reports_what_was_run(finished: Path, tmp_path: Path):
    page = tmp_path / "report.html"
    snakemake(finished, *TARGETS, "--report", str(page))
    found = page.read_text()
    captions = {
        file.stem: file.read_text() for file in (finished / "workflow/report").glob("*.rst")
    }
    # of a figure, the caption of the module that drew it
    captions["figure"] = kinds.load("figures", "onset").CAPTION.partition("clips, ")[2]
    for name, caption in captions.items():
        assert " ".join(caption.split())[:40] in " ".join(found.split()), name


def test_every_store_opens_without_arguments(finished: Path):
    roots = sorted((finished / "results").rglob("*.zarr"))
    assert len(roots) >= 4
    for root in roots:
        found = xr.open_zarr(root)
        assert found.sizes["clip"] in (20, 40)
        assert found.attrs["digest"]


def test_a_study_has_a_page_of_its_own(finished: Path):
    """Nothing but what it shows is needed for it, and nothing else is on it."""
    assert would_run(finished, "results/heat/report.html") == {"page_alone"}
    snakemake(finished, "results/heat/report.html", "results/balls/report.html", "--cores", "2")
    alone, whole = (
        (finished / f"results/{name}").read_text() for name in ("heat/report.html", "report.html")
    )
    assert 'id="heat"' in alone and 'id="balls"' not in alone
    assert 'id="others"' in whole and 'id="others"' not in alone
    other = (finished / "results/balls/report.html").read_text()
    assert 'id="balls-polar"' in other and 'id="heat"' not in other


def test_every_test_and_interval_of_the_calibration_is_counted_and_drawn(finished: Path):
    found = json.loads((finished / "results/calibration.json").read_text())
    assert found["schema"] == "physprobe/calibration/2"
    rates = {row["test"]: row for row in found["rows"]}
    assert {"ridge, clip, selected layer", "logistic, auc, selected layer"} <= set(rates)
    assert {f"R2, {_battery.FEW[0].name}", "skill of linear dynamics"} <= set(rates)
    for row in found["rows"]:
        assert row["value"] in (0.0, 1.0) or row["metric"] == "chance_level"
        assert row["ci_low"] <= row["value"] <= row["ci_high"]
    # the best setting on the reported fold is above any one of them, and above an honest choice
    for size in _chance.SIZES:
        nested, alone, swept = (rates[f"{way}, {size}"]["value"] for way in _chance.WAYS)
        assert alone < swept and nested < 0
    assert (finished / "results/calibration.png").stat().st_size > 10_000
    table = (finished / "results/calibration.csv").read_text()
    assert len(table.splitlines()) == 1 + len(found["rows"])
    sound(calibration.figure(calibration.frame(found)))


def test_claims_were_frozen_before_there_was_a_fit(finished: Path):
    plans = {
        path.parent: json.loads(path.read_text()) for path in finished.glob("results/*/plan.json")
    }
    judged = {path.parent for path in finished.glob("results/*/verdicts.json")}
    assert judged == set(plans)
    for folder, plan in plans.items():
        verdicts = json.loads((folder / "verdicts.json").read_text())
        assert verdicts["plan"]["hash"] == plan["hash"]
        assert (plan["existed"], plan["amendments"]) == ({}, []), folder.name
        assert {line["status"] for line in verdicts["claims"]} <= {"confirmatory"}


def test_then_there_is_nothing_to_do(finished: Path):
    assert would_run(finished) == set()


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def edit_probe(folder: Path) -> None:
    file = folder / "lib/physprobe/fit/methods/ridge.py"
    file.write_text(file.read_text() + "\nEDITED = True\n")


def edit_probe_parameter(folder: Path) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["methods"]["ridge"]["seed"] = 1
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def edit_figure(folder: Path) -> None:
    file = folder / "lib/physprobe/figures/ladder.py"
    file.write_text(file.read_text() + "\nEDITED = True\n")


def edit_figure_of_a_claim(folder: Path) -> None:
    file = folder / "lib/physprobe/figures/confusion.py"
    file.write_text(file.read_text() + "\nEDITED = True\n")


def edit_one_encoder(folder: Path) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["controls"]["pixels_gray16"]["size"] = 4
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def reword_a_claim(folder: Path) -> None:
    edit(folder / "config.yaml", "Alpha is decodable better than", "Alpha can be read better than")


def reword_another_claim(folder: Path) -> None:
    edit(folder / "config.yaml", "Direction is there.", "The direction is in there.")


def edit_what_no_result_follows_from(folder: Path) -> None:
    """What is logged, what checks a config, and what declares a command."""
    package = folder / "lib/physprobe"
    edit(package / "store/log.py", "done, about", "ready, about")
    edit(package / "fit/stage.py", 'log.done(f"', 'log.done(f"fit of ')
    edit(package / "fit/designs/every_way.py", '"fits")', '"ways to fit")')
    for name in ("fit/entries", "falsify/_checks", "fit/commands", "config/stages"):
        file = package / f"{name}.py"
        file.write_text(file.read_text() + "\nEDITED = True\n")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (edit_probe_parameter, {"freeze", "fit", *PUBLISHED, *DOWNSTREAM}),
        (edit_figure, {"figure", "layout_fit", "page", "all"}),
        (edit_figure_of_a_claim, {"figure", "page", "all"}),
        (edit_one_encoder, {"freeze", "embed", "fit", *PUBLISHED, *DOWNSTREAM}),
        (reword_a_claim, {"freeze", *PUBLISHED, *DOWNSTREAM}),
        (reword_another_claim, {"freeze", *DOWNSTREAM}),
        (edit_what_no_result_follows_from, set()),
    ],
)
def test_a_change_reruns_what_follows_from_it_and_nothing_else(
    copy: Path, change: Callable[[Path], None], expected: set[str]
):
    change(copy)
    assert would_run(copy) == expected


def edit_the_design_elsewhere(folder: Path) -> None:
    file = folder / "lib/physprobe/fit/designs/elsewhere.py"
    file.write_text(file.read_text() + "\nEDITED = True\n")


def add_an_encoder(folder: Path) -> None:
    config = yaml.safe_load((folder / "config.yaml").read_text())
    config["encoders"]["pixels_4"] = {"kind": "pixels", "size": 4, "color": "gray"}
    config["studies"]["heat"]["encoders"].append("pixels_4")
    config["studies"]["balls_multiverse"]["encoders"].append("pixels_4")
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (edit_the_design_elsewhere, r"results/heat_high_alpha/fits/\w+\.ridge\.json"),
        (add_an_encoder, r"results/\w+/fits/pixels_4\.\w+\.json"),
    ],
)
def test_a_change_reruns_no_fit_that_does_not_follow_from_it(
    copy: Path, change: Callable[[Path], None], expected: str
):
    change(copy)
    printed = snakemake(copy, *TARGETS, "--dry-run", "--printshellcmds", "--cores", "2")
    fits = re.findall(r"--out (results/\w+/fits/\S+\.json)", printed)
    assert fits and all(re.fullmatch(expected, path) for path in fits), fits


def test_comments_docstrings_new_times_and_edits_taken_back_rerun_nothing(copy: Path):
    ridge = copy / "lib/physprobe/fit/methods/ridge.py"
    text = ridge.read_text()
    ridge.write_text('"""Other words."""\n# and a comment\n' + text.split('"""', 2)[2])
    for file in sorted(copy.rglob("*"), reverse=True):
        if ".snakemake" not in file.parts:
            os.utime(file)
    assert would_run(copy) == set()
    edit_probe(copy)
    assert would_run(copy) == {"fit", "calibrate", "train", *PUBLISHED, *DOWNSTREAM}
    ridge.write_text(text)
    assert would_run(copy) == set()


def test_a_changed_probe_ends_in_the_same_numbers_when_it_is_run(copy: Path):
    path = copy / "results/heat/fits/statistics.ridge.json"
    before = json.loads(path.read_text())
    edit_probe(copy)
    snakemake(copy, "--cores", "2", str(path.relative_to(copy)))
    after = json.loads(path.read_text())
    assert after["rows"] == before["rows"]
    assert after["provenance"]["code"] != before["provenance"]["code"]


def embedding(folder: Path) -> tuple[Path, Path]:
    root = folder / "results/heat/embeddings/small.zarr"
    return root, root / "zarr.json"


def test_steps_that_are_run_again_write_the_same_bytes_and_rerun_nothing(copy: Path):
    """Fault 19: JSON, CSV, text, PNG, SVG, film, tensors, page; nothing says when or how long."""
    again = [
        "heat/fits/statistics.ridge.json",
        "heat/fits/small.dmd.json",
        "heat/spatial_heat_head.safetensors",
        "heat/verdicts.json",
        "heat/fit_metrics.json",
        "heat/ladder.png",
        "heat/preview.mp4",
        "balls_places/verdicts.json",
        "report.html",
    ]
    written = [path for path in (copy / "results").rglob("*") if "logs" not in path.parts]
    before = {path: path.read_bytes() for path in written if path.is_file()}
    targets = [f"results/{name}" for name in again]
    times = {name: (copy / name).stat().st_mtime_ns for name in targets}
    snakemake(copy, *targets, "--force", "--cores", "2")
    assert all((copy / name).stat().st_mtime_ns > times[name] for name in targets)
    assert {path.name for path in before if path.read_bytes() != before[path]} == set()
    assert would_run(copy) == set()


def unfinished(root: Path) -> Path:
    """Folder that a store is written in, beside its place."""
    return root.with_name(f".{root.name}.unfinished")


def started_by(process: int) -> list[psutil.Process]:
    """Processes that a process has started, and those that these have."""
    return psutil.Process(process).children(recursive=True)


def start_and_kill(folder: Path, everything: bool) -> None:
    """Kill -9 in the middle of the embedding: the job alone, or Snakemake with it."""
    root, sealed = embedding(folder)
    run = subprocess.Popen(
        [sys.executable, "-m", "snakemake", str(sealed.relative_to(folder)), "--cores", "1"],
        cwd=folder, env=outside(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    begun = unfinished(root)
    while run.poll() is None and not all((begun / part).exists() for part in FIRST):
        time.sleep(0.02)
    assert all((begun / part).exists() for part in FIRST)
    if everything:
        os.killpg(run.pid, signal.SIGSTOP)
        second = snakemake(folder, str(sealed.relative_to(folder)), "--cores", "1", check=False)
        os.killpg(run.pid, signal.SIGKILL)
        assert "lock" in second, "two runs in one folder"
    else:
        (job,) = [child for child in started_by(run.pid) if "embed" in child.cmdline()]
        job.kill()
    run.wait()


@pytest.mark.parametrize("everything", [False, True], ids=["job", "everything"])
def test_kill_9_in_the_embedding_goes_on_at_the_first_missing_chunk(copy: Path, everything: bool):
    root, sealed = embedding(copy)
    undisturbed = sealed.read_text()
    # 40 clips are three blocks; the second one waits on this file's time to be killed in
    shutil.rmtree(root)
    start_and_kill(copy, everything)
    assert not sealed.exists()
    if everything:
        snakemake(copy, "--unlock")
    first = [(unfinished(root) / part).stat().st_mtime_ns for part in FIRST]
    snakemake(copy, str(sealed.relative_to(copy)), "--cores", "1")
    assert [(root / part).stat().st_mtime_ns for part in FIRST] == first
    assert sealed.read_text() == undisturbed


def test_a_misspelt_config_ends_in_one_readable_message(finished: Path, tmp_path: Path):
    folder = tmp_path / "physprobe"
    copied(finished, [*PARTS, "config.yaml"], folder)
    edit(folder / "config.yaml", "kind: heat\n", "kind: haet\n")
    printed = snakemake(folder, "--dry-run", "--cores", "1", check=False)
    assert "systems.heat.simulate.kind: found 'haet'. Did you mean 'heat'?" in printed
    assert "Traceback" not in printed


def test_it_runs_from_a_notebook_elsewhere_without_a_home_and_an_activated_environment(
    finished: Path, tmp_path: Path
):
    clone, study = tmp_path / ODD, tmp_path / "study"
    copied(finished, PARTS, clone)
    copied(finished, ["config.yaml"], study)
    target = "results/heat/preview.mp4"
    snakemake(
        study, target, "--snakefile", str(clone / "Snakefile"), "--cores", "2",
        HOME="/dev/null", **NOTEBOOK,
    )  # fmt: skip
    assert (study / target).stat().st_size > 100
    assert not (clone / "results").exists()
    # the same by --directory; and every input that comes with the clone is found
    here = ["--directory", "study", "--snakefile", f"{ODD}/Snakefile"]
    assert "Nothing to be done" in snakemake(tmp_path, target, *here, "--cores", "2")
    assert "page" in would_run(tmp_path, "all", *here)
    # quoted, where a folder's name needs it
    page = snakemake(tmp_path, "results/report.html", *here, "--dry-run", "--printshellcmds")
    assert f"--template {shlex.quote(f'../{ODD}/lib/physprobe/report/page.html.j2')}" in page


def test_a_step_by_hand_runs_under_the_backend_of_a_notebook(tmp_path: Path):
    command = [sys.executable, "-m", "physprobe"]
    environment = {**outside(**NOTEBOOK), "PYTHONPATH": str(ROOT / "lib")}
    simulation, clips = tmp_path / "simulation.zarr/zarr.json", tmp_path / "clips.zarr/zarr.json"
    for step in (
        ["simulate", "--out", simulation, "--spec", '{"kind": "heat", "clips": 2, "frames": 2}'],
        ["render", "--simulation", simulation, "--out", clips, "--spec", '{"kind": "fields"}'],
    ):
        subprocess.run([*command, *step], env=environment, check=True)
    assert clips.exists()


def test_a_network_is_embedded_by_as_many_jobs_as_are_asked_for(finished: Path):
    stores = [f"results/heat/embeddings/{name}.zarr/zarr.json" for name in ("small", "statistics")]
    jobs = planned(finished, *stores, "--set-scatter", "embedding=3")
    assert jobs == {"embed_part": 3, "embed": 1}  # of the network; the other store is there


def test_a_forced_embedding_is_computed_again(copy: Path):
    """Fault 2: a forced run took what was there for its own."""
    root, sealed = embedding(copy)
    before, first = sealed.read_text(), [(root / part).stat().st_mtime_ns for part in FIRST]
    snakemake(copy, "--force", str(sealed.relative_to(copy)), "--cores", "1")
    assert all(
        (root / part).stat().st_mtime_ns > time for part, time in zip(FIRST, first, strict=True)
    )
    assert sealed.read_text() == before


def test_a_damaged_store_is_repaired_by_what_verify_says(copy: Path):
    """Faults 3 and 15: the missing chunk alone is written again, and nothing else is run."""
    root, sealed = embedding(copy)
    undisturbed, (kept, lost) = (
        sealed.read_text(),
        [root / "pooled/c" / f"{block}/0/0/0" for block in (0, 1)],
    )
    written = kept.stat().st_mtime_ns
    lost.unlink()
    printed = door(copy, "verify", "--repair", expected=1)
    assert "small.zarr: pooled/c/1/0/0/0 is missing" in printed
    target = f"{sealed.relative_to(copy)}"
    assert f"Hint: snakemake {target}" in printed
    snakemake(copy, target, "--cores", "1")
    assert (kept.stat().st_mtime_ns, sealed.read_text()) == (written, undisturbed)
    assert lost.exists()
    assert would_run(copy) == set()
    door(copy, "verify", expected=0)


def door(folder: Path, *options: str, expected: int) -> str:
    """Run a step by hand in a checkout; return what it said."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "lib")}
    done = subprocess.run(
        [sys.executable, "-m", "physprobe", *options],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == expected, done.stdout + done.stderr
    return done.stderr
