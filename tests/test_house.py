"""The house around the code: pins in step, imports declared, profiles complete."""

import ast
import graphlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import jsonschema
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from physprobe.config import config_files, model

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lib" / "physprobe"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = dict(line.split("==") for line in (ROOT / "requirements.lock").read_text().splitlines())
PROFILES = {
    path.parent.name: path
    for folder in ("profiles", "workflow/profiles")
    for path in sorted((ROOT / folder).glob("*/config.yaml"))
}
OPTIONAL = {"films", "oracles", "timm"}
"""Extras that nothing needs, and the lock file leaves out."""
BY_HAND = {"bpy", "timm"}
"""Optional imports: Blender, whose wheel asks for NumPy 1, and what no lock holds."""
BINARY = {".mp4", ".npz", ".png", ".gz", ".safetensors"}


def required(*extras: str) -> dict[str, Requirement]:
    """Direct dependencies by name, with those of the extras."""
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def pins(name: str) -> dict[str, str]:
    """Pip's part of a conda environment."""
    packages = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())["dependencies"]
    (pip,) = (entry["pip"] for entry in packages if isinstance(entry, dict))
    return dict(line.split("==") for line in pip)


def imported(folder: Path) -> dict[str, Path]:
    """Distributions that the modules of a folder import, and one module that does."""
    provider = packages_distributions()
    found = {}
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            else:
                continue
            for top in {module.split(".")[0] for module in modules} - sys.stdlib_module_names:
                if top != "physprobe":
                    found[canonicalize_name(provider.get(top, [top])[0])] = path
    return found


def private_imports() -> set[tuple[str, str]]:
    """Modules that import a ``_module`` of another folder, each with its name."""
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        folder, *_ = path.relative_to(PACKAGE).parts
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom):
                continue
            for name in (f"{node.module}.{alias.name}" for alias in node.names):
                package, _, inside = name.partition(".")
                other, *rest = inside.split(".")
                private = [part for part in rest if part.startswith("_")]
                if package == "physprobe" and other != folder and private:
                    found.add((path.relative_to(PACKAGE).as_posix(), f"{other}.{private[0]}"))
    return found


def imports(package: Path) -> dict[str, set[str]]:
    """What each module imports of its package: at once, within a function, or for types alone."""
    files = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts): path
        for path in package.rglob("*.py")
    }
    found = {}
    for module, path in files.items():
        names = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                asked = "." * node.level + (node.module or "")
                base = importlib.util.resolve_name(asked, module.rpartition(".")[0])
                names |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        found[module] = names & files.keys()
    return found


def circle(package: Path) -> list[str]:
    """Modules that import each other in a circle, the first one last again; none if none do."""
    try:
        graphlib.TopologicalSorter(imports(package)).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def committed() -> list[Path]:
    """Text files that belong to the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: cannot tell the repository's files from others")
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = (ROOT / name for name in listing.split("\0") if name)
    return [path for path in paths if path.is_file() and path.suffix not in BINARY]


def test_lock_is_exact_and_complete():
    assert list(LOCK) == sorted(map(canonicalize_name, LOCK))
    assert all(re.fullmatch(r"[\w.]+", version) for version in LOCK.values()), "no local versions"
    for name, requirement in required(*PROJECT["optional-dependencies"].keys() - OPTIONAL).items():
        assert name in LOCK, f"requirements.lock has no {name}"
        assert LOCK[name] in requirement.specifier, f"{name}=={LOCK[name]}, not {requirement}"
        assert all(clause.operator == ">=" for clause in requirement.specifier), requirement


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_environments_follow_the_lock(name):
    assert pins(name) == {package: LOCK[package] for package in pins(name)}
    assert pins(name).keys() <= required().keys()


def test_environments_hold_what_their_rules_import():
    workflow_only = {"snakemake", "pygments"}
    assert pins("cpu").keys() == required().keys() - workflow_only
    for stage in ("config", "store", "statistics", "embed", "train"):
        for package, path in imported(PACKAGE / stage).items():
            known = pins("gpu").keys() | BY_HAND
            assert package in known, f"envs/gpu.yaml lacks {package}, imported by {path}"


def test_imports_of_the_library_are_declared():
    for package, path in imported(PACKAGE).items():
        assert package in required().keys() | BY_HAND, (
            f"pyproject.toml lacks {package}, imported by {path}"
        )
        assert package != "snakemake", f"{path} imports the workflow system"


def test_no_module_is_imported_from_inside_another_folder():
    """``_module`` is for its siblings: what others need has a public name."""
    assert private_imports() == set()


def test_no_modules_import_each_other():
    """What two of them need lies below both; an import that is late, or for types, is one too."""
    assert circle(PACKAGE) == []


@pytest.mark.parametrize(
    "line",
    [
        "from house.rooms import upper",
        "import house.rooms.upper",
        "from .upper import Room",
        "from . import upper",
        "def built():\n    from house.rooms.upper import Room",
        "if TYPE_CHECKING:\n    from house.rooms.upper import Room",
    ],
)
def test_a_circle_is_found(line, tmp_path):
    rooms = tmp_path / "house" / "rooms"
    rooms.mkdir(parents=True)
    for name, text in (("upper", "from house import stairs"), ("lower", "")):
        (rooms / f"{name}.py").write_text(text)
    (rooms.parent / "stairs.py").write_text("from house.rooms import lower")
    assert circle(tmp_path / "house") == []
    (rooms / "lower.py").write_text(line)
    found = {"house.rooms.lower", "house.rooms.upper", "house.stairs"}
    assert set(circle(tmp_path / "house")) == found


def test_data_files_are_packaged():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    patterns = tool["setuptools"]["package-data"]["*"]
    for path in PACKAGE.rglob("*"):
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts:
            assert any(path.match(pattern) for pattern in patterns), f"{path} is not packaged"


def test_no_module_is_named_for_nothing():
    vague = {"utils", "util", "helpers", "misc", "common"}
    assert not [path for path in PACKAGE.rglob("*.py") if path.stem.strip("_") in vague]


def test_version_is_the_same_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    changelog = (ROOT / "CHANGELOG.md").read_text()
    sections = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    released = [section for section in sections if section != "Unreleased"]
    assert not released or released[0] == PROJECT["version"]
    assert "### Results" in changelog


def test_files_name_no_place_of_one_machine():
    place = re.compile(r"(?<![\w.}~])/(?:home|root|Users|opt|mnt|srv)/\w")
    for path in committed():
        for number, line in enumerate(path.read_text().splitlines(), 1):
            assert not place.search(line), f"{path.relative_to(ROOT)}:{number}: {line.strip()}"


def test_installation_names_no_package_host():
    for path in ("requirements.lock", "pyproject.toml", "Makefile", ".ci/run", "envs"):
        for file in [ROOT / path] if (ROOT / path).is_file() else (ROOT / path).iterdir():
            assert "://" not in file.read_text(), file


def test_make_alone_lists_every_target():
    text = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^make (\w+) +\w", listed, re.MULTILINE) == phony.split()


README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
STUDIES = sorted((ROOT / "workflow/studies").glob("*.yaml"))
FIRST = ROOT / config_files.FIRST


def test_the_readme_is_short():
    words = len((ROOT / "README.md").read_text().split())
    assert words < 1800, f"{words} words. Hint: what is longer goes to docs"


@pytest.mark.parametrize("page", [README, *DOCS], ids=lambda page: page.name)
def test_links_lead_to_files(page: Path):
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_config_yaml_is_one_study():
    assert len(FIRST.read_text().splitlines()) < 150, "Hint: other studies go to workflow/studies"


@pytest.mark.parametrize(
    "files", [[], *([path] for path in STUDIES), STUDIES], ids=lambda f: "-".join(p.stem for p in f)
)
def test_studies_stand_on_config_yaml_alone_and_together(files: list[Path]):
    content = config_files.gather([FIRST, *files])
    assert model.load(content).studies


@pytest.fixture(scope="module")
def editor() -> jsonschema.protocols.Validator:
    """What an editor holds a config file against."""
    schema = json.loads(model.schema())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    return kind(schema)


@pytest.mark.parametrize("path", [FIRST, *STUDIES], ids=lambda path: path.stem)
def test_config_files_follow_the_schema(path: Path, editor: jsonschema.protocols.Validator):
    editor.validate(config_files.read(path).values)


def test_no_test_reads_the_config_of_the_user():
    root = re.compile(r"""(ROOT|root|parents\[\d\])\)? / ["']config\.yaml["']""")
    for file in sorted((ROOT / "tests").rglob("*.py")):
        found = root.search(file.read_text())
        assert not found, f"{file.relative_to(ROOT)} reads config.yaml. Hint: tests/configs"


def test_captions_that_rules_name_are_there_and_no_others():
    files = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
    named = {
        (file.parent / name).resolve()
        for file in files
        for name in re.findall(r'"([^"]+\.rst)"', file.read_text())
    }
    assert named == set((ROOT / "workflow/report").glob("*.rst"))


def test_named_profiles_are_complete():
    assert PROFILES.keys() == {"default", "slurm", "generic", "workstation"}
    default = yaml.safe_load(PROFILES["default"].read_text())
    for name, path in PROFILES.items():
        profile = yaml.safe_load(path.read_text())
        shared = default.keys() - ({"cores"} if "executor" in profile else set())
        assert {key: profile.get(key) for key in shared} == {key: default[key] for key in shared}, (
            f"{name} replaces the default profile, so it has to repeat it"
        )


def test_default_profile_bounds_no_resource():
    default = yaml.safe_load(PROFILES["default"].read_text())
    assert "resources" not in default, "a rule with gpu=1 has to run where there is no GPU"


@pytest.mark.parametrize("name", PROFILES)
def test_profiles_are_understood_by_snakemake(name, tmp_path):
    (tmp_path / "Snakefile").write_text(
        "rule embed:\n    output: 'x'\n    resources: gpu=1, mem_mb=10, runtime=1\n"
        "    shell: 'echo > {output}'\n"
    )
    command = [sys.executable, "-m", "snakemake", "-n", "--workflow-profile", PROFILES[name].parent]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "rule embed:" in run.stdout + run.stderr


@pytest.mark.parametrize(
    ("squeue", "sacct", "expected"),
    [
        ("PENDING", "", "running"),
        ("RUNNING", "", "running"),
        ("COMPLETING", "", "running"),
        ("PREEMPTED", "", "running"),
        ("COMPLETED", "FAILED", "success"),
        ("FAILED", "", "failed"),
        ("TIMEOUT", "COMPLETED", "failed"),
        ("OUT_OF_MEMORY", "", "failed"),
        ("slurm_load_jobs error: Invalid job id specified", "CANCELLED by 0", "failed"),
        ("slurm_load_jobs error: Invalid job id specified", "COMPLETED", "success"),
        ("slurm_load_jobs error: Invalid job id specified", "", "success"),
        ("slurm_load_jobs error: Unable to contact slurm controller", "FAILED", "running"),
    ],
)
def test_status_of_a_batch_job(squeue, sacct, expected, tmp_path):
    for name, answer in {"squeue": squeue, "sacct": sacct}.items():
        fake = tmp_path / name
        fake.write_text(f"#!/bin/sh\necho '{answer}'\n" if answer else "#!/bin/sh\nexit 1\n")
        fake.chmod(0o755)
    script = PROFILES["generic"].parent / "status.sh"
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        [script, "17"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == f"{expected}\n"
