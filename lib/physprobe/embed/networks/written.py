"""Written: what this package's recipes have written of their networks, read back."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from physprobe.config.spec import Spec

Sizes = TypeVar("Sizes", bound=Spec)


def sizes(content: Mapping[str, Any], kind: type[Sizes]) -> Sizes:
    """Those of the fields of config.json that belong to one kind of spec.

    Raises
    ------
    ValidationError
        If one is missing, or is none that the kind has.
    """
    return kind.strict({key: content[key] for key in kind.model_fields if key in content})


def members(tensors: Iterable[str]) -> tuple[int, ...]:
    """Seeds of the members that a file holds, by the names of its tensors, ``{seed}/...``."""
    return tuple(sorted({int(name.partition("/")[0]) for name in tensors}))


def check_member(tensors: Iterable[str], seed: int, folder: Path) -> None:
    """Refuse a member that a folder doesn't hold.

    Raises
    ------
    ValueError
        If no tensor is of it.
    """
    known = members(tensors)
    if seed not in known:
        there = ", ".join(map(str, known))
        raise ValueError(f"{folder}: has no member {seed}. Hint: members are {there}.")
