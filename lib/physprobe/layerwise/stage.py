"""Layerwise: put a label's scores at every layer beside the controls, and say where it sets in."""

import json
from collections.abc import Mapping
from pathlib import Path

from physprobe.layerwise import _curve, _table
from physprobe.store import inputs, job, log, results, zarrs
from physprobe.store.results import Schema

SCHEMA = Schema(
    "layerwise",
    ("panel", "method", "target", "sample", "layer", "time", "part", "control", "threshold"),
)


def run(
    *,
    probes: list[Path],
    embeddings: list[Path],
    out: Path,
    spec: str,
    code: str = "by hand",
    threads: int = 1,
) -> None:
    """Compare layers, encoders and controls into ``{figure}.json``.

    Parameters
    ----------
    probes : list of Path
        Results ``{system}/fits/{encoder}.{method}.json`` of every panel, encoder and control.
    embeddings : list of Path
        Root ``zarr.json`` of their embeddings: labels, and how frames were cut.
    out : Path
        The result; its name is that of a figure of the entry.
    spec : str
        JSON of the entry.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    entry, name = json.loads(spec), f"{out.parent.name}/{out.stem}"
    controls = tuple(entry["controls"])
    found = results.by_place(probes, "probe")
    stored = {(path.parents[2].name, path.parent.stem): zarrs.read(path) for path in embeddings}
    for (system, _, file), result in found.items():
        encoder = file.split(".")[0]
        if (system, encoder) in stored:
            inputs.check_origin(f"{system}/{encoder}", result, embeddings=stored[system, encoder])
    about = {place: _about(*place, store.attrs, controls) for place, store in stored.items()}
    rows, table, used = [], [], {}
    for panel, asked in entry["figures"][out.stem].items():
        system = asked["system"]
        curves = {
            encoder: _curve.Curve(
                encoder,
                found[system, "fits", f"{encoder}.{asked['probe']}.json"],
                asked["target"],
                asked["sample"],
                asked["metric"],
                asked["part"],
            )
            for encoder in (*(asked["encoders"] or entry["encoders"]), *controls)
        }
        scored = list(_curve.scored(panel, curves, controls, entry["threshold"]))
        told = {encoder: about[system, encoder] for encoder in curves}
        used |= told
        rows += ({**row, "system": system} for row in scored)
        table += _table.lines(name, panel, curves, told, scored)
    results.write(
        out,
        schema=SCHEMA,
        spec=entry,
        rows=rows,
        figure=out.stem,
        table=table,
        encoders=used,
        provenance=job.provenance(
            code,
            results.digests(probes),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
    )
    onsets = [row for row in rows if row["metric"] == "onset" and row["encoder"] not in controls]
    log.done(f"{name}: " + "; ".join(f"{r['encoder']} {r['panel']} {r['note']}" for r in onsets))


def _about(system: str, name: str, attrs: Mapping, controls: tuple[str, ...]) -> dict:
    return {
        "role": "control" if name in controls else "encoder",
        "label": attrs["label"],
        "hf_repo": attrs.get("hf_repo"),
        "weights_hash": attrs.get("weights_hash"),
        "preprocessing": attrs["spec"].get("preprocess"),
        "feature_root": f"results/{system}/embeddings/{name}.zarr",
    }
