"""Figures' commands."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from physprobe.config import kinds
from physprobe.config.shipped import packaged
from physprobe.config.stages import STORE, Command, Figure, Stage, figures
from physprobe.falsify.commands import evidence


class _Asked:
    """Wildcards that name a study."""

    def __init__(self, study: str):
        self.study = study


def _of_evidence(config: Any) -> Iterator[tuple[str, Figure]]:
    """Figures of each study of one system, or of several together, by what it fits."""
    for name, study in config.studies.items():
        roles = {config.methods[method].ROLE for method in study.methods}
        abroad = any(config.methods[method].also for method in study.methods)
        design = study.design.kind
        if len(study.filmed) > 1 and study.design.SHARED:
            continue
        known = {kind: kinds.outline("figures", kind) for kind in kinds.names("figures")}
        for kind, drawn in sorted(known.items(), key=lambda item: not item[1].FILMS):
            there = {*drawn.NEEDS} <= roles and (abroad or not drawn.ABROAD)
            if drawn.NEEDS and there and design in drawn.DESIGNS:
                yield f"{name}/{kind}", Figure(kind, category=name, study=name)


def _figure(config: Any, asked: Any) -> Figure:
    return figures(config)[asked.drawn]


def _inputs(config: Any, asked: Any) -> Mapping[str, list[str]]:
    """Results that a figure is of, or the evidence of its study."""
    figure = _figure(config, asked)
    drawn = kinds.outline("figures", figure.kind)
    if not figure.study:
        beside = [packaged(f"figures/{name}") for name in drawn.BESIDE]
        parts = ("fits", "embeddings", "simulation", "clips")
        return {"sources": [*figure.sources, *beside], **{part: [] for part in parts}}
    systems = config.shown(figure.study) if drawn.FILMS else ()
    films = [f"results/{system}/clips.zarr/{STORE}" for system in systems]
    return {"sources": [], **evidence(config, _Asked(figure.study)), "clips": films}


def _of_role(role: str) -> Callable[[Any, Any], dict[str, list[str]]]:
    """Fits of a study's encoders by methods of a role."""

    def fits(config: Any, asked: Any) -> dict[str, list[str]]:
        encoders = config.studies[asked.study].encoders
        return {
            "fits": [
                fit.path
                for fit in config.fitted(asked.study)
                if fit.encoder in encoders and role == config.methods[fit.method].ROLE
            ]
        }

    return fits


def _wanted(config: Any) -> Iterator[str]:
    """Films of the studies that have a figure of what is decoded, or of series."""
    films = {"reconstruction": "forecast.mp4", "series": "phase.gif"}
    for drawn in dict(_of_evidence(config)).values():
        if drawn.kind in films:
            yield f"results/{drawn.study}/{films[drawn.kind]}"


def _entry(config: Any, asked: Any) -> Any:
    """Study of a figure; any other has none."""
    study = _figure(config, asked).study
    return config.studies[study] if study else None


def _caption(config: Any, asked: Any) -> str:
    """Caption of the module that draws a figure, for Snakemake's own report."""
    return kinds.outline("figures", _figure(config, asked).kind).CAPTION.replace("*", r"\*")


STAGE = Stage(
    {
        "figure": Command(
            entry=_entry,
            reads=("system", "systems", "encoders", "controls"),
            inputs=_inputs,
            kinds=lambda config, asked: [f"figures.{_figure(config, asked).kind}"],
            params={
                "kind": lambda config, asked: _figure(config, asked).kind,
                "claims": lambda config, asked: " ".join(_figure(config, asked).claims),
                "category": lambda config, asked: _figure(config, asked).category,
                "caption": _caption,
            },
        ),
        "film": Command("_film:run", inputs=_of_role("decoder")),
        "phase": Command("_phase:run", inputs=_of_role("recovery")),
    },
    wildcards={"drawn": figures},
    figures=lambda config: dict(_of_evidence(config)),
    wanted=_wanted,
)
