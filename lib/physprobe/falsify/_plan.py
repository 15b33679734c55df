"""Plan: a study's claims are frozen before its first fit, and every change afterwards is on record.

A claim is *confirmatory* as it was declared before there was a fit of an encoder that it is judged
from; or tighter than that. What was added, loosened or changed afterwards is *exploratory*, and so
are all claims of a study whose design, systems, methods, encoders or controls were changed, or that
lost one of its controls. A claim that is put back as it was declared is confirmatory again.
"""

import datetime
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from physprobe.config import problems
from physprobe.falsify import _amendments, _declared
from physprobe.falsify._declared import BESIDE, Plan
from physprobe.store import job, log
from physprobe.store import results as stored
from physprobe.store.results import Schema

SCHEMA = Schema("plan")


def run(
    study: str = "",
    *,
    configfile: Sequence[Path] = (),
    compare: Path | None = None,
    out: Path | None = None,
    fits: Sequence[Path] = (),
    spec: str = "{}",
) -> None:
    """Print a study's plan: what it claims, of what, how, and against what; or write it.

    Parameters
    ----------
    study : str
        Name of the study that is printed.
    configfile : list of Path
        Config files, over ``config.yaml`` if there is one here.
    compare : Path
        Someone's ``plan.json``, whose differences from this plan are printed in place of it.
    out : Path
        What is written instead, ``results/{study}/plan.json``: once, and then amended.
    fits : list of Path
        Results that claims are judged from, if they are there.
    spec : str
        JSON of the plan that is written.

    Raises
    ------
    ValueError
        If there is no such study.
    """
    if out is not None:
        _write(out, Plan.parse(spec), fits)
        return
    if not study:
        raise ValueError("plan: of which study? Hint: python -m physprobe plan STUDY")
    # what is written needs none of it, and the workflow writes one of every study
    from physprobe.config import config_files, model

    config: Any = model.load(config_files.gather(config_files.chosen(configfile)))
    for line in problems.known("plan", study, config.studies):
        raise ValueError(line)
    plan = _declared.plan(config, study)
    if compare is not None:
        sys.stdout.write(_compared(plan, stored.read(compare, "plan"), str(compare)))
        return
    file = Path("results", study, "plan.json")
    sys.stdout.write(_printed(plan, stored.read(file, "plan") if file.is_file() else None))


def history(
    before: Mapping | None, plan: Plan, there: Mapping[str, str], *, judged: bool, today: str
) -> dict | None:
    """What is written of a plan.

    Parameters
    ----------
    before : mapping, optional
        What was written last.
    plan : Plan
        As the config has it now.
    there : mapping of str to str
        Digest of every fit that is there already.
    judged : bool
        Whether the study has verdicts already.
    today : str

    Returns
    -------
    dict or None
        ``hash``, ``hashes``, ``statements``, ``status`` of every claim; ``existed``, fits that were
        there when it was written first; ``declared``, claims and what is beside them as they were
        before there was a result; ``amendments``. None if all is as it was.
    """
    now = plan.tested()
    seen = {
        name: judged or any(fit in there for fit in plan.evidence.get(name, ()))
        for name in now["claims"]
    }
    beside = {section: now[section] for section in BESIDE}
    if before is None:
        existed = {
            fit: there[fit] for fits in plan.evidence.values() for fit in fits if fit in there
        }
        claims = {name: test for name, test in now["claims"].items() if not seen[name]}
        declared: dict[str, Any] = {"claims": claims, **beside}
        amendments: list[dict] = []
        was: Mapping[str, str] = {}
    else:
        changes = _declared.differences(before["spec"], now)
        reworded = [f"claims.{name}" for name, words in plan.statements.items()
                    if before["statements"].get(name, words) != words]  # fmt: skip
        changes |= {"reworded": reworded} if reworded else {}
        if not changes:
            return None
        existed, declared, was = before["existed"], before["declared"], before["status"]
        result = judged or any(fit in there for fits in plan.evidence.values() for fit in fits)
        amendments = [*before["amendments"], {"date": today, "after_results": result, **changes}]
        claims = dict(declared["claims"])
        claims |= {name: test for name, test in now["claims"].items()
                   if not seen[name] and was.get(name) != "exploratory"}  # fmt: skip
        declared = {**(declared if result else beside), "claims": claims}
    broken = _broken(declared, now)
    status = {
        name: "confirmatory"
        if name in declared["claims"]
        and _declared.change(declared["claims"][name], test) in ("", "tightened")
        and not (broken and seen[name])
        else "exploratory"
        for name, test in now["claims"].items()
    }
    return {
        "hash": plan.hash,
        "hashes": plan.hashes(),
        "statements": plan.statements,
        "status": status,
        "existed": existed,
        "declared": declared,
        "amendments": amendments,
    }


def _broken(declared: Mapping, now: Mapping) -> bool:
    """Whether what all claims are judged from is other than it was declared; more may be there."""
    whole = {**declared, "claims": now["claims"]}
    found = _declared.differences(whole, now)
    lost = [where for where in found.get("removed", ()) if not where.startswith("encoders.")]
    return bool(found.get("changed") or lost)


def _write(out: Path, plan: Plan, fits: Sequence[Path]) -> None:
    before = stored.read(out, "plan") if out.is_file() else None
    there = {str(path): _digest(path) for path in fits if path.is_file()}
    judged = out.with_name("verdicts.json").is_file()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    found = history(before, plan, there, judged=judged, today=today)
    if found is None:
        log.done(f"{plan.study}: plan {plan.hash} as it was")
        return
    stored.write(
        out,
        schema=SCHEMA,
        spec=plan.tested(),
        rows=(),
        study=plan.study,
        provenance=job.provenance({}),
        **found,
    )
    late = sum(word == "exploratory" for word in found["status"].values())
    log.done(
        f"{plan.study}: plan {plan.hash}, {len(found['status'])} claims, {late} of them"
        f" exploratory, {len(found['amendments'])} amendments"
    )


def _digest(path: Path) -> str:
    """Digest of a result, which stands in its first lines."""
    with path.open(encoding="utf-8") as file:
        found = re.search(r'"digest": "(\w+)"', file.read(500))
    return found[1] if found else ""


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
