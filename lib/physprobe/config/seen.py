"""Seen: what an encoder sees of a clip, by name; a renderer makes it, families of encoders take it.

The name is that of the variable in ``clips.zarr``.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """One form of clips.

    Attributes
    ----------
    dims : tuple of str
        Dimensions of one clip, ``time`` first.
    dtype : str
        As stored.
    sizes : mapping of str to str
        What a family of encoders is told of them: dimension by name of the argument.
    block : int
        Clips per file.
    """

    dims: tuple[str, ...]
    dtype: str
    sizes: Mapping[str, str]
    block: int = 1

    def told(self, sizes: Mapping[Hashable, int]) -> dict[str, int]:
        """Sizes by name of the argument."""
        return {name: sizes[dim] for name, dim in self.sizes.items()}


FORMS = {
    "video": Form(
        ("time", "y", "x", "rgb"), "uint8", {"frames": "time", "height": "y", "width": "x"}
    ),
    "channels": Form(
        ("time", "y", "x", "channel"),
        "float32",
        {"frames": "time", "height": "y", "width": "x", "channels": "channel"},
    ),
    "signal": Form(
        ("time", "channel"), "float32", {"frames": "time", "channels": "channel"}, block=64
    ),
}


def of(names: Iterable[Hashable]) -> str:
    """Name of the form that a store of clips has, from the names of its variables.

    Raises
    ------
    ValueError
        If it has none.
    """
    found = {str(name) for name in names} & FORMS.keys()
    if len(found) != 1:
        raise ValueError(
            f"clips are {' or '.join(FORMS)}, but here is {', '.join(map(str, names))}."
        )
    return found.pop()
