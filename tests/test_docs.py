"""The documentation: what it shows can be done - configs are valid, commands exist, code runs."""

import ast
import functools
import importlib
import importlib.util
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import filmed
import numpy as np
import pandas as pd
import pytest
import wells
import yaml

from physprobe import __main__ as door
from physprobe.config import config_files, kinds, model, stages
from physprobe.config.pipeline import Pipeline
from physprobe.fit.methods import ridge
from physprobe.fit.section import Given
from physprobe.init import _films
from physprobe.layouts.commands import forms
from physprobe.statistics import splits
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "lib/physprobe"
PAGES = [ROOT / "README.md", ROOT / "results/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SECTIONS = ("systems:", "studies:", "encoders:", "controls:", "methods:", "recipes:")
TOOLS = ("snakemake", "physprobe", "python", "make", "git", "pip")
BLOCK = re.compile(r"(?:^    .*\n|^\n+(?=    ))+", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
OF_OTHERS = {
    "Directory cannot be locked", "Killed", "Nothing to be done", "No module named physprobe",
}  # fmt: skip
"""Messages of Snakemake, Python and the system, on pages about errors."""


def blocks(page: Path) -> Iterator[list[str]]:
    """Indented blocks of a page: lines of configs, commands, code, or of none of these."""
    for block in BLOCK.findall(page.read_text()):
        yield [line[4:] for line in block.strip("\n").splitlines()]


def configs(*pages: Path) -> list[str]:
    """Pieces of config files, without the commands beside them."""
    return [
        "\n".join(line for line in lines if not line.startswith(TOOLS))
        for page in pages
        for lines in blocks(page)
        if any(line.startswith(SECTIONS) for line in lines)
    ]


def commands() -> list[tuple[str, str]]:
    """Every command that stands in a block, those of a line apart, with its page."""
    found = [
        (page.relative_to(ROOT).as_posix(), re.split(r" {3,}|  #", part)[0].strip())
        for page in PAGES
        for lines in blocks(page)
        for line in lines
        if line.startswith(TOOLS) and not lines[0].startswith('"""')
        for part in line.split(" && ")
    ]
    return sorted({(page, part) for page, part in found if part.startswith(TOOLS)})


def had(text: str, folder: Path) -> str:
    """A text in which what a reader has, where pages say ``path/to/films``, is in a folder."""
    if not (folder / "films").exists():
        filmed.write(folder / "films" / "a.mkv", filmed.moving(200))
        (folder / "features.npz").touch()
        for split in ("train", "valid", "test"):
            base = wells.numbered(1, 32)
            wells.write(
                folder / "the_well/data" / split / "a.hdf5", dataset="active_matter",
                fields={"concentration": base, "velocity": wells.numbered(1, 32, order=1)},
                scalars={"L": 10.0, "zeta": 9.0, "alpha": -1.0}, trajectories=1, frames=32,
            )  # fmt: skip
    for name in ("films", "features", "the_well"):
        text = text.replace(f"path/to/{name}", str(folder / name))
    return text


@pytest.mark.parametrize("text", configs(*PAGES))
def test_configs_are_valid(text: str, tmp_path: Path):
    mine = tmp_path / "mine.yaml"
    mine.write_text(had(text, tmp_path))
    model.load(config_files.gather([ROOT / "tests/configs/wide.yaml", mine]))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory):
    """Config of a command: config.yaml, and what the command or its page names besides."""
    folder = tmp_path_factory.mktemp("asked")
    fields = {"frames": 4, "labels": [*_films.TWINS]}
    own = _films.config("path/to/films", fields, [], [], "films.yaml")
    (folder / "films.yaml").write_text(had(own, folder))

    @functools.cache
    def found(page: str, *names: str) -> Pipeline:
        files = [ROOT / config_files.FIRST]
        for name in names:
            if name in ("films.yaml", "examples/own_films.yaml"):
                files.append(folder / "films.yaml")
            elif name != "mine.yaml":
                files.append(ROOT / name)
            else:
                # the last piece of the page that the command may be of
                files.append(folder / "mine.yaml")
                files[-1].write_text(configs(ROOT / page)[-1])
        return Pipeline(config_files.gather(files))

    return found


def written(pipeline: Pipeline) -> re.Pattern:
    """What rules can write, as their files say."""
    names = {name: f"(?:{pattern})" for name, pattern in pipeline.wildcards.items()}
    names["scatteritem"] = r"\d+-of-\d+"
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    outputs = {name for name in re.findall(r'"(results/[^"]+)"', text) if "/logs/" not in name}
    found = [
        re.sub(r"\\{(\w+)\\}", lambda match: names[match[1]], re.escape(name))
        for name in outputs
        if not name.startswith("results/{{")
    ]
    found += [
        f"results/(?:{studies})/{re.escape(file)}"
        for _, studies, files in forms(pipeline.config)
        for file in files
    ]
    return re.compile("|".join(found))


@pytest.mark.parametrize(("page", "command"), commands())
def test_commands_can_be_given(page: str, command: str, asked):
    tool, *words = shlex.split(command)
    if words[:2] == ["-m", "physprobe"]:
        tool, words = "physprobe", words[2:]
    if tool == "snakemake":
        split = words.index("--configfile") if "--configfile" in words else len(words)
        pipeline = asked(page, *words[split + 1 :])
        for target in (word for word in words[:split] if word.startswith("results/")):
            assert written(pipeline).fullmatch(target), f"no rule writes {target}"
        if "--workflow-profile" in words:
            assert (ROOT / words[words.index("--workflow-profile") + 1] / "config.yaml").exists()
    elif tool == "physprobe":
        name, *options = words
        module, function = door._place(name)
        parser = door._parser(name, getattr(importlib.import_module(module), function))
        assert parser.parse_args(options)
        assert name in stages.commands()
    elif tool == "make":
        assert set(words) <= set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    elif tool == "python" and words[0] != "-m":
        assert (ROOT / words[0]).exists()
    elif extra := re.fullmatch(r"pip install 'physprobe\[(\w+)\]'", command):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        assert extra[1] in project["optional-dependencies"]
    else:
        assert command in (
            "git clone <this repository> physprobe",
            "pip install ./physprobe",
            "python -m pip install --no-deps bpy==5.0.1",
        )


def test_the_documentation_shows_configs_and_commands():
    assert len(configs(*PAGES)) >= 5 and len(commands()) >= 30


def headings(page: Path) -> set[str]:
    """Anchors of a page."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line).strip().lower().replace(" ", "-") for line in lines}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files_and_headings(page: Path):
    for link, heading in LINK.findall(page.read_text()):
        if "://" in link:
            continue
        target = page.parent / link if link else page
        assert target.exists(), f"{link} leads nowhere"
        assert not heading or heading in headings(target), f"{link} has no heading {heading}"


def test_the_site_has_every_page():
    def named(part: object) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        else:
            for each in part.values() if isinstance(part, dict) else part:
                yield from named(each)

    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"]
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in PAGES[2:]}
    assert set(named(site)) == pages | {"index.md", "formats.md"}, "Hint: nav of mkdocs.yml"


@functools.cache
def said() -> str:
    """Every text of the library but its docstrings, with what is filled in left out."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text())
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found += [] if id(node) in told else [node.value]
            elif isinstance(node, ast.JoinedStr):
                parts = (getattr(part, "value", "") for part in node.values)
                found.append("".join(part for part in parts if isinstance(part, str)))
    return "\n".join(found)


@pytest.mark.parametrize("page", sorted((ROOT / "docs/errors").glob("*.md")), ids=lambda p: p.stem)
def test_errors_are_worded_as_the_library_words_them(page: Path):
    rows = re.findall(r"^\| (.+?) \|", page.read_text(), re.MULTILINE)
    quoted = {text.strip() for row in rows for text in re.findall(r"`([^`]+)`", row)}
    for text in quoted - OF_OTHERS:
        assert text in said(), f"no message of the library has {text!r}"


def shown(page: str, folder: str, name: str, place: Path) -> ModuleType:
    """The module that a page shows whole, as if it lay in a folder of the library."""
    (lines,) = (lines for lines in blocks(ROOT / "docs" / page) if lines[0].startswith('"""'))
    place.joinpath(f"{name}.py").write_text("\n".join(lines) + "\n")
    dotted = f"physprobe.{folder}.{name}"
    spec = importlib.util.spec_from_file_location(dotted, place / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[dotted] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[dotted]
    return module


def test_the_system_that_is_shown_is_one(tmp_path: Path):
    standing = kinds._completed(
        "simulate", shown("add_system.md", "simulate", "standing", tmp_path)
    )
    spec = standing.Spec(clips=5, frames=8, size=16)
    labels = standing.draw(spec)
    clips, states = standing.solved(spec, labels)
    assert clips.shape == (5, *map(len, standing.coords(spec).values())) and not states
    for clip in range(5):
        one = {name: values[clip] for name, values in labels.items()}
        standing.check(spec, one, clips[clip])
        # a swing: where the wave is highest it goes as the cosine does
        top = clips[clip][:, *np.unravel_index(clips[clip][0].argmax(), (16, 16))]
        swing = (top - 0.5) / (top[0] - 0.5)
        assert np.allclose(swing, np.cos(one["omega"] * np.arange(8)), atol=1e-5)
    with pytest.raises(ValueError, match="expected 0 to 1"):
        standing.check(spec, {}, clips[0] + 1)


def test_the_method_that_is_shown_reads_what_ridge_cannot(tmp_path: Path):
    quadratic = shown("add_method.md", "fit.methods", "quadratic", tmp_path)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 1, 4))
    folds = splits.nested(np.arange(60), outer=3, inner=3)
    given = Given([features], ["0"], {"alpha": features[:, 0, 0] ** 2}, folds)
    fields = {"targets": ("alpha",), "samples": ("clip",), "permutations": 1, "bootstraps": 100}
    r2 = {}
    for method in (quadratic, ridge):
        rows, _ = method.fit(method.Spec(**fields), given)
        r2[method] = next(r["value"] for r in rows if r["metric"] == "r2" and r["layer"] == "0")
    assert r2[quadratic] > 0.99 and r2[ridge] < 0.3


@pytest.mark.parametrize(
    ("first", "last", "word"), [(1.0, 0.2, "supported"), (0.2, 1.0, "refuted")]
)
def test_the_claim_that_is_shown_tells_both_truths(
    first: float, last: float, word: str, tmp_path: Path
):
    gained = shown("add_claim.md", "falsify", "gained", tmp_path)
    rng = np.random.default_rng(0)
    label = rng.normal(size=80)
    layers = [(label + rng.normal(0, noise, 80))[:, None, None] for noise in (first, last)]
    fields = {"targets": ("x",), "samples": ("clip",), "permutations": 1, "bootstraps": 200}
    spec = ridge.Spec(**fields)
    given = Given(layers, ["0", "1"], {"x": label}, splits.nested(np.arange(80), outer=4, inner=3))
    rows, more = ridge.fit(spec, given)
    fits = Fits({"mine": {"spec": spec.dump(), "rows": rows, **more}})
    claim = gained.Spec(statement="Blocks add.", target="x")
    evidence = Evidence(("mine",), (), {}, probes=fits)
    assert gained.judge(claim, evidence, ("mine",)).lines["mine"]["verdict"] == word


def test_the_figure_that_is_shown_draws_each_encoder_above_the_best_control(tmp_path: Path):
    above = shown("add_figure.md", "figures", "above_best", tmp_path)
    frame = pd.DataFrame(
        {
            "encoder": ["small", "base", "pixels", "statistics"] * 2,
            "role": ["encoder", "encoder", "control", "control"] * 2,
            "sample": ["clip"] * 4 + ["token"] * 4,
            "value": [0.9, 0.7, 0.4, 0.8, 0.1, 0.1, 0.1, 0.1],
            "target": "alpha",
            "metric": "r2",
        }
    )
    drawn = above.figure(frame).axes[0].lines[1]
    assert np.allclose(drawn.get_xdata(), [0.1, -0.1])
