"""Layout: which names in ``results/`` are the workflow's own, so that no entry may have them."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from physprobe.config import kinds

FOLDERS = {"logs": "the folder of all logs", "encoders": "the folder of what is trained"}
"""Folders of ``results/`` beside those of systems and studies."""

FILES = {
    "preview": "clips",
    "report": "a page",
    "forecast": "decoded clips",
    "phase": "an animation",
}
"""Files in such a folder, without their ending, that no folder of kinds declares."""

STORES = {"field": "simulation", "video": "clips"}
"""Sources of a law that are no encoder, and the store of a system that stands for each."""


@cache
def reserved() -> dict[str, Mapping[str, str]]:
    """By section, names that mean something else, and what."""
    folders = {name: f"{what}, results/{name}/" for name, what in FOLDERS.items()}
    files = dict(FILES)
    files |= {kind: "a figure" for kind in kinds.names("figures")}
    for form in kinds.names("layouts"):
        written = kinds.outline("layouts", form).FILES
        files |= {Path(file).stem: f"the layout {form}" for file in written}
    stores = {name: f"the {name} of a system itself, as a source of laws" for name in STORES}
    return {
        **dict.fromkeys(("systems", "studies"), folders),
        "figures": {name: f"the name of a file of {what}" for name, what in files.items()},
        **dict.fromkeys(("encoders", "controls"), stores),
    }


def problems(config: Any) -> Iterator[str]:
    """Names of entries that mean something else, a line each."""
    for section, meanings in reserved().items():
        for where, name in _names_of(config, section):
            if meant := meanings.get(name):
                yield f"{where}: {name} is {meant}. Hint: name it otherwise."


def _names_of(config: Any, section: str) -> Iterator[tuple[str, str]]:
    """Path and name of every entry that could be taken for something else."""
    if section != "figures":
        yield from ((f"{section}.{name}", name) for name in getattr(config, section))
        return
    for name, study in config.studies.items():
        yield from ((f"studies.{name}.figures.{figure}", figure) for figure in study.figures)
