"""Declared: a study's plan - what it asks, of what, how, and against what - from the config alone.

What a verdict can follow from is part of it and of its hash; words for people aren't. Fields that
have their default are left out, so that a field that a later version adds changes no plan.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from physprobe.config.layout import STORES
from physprobe.config.spec import Spec

if TYPE_CHECKING:
    from physprobe.falsify.entries import Entries, Study

LOOSER = {"margin": -1, "share": -1, "at_most": 1, "loss": 1}
"""Fields of claims that set how much is asked for, and which way it becomes less."""
ALWAYS = ("kind", "clips", "frames", "seed")
"""Fields that stand in a plan though they have their default: what the data are."""
BESIDE = ("design", "systems", "methods", "controls", "encoders")
"""Sections beside the claims, that all claims are judged from."""
Entry = dict[str, Any]


class Plan(Spec):
    """A study before anything is fitted."""

    study: str
    """Its name."""
    claims: dict[str, Entry]
    """Kind, margin and all that the test of each depends on."""
    design: Entry
    """Which clips are fitted, and which are scored."""
    systems: dict[str, Entry]
    """What is simulated and rendered, or which files are read."""
    methods: dict[str, Entry]
    """What is fitted."""
    controls: dict[str, Entry]
    """What could refute it."""
    encoders: dict[str, Entry]
    """What is under test."""
    statements: dict[str, str]
    """Each claim in words; no part of what is hashed."""
    evidence: dict[str, tuple[str, ...]]
    """By claim the fits of encoders under test that it is judged from; no part of it either."""

    def tested(self) -> dict[str, Any]:
        """What verdicts follow from."""
        return self.model_dump(mode="json", exclude={"statements", "evidence"})

    @property
    def hash(self) -> str:
        """Of what verdicts follow from: sixteen hexadecimal digits."""
        return hashed(self.tested())

    def hashes(self) -> dict[str, Any]:
        """The same of every entry."""
        found: dict[str, Any] = {
            section: {name: hashed(entry) for name, entry in getattr(self, section).items()}
            for section in ("claims", *BESIDE)
            if section != "design"
        }
        return found | {"design": hashed(self.design)}


def plan(config: "Entries", name: str) -> Plan:
    """Plan of a study."""
    study = config.studies[name]
    methods = dict.fromkeys(method for _, method in config.asked(study, name))
    systems = {system: config.systems[system] for system in config.shown(name)}
    return Plan(
        study=name,
        claims={claim: _claim(spec) for claim, spec in study.claims.items()},
        design=_lean(study.planned),
        systems={
            system: _lean(spec) | _files(spec.simulate.listing())
            for system, spec in systems.items()
        },
        methods={method: _lean(config.methods[method]) for method in methods},
        controls={control: _embedding(config, control) for control in study.controls},
        encoders={encoder: _embedding(config, encoder) for encoder in study.encoders},
        statements={claim: spec.statement for claim, spec in study.claims.items()},
        evidence={claim: tuple(_evidence(config, name, study, claim)) for claim in study.claims},
    )


def hashed(content: object) -> str:
    """Digest of plain content, whatever the order of its names."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def change(before: Mapping, now: Mapping) -> str:
    """What became of a claim's test: ``loosened``, ``tightened``, ``changed``, or nothing."""
    other = {key for key in {*before, *now} if before.get(key) != now.get(key)}
    if not other:
        return ""
    ways = set()
    for key in other:
        old, new = before.get(key), now.get(key)
        if (
            key not in LOOSER
            or not isinstance(old, float | int)
            or not isinstance(new, float | int)
        ):
            return "changed"
        ways.add("loosened" if (new - old) * LOOSER[key] > 0 else "tightened")
    return ways.pop() if len(ways) == 1 else "changed"


def differences(before: Mapping, now: Mapping) -> dict[str, list[str]]:
    """How two plans differ, ``claims.alpha`` and so on, by what became of it.

    Parameters
    ----------
    before, now : mapping
        Of :meth:`Plan.tested`.
    """
    found: dict[str, list[str]] = {}
    for section in ("claims", *BESIDE):
        old, new = before[section], now[section]
        if section == "design":
            old, new = {"": old}, {"": new}
        for name in dict.fromkeys((*old, *new)):
            where = f"{section}.{name}".rstrip(".")
            if name not in old:
                found.setdefault("added", []).append(where)
            elif name not in new:
                found.setdefault("removed", []).append(where)
            elif old[name] != new[name]:
                word = change(old[name], new[name]) if section == "claims" else "changed"
                found.setdefault(word, []).append(where)
    return found


def _evidence(config: "Entries", name: str, study: "Study", claim_name: str) -> Iterator[str]:
    """Fits of the encoders that a claim is of, by the methods that it can be judged by."""
    claim = study.claims[claim_name]
    needs = claim.needs()
    role = "probe" if needs.role == "pixels" else needs.role
    own = claim.system or (study.filmed[0] if study.design.SHARED else name)
    places = (own, needs.against or own)
    for fit in config.fitted(name):
        if fit.encoder not in (claim.encoders or study.encoders):
            continue
        if role != config.methods[fit.method].ROLE or claim.method not in ("", fit.method):
            continue
        if needs.everywhere or fit.place in places:
            yield fit.path


def _claim(spec: Any) -> Entry:
    whole = spec.dump()
    asked = {key: whole[key] for key in LOOSER if key in whole}
    found = _lean(spec) | asked
    return {key: value for key, value in found.items() if key != "statement"}


def _embedding(config: "Entries", name: str) -> Entry:
    if name in STORES:
        return {"kind": name}
    spec = config.embedding(name)
    return _lean(spec) | _files(spec.listing())


def _files(listing: str) -> Entry:
    return {"files": listing} if listing else {}


def _lean(spec: BaseModel) -> Entry:
    """Fields that haven't their default, and what a kind of data is."""
    whole = spec.model_dump(mode="json")
    return _kinds(whole, spec.model_dump(mode="json", exclude_defaults=True))


def _kinds(whole: Any, lean: Any) -> Any:
    if isinstance(whole, dict) and isinstance(lean, dict):
        return {
            key: _kinds(value, lean[key]) if key in lean else value
            for key, value in whole.items()
            if key in lean or key in ALWAYS
        }
    if isinstance(whole, list) and isinstance(lean, list) and len(whole) == len(lean):
        return [_kinds(value, less) for value, less in zip(whole, lean, strict=True)]
    return lean
