"""Layouts' contract: what every published form offers."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from physprobe.store.evidence import Evidence
from physprobe.store.results import Schema

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Filled:
    """Content of a result that a layout fills."""

    schema: Schema
    of: Mapping[str, str]
    """Dimensions that all rows agree in."""
    rows: Iterable[dict]
    blocks: Mapping[str, object] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    """What its provenance says besides."""


class Kind(Protocol):
    """A set of files in a published form, filled from a study's fits and verdicts.

    A module is one by having these names.
    """

    FILES: tuple[str, ...]
    """Names of the files, in results/{study}/."""
    NEEDS: tuple[str, ...]
    """Roles of the methods that a study has to fit."""
    DESIGNS: tuple[str, ...] = ("plain",)
    """Designs of the studies that can be written in it."""
    CLAIMS: tuple[str, ...] = ()
    """Kinds of claims that it is filled from, of which a study has to make one each."""

    @staticmethod
    @abstractmethod
    def fill(study: Evidence, judged: Result) -> dict[str, str | bytes | Filled]:
        """Content of every file by name, from the evidence and ``verdicts.json``."""
