"""Layout: ``fit_metrics.json``, ``fit_summary.txt``, ``fit_results.png`` of a study of one system.

The keys of the published files, filled by our protocol, each block with how sure it is; and
``fit_results.csv``, everything that the sheet draws.
"""

import math
from collections.abc import Mapping
from types import ModuleType

import pandas as pd

from physprobe.drawing import palette
from physprobe.figures import eigenvalues, filmstrip, ladder, layers, predicted, skill, spatial
from physprobe.fit.section import SCHEMAS
from physprobe.layouts import _content, _metrics, _sheet, _summary
from physprobe.layouts.section import Filled, Result
from physprobe.store.evidence import Evidence
from physprobe.store.results import Schema

FILES = ("fit_metrics.json", "fit_summary.txt", "fit_results.png", "fit_results.csv")
NEEDS = ("probe", "dynamics")
PANELS: dict[str, ModuleType] = {
    "filmstrip": filmstrip,
    "ladder": ladder,
    "predicted": predicted,
    "layers": layers,
    "skill": skill,
    "spatial": spatial,
    "eigenvalues": eigenvalues,
}
SCHEMA = Schema(
    "fit",
    tuple({n for role in ("probe", "dynamics", "head") for n in SCHEMAS[role].dimensions}),
)


def _lines(frames: Mapping[str, pd.DataFrame]) -> float:
    """Height of the predictions, a line of panels after the other."""
    found = frames["predicted"]
    panels = found["encoder"].nunique() if len(found) else 0
    return 1.1 + 2.55 * math.ceil(panels / predicted.COLUMNS)


ROWS = (
    ((("filmstrip", 1.55), ("ladder", 1.0)), 5.0),
    ((("predicted", 1.0),), _lines),
    ((("skill", 1.0),), 4.4),
    ((("layers", 1.5), ("eigenvalues", 1.0)), 5.6),
    ((("spatial", 1.0),), 4.8),
)


def fill(study: Evidence, judged: Result) -> dict[str, str | bytes | Filled]:
    """Content of the four files."""
    content = _filled(study, judged)
    drawn = _sheet.frames(study, PANELS)
    metrics = Filled(
        SCHEMA,
        {"system": study.place},
        list(_metrics.rows(study)),
        content,
        {"encoders": study.origins},
    )
    texts = _summary.text(content, judged["claims"])
    image = _sheet.image(drawn, _content.heading(content), PANELS, ROWS)
    return dict(zip(FILES, (metrics, texts, image, _sheet.table(drawn)), strict=True))


def _filled(study: Evidence, judged: Result) -> dict:
    blocks = {name: _metrics.blocks(study, name, judged) for name in study.names}
    first = study.encoders[0]
    label = study.labels[first]
    permutations = next((head["spec"]["permutations"] for head in study.heads.values()), None)
    return {
        "study": study.study,
        "label": label,
        "untrained": palette.random(label),
        "decoded": study.asked,
        "setup": {
            **_content.protocol(study, first, study.system.sizes["clip"]),
            "embedding_dim": study.embeddings[study.place, first].sizes["feature"],
            "head_permutations": permutations,
        },
        **blocks[first],
        "encoders": {name: _content.told(study, name, blocks) for name in study.encoders},
        "controls": {name: _content.told(study, name, blocks) for name in study.controls},
        "artefact": _content.artefact(study, judged, study.system),
    }
