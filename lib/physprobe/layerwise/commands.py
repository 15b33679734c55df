"""Layerwise's command."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from physprobe.config.shipped import packaged
from physprobe.config.stages import STORE, Command, Figure, Stage

if TYPE_CHECKING:
    from physprobe.layerwise.entries import Layerwise


def _entry(config: Any, asked: Any) -> "Layerwise":
    """An entry as one of its figures has it: what the others show is nothing to it."""
    entry = config.layerwise[asked.layerwise]
    return entry.model_copy(update={"figures": {asked.figure: entry.figures[asked.figure]}})


def _inputs(config: Any, asked: Any) -> dict[str, list[str]]:
    """Fits and embeddings of a figure's panels."""
    entry = config.layerwise[asked.layerwise]
    found = {"probes": [], "embeddings": []}
    for curve in entry.figures[asked.figure].values():
        folder, names = f"results/{curve.system}", entry.names(curve)
        found["probes"] += [f"{folder}/fits/{name}.{curve.probe}.json" for name in names]
        found["embeddings"] += [f"{folder}/embeddings/{name}.zarr/{STORE}" for name in names]
    return {key: list(dict.fromkeys(paths)) for key, paths in found.items()}


def _wanted(config: Any) -> Iterator[str]:
    for name, entry in config.layerwise.items():
        for figure, panels in entry.figures.items():
            yield f"results/{name}/{figure}.png"
            yield from (f"results/{curve.system}/preview.mp4" for curve in panels.values())


def _figures(config: Any) -> dict[str, Figure]:
    published = packaged("report/published_layers.yaml")
    return {
        f"{name}/{figure}": Figure("layerwise", (f"results/{name}/{figure}.json", published), name)
        for name, entry in config.layerwise.items()
        for figure in entry.figures
    }


STAGE = Stage(
    {"layerwise": Command(entry=_entry, model="layerwise.Layerwise", inputs=_inputs)},
    wildcards={
        "layerwise": lambda config: config.layerwise,
        "figure": lambda config: {
            figure for entry in config.layerwise.values() for figure in entry.figures
        },
    },
    figures=_figures,
    wanted=_wanted,
)
