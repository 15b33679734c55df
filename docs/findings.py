"""Findings: numbers of the documentation, filled from results between markers.

    python docs/findings.py            # fill them
    python docs/findings.py --check    # name those that are out of step, and end with 1

A marker is a comment of Markdown, a result's file within ``results/``, and a key::

    <!-- finding: heat/fit_metrics.json alpha_probe_sim.test_r2 -->0.952<!-- end -->

Results that ship are files within ``encoders/shipped/``. The key goes into mappings by name and
into lists by what a row says: ``rows[metric=r2,layer=0]`` is the only one, ``rows{metric=r2}`` are
all of them. A number is written with three digits, a row with its interval, a list of claims or of
rows as a table. Markers whose result is not at hand stay as they are.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
MARKED = re.compile(r"(<!-- finding: (\S+) (\S+) -->)(.*?)(<!-- end -->)", re.DOTALL)
STEP = re.compile(r"(\w+)|\[([^]]*)\]|\{([^}]*)\}")
ENCODERS = "lib/physprobe/encoders"
SHIPPED = "encoders/shipped/"
"""What names of results that ship begin with."""


def pages(root: Path = ROOT) -> list[Path]:
    """Pages that may hold findings, and cards of encoders that ship."""
    folders = (root / "docs", root / ENCODERS)
    return [root / "README.md", *(page for each in folders for page in sorted(each.rglob("*.md")))]


def filled(text: str, results: Path) -> tuple[str, list[str]]:
    """A page with its findings as the results have them, and which of them changed.

    Parameters
    ----------
    text : str
    results : Path
        Folder of the results.

    Raises
    ------
    ValueError
        If a result has nothing at a marker's key.
    """
    changed = []

    def fill(match: re.Match) -> str:
        start, name, key, old, end = match.groups()
        file = results / name
        if name.startswith(SHIPPED):
            file = ROOT / ENCODERS / name.removeprefix(SHIPPED)
        if not file.is_file():
            return match[0]
        new = told(found(json.loads(file.read_text()), key, name))
        if new != old:
            changed.append(
                f"{name} {key}: {old.strip() or 'nothing'}, the result has {new.strip()}"
            )
        return start + new + end

    return MARKED.sub(fill, text), changed


def found(content: object, key: str, name: str) -> object:
    """What a result has at a key."""
    for step in STEP.finditer(key):
        if step[1]:
            content = content.get(step[1]) if isinstance(content, Mapping) else None
        else:
            wanted = dict(pair.split("=", 1) for pair in (step[2] or step[3]).split(","))
            rows = content if isinstance(content, list) else []
            rows = [row for row in rows if all(str(row.get(k)) == v for k, v in wanted.items())]
            content = (rows[0] if len(rows) == 1 else None) if step[2] else rows or None
        if content is None:
            raise ValueError(f"{name} has nothing, or several, at {step[0]} of {key}.")
    return content


def told(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, list):
        table = _claims if "statement" in value[0] else _rows
        return "\n" + "\n".join(table(value)) + "\n"
    if isinstance(value, Mapping):
        ends = value["ci_low"], value["ci_high"]
        return told(value["value"]) + (
            " [{}, {}]".format(*map(told, ends)) if None not in ends else ""
        )
    return f"{value:,.3f}" if isinstance(value, float) else str(value)


def _rows(rows: list[Mapping]) -> Iterator[str]:
    """Lines of a table of rows: what they differ in, and their values."""
    names = [n for n in ("system", "encoder", "target") if len({row[n] for row in rows}) > 1]
    yield f"| {' | '.join(names)} | {rows[0]['metric'].replace('_', ' ')} |"
    yield "|---" * (len(names) + 1) + "|"
    for row in rows:
        yield f"| {' | '.join(row[name].replace('_', ' ') for name in names)} | {told(row)} |"


def _claims(claims: list[Mapping]) -> Iterator[str]:
    """Lines of the table of a study's claims."""
    yield "| claim | encoder | value [95 %] | best control | verdict |"
    yield "|---|---|---|---|---|"
    for claim in claims:
        value = claim["note"] if claim["value"] is None else f"{claim['statistic']}: {told(claim)}"
        best = (claim["best_control"] or "-").replace("_", " ")
        verdict = f"**{claim['verdict']}**" if claim["verdict"] == "refuted" else claim["verdict"]
        yield f"| {claim['statement']} | `{claim['encoder']}` | {value} | {best} | {verdict} |"


def main() -> int:
    """Fill or check every page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    asked = parser.parse_args()
    parted = []
    for page in pages():
        text, changed = filled(page.read_text(), asked.results)
        parted += [f"{page.relative_to(ROOT)}: {line}" for line in changed]
        if changed and not asked.check:
            page.write_text(text)
    sys.stdout.writelines(f"{line}\n" for line in parted)
    return int(asked.check and bool(parted))


if __name__ == "__main__":
    sys.exit(main())
