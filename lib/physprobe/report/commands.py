"""Report's commands."""

from typing import Any

from physprobe.config import kinds, shipped
from physprobe.config.shipped import packaged
from physprobe.config.stages import STORE, Command, Figure, Stage, figures
from physprobe.falsify.commands import contrasted, evidence
from physprobe.local.commands import located

WITH_PAGES = ("studies", "comparisons", "transfers", "layerwise", "multiverses", "local")
"""Sections whose entries have a page of their own."""


def _clips(*systems: str) -> list[str]:
    return [f"results/{system}/clips.zarr/{STORE}" for system in systems]


def _study(config: Any, asked: Any) -> dict[str, list[str] | str]:
    return {
        **evidence(config, asked),
        "falsification": f"results/{asked.study}/pixel_falsification_metrics.json",
        "clips": _clips(config.studies[asked.study].system),
    }


def _comparison(config: Any, asked: Any) -> dict[str, list[str] | str]:
    return {
        **contrasted(config, asked),
        "falsification": f"results/{asked.comparison}/falsification_metrics.json",
        "clips": _clips(*config.comparisons[asked.comparison].systems),
    }


def _alone(config: Any, name: str) -> Any:
    """A config that asks for what has this name and nothing else."""
    sections = {section: getattr(config, section).items() for section in WITH_PAGES}
    kept = {
        section: {key: entry for key, entry in entries if key == name}
        for section, entries in sections.items()
    }
    no_laws = config.discovery.model_copy(update={"systems": ()})
    return config.model_copy(update={**kept, "discovery": no_laws, "calibration": None})


def _page(config: Any, asked: Any) -> dict[str, list[str]]:
    """What a page shows: one of each per study, then per comparison, then of all else."""
    whole = not asked.get("asked")
    config = config if whole else _alone(config, asked.asked)
    studies, comparisons = config.studies, config.comparisons
    filmed = dict.fromkeys(system for entry in comparisons.values() for system in entry.systems)
    return {
        "metrics": [f"results/{name}/fit_metrics.json" for name in studies],
        "tables": [f"results/{name}/fit_results.csv" for name in studies],
        "falsifications": [f"results/{name}/pixel_falsification_metrics.json" for name in studies],
        "clips": _clips(*(study.system for study in studies.values())),
        "comparisons": [f"results/{name}/fit_metrics.json" for name in comparisons],
        "comparison_tables": [f"results/{name}/fit_results.csv" for name in comparisons],
        "comparison_falsifications": [
            f"results/{name}/falsification_metrics.json" for name in comparisons
        ],
        "comparison_clips": _clips(*filmed),
        "transfers": [f"results/transfers/{name}.json" for name in config.transfers],
        "layerwise_tables": [
            f"results/{name}/{figure}.csv"
            for name, entry in config.layerwise.items()
            for figure in entry.figures
        ],
        "multiverses": [f"results/{name}/multiverse.json" for name in config.multiverses],
        "places": [f"{path}.json" for path in located(config)],
        "surveys": ["results/discovery/metrics.json"] * bool(config.discovery.systems),
        "calibrations": ["results/calibration.json"] * bool(config.calibration),
        "gates": sorted(map(packaged, shipped.ENCODERS.glob("**/gate.json"))) if whole else [],
        "trainings": sorted(map(packaged, shipped.ENCODERS.glob("**/training.csv")))
        if whole
        else [],
    }


def _figure(config: Any, asked: Any) -> Figure:
    return figures(config)[asked.drawn]


def _caption(config: Any, asked: Any) -> str:
    """Caption of the module that draws a figure, for Snakemake's own report."""
    return kinds.load("report", _figure(config, asked).kind).CAPTION.replace("*", r"\*")


STAGE = Stage(
    {
        "layout": Command(
            entry=lambda config, asked: config.studies[asked.study],
            reads=("system", "encoders", "controls", "probe", "koopman", "head"),
            model="falsify.Study",
            inputs=_study,
            kinds=lambda config, asked: ["report.fit_results"],
        ),
        "layout_comparison": Command(
            "stage:compare",
            entry=lambda config, asked: config.comparisons[asked.comparison],
            reads=("systems", "parameters", "encoders", "controls", "probe", "koopman"),
            model="falsify.Comparison",
            inputs=_comparison,
            kinds=lambda config, asked: ["report.fit_comparison"],
        ),
        "figure": Command(
            "drawing:figure",
            inputs=lambda config, asked: {"sources": list(_figure(config, asked).sources)},
            kinds=lambda config, asked: [f"report.{_figure(config, asked).kind}"],
            params={
                "kind": lambda config, asked: _figure(config, asked).kind,
                "category": lambda config, asked: _figure(config, asked).category,
                "caption": _caption,
            },
        ),
        "page": Command("page:run", inputs=_page),
    },
    wildcards={
        "asked": lambda config: {name for part in WITH_PAGES for name in getattr(config, part)},
        "drawn": figures,
    },
)
