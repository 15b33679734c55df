"""Local: put the token under the ball beside those from elsewhere, paired by clip."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from physprobe.statistics import paired
from physprobe.store import job, log, results
from physprobe.store.fits import decoded
from physprobe.store.results import Schema

SCHEMA = Schema("local", ("method", "target", "sample", "layer", "place", "against"))


def run(*, fit: Path, out: Path, spec: str, code: str = "by hand", threads: int = 1) -> None:
    """Compare parts of the image into ``{local}/local/{encoder}.json``.

    Parameters
    ----------
    fit : Path
        Result ``{local}/fits/{encoder}.{method}.json`` of the design ``places``.
    out : Path
        The result.
    spec : str
        JSON of the entry.
    code : str
        Fingerprint of the code.
    threads : int
        Not used; every stage takes it.
    """
    entry, found = json.loads(spec), results.read(fit, "places")
    whole = [row for row in found["rows"] if "," not in row["place"]]
    patches = [row for row in found["rows"] if "," in row["place"]]
    rows = [*whole, *_differences(found, entry["layer"]), *patches]
    results.write(
        out,
        schema=SCHEMA,
        of={key: found[key] for key in ("system", "encoder", "method")},
        spec=entry,
        rows=rows,
        **{key: found[key] for key in ("grid", "touched", "label")},
        provenance=job.provenance(
            code,
            results.digests([fit]),
            device="cpu",
            dtype="float64",
            threads=threads,
        ),
    )
    told = "; ".join(
        f"{row['target']} R2 {row['value']:.3f}"
        for row in whole
        if row["place"] == "under" and row["metric"] == "r2" and row["value"] is not None
    )
    y, x = found["grid"]
    log.done(f"{out.stem}: {y} x {x} patches, under the ball {told}")


def _differences(found: Mapping, layer: str) -> Iterator[dict]:
    """R2 of the token under the ball less that of the others, paired by clip."""
    protocol = found["spec"]
    for target in protocol["targets"]:
        for sample in protocol["samples"]:
            own = decoded(found, target, sample, "under")
            for name in () if own is None else ("mean", "elsewhere", "far"):
                other = decoded(found, target, sample, name)
                difference = paired.above(own, other)
                interval = difference.interval(protocol["bootstraps"], protocol["seed"])
                yield {
                    "target": target,
                    "sample": sample,
                    "layer": layer,
                    "place": "under",
                    "against": name,
                    "metric": "r2_difference",
                    "n_clips": len(own.sums),
                    **interval.columns(),
                }
