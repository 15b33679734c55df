"""Multiverse: fit a probe in every defensible way, and count which share supports each claim."""

import json
from pathlib import Path

from physprobe.fit.methods.stage import decode
from physprobe.multiverse import _choices, _support
from physprobe.store import job, results
from physprobe.store.inputs import Inputs, Layers


def run(
    *,
    embeddings: Path,
    simulation: Path,
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Probe one encoder in every way into ``{multiverse}/multiverse/{encoder}.json``.

    Parameters
    ----------
    embeddings, simulation : Path
        Root ``zarr.json`` of the embeddings, which are read once, and of the simulation.
    out : Path
        The result.
    spec : str
        JSON of the multiverse.
    code : str
        Fingerprint of the code.
    threads : int
        Threads of the linear algebra, which the caller has set; for the record.

    Raises
    ------
    ValueError
        If a target is no label of the system, or a sample can't be had from the embedding.
    """
    entry = json.loads(spec)
    features, rows, fits = None, [], {}
    for fit in job.progress(_choices.fits(entry), "fits"):
        found = Inputs.read("probe", embeddings, simulation, fit.spec.canonical())
        if features is None:
            features = list(Layers(found.source))
        captures = {str(c): _choices.captured(found.layers, c) for c in entry["layers"]}
        scored, predictions = decode(found, features)
        rows += [
            {**row, "encoder": embeddings.parent.stem, "model": fit.name}
            for row in scored
            if row["metric"] == "r2"
            and row.get("time") is None
            and row["layer"] in captures.values()
        ]
        kept = ("target", "sample", "layer", "squared_error", "influence")
        fits[fit.name] = {
            "solver": fit.solver,
            "normalisation": fit.normalisation,
            "grouping": fit.grouping,
            "bootstraps": fit.spec.bootstraps,
            "permutations": fit.spec.permutations,
            "held_out": [
                {key: block[key] for key in kept}
                for block in predictions["held_out"]
                if block["layer"] in captures.values()
            ],
        }
    results.write(
        out,
        schema="multiverse_fits",
        spec=entry,
        rows=rows,
        **{key: predictions[key] for key in ("clip", "group", "truth")},
        layers=captures,
        label=found.source.attrs.get("label"),
        fits=fits,
        provenance=found.provenance(code, threads),
    )
    job.done(f"{out.stem}: {len(rows)} specifications in {len(fits)} fits")


def compare(
    *, fits: list[Path], out: Path, spec: str, code: str = "by hand", threads: int = 1
) -> None:
    """Count which share of all specifications supports each claim into ``multiverse.json``.

    Parameters
    ----------
    fits : list of Path
        Results ``{multiverse}/multiverse/{encoder}.json`` of all encoders and controls.
    out : Path
        The result.
    spec : str
        JSON of the multiverse.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    entry, found = json.loads(spec), results.by_name(fits, "multiverse_fits")
    by_name = {name: _support.Fits(result) for name, result in found.items()}
    controls = {name: by_name[name] for name in entry["controls"]}
    rows, lines = [], []
    for encoder in entry["encoders"]:
        for name, claim in entry["claims"].items():
            asked = (name, claim, encoder, by_name[encoder], controls, entry["samples"])
            mine = list(_support.specifications(*asked))
            lines += mine
            rows += _support.rows(mine, claim["beyond"])
    results.write(
        out,
        schema="multiverse",
        spec=entry,
        rows=rows,
        specifications=lines,
        labels={name: result["label"] for name, result in found.items()},
        provenance=job.provenance(
            code,
            results.digests(fits),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
    )
    shares = [row for row in rows if row["metric"] == "share_supported"]
    told = "; ".join(f"{row['encoder']} {row['model']} {row['note']}" for row in shares)
    job.done(f"{out.parent.name}: supported by {told}")
