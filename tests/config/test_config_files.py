"""Config files: read as data; whatever else one holds is refused, with its line."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from physprobe.config import config_files
from physprobe.config import model as config
from physprobe.config.config_files import ConfigError

ROOT = Path(__file__).parents[2]
LAUGHS = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)
INSIDE = "systems:\n  heat:\n    simulate:\n      kind: heat\n      alpha:\n" + "".join(
    f"      - &a{i} [{', '.join([f'*a{i - 1}'] * 9) if i else '1, 2'}]\n" for i in range(12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{y{i}: {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}, z: [*a{i - 1}, *a{i - 1}]}}\n"
    for i in range(1, 24)
)
CHAIN = "a0: &a0 [1]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 2000))


@pytest.mark.parametrize(
    "name", ["tests/configs/wide.yaml", "tests/configs/smoke.yaml", "workflow/studies/pairs.yaml"]
)
def test_shipped_files_read_as_pyyaml_reads_them(name: str):
    assert config_files.read(ROOT / name).values == yaml.safe_load((ROOT / name).read_text())


def test_scalars_are_those_of_yaml_12():
    text = """
        {word: yes, on: off, octal: 010, hex: 0x1F, new_octal: 0o7, sexagesimal: 1:30,
        day: 2020-01-01, grouped: 1_000, small: 1e-3, half: .5, one: 1., plus: +1.5E+2, minus: -3,
        yes_: true, no_: false, nothing: null, tilde: ~, quoted: '1', double: "true"}
    """
    assert config_files.parse(text, "x.yaml").values == {
        "word": "yes", "on": "off", "octal": "010", "hex": "0x1F", "new_octal": "0o7",
        "sexagesimal": "1:30", "day": "2020-01-01", "grouped": "1_000", "small": 1e-3, "half": 0.5,
        "one": 1.0, "plus": 150.0, "minus": -3, "yes_": True, "no_": False, "nothing": None,
        "tilde": None, "quoted": "1", "double": "true",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # fault 4: in sections, entries, fields, flow mappings, lists of mappings, merge keys
        ("a: 1\nb: 2\na: 3\n", "x.yaml, line 3: a stands in line 1 already. Hint"),
        ("s:\n  a: {}\n  b: {}\n  a: {}\n", "x.yaml, line 4: a stands in line 2 already. Hint"),
        ("s: {e: {f: 1, f: 1}}\n", "x.yaml, line 1: f stands in line 1 already. Hint"),
        ("s: [{f: 1, g: 2,\n  f: 3}]\n", "x.yaml, line 2: f stands in line 1 already. Hint"),
        ("a: 1\n'a': 2\n", "x.yaml, line 2: a stands in line 1 already. Hint"),
        ("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n", "line 4: << stands in line 3 .*by a list"),
        ("a: &x 1\nb: &x 2\nc: *x\n", "x.yaml, line 2: &x stands in line 1 already. Hint"),
        # fault 7, in the loader
        ("margin: .nan\n", r"x.yaml, line 1: \.nan is not a finite number"),
        ("a: 1\nmargin: -.inf\n", r"x.yaml, line 2: -\.inf is not a finite number"),
        ("margin: 1e999\n", "x.yaml, line 1: 1e999 is too large"),
        ("seed: 99999999999999999999\n", "x.yaml, line 1: 9+ is too large"),
        # fault 14: nothing that could run
        ("a: 1\n__use_yte__: true\n?if 1: {}\n", "x.yaml, line 2: __use_yte__: .*is data. Hint"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: the tag !!python/object/apply"),
        ("a: !!float 1\n", "x.yaml, line 1: the tag !!float"),
        ("a: ! 1\n", "x.yaml, line 1: the tag !"),
        # keys are words
        ("a: 1\n1: 2\n", "x.yaml, line 2: 1 can't be a key"),
        ("true: 2\n", "x.yaml, line 1: True can't be a key"),
        ("? [1]\n: 2\n", "x.yaml, line 1: it can't be a key"),
        ("a: &a 1\n<<: *a\n", "x.yaml, line 2: << merges mappings"),
        # one document, a mapping
        ("", r"x.yaml: empty\. Hint"),
        ("# nothing\n", r"x.yaml: empty\. Hint"),
        ("---\n", r"x.yaml, line \d: empty"),
        ("- 1\n", "x.yaml, line 1: no mapping"),
        ("a: 1\n---\nb: 1\n", "x.yaml, line 2: a second document"),
        # not YAML
        ("a: 1\n b: 2\n", "x.yaml, line 2: not YAML: .*Hint: look at the indentation"),
        ("a:\n\tb: 1\n", "x.yaml, line 2: not YAML: .*Hint: indent by spaces"),
        ("a: [1\nb: 2\n", "x.yaml, line 2: not YAML"),
        ("a: 1\nb: \x00\n", "x.yaml, line 2: not YAML"),
        ('a: "\\0"\n', "x.yaml, line 1: .*control character"),
        ("a: *b\n", r"x.yaml, line 1: \*b has no &b"),
        ("a: &a [*a]\n", r"x.yaml, line 1: \*a stands inside of &a itself"),
        # what aliases and brackets can make of a small file
        ("a: " + "[" * 50_000, "x.yaml, line 1: nested more than 32 deep"),
        ("a: " + "{a: " * 50_000, "x.yaml, line 1: nested more than 32 deep"),
        (CHAIN, r"x.yaml, line \d+: nested more than 32 deep"),
        (LAUGHS, r"x.yaml, line \d+: aliases make more than 100000 values"),
        (INSIDE, r"x.yaml, line \d+: aliases make more than 100000 values"),
        (MERGES, r"x.yaml, line \d+: aliases make more than 100000 values"),
    ],
)  # fmt: skip
def test_whatever_is_not_data_is_refused_with_its_line_and_quickly(text: str, expected: str):
    start = time.process_time()
    with pytest.raises(ConfigError, match=expected):
        config_files.parse(text, "x.yaml")
    assert time.process_time() - start < 5


def test_every_problem_of_a_file_has_its_line():
    with pytest.raises(ConfigError) as caught:
        config_files.parse("a: .nan\na: 1\nb: !x 1\n", "x.yaml")
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == [
        f"x.yaml, line {number}" for number in (1, 2, 3)
    ]


def test_a_key_may_be_merged_and_written():
    text = "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  x: 3\n  <<: [*a, *b]\n"
    found = config_files.parse(text, "x.yaml")
    assert found.values["c"] == {"x": 3, "y": 1, "z": 2}
    # a merged value is where it is written
    assert found.place(["c", "x"]) == "x.yaml, line 4"
    assert found.place(["c", "z"]) == "x.yaml, line 2"
    assert found.place(["c", "none", "none"]) == "x.yaml, line 3"


def test_later_files_add_and_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text("a: {x: 1, y: [1, 2]}\nb: {}\n")
    Path("mine.yaml").write_text("c: 1\na:\n  y: [3]\n")
    found = config_files.gather(config_files.chosen([Path("mine.yaml")]), {"b": {"z": "1"}})
    assert found.values == {"a": {"x": 1, "y": [3]}, "b": {"z": "1"}, "c": 1}
    assert found.place(["a", "x"]) == "config.yaml, line 1"
    assert found.place(["a", "y", "0"]) == "mine.yaml, line 3"
    assert found.place(["a", "y", "1"]) == "mine.yaml, line 3"
    assert found.place(["b", "z"]) == "--config"


def gathered(*texts: str) -> config_files.Content:
    """Content of config files, one after the other."""
    for number, text in enumerate(texts):
        Path(f"{number}.yaml").write_text(text)
    return config_files.gather(Path(f"{number}.yaml") for number in range(len(texts)))


def test_null_takes_an_entry_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    first = "s: {a: {x: 1, claims: {c: {}, d: {}}}, b: {y: 1}}\nt: {c: {}}\n"
    assert gathered(first, "s: {b: null, a: {claims: {c: null}}}\nt: null\n").values == {
        "s": {"a": {"x": 1, "claims": {"d": {}}}}
    }
    # of a field it is a value
    assert gathered(first, "s: {b: {y: null}}\n").values["s"]["b"] == {"y": None}
    # and what was taken away can be given anew
    found = gathered(first, "s: {b: null}\n", "s: {b: {z: 2}}\n")
    assert found.values["s"]["b"] == {"z": 2}
    assert found.place(["s", "b", "y"]) == "2.yaml, line 1"


def test_an_entry_extends_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A sweep is an entry of its own; what extends an entry follows its later changes."""
    monkeypatch.chdir(tmp_path)
    first = """
systems:
  heat: {simulate: {kind: heat, sigma: [1, 2]}, render: {low: 0}}
  green: {extends: heat, render: {low: 1}}
encoders: {small: {model: mine}}
controls: {shuffled: {extends: small, frames: shuffled}}
"""
    sweep = "systems: {wide: {extends: green, simulate: {sigma: [3, 4]}}}\n"
    later = "systems: {heat: {simulate: {kind: other}, render: null}}\n"
    found = gathered(first, sweep, later).values
    assert found["systems"] == {
        "heat": {"simulate": {"kind": "other", "sigma": [1, 2]}},
        "green": {"simulate": {"kind": "other", "sigma": [1, 2]}, "render": {"low": 1}},
        "wide": {"simulate": {"kind": "other", "sigma": [3, 4]}, "render": {"low": 1}},
    }
    assert found["controls"] == {"shuffled": {"model": "mine", "frames": "shuffled"}}


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("s: {a: null}", r"0.yaml, line 2: s.b.extends: there is no s.a. Hint: .*\(s: {b: null}\)"),
        ("s: {a: {extends: b}}", "0.yaml, line 2: s.b.extends: a extends b in turn"),
        ("s: {a: {extends: a}}", "1.yaml, line 1: s.a.extends: a extends a in turn"),
        ("s: {c: {extends: [a]}}", "1.yaml, line 1: s.c.extends: there is no"),
    ],
)  # fmt: skip
def test_an_entry_that_extends_nothing_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str, expected: str
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=expected):
        gathered("s: {a: {x: 1},\n  b: {extends: a}}\n", second)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("all", None, r"all: no such config file\. Hint: --configfile takes every name that"),
        ("results/heat/fit_metrics.json", "{}", r"not a config file.* Hint: --configfile takes"),
        ("results/report.html", None, r"results/report\.html: no such config file\. Hint: --conf"),
        ("mine.txt", "a: 1", r"mine\.txt: not a config file, which ends in \.yaml or \.json"),
        ("config.yaml", None, r"config\.yaml: no such config file\. Hint: run Snakemake where"),
        ("mine.yaml", b"a: 1\nb: \xff\n", r"mine\.yaml, line 2: not UTF-8 text\. Hint"),
        ("mine.yaml", b"a: 1\n" * 300_000, r"mine\.yaml: 1500000 bytes"),
    ],
)
def test_what_is_no_config_file_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    text: str | bytes | None,
    expected: str,
):
    monkeypatch.chdir(tmp_path)
    file = Path(name)
    if text is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigError, match=expected):
        config_files.read(file)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone with the small study as its config."""
    for part in ("Snakefile", "workflow", "profiles", "lib", "envs"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, tmp_path / part)
    shutil.copy(ROOT / "tests/configs/smoke.yaml", tmp_path / "config.yaml")
    return tmp_path


def snakemake(folder: Path, *options: str, bare: bool = False) -> tuple[int, str]:
    """Exit status of a dry run, and what it printed."""
    door = (
        [str(Path(sys.executable).parent / "snakemake")]
        if bare
        else [sys.executable, "-m", "snakemake"]
    )
    done = subprocess.run(
        [*door, *options, "--dry-run", "--cores", "1"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "lib")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


TEMPLATE = """\
__use_yte__: true
__definitions__:
  - __import__("pathlib").Path("ran").touch()
"""


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_no_config_file_runs_code(project: Path, second: bool, bare: bool):
    """Fault 14: refused before Snakemake runs it, however Snakemake is started."""
    file = project / ("mine.yaml" if second else "config.yaml")
    file.write_text(TEMPLATE)
    status, printed = snakemake(project, *(["--configfile", "mine.yaml"] * second), bare=bare)
    assert status
    assert f"{file.name}, line 1: __use_yte__" in printed
    assert "Traceback" not in printed
    assert not (project / "ran").exists()


def test_a_fault_in_a_second_file_names_that_file(project: Path):
    (project / "mine.yaml").write_text("systems:\n  heat:\n    simulate:\n      clips: no\n")
    status, printed = snakemake(project, "--configfile", "mine.yaml")
    assert status
    assert "mine.yaml, line 4: systems.heat.simulate.clips: found 'no'; a whole number" in printed
    assert "Traceback" not in printed


def test_a_swallowed_target_is_told(project: Path):
    (project / "mine.yaml").write_text("methods: {ridge: {bootstraps: 200}}\n")
    target = "results/heat/preview.mp4"  # it waits for little
    status, printed = snakemake(project, "--configfile", "mine.yaml", target)
    assert status
    assert "Hint: --configfile takes every name that follows it" in printed
    assert "Traceback" not in printed
    status, printed = snakemake(project, target, "--configfile", "mine.yaml")
    assert not status, printed


def test_a_faulty_config_file_is_told_by_its_line(project: Path):
    (project / "config.yaml").write_text("systems:\n  heat: {\n")
    status, printed = snakemake(project)
    assert status
    assert "config.yaml, line 3: not YAML" in printed
    assert "Traceback" not in printed


def test_config_on_the_command_line_goes_over_files(project: Path):
    status, printed = snakemake(project, "--config", "calibration={noise: 3}")
    assert status  # its values are text, as Snakemake reads them
    assert "--config: calibration.noise: found '3'; a whole number is needed" in printed
    assert "Traceback" not in printed


def test_files_are_those_of_the_working_directory(project: Path, tmp_path_factory):
    """A second file is found from where Snakemake is started, config.yaml where it works."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (project / "mine.yaml").write_text("systems:\n  heat:\n    simulate: {clips: no}\n")
    (elsewhere / "config.yaml").write_text("systems: {}\nmine: 1\n")
    status, printed = snakemake(project, "--directory", str(elsewhere), "--configfile", "mine.yaml")
    assert status
    assert "config.yaml, line 2: mine: unknown key" in printed
    assert "mine.yaml, line 3: systems.heat.simulate" in printed


def test_a_config_may_be_json(tmp_path: Path):
    content = yaml.safe_load((ROOT / "tests/configs/smoke.yaml").read_text())
    for indent in (None, 2):
        (tmp_path / "mine.json").write_text(json.dumps(content, indent=indent))
        assert config_files.read(tmp_path / "mine.json").values == content
    assert config.read(tmp_path / "mine.json").systems
