"""Layout: ``pixel_falsification_metrics.json`` and its summary, of a study with pixel controls."""

from physprobe.falsify.stage import SCHEMA as VERDICTS
from physprobe.layouts import _falsification, _falsification_summary
from physprobe.layouts.section import Filled, Result
from physprobe.store import results
from physprobe.store.evidence import Evidence
from physprobe.store.results import Schema

FILES = ("pixel_falsification_metrics.json", "pixel_falsification_summary.txt")
NEEDS = ("probe", "dynamics")
CLAIMS = ("beyond_pixels",)
SCHEMA = Schema("falsification", VERDICTS.dimensions)


def fill(study: Evidence, judged: Result) -> dict[str, str | bytes | Filled]:
    """Content of both files."""
    _, folds = study.folds
    protocol = results.first(study.probes)["spec"]
    held = sum(len(fold.test) for fold in folds)
    asked = (protocol["seed"], (len(folds[0].train), held))
    maps = [row for row in judged["rows"] if row["pixels"]]
    blocks = {name: _falsification.block(study, name, maps, *asked) for name in study.encoders}
    first, clips = study.encoders[0], study.system.sizes["clip"]
    content = {
        "setup": {
            "n_total": clips,
            "seeds": [protocol["seed"]],
            "test_ratio": held / len(folds) / clips,
            "ridge_grid": protocol.get("penalties"),
            "cv_folds": protocol["inner"],
            "outer_folds": len(folds),
            "latent_dim": blocks[first]["modalities"]["embed"]["koopman"]["latent_dim"],
            "pixel_modes": list(blocks[first]["cross_modal"]),
            "embed": first,
        },
        "per_seed": [blocks[first]],
        "encoders": blocks,
        "aggregate": _falsification.aggregate([blocks[first]]),
        "labels": dict(study.labels),
        "claims": judged["claims"],
        "verdict": judged["verdict"],
    }
    metrics = Filled(SCHEMA, {"system": study.place}, judged["rows"], content)
    texts = _falsification_summary.text(study.study, content, judged["rows"])
    return dict(zip(FILES, (metrics, texts), strict=True))
