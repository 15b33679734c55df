"""Survey: put the verdicts on all systems from all sources together."""

import json
from pathlib import Path

from physprobe.store import job, log, results
from physprobe.store.results import Schema
from physprobe.survey import _rates

SCHEMA = Schema("survey", ("target", "sample", "verdict", "quantity", "decoy"))


def run(*, fits: list[Path], out: Path, spec: str, code: str = "by hand", threads: int = 1) -> None:
    """Count right, wrong and missing verdicts into ``discovery/metrics.json``.

    Parameters
    ----------
    fits : list of Path
        Results ``{system}/fits/{source}.{method}.json`` of a law.
    out : Path
        The result.
    spec : str
        JSON of the discovery section.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    found = {
        (system, source): result
        for system, by_source in results.by_folder(fits, "law").items()
        for source, result in by_source.items()
    }
    rows = list(_rates.rows(found))
    results.write(
        out,
        schema=SCHEMA,
        spec=json.loads(spec),
        rows=rows,
        provenance=job.provenance(
            code,
            results.digests(fits),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
        **_rates.blocks(found),
    )
    every = [row for row in rows if row["system"] == _rates.ALL and row.get("sample") == "clip"]
    told = ", ".join(
        f"{row['encoder']} {row['value']:.0%} right" for row in every if row["metric"] == "right"
    )
    log.done(f"{len(found)} fits; {told}")
