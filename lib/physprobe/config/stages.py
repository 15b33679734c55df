"""Stages: what each folder of this package declares of itself, found by folder.

``entries.py`` has the sections of ``config.yaml`` that are a stage's own, as fields of its class
``Entries``, and ``problems``: what of them doesn't go together with the rest. ``commands.py`` has
``STAGE``: what the workflow and the door have to know of its commands. Both are light to import,
and no stage imports its own, so no result follows from how they are written.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from physprobe.config.spec import Spec

PACKAGE = Path(__file__).parents[1]
STORE = "zarr.json"
"""A store's file that rules name: it is written last."""
Asked = Callable[[Any, Any], Any]
"""Function of the config and of a rule's wildcards."""


def _nothing(config: Any, wildcards: Any) -> dict:
    return {}


def _of_none(config: Any, wildcards: Any) -> None:
    return None


@dataclass(frozen=True)
class Command:
    """One command, and the rule that runs it.

    Attributes
    ----------
    function : str
        Module of the folder, and function in it.
    entry : callable
        Entry of the config that the wildcards name; the job gets it as ``--spec``; by default there
        is none.
    reads : tuple of str
        Fields of the entry that the job's numbers depend on; all of them if empty.
    model : str, optional
        Class in a folder's ``entries.py`` that the spec has to be of, such as ``falsify.Study``;
        by default the stage looks up its kind.
    inputs : callable
        Paths from the entry, by name of the rule's input.
    kinds : callable
        Modules that the job finds by name, such as ``simulate.heat``.
    params : mapping of str to callable
        What else the rule passes on or asks for.
    """

    function: str = "stage:run"
    entry: Asked = _of_none
    reads: tuple[str, ...] = ()
    model: str | None = None
    inputs: Asked = _nothing
    kinds: Asked = _nothing
    params: Mapping[str, Asked] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A figure by itself.

    Attributes
    ----------
    kind : str
        Module of ``figures`` that draws it.
    sources : tuple of str
        Results that it is of, in the order that the module's ``frame`` takes them.
    category : str
        Where Snakemake's own report shows it.
    claims : tuple of str
        Claims of the result that it shows; all of them if empty.
    study : str
        Study whose evidence it is of, if it is of no results.
    """

    kind: str
    sources: tuple[str, ...] = ()
    category: str = ""
    claims: tuple[str, ...] = ()
    study: str = ""


@dataclass(frozen=True)
class Stage:
    """What a folder's ``commands.py`` says.

    Attributes
    ----------
    commands : mapping of str to Command
    wildcards : mapping of str to callable
        Wildcards of its rules, and the names that they stand for in a config.
    figures : callable
        Figures of a config by their path within ``results/``, without its ending.
    wanted : callable
        Results of a config that people take from it, beside the page and what that shows.
    """

    commands: Mapping[str, Command]
    wildcards: Mapping[str, Callable[[Any], Iterable[str]]] = field(default_factory=dict)
    figures: Callable[[Any], Mapping[str, Figure]] = lambda config: {}
    wanted: Callable[[Any], Iterable[str]] = lambda config: ()


def _modules(name: str) -> Iterator[tuple[str, ModuleType]]:
    """Folders that have a module of this name, with it."""
    for path in sorted(PACKAGE.glob(f"*/{name}.py")):
        folder = path.parent.name
        yield folder, importlib.import_module(f"physprobe.{folder}.{name}")


@cache
def declared() -> dict[str, Stage]:
    """Stage of every folder that has commands."""
    return {folder: module.STAGE for folder, module in _modules("commands")}


@cache
def commands() -> dict[str, tuple[str, Command]]:
    """Folder and declaration of every command."""
    return {
        name: (folder, command)
        for folder, stage in declared().items()
        for name, command in stage.commands.items()
    }


class Drawn(Spec):
    """A config's figures, found once: the rule of each asks for its own by way of all."""

    @cached_property
    def figures(self) -> dict[str, Figure]:
        """Every figure that a config's stages have, by its path without an ending."""
        found: dict[str, Figure] = {}
        for stage in declared().values():
            found |= stage.figures(self)
        return found


@cache
def entries() -> tuple[type[Spec], ...]:
    """Sections of all stages; those that stand on others go before them."""
    found = [module.Entries for _, module in _modules("entries")]
    return tuple(sorted(found, key=lambda sections: -len(sections.__mro__)))


def problems(config: Any) -> Iterator[str]:
    """What of a config's sections doesn't go together, a line each, with the path in front."""
    for _, module in _modules("entries"):
        yield from module.problems(config)


def model(command: str) -> type[Spec] | None:
    """What a command's ``--spec`` has to be, if not of a kind that it looks up itself."""
    _, known = commands()[command]
    if known.model is None:
        return None
    folder, name = known.model.split(".")
    return getattr(importlib.import_module(f"physprobe.{folder}.entries"), name)
