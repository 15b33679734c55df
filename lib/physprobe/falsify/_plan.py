"""Plan: what a study claims, of what, how, and against what, for people; and how theirs differs."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from physprobe.config import config_files, model, problems
from physprobe.falsify import _amendments, _declared
from physprobe.falsify._declared import BESIDE, Plan
from physprobe.store import log, results


def run(
    study: str = "",
    *,
    configfile: Sequence[Path] = (),
    compare: Path | None = None,
) -> None:
    """Print a study's plan: what it claims, of what, how, and against what.

    Parameters
    ----------
    study : str
        Name of the study that is printed.
    configfile : list of Path
        Config files, over ``config.yaml`` if there is one here.
    compare : Path
        Someone's ``plan.json``, whose differences from this plan are printed in place of it.

    Raises
    ------
    ValueError
        If there is no such study.
    """
    if not study:
        raise ValueError("plan: of which study? Hint: python -m physprobe plan STUDY")
    config: Any = model.load(config_files.gather(config_files.chosen(configfile)))
    for line in problems.known("plan", study, config.studies):
        raise ValueError(line)
    plan = _declared.plan(config, study)
    if compare is not None:
        sys.stdout.write(_compared(plan, results.read(compare, "plan"), str(compare)))
        return
    file = Path("results", study, "plan.json")
    sys.stdout.write(_printed(plan, results.read(file, "plan") if file.is_file() else None))


def _printed(plan: Plan, written: Mapping | None) -> str:
    """A plan for people: its claims, and what they are judged from."""
    hashes, status = plan.hashes(), {} if written is None else written["status"]
    lines = [f"plan {plan.hash} of {plan.study}"]
    if written is None:
        lines.append("not written yet")
    elif written["hash"] != plan.hash:
        lines.append(f"written as {written['hash']}: this one is an amendment to be")
    claims = [("claim", "hash", "status", "kind", "asks")]
    for name, test in plan.claims.items():
        asks = {key: value for key, value in test.items() if key != "kind"}
        about = (name, hashes["claims"][name], status.get(name, ""), test["kind"], _short(asks))
        claims.append(about)
    text = "\n".join([*lines, "", log.table(claims)])
    for section in BESIDE:
        entries = {section: plan.design} if section == "design" else getattr(plan, section)
        known = {section: hashes["design"]} if section == "design" else hashes[section]
        if entries:
            about_all = [(name, known[name], _short(entry)) for name, entry in entries.items()]
            text += "\n" + log.table([(section, "hash", "what"), *about_all])
    for amendment in () if written is None else written["amendments"]:
        text += f"\namended {_amendments.told(amendment)}\n"
    return text


def _compared(plan: Plan, other: Mapping, file: str) -> str:
    """How this plan differs from someone's."""
    now, then = plan.tested(), other["spec"]
    head = f"plan {plan.hash} of {plan.study} here, {other['hash']} of {other['study']} in {file}\n"
    changes = _declared.differences(then, now)
    if not changes:
        return f"{head}the same claims, judged alike\n"
    lines = [("", "which", "there", "here")]
    for word, names in changes.items():
        for where in names:
            section, _, name = where.partition(".")
            there, here = (
                _short(side[section] if section == "design" else side[section].get(name))
                for side in (then, now)
            )
            lines.append((word, where, there, here))
    return head + log.table(lines)


def _short(content: object) -> str:
    """Content in one line, as YAML would have it."""
    if isinstance(content, Mapping):
        return "{" + ", ".join(f"{key}: {_short(value)}" for key, value in content.items()) + "}"
    if isinstance(content, list | tuple):
        return "[" + ", ".join(map(_short, content)) + "]"
    return "-" if content is None else str(content)
