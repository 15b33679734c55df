"""Falsify: put a study's scores beside the controls that could refute them; judge its claims."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from physprobe.config import kinds
from physprobe.falsify import _arithmetic, _gate, _ladder, _pixels, _published, _summary, _transfer
from physprobe.falsify._evidence import Evidence
from physprobe.statistics import splits
from physprobe.store import files, inputs, job, log, results, zarrs
from physprobe.store.fits import Fits
from physprobe.store.results import Schema

SCORED = ("target", "sample", "layer", "control")
FALSIFICATION = Schema("falsification", (*SCORED, "way", "stratum", "pixels"))
GATE = Schema("gate", SCORED)
TRANSFER = Schema("transfer", (*SCORED, "folds", "against", "baseline"))


def run(
    *,
    probes: list[Path],
    koopman: list[Path],
    heads: list[Path],
    embeddings: list[Path],
    simulation: Path,
    metrics: Path,
    summary: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Compare a study's encoders with its controls into ``pixel_falsification_metrics.json``.

    Parameters
    ----------
    probes, koopman, heads : list of Path
        Results ``{encoder}.{probe}.json`` of every encoder and control.
    embeddings : list of Path
        Root ``zarr.json`` of every embedding.
    simulation : Path
        Root ``zarr.json`` of the simulation: groups, declared split, label ``stable`` if any.
    metrics, summary : Path
        The result, and the same for people.
    spec : str
        JSON of the study.
    code : str
        Fingerprint of the code.
    threads : int
        Threads of the linear algebra, which the caller has set.
    """
    study = json.loads(spec)
    system = zarrs.read(simulation)
    found = {
        "probes": Fits.read(probes, "probe"),
        "koopman": Fits.read(koopman, "dynamics"),
        "heads": Fits.read(heads, "head"),
    }
    protocol = results.first(found["probes"])["spec"]
    stored = {path.parent.stem: zarrs.joined(zarrs.read(path), system) for path in embeddings}
    for sort in found.values():
        for name, result in sort.items():
            inputs.check_origin(name, result, embeddings=stored[name], simulation=system)
    groups, folds = splits.declared_by(
        system,
        outer=protocol["outer"],
        inner=protocol["inner"],
        seed=protocol["seed"],
        grouping=protocol.get("grouping", "clip"),
    )
    pixels = {
        name: _features(stored[name]) for name in study["controls"] if _is_pixels(stored[name])
    }
    embedded = {name: _features(stored[name]) for name in study["encoders"]}
    told, maps = _pixels.cross(pixels, embedded, folds, groups, protocol["bootstraps"])
    evidence = Evidence(
        encoders=tuple(study["encoders"]),
        controls=tuple(study["controls"]),
        labels={name: store.attrs["label"] for name, store in stored.items()},
        pixels=tuple(told),
        maps=maps,
        specs={name: store.attrs["spec"] for name, store in stored.items()},
        bootstraps=protocol["bootstraps"],
        **found,
    )
    claims = list(_judge(study, evidence))
    rows = [*_ladder.differences(evidence), *told]
    if {"stable", "alpha"} <= set(system.variables):
        # the published simulator: the published ways to score it belong beside it
        rows += _ladder.strata(evidence, np.asarray(system["stable"].values, bool))
        alpha = np.asarray(system["alpha"].values, float)
        rows += _arithmetic.rows(embedded | pixels, alpha, folds, groups, protocol["bootstraps"])
    held = sum(len(fold.test) for fold in folds)
    sizes = (len(folds[0].train), held)
    per_seed = [_published.block(evidence, study["encoders"][0], protocol["seed"], sizes)]
    content = {
        "setup": {
            "n_total": system.sizes["clip"],
            "seeds": [protocol["seed"]],
            "test_ratio": held / len(folds) / system.sizes["clip"],
            "ridge_grid": protocol.get("penalties"),
            "cv_folds": protocol["inner"],
            "outer_folds": len(folds),
            "latent_dim": per_seed[0]["modalities"]["embed"]["koopman"]["latent_dim"],
            "pixel_modes": list(per_seed[0]["cross_modal"]),
            "embed": study["encoders"][0],
        },
        "per_seed": per_seed,
        "encoders": {
            name: _published.block(evidence, name, protocol["seed"], sizes)
            for name in study["encoders"]
        },
        "aggregate": _published.aggregate(per_seed),
        "labels": dict(evidence.labels),
        "claims": claims,
        "verdict": _summary.verdict(claims, evidence.labels),
    }
    results.write(
        metrics,
        schema=FALSIFICATION,
        of={"system": simulation.absolute().parents[1].name},
        spec=study,
        rows=rows,
        provenance=job.provenance(
            code,
            {
                "simulation": system.attrs["digest"],
                **{name: store.attrs["digest"] for name, store in stored.items()},
                **results.digests((*probes, *koopman, *heads)),
            },
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
        **content,
    )
    files.write_text(summary, _summary.text(metrics.parent.name, content, rows))
    log.done(f"{metrics.parent.name}: {_counted(claims)}")


def compare(
    *,
    probes: list[Path],
    koopman: list[Path],
    embeddings: list[Path],
    simulation: list[Path],
    metrics: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Judge the claims of a comparison of systems into ``falsification_metrics.json``.

    Parameters
    ----------
    probes, koopman : list of Path
        Results ``{comparison}/.../{encoder}.{entry}.json`` of all systems together, and
        ``{system}/.../{encoder}.{entry}.json`` of each, for every encoder and control.
    embeddings : list of Path
        Root ``zarr.json`` of every embedding of the first system: what the encoders are.
    simulation : list of Path
        Root ``zarr.json`` of the simulation of each system.
    metrics : Path
        The result.
    spec : str
        JSON of the comparison.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    comparison = json.loads(spec)
    stored = {path.parent.stem: zarrs.read(path) for path in embeddings}
    labels = {name: store.attrs["label"] for name, store in stored.items()}
    together = metrics.parent.name
    decoded = Fits.by_folder(probes, "probe")
    moved = Fits.by_folder(koopman, "dynamics")

    def evidence(folder: str, systems: Mapping[str, Evidence]) -> Evidence:
        return Evidence(
            encoders=tuple(comparison["encoders"]),
            controls=tuple(comparison["controls"]),
            labels=labels,
            probes=decoded.get(folder, Fits()),
            koopman=moved.get(folder, Fits()),
            bootstraps=results.first(decoded[together])["spec"]["bootstraps"],
            systems=systems,
        )

    fields = {path.parents[1].name: zarrs.read(path) for path in simulation}
    _check_origins(comparison["systems"], together, (decoded, moved), fields)
    whole = evidence(together, {name: evidence(name, {}) for name in fields})
    claims = list(_judge(comparison, whole))
    rows = list(_ladder.differences(whole))
    for name in comparison["parameters"]:
        rows += [{**row, "system": name} for row in _ladder.differences(whole.systems[name])]
    results.write(
        metrics,
        schema=FALSIFICATION,
        of={"system": "+".join(comparison["systems"])},
        spec=comparison,
        rows=rows,
        labels=labels,
        claims=claims,
        verdict=_summary.verdict(claims, labels),
        provenance=job.provenance(
            code,
            results.digests((*probes, *koopman)),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
    )
    log.done(f"{together}: {_counted(claims)}")


def gate(
    *,
    probes: list[Path],
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Compare a trained encoder with random weights into ``gates/{gate}.json``.

    Parameters
    ----------
    probes : list of Path
        Results ``{system}/fits/{encoder}.{method}.json`` of all of the gate's encoders.
    out : Path
        The result.
    spec : str
        JSON of the gate.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    entry = json.loads(spec)
    by_system = results.by_folder(probes, "probe")
    draws = results.first(by_system)[entry["encoder"]]["spec"]["bootstraps"]
    rows = list(_gate.rows(by_system, entry["encoder"], tuple(entry["random"]), draws))
    passed, why = _gate.passed(rows, entry["margin"])
    results.write(
        out,
        schema=GATE,
        of={"encoder": entry["encoder"]},
        spec=entry,
        rows=rows,
        passed=passed,
        why=why,
        provenance=job.provenance(
            code,
            results.digests(probes),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
    )
    log.done(f"{out.stem}: {'passed' if passed else 'not passed'}, {why}")


def transfer(
    *,
    transferred: list[Path],
    ordinary: list[Path],
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Compare transferred probes with ordinary folds into ``transfers/{transfer}.json``.

    Parameters
    ----------
    transferred : list of Path
        Results ``{transfer}/fits/{encoder}.{method}.json`` of all encoders and controls.
    ordinary : list of Path
        Results ``{system}/fits/{encoder}.{method}.json`` of the same; the system that is scored
        comes first.
    out : Path
        The result.
    spec : str
        JSON of the transfer.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    entry = json.loads(spec)
    moved = results.by_name(transferred, "probe")
    by_system = results.by_folder(ordinary, "probe")
    first = next(iter(moved))
    rows = list(_transfer.rows(moved, by_system, tuple(entry["controls"])))
    setting = moved[first]["setting"]
    results.write(
        out,
        schema=TRANSFER,
        of={"system": entry["onto"] or entry["system"]},
        spec=entry,
        rows=rows,
        region=setting["region"],
        training_clips=setting["training_clips"],
        systems=list(by_system),
        spread=_transfer.spread(moved[first], results.first(by_system)[first]),
        labels={name: result["label"] for name, result in moved.items()},
        provenance=job.provenance(
            code,
            results.digests(transferred + ordinary),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
    )
    log.done(f"{out.stem}: {_transfer.words(rows)}")


def _check_origins(
    systems: list[str],
    together: str,
    found: tuple[Mapping[str, Mapping], ...],
    fields: Mapping[str, object],
) -> None:
    """Refuse results of other simulations than those beside them, alone or taken together."""
    numbered = {f"simulation {place}": fields[name] for place, name in enumerate(systems)}
    for by_folder in found:
        for folder, by_name in by_folder.items():
            stored = numbered if folder == together else {"simulation": fields[folder]}
            for name, result in by_name.items():
                inputs.check_origin(f"{folder}/{name}", result, **stored)


def _is_pixels(store: object) -> bool:
    spec = store.attrs["spec"]
    return spec["kind"] == "pixels" and not spec.get("components")


def _features(store: object) -> np.ndarray:
    """(clip, time, feature) of the last layer, of the first network where there are several."""
    first = inputs.of_first_member(store)
    return zarrs.values(first, "pooled", layer=-1).astype(np.float64)


def _judge(study: Mapping, evidence: Evidence) -> Iterator[dict]:
    for name, entry in study["claims"].items():
        kind = kinds.load("falsify", entry["kind"])
        claim = kind.Spec.model_validate(entry)
        scope = evidence.of(claim.system)
        for encoder in claim.encoders or evidence.encoders:
            judged = kind.judge(claim, scope, encoder)
            yield {"claim": name, "encoder": encoder, "label": evidence.labels[encoder], **judged}


def _counted(claims: list[dict]) -> str:
    words = ("supported", "refuted", "cannot tell")
    counts = {word: sum(claim["verdict"] == word for claim in claims) for word in words}
    return f"{len(claims)} claims: " + ", ".join(
        f"{count} {word}" for word, count in counts.items()
    )
