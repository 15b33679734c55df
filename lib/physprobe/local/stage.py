"""Local: put the token under the ball beside those from elsewhere, paired by clip."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from physprobe.falsify._evidence import decoded
from physprobe.statistics import scores
from physprobe.store import job, log, results


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
    whole = [row for row in found["rows"] if "," not in row["model"]]
    patches = [row for row in found["rows"] if "," in row["model"]]
    rows = [*whole, *_differences(found, entry["layer"]), *patches]
    results.write(
        out,
        schema="local",
        spec=entry,
        rows=[{**row, "encoder": out.stem} for row in rows],
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
        if row["model"] == "under" and row["metric"] == "r2" and row["value"] is not None
    )
    y, x = found["grid"]
    log.done(f"{out.stem}: {y} x {x} patches, under the ball {told}")


def _differences(found: Mapping, layer: str) -> Iterator[dict]:
    """R2 of the token under the ball less that of the others, paired by clip."""
    protocol, predictions = found["spec"], found["predictions"]
    for target in protocol["targets"]:
        for sample in protocol["samples"]:
            own = decoded(found, target, sample, "under")
            for name in () if own is None else ("mean", "elsewhere", "far"):
                other = decoded(found, target, sample, name)
                interval = scores.paired(
                    own.sums, other.sums, scores.r2_of, groups=predictions["group"],
                    draws=protocol["bootstraps"], seed=protocol["seed"],
                )  # fmt: skip
                ends = dict(zip(("value", "ci_low", "ci_high"), map(float, interval), strict=True))
                yield {
                    "target": target,
                    "sample": sample,
                    "layer": layer,
                    "model": "under",
                    "baseline": name,
                    "metric": "r2_difference",
                    "n_clips": len(own.sums),
                    **ends,
                }
