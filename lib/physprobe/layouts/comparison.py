"""Layout: the files of ``fit``, of systems side by side whose equations are told apart."""

from types import ModuleType

from physprobe.drawing import palette, sheet
from physprobe.falsify.stage import SCHEMA as VERDICTS
from physprobe.figures import counterparts, orders, parameters, separation
from physprobe.layouts import _comparison, _comparison_summary, _content, _sheet
from physprobe.layouts.section import Filled, Result
from physprobe.store.evidence import Evidence
from physprobe.store.results import Schema

FILES = ("fit_metrics.json", "fit_summary.txt", "fit_results.png", "fit_results.csv")
NEEDS = ("probe", "dynamics")
DESIGNS = ("together",)
PANELS: dict[str, ModuleType] = {
    "counterparts": counterparts,
    "separation": separation,
    "parameters": parameters,
    "orders": orders,
}
SCHEMA = Schema("comparison", VERDICTS.dimensions)


def _counted(panel: str, column: str, each: float) -> sheet.Height:
    """Height that grows with the number of lines of a panel."""
    return lambda frames: 1.7 + each * frames[panel][column].nunique()


ROWS: tuple[sheet.Row, ...] = (
    (
        (("counterparts", 1.0),),
        lambda frames: 1.0 + 1.75 * frames["counterparts"]["note"].nunique(),
    ),
    ((("separation", 1.0),), _counted("separation", "encoder", 0.42)),
    ((("parameters", 1.0),), _counted("parameters", "target", 0.85)),
    ((("orders", 1.0),), _counted("orders", "encoder", 1.9)),
)


def fill(study: Evidence, judged: Result) -> dict[str, str | bytes | Filled]:
    """Content of the four files."""
    content = _filled(study, judged)
    drawn = _sheet.frames(study, PANELS)
    metrics = Filled(
        SCHEMA,
        {"system": "+".join(_comparison.systems(study))},
        judged["rows"],
        content,
        {"encoders": study.origins},
    )
    texts = _comparison_summary.text(content, judged["claims"])
    image = _sheet.image(drawn, _content.heading(content), PANELS, ROWS)
    return dict(zip(FILES, (metrics, texts, image, _sheet.table(drawn)), strict=True))


def _filled(study: Evidence, judged: Result) -> dict:
    blocks = {name: _comparison.blocks(study, name, judged) for name in study.names}
    first, equations = study.encoders[0], _comparison.systems(study)
    clips = sum(study.simulations[system].sizes["clip"] for system in equations)
    return {
        "study": study.study,
        "label": study.labels[first],
        "untrained": palette.random(study.labels[first]),
        "equations": equations,
        "setup": {
            **_content.protocol(study, first, clips),
            "embedding_dim": study.embeddings[next(iter(equations)), first].sizes["feature"],
            **_content.published_setup(study, first),
        },
        **blocks[first],
        "encoders": {name: _content.told(study, name, blocks) for name in study.encoders},
        "controls": {name: _content.told(study, name, blocks) for name in study.controls},
    }
