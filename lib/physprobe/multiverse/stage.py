"""Multiverse: count which share of all defensible ways to fit a method supports each claim."""

import json
from pathlib import Path

from physprobe.multiverse import _support
from physprobe.store import job, log, results
from physprobe.store.results import Schema

SCHEMA = Schema(
    "multiverse", ("claim", "beyond", "method", "way", "target", "sample", "layer", "control")
)


def run(*, fits: list[Path], out: Path, spec: str, code: str = "by hand", threads: int = 1) -> None:
    """Count which share of all specifications supports each claim into ``multiverse.json``.

    Parameters
    ----------
    fits : list of Path
        Results ``{multiverse}/fits/{encoder}.{method}.json`` of all encoders, controls and methods.
    out : Path
        The result.
    spec : str
        JSON of the multiverse.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    entry = json.loads(spec)
    found: dict[str, dict[str, dict]] = {}
    for path in fits:
        encoder, method = path.stem.split(".")
        found.setdefault(encoder, {})[method] = results.read(path, "every_way")
    by_name = {name: _support.Specified(methods) for name, methods in found.items()}
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
        schema=SCHEMA,
        of={"system": entry["system"]},
        spec=entry,
        rows=rows,
        specifications=lines,
        labels={name: next(iter(own.values()))["label"] for name, own in found.items()},
        provenance=job.provenance(
            code,
            results.digests(fits),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
    )
    shares = [row for row in rows if row["metric"] == "share_supported"]
    told = "; ".join(f"{row['encoder']} {row['claim']} {row['note']}" for row in shares)
    log.done(f"{out.parent.name}: supported by {told}")
