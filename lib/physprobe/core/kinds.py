"""The folder is the registry: ``kind: heat`` in a stage's section means ``<stage>/heat.py``."""

import importlib
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Union

from pydantic import Field

PACKAGE = Path(__file__).parents[1]
NOT_A_KIND = {"stage"}


@cache
def names(stage: str) -> tuple[str, ...]:
    """Kinds that a stage offers: its modules, but for ``stage`` and those shared (``_name``)."""
    modules = (path.stem for path in (PACKAGE / stage).glob("*.py"))
    return tuple(sorted(m for m in modules if not m.startswith("_") and m not in NOT_A_KIND))


def load(stage: str, kind: str) -> ModuleType:
    """Module of one kind.

    Raises
    ------
    ValueError
        If the stage has no such kind; the message lists those that it has.
    """
    if kind not in names(stage):
        raise ValueError(f"{stage} has no kind {kind!r}; it has {', '.join(names(stage))}.")
    return importlib.import_module(f"physprobe.{stage}.{kind}")


def any_spec(stage: str) -> Any:
    """Type of a config entry whose ``kind`` names one of a stage's modules."""
    specs = tuple(load(stage, kind).Spec for kind in names(stage))
    return Annotated[Union[specs], Field(discriminator="kind")] if len(specs) > 1 else specs[0]  # noqa: UP007
