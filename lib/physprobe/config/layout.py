"""Layout: which names in ``results/`` are the workflow's own, so that no entry may have them."""

from collections.abc import Iterator, Mapping
from typing import Any

FOLDERS = {
    "logs": "the folder of all logs",
    "encoders": "the folder of what is trained",
    "transfers": "the folder of transfers",
    "gates": "the folder of gates",
    "discovery": "the folder of laws",
}
"""Folders of ``results/`` beside those of systems, studies and the like."""

FILES = {
    "fit_metrics": "scores",
    "fit_results": "scores",
    "fit_summary": "scores",
    "pixel_falsification_metrics": "verdicts",
    "pixel_falsification_summary": "verdicts",
    "falsification_metrics": "verdicts",
    "multiverse": "a multiverse",
    "preview": "clips",
    "report": "a page",
}
"""Files in such a folder, without their ending, that are no layerwise figure's."""

LOGS = (
    "simulate",
    "render",
    "preview",
    "falsify",
    "compare",
    "layout",
    "page",
    "multiverse",
)
"""Logs in such a folder, without their ending, that are no layerwise figure's."""

STORES = {"field": "simulation", "video": "clips"}
"""Sources of a law that are no encoder, and the store of a system that stands for each."""

_OF_FOLDERS = {name: f"{what}, results/{name}/" for name, what in FOLDERS.items()}
_OF_FIGURES = {name: "the log of another step" for name in LOGS} | {
    name: f"the name of a file of {what}" for name, what in FILES.items()
}
_OF_SOURCES = {name: f"the {name} of a system itself, as a source of laws" for name in STORES}
_IN_FOLDERS = (
    "systems", "studies", "comparisons", "transfers", "layerwise", "multiverses", "local",
)  # fmt: skip
RESERVED: dict[str, Mapping[str, str]] = {
    **dict.fromkeys(
        ("systems", "studies", "comparisons", "transfers", "layerwise", "multiverses", "local"),
        _OF_FOLDERS,
    ),
    "figures": _OF_FIGURES,
    **dict.fromkeys(("encoders", "controls"), _OF_SOURCES),
}
"""By section, names that mean something else, and what."""


def problems(config: Any) -> Iterator[str]:
    """Names of entries that mean something else, a line each."""
    for section, names in _names_of(config).items():
        for where, name in names:
            if meant := RESERVED[section].get(name):
                yield f"{where}: {name} is {meant}. Hint: name it otherwise."


def _names_of(config: Any) -> dict[str, list[tuple[str, str]]]:
    """Path and name of every entry that could be taken for something else, by section."""
    found = {
        section: [(f"{section}.{name}", name) for name in getattr(config, section)]
        for section in RESERVED
        if section != "figures"
    }
    found["figures"] = [
        (f"layerwise.{name}.figures.{figure}", figure)
        for name, entry in config.layerwise.items()
        for figure in entry.figures
    ]
    return found
