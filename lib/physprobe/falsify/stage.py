"""Falsify: put a study's scores beside the controls that could refute them; judge its claims."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from physprobe.core import job, kinds, results, scores, splits, stores
from physprobe.falsify import _gate, _pixels, _published, _summary
from physprobe.falsify._evidence import Evidence, against_best


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
    system = stores.read(simulation)
    found = {"probes": _by_name(probes), "koopman": _by_name(koopman), "heads": _by_name(heads)}
    protocol = next(iter(found["probes"].values()))["spec"]
    stored = {path.parent.stem: stores.read(path) for path in embeddings}
    _, folds = splits.declared_by(
        system,
        outer=protocol["outer"],
        inner=protocol["inner"],
        seed=protocol["seed"],
        grouping=protocol.get("grouping", "clip"),
    )
    maps, sums = _pixels.cross(
        {name: _features(stored[name]) for name in study["controls"] if _is_pixels(stored[name])},
        {name: _features(stored[name]) for name in study["encoders"]},
        folds,
        protocol["bootstraps"],
    )
    evidence = Evidence(
        encoders=tuple(study["encoders"]),
        controls=tuple(study["controls"]),
        labels={name: store.attrs["label"] for name, store in stored.items()},
        pixels=tuple(maps),
        pixel_sums=sums,
        bootstraps=protocol["bootstraps"],
        **found,
    )
    claims = list(_judge(study, evidence))
    rows = [*_ladder(evidence), *_strata(evidence, system), *maps]
    held = sum(len(fold.test) for fold in folds)
    sizes = (len(folds[0].train), held)
    per_seed = [_published.block(evidence, study["encoders"][0], protocol["seed"], sizes)]
    content = {
        "setup": {
            "n_total": system.sizes["clip"],
            "seeds": [protocol["seed"]],
            "test_ratio": held / len(folds) / system.sizes["clip"],
            "ridge_grid": protocol["penalties"],
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
        "verdict": _summary.verdict(claims, study["encoders"][0], evidence.labels),
    }
    results.write(
        metrics,
        schema="falsification",
        spec=study,
        rows=rows,
        provenance=job.provenance(
            code,
            {
                "simulation": stores.digest(simulation),
                **{path.parent.stem: stores.digest(path) for path in embeddings},
            },
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
        **content,
    )
    results.write_text(summary, _summary.text(metrics.parent.name, content, rows))
    job.done(f"{metrics.parent.name}: {_counted(claims)}")


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
        Results ``{system}/probes/{encoder}.{probe}.json`` of all of the gate's encoders.
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
    by_system: dict[str, dict] = {}
    for path in probes:
        by_system.setdefault(path.parents[1].name, {})[path.name.split(".")[0]] = results.read(path)
    draws = next(iter(by_system.values()))[entry["encoder"]]["spec"]["bootstraps"]
    rows = list(_gate.rows(by_system, entry["encoder"], tuple(entry["random"]), draws))
    passed, why = _gate.passed(rows, entry["margin"])
    results.write(
        out,
        schema="gate",
        spec=entry,
        rows=rows,
        passed=passed,
        why=why,
        provenance=job.provenance(
            code,
            {str(Path(*path.parts[-3:])): results.digest(path) for path in probes},
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
    )
    job.done(f"{out.stem}: {'passed' if passed else 'not passed'}, {why}")


def _by_name(paths: list[Path]) -> dict[str, dict]:
    return {path.name.split(".")[0]: results.read(path) for path in paths}


def _is_pixels(store: object) -> bool:
    spec = store.attrs["spec"]
    return spec["kind"] == "pixels" and not spec.get("components")


def _features(store: object) -> np.ndarray:
    """(clip, time, feature) of the last layer."""
    return stores.values(store, "pooled", layer=-1).astype(np.float64)


def _judge(study: Mapping, evidence: Evidence) -> Iterator[dict]:
    for name, entry in study["claims"].items():
        kind = kinds.load("falsify", entry["kind"])
        claim = kind.Spec.model_validate(entry)
        for encoder in claim.encoders or evidence.encoders:
            judged = kind.judge(claim, evidence, encoder)
            yield {"claim": name, "encoder": encoder, "label": evidence.labels[encoder], **judged}


def _ladder(evidence: Evidence) -> Iterator[dict]:
    """Each encoder's R2 less each control's and less the best one's, on the same clips."""
    any_probe = next(iter(evidence.probes.values()))["spec"]
    for encoder in evidence.encoders:
        for target in any_probe["targets"]:
            for sample in any_probe["samples"]:
                own = evidence.decoded(encoder, target, sample)
                about = {
                    "encoder": encoder,
                    "target": target,
                    "sample": sample,
                    "layer": "selected",
                }
                about |= {"metric": "r2_difference"}
                if own is None:
                    yield {**about, "note": "the target is undefined"}
                    continue
                others = {
                    name: sums
                    for name in evidence.controls
                    if (sums := evidence.decoded(name, target, sample)) is not None
                }
                for name, sums in others.items():
                    value, low, high = scores.paired(
                        own, sums, scores.r2_of, draws=evidence.bootstraps
                    )
                    yield {
                        **about, "baseline": name, "value": value, "ci_low": low, "ci_high": high,
                        "n_clips": len(own),
                    }  # fmt: skip
                if others:
                    (value, low, high), best = against_best(
                        own, others, scores.r2_of, evidence.bootstraps
                    )
                    yield {
                        **about, "baseline": "best control", "value": value, "ci_low": low,
                        "ci_high": high, "n_clips": len(own), "note": best,
                    }  # fmt: skip


def _strata(evidence: Evidence, system: object) -> Iterator[dict]:
    """R2 on stable and on unstable held-out clips apart, where the solver can be unstable."""
    if "stable" not in system:
        return
    stable = np.asarray(system["stable"].values, bool)
    for name in (*evidence.encoders, *evidence.controls):
        predictions = evidence.probes[name]["predictions"]
        held = np.asarray(predictions["clip"])
        for target in ("alpha", "log_alpha"):
            for sample in ("clip", "token"):
                sums = evidence.decoded(name, target, sample)
                if sums is None:
                    continue
                for note, chosen in (
                    ("stable clips", stable[held]),
                    ("unstable clips", ~stable[held]),
                ):
                    about = {
                        "encoder": name,
                        "target": target,
                        "sample": sample,
                        "layer": "selected",
                    }
                    about |= {"metric": "r2_stratum", "model": note, "n_clips": int(chosen.sum())}
                    if chosen.sum() < 3:
                        yield {**about, "note": f"{int(chosen.sum())} held-out clips are too few"}
                        continue
                    value, low, high = scores.bootstrap(
                        sums[chosen], scores.r2_of, draws=evidence.bootstraps
                    )
                    yield {**about, "value": value, "ci_low": low, "ci_high": high}


def _counted(claims: list[dict]) -> str:
    words = ("supported", "refuted", "cannot tell")
    counts = {word: sum(claim["verdict"] == word for claim in claims) for word in words}
    return f"{len(claims)} claims: " + ", ".join(
        f"{count} {word}" for word, count in counts.items()
    )
