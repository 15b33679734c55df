"""Stages declare themselves: what is common to all of them names none."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from physprobe.config import stages
from physprobe.config.pipeline import Pipeline

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "lib/physprobe"
FOLDERS = {path.parent.name for path in PACKAGE.glob("*/stage.py")}
WORKFLOW = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
NEW = {
    "stage.py": 'def run(*, out: str, spec: str) -> None:\n    """Count."""\n',
    "entries.py": (
        "from physprobe.config.spec import Spec\n"
        "class Count(Spec):\n    upto: int = 3\n    why: str = ''\n"
        "class Entries(Spec):\n    counts: dict[str, Count] = {}\n"
        "def problems(config):\n"
        "    for name, entry in config.counts.items():\n"
        "        if entry.upto < 0:\n            yield f'counts.{name}.upto: below 0.'\n"
    ),
    "commands.py": (
        "from physprobe.config.stages import Command, Stage\n"
        "STAGE = Stage({'count': Command(\n"
        "    entry=lambda config, asked: config.counts[asked.count], reads=('upto',),\n"
        "    model='counting.Count',\n"
        ")}, wildcards={'count': lambda config: config.counts})\n"
    ),
    "__init__.py": "",
}
ASK = """
import json, sys
from types import SimpleNamespace
from physprobe import __main__ as door
from physprobe.config import model
from physprobe.config.pipeline import Pipeline
content = json.loads(sys.argv[1])
content["counts"] = {"few": {"upto": 2, "why": "to see"}}
found, asked = Pipeline(content), SimpleNamespace(count="few")
assert found.wildcards["count"] == "few"
assert found.spec("count")(asked) == '{"upto":2}'
assert len(found.code("count")(asked)) == 16
assert door.main(["count", "--out", "a", "--spec", '{"upto":2}']) == 0
assert door.main(["count", "--out", "a", "--spec", '{"upt":2}']) == door.REFUSED
content["counts"]["few"]["upto"] = -1
try:
    model.load(content)
except model.ConfigError as error:
    assert "counts.few.upto: below 0." in str(error)
else:
    raise SystemExit("nothing was refused")
"""


@pytest.mark.parametrize(
    "file",
    [
        PACKAGE / "config/model.py",
        PACKAGE / "config/pipeline.py",
        PACKAGE / "__main__.py",
        ROOT / "workflow/rules/common.smk",
    ],
    ids=lambda path: path.name,
)
def test_what_is_common_names_no_stage(file: Path):
    words = set(re.findall(r"[a-z_]+", file.read_text().lower()))
    assert words & FOLDERS - {"report"} == set()


def test_a_new_stage_is_a_folder(tmp_path: Path):
    """Its section is checked, its command is there, and rules get its spec and its code."""
    package = tmp_path / "physprobe"
    package.mkdir()
    for part in PACKAGE.iterdir():
        if part.name not in ("__pycache__", "counting"):
            (package / part.name).symlink_to(part)
    (package / "config").unlink()
    (package / "config").mkdir()
    for file in (PACKAGE / "config").glob("*.py"):
        (package / "config" / file.name).write_text(file.read_text())
    (package / "counting").mkdir()
    for name, text in NEW.items():
        (package / "counting" / name).write_text(text)
    content = yaml.safe_load((ROOT / "tests/configs/smoke.yaml").read_text())
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(content)],
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_command_of_a_rule_is_declared_and_the_other_way_round():
    asked = set(re.findall(r"python -m physprobe (\w+)", WORKFLOW))
    for_people = {
        "convert",
        "croissant",
        "device",
        "export",
        "films",
        "init",
        "modules",
        "plan",
        "schema",
        "verify",
        "well",
    }
    assert asked == set(stages.commands()) - for_people


def test_every_wildcard_of_a_rule_is_declared():
    content = yaml.safe_load((ROOT / "tests/configs/smoke.yaml").read_text())
    used = set(re.findall(r"\"results/[^\"]*?\{(\w+)\}", WORKFLOW))
    assert used <= {*Pipeline(content).wildcards, "scatteritem"}


def test_help_imports_nothing_heavy():
    ask = (
        "import sys; from physprobe import __main__ as door; door.main(['--help']);"
        "print({'torch', 'xarray', 'zarr', 'matplotlib', 'scipy', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT / "lib"), "PATH": ""},
    )  # fmt: skip
    assert done.stdout.endswith("set()\n"), done.stdout + done.stderr
