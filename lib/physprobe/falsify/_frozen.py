"""Plan: a study's claims are frozen before its first fit, and every change afterwards is on record.

A claim is *confirmatory* as it was declared before there was a fit of an encoder that it is judged
from; or tighter than that. What was added, loosened or changed afterwards is *exploratory*, and so
are all claims of a study whose design, systems, methods, encoders or controls were changed, or that
lost a control, a method or a system. A claim that is put back as it was is confirmatory again.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from physprobe.falsify import _declared
from physprobe.falsify._declared import BESIDE, Plan
from physprobe.store import job, log, results
from physprobe.store.results import Schema

SCHEMA = Schema("plan")


def run(*, out: Path, fits: Sequence[Path] = (), spec: str) -> None:
    """Freeze a study's claims into ``plan.json``, before its first fit; amend it afterwards.

    Parameters
    ----------
    out : Path
        The result; one that is there is amended, never overwritten.
    fits : list of Path
        Fits of encoders under test that claims are judged from, where they are there already.
    spec : str
        JSON of the plan, from the config alone.
    """
    plan = Plan.parse(spec)
    before = results.read(out, "plan") if out.is_file() else None
    there = {str(path): _digest(path) for path in fits if path.is_file()}
    judged = out.with_name("verdicts.json").is_file()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    found = history(before, plan, there, judged=judged, today=today)
    if found is None:
        log.done(f"{plan.study}: plan {plan.hash} as it was")
        return
    results.write(
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


def _digest(path: Path) -> str:
    """Digest of a result, which stands in its first lines."""
    with path.open(encoding="utf-8") as file:
        found = re.search(r'"digest": "(\w+)"', file.read(500))
    return found[1] if found else ""
