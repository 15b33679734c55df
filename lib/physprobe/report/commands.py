"""Report's command."""

from typing import Any

from physprobe.config.stages import Command, Stage

BESIDES = ("encoders", "calibration", "resolution")
"""Categories of figures that are shown beside those of studies."""


def _page(config: Any, asked: Any) -> dict[str, list[str]]:
    """Verdicts and figures of all studies, or of one alone, and tables of their layouts."""
    alone = asked.get("study")
    names = [alone] if alone else list(config.studies)
    shown = (*names, *(() if alone else BESIDES))
    drawn = {path: figure for path, figure in config.figures.items() if figure.category in shown}
    with_sheet = [name for name in names if {"fit", "comparison"} & {*config.studies[name].layouts}]
    return {
        "verdicts": [f"results/{name}/verdicts.json" for name in names],
        "figures": [f"results/{path}{form}" for path in drawn for form in (".png", ".svg")],
        "layouts": [f"results/{name}/fit_metrics.json" for name in with_sheet],
    }


STAGE = Stage({"page": Command(inputs=_page)})
