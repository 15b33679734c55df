"""Findings: numbers of the documentation are those of the results, or are named."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import filmed
import pytest

from physprobe.config import config_files, model, shipped
from physprobe.store import results as stored

ROOT = Path(__file__).parents[1]
SECTIONS = ("systems:", "studies:", "encoders:", "controls:", "methods:", "recipes:")
SCRIPT = ROOT / "docs/findings.py"
spec = importlib.util.spec_from_file_location("findings", SCRIPT)
findings = importlib.util.module_from_spec(spec)
spec.loader.exec_module(findings)

CLAIM = {
    "statement": "It is there.", "encoder": "small", "statistic": "R2", "value": 0.95123,
    "ci_low": 0.9, "ci_high": 0.98, "best_control": "one_frame", "verdict": "refuted", "note": None,
}  # fmt: skip
PAGE = """R2 is <!-- finding: heat/a.json score.r2 -->0.1<!-- end -->,
<!-- finding: heat/a.json rows[layer=1,metric=r2] -->?<!-- end --> of
<!-- finding: heat/a.json rows[metric=n].value -->40<!-- end -->.
<!-- finding: heat/a.json claims -->
<!-- end -->
<!-- finding: other/b.json score -->0.777<!-- end -->
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A small result."""
    row = {"layer": 1, "metric": "r2", "value": 0.5, "ci_low": 0.4, "ci_high": -1234.5678}
    other = {"layer": 1, "metric": "n", "value": 40, "ci_low": None, "ci_high": None}
    content = {"score": {"r2": 0.12345}, "rows": [row, other], "claims": [CLAIM]}
    (tmp_path / "heat").mkdir()
    (tmp_path / "heat/a.json").write_text(json.dumps(content))
    return tmp_path


def test_findings_are_filled_from_results(results: Path):
    text, changed = findings.filled(PAGE, results)
    assert "score.r2 -->0.123<!--" in text
    assert "-->0.500 [0.400, -1,234.568]<!--" in text
    assert "-->40<!--" in text
    assert "| It is there. | `small` | R2: 0.951 [0.900, 0.980] | one frame | **refuted** |" in text
    # what is not at hand stays
    assert "-->0.777<!--" in text
    assert [line.split(": ")[0].split()[1] for line in changed] == [
        "score.r2", "rows[layer=1,metric=r2]", "claims",
    ]  # fmt: skip
    assert findings.filled(text, results) == (text, [])


def test_what_parted_from_its_result_is_named(results: Path):
    text, _ = findings.filled(PAGE, results)
    file = results / "heat/a.json"
    file.write_text(file.read_text().replace("0.12345", "0.2"))
    _, changed = findings.filled(text, results)
    assert changed == ["heat/a.json score.r2: 0.123, the result has 0.200"]


@pytest.mark.parametrize("key", ["score.none", "rows[metric=none]", "rows[layer=1]", "score[a=b]"])
def test_a_marker_that_leads_nowhere_is_named(results: Path, key: str):
    text = f"<!-- finding: heat/a.json {key} -->1<!-- end -->"
    with pytest.raises(ValueError, match=r"heat/a\.json has nothing, or several, at"):
        findings.filled(text, results)


def test_several_rows_are_a_table_of_what_they_differ_in(results: Path):
    rows = [
        {"system": s, "encoder": "small", "target": "log_c", "metric": "r2", **CLAIM} for s in "ab"
    ]
    for row in rows:
        del row["statement"]
    (results / "heat/b.json").write_text(json.dumps({"rows": rows}))
    text, _ = findings.filled("<!-- finding: heat/b.json rows{metric=r2} --><!-- end -->", results)
    assert "| system | r2 |" in text
    assert "| a | 0.951 [0.900, 0.980] |" in text and "| b |" in text


def test_numbers_of_what_ships_are_in_step(tmp_path: Path):
    for page in findings.pages():
        assert findings.filled(page.read_text(), tmp_path)[1] == [], page.name


@pytest.mark.parametrize("file", sorted(shipped.ENCODERS.glob("**/verdicts.json")), ids=str)
def test_verdicts_that_ship_are_what_was_written(file: Path):
    read = stored.read(file, "verdicts")
    (claim,), last = read["claims"], read["rows"][-1]
    assert (last["target"], last["value"]) == ("mean", claim["value"])
    name = f"finding: encoders/shipped/{file.relative_to(shipped.ENCODERS)} "
    assert name in (ROOT / "docs/findings.md").read_text()


def test_checking_writes_nothing_and_ends_with_1(tmp_path: Path, results: Path):
    clone = tmp_path / "clone"
    (clone / "docs").mkdir(parents=True)
    (clone / "docs/findings.py").write_text(SCRIPT.read_text())
    (clone / "README.md").write_text(PAGE)
    run = [sys.executable, str(clone / "docs/findings.py"), "--results", str(results)]
    checked = subprocess.run([*run, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 1 and "README.md: heat/a.json score.r2" in checked.stdout
    assert (clone / "README.md").read_text() == PAGE
    assert subprocess.run(run, capture_output=True, check=False).returncode == 0
    assert subprocess.run([*run, "--check"], capture_output=True, check=False).returncode == 0


def snippets() -> list[str]:
    """Pieces of config files in the documentation, without what isn't YAML beside them."""
    found = []
    for page in findings.pages():
        for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", page.read_text(), re.MULTILINE):
            lines = [line[4:] for line in block.splitlines() if "snakemake" not in line]
            if any(line.startswith(SECTIONS) for line in lines):
                found.append("\n".join(lines))
    return found


@pytest.mark.parametrize("text", snippets())
def test_configs_of_the_documentation_are_valid(text: str, tmp_path: Path):
    mine = tmp_path / "mine.yaml"
    # a reader has films, where the page says `path/to/films`
    filmed.write(tmp_path / "films" / "a.mkv", filmed.moving(200))
    (tmp_path / "features.npz").touch()
    text = text.replace("path/to/features", str(tmp_path / "features"))
    mine.write_text(text.replace("path/to/films", str(tmp_path / "films")))
    model.load(config_files.gather([ROOT / "tests/configs/wide.yaml", mine]))


def test_the_documentation_shows_configs():
    assert len(snippets()) >= 3


def test_markers_of_the_documentation_are_whole():
    marked = 0
    for page in findings.pages():
        text = page.read_text()
        assert text.count("<!-- finding:") == text.count("<!-- end -->"), page.name
        marked += len(findings.MARKED.findall(text))
    assert marked == sum(page.read_text().count("<!-- finding:") for page in findings.pages()) > 20
