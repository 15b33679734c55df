"""Falsify: put a study's scores beside the controls that could refute them; judge its claims."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from physprobe.config import kinds
from physprobe.falsify import _amendments, _arithmetic, _family, _ladder
from physprobe.falsify._claim import Claim, Judgement
from physprobe.falsify.section import Kind
from physprobe.store import evidence, job, log, results
from physprobe.store.evidence import Evidence
from physprobe.store.results import Schema

SCHEMA = Schema(
    "verdicts",
    (
        "claim", "beyond", "method", "way", "folds", "target", "sample", "layer", "place", "time",
        "part", "stratum", "verdict", "quantity", "decoy", "pixels", "baseline", "control",
        "against", "threshold", "model", "direction",
    ),
)  # fmt: skip
DRAWS = {"permutations": "permutations", "shuffles": "time-shuffled fits"}
WORDS = ("supported", "refuted", "cannot tell")


def run(
    *,
    fits: list[Path],
    embeddings: list[Path],
    simulation: list[Path],
    out: Path,
    spec: str,
    plan: Path | None = None,
) -> None:
    """Judge a study's claims into ``verdicts.json``, beside how far encoders are above controls.

    Parameters
    ----------
    fits : list of Path
        Results ``{place}/fits/{encoder}.{method}.json`` of every encoder and control.
    embeddings, simulation : list of Path
        Root ``zarr.json`` of the stores ``{system}/...`` that they were read off.
    out : Path
        The result.
    spec : str
        JSON of the study.
    plan : Path, optional
        Its ``plan.json``: which claims were declared before there was a result.
    """
    frozen = None if plan is None else results.read(plan, "plan")
    study = json.loads(spec)
    name = out.absolute().parent.name
    found = evidence.read(study, name, fits, embeddings, simulation)
    judged = {claim: _judge(entry, found) for claim, entry in study["claims"].items()}
    lines = [
        {
            "claim": claim,
            "encoder": encoder,
            "label": found.labels.get(encoder, ""),
            "about": about(found.networks(encoder)),
            **line,
        }
        for claim, judgement in judged.items()
        for encoder, line in judgement.lines.items()
    ]
    status = {} if frozen is None else frozen["status"]
    claims = _family.told(lines, found.bootstraps, status)
    systems = [system for system in (study["system"], *study["systems"]) if system]
    of = "+".join(systems) if name in found.fits else systems[0]
    rows = [
        {"system": study["claims"][claim]["system"] or of, **row, "claim": claim}
        for claim, judgement in judged.items()
        for row in judgement.rows
    ]
    for place in found.fits:
        side = found.at(place)
        for part in (side, side.in_time):
            if not part.probes:
                continue
            above = (*_ladder.differences(part), *_ladder.ceilings(part))
            rows += [{"system": of if place == name else place, **row} for row in above]
        if side.probes:
            rows += [{"system": place, **row} for row in _of_solvers(side)]
    results.write(
        out,
        schema=SCHEMA,
        spec=study,
        study=name,
        rows=rows,
        labels=dict(found.labels),
        claims=claims,
        verdict=sentence(claims),
        plan=frozen and _of_plan(frozen),
        setup={place: _setup(found.at(place)) for place in found.fits},
        shown={claim: judgement.blocks for claim, judgement in judged.items()},
        provenance=job.provenance(
            {
                **{name: store.attrs["digest"] for name, store in found.simulations.items()},
                **results.digests(fits),
            },
            device="cpu",
            dtype="float64",
            encoders=found.origins,
            threads=job.current().threads,
        ),
    )
    counts = {word: sum(claim["verdict"] == word for claim in claims) for word in WORDS}
    told = ", ".join(f"{count} {word}" for word, count in counts.items())
    log.done(f"{name}: {len(claims)} claims: {told}")


def about(networks: int) -> str:
    """What a verdict on an encoder is about: these very weights, or all that are made like them."""
    if networks > 1:
        return f"networks of this kind, of which {networks} were tried"
    return "this one network" if networks else ""


def sentence(claims: Sequence[Mapping]) -> str:
    """One sentence on the claims of each encoder."""
    found = []
    for encoder in dict.fromkeys(claim["encoder"] for claim in claims):
        own = [claim for claim in claims if claim["encoder"] == encoder]
        words = [claim["verdict"] for claim in own]
        parts = [f"{words.count(word)} {word}" for word in WORDS]
        what = f" ({own[0]['label']})" if own[0]["label"] else ""
        found.append(f"{encoder}{what}: of {len(own)} claims {', '.join(parts)}.")
    return " ".join(found) or "No claims."


def _of_plan(frozen: Mapping) -> dict:
    """What verdicts say of the plan that they follow."""
    return {
        **{name: frozen[name] for name in ("hash", "existed", "amendments")},
        "told": [_amendments.told(amendment) for amendment in frozen["amendments"]],
    }


def _judge(entry: Mapping, found: Evidence) -> Judgement:
    kind: Kind = kinds.load("falsify", entry["kind"])
    claim = kind.Spec.model_validate(entry)
    scope = found.at(claim.system, claim.method)
    judged = kind.judge(claim, scope, tuple(claim.encoders) or found.encoders)
    for line in judged.lines.values():
        line["draws"] = _draws(claim, scope, line)
    return judged


def _draws(claim: Claim, found: Evidence, line: Mapping) -> str:
    """What the p of a line of the claims table rests on, in words."""
    if line["p"] is None:
        return ""
    if claim.P_BY:
        return claim.P_BY
    if line["null_q95"] is None or claim.P_OF is None:
        return f"{found.bootstraps} bootstrap draws"
    fits = {
        "probe": found.probes, "state": found.states,
        "dynamics": found.koopman, "head": found.heads, "surprise": found.surprises,
    }  # fmt: skip
    spec = results.first(fits[claim.needs().role])["spec"]
    return f"{spec[claim.P_OF]} {DRAWS[claim.P_OF]}"


def _setup(found: Evidence) -> dict:
    """How many clips a place has, how they are split, and how many draws scores rest on."""
    about: dict[str, int | str | None] = {
        "clips": None,
        "held_out": None,
        "folds": None,
        "draws": "",
    }
    if found.probes:
        fit = results.first(found.probes)
        block, spec = fit["predictions"], fit["spec"]
        about |= {
            "clips": sum(found.simulations[name].sizes["clip"] for name in fit["systems"]),
            "held_out": len(block["clip"]),
            "folds": len(set(block["fold"])),
            "draws": f"{spec['permutations']} permutations, {spec['bootstraps']:,} bootstrap draws",
        }
    elif found.place in found.simulations:
        about["clips"] = found.system.sizes["clip"]
    return about


def _of_solvers(found: Evidence) -> Iterator[dict]:
    """Of the published simulator: scores by its stability, and by the published ways to solve."""
    system = found.simulations.get(found.place)
    if system is None or not {"stable", "alpha"} <= set(system.variables):
        return
    yield from _ladder.strata(found, np.asarray(system["stable"].values, bool))
    features = {name: found.features(name) for name in (*found.encoders, *found.pixels)}
    groups, folds = found.folds
    alpha = np.asarray(system["alpha"].values, float)
    yield from _arithmetic.rows(features, alpha, folds, groups, found.bootstraps)
