"""Axes: what the dimensions of a tensor are, written as ``b (t h w) d``.

Letters: b clips or windows, t times, c colours, h and w rows and columns, d features. What stands
in brackets runs along one dimension together, the last letter fastest.
"""

import re
from collections.abc import Mapping
from math import isqrt, prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

Axes = tuple[tuple[str, ...], ...]
"""Letters of each dimension."""
TERM = re.compile(r"\(([a-z](?: [a-z])*)\)|([a-z])")


def parsed(text: str, letters: str, needed: str) -> Axes:
    """Dimensions that a text names.

    Parameters
    ----------
    text : str
        Such as ``b (t h w) d``.
    letters : str
        Those that may occur.
    needed : str
        Those that have to.

    Raises
    ------
    ValueError
        If it is no such text.
    """
    words = " ".join(text.split())
    found = tuple(tuple((a or b).split()) for a, b in TERM.findall(words))
    again = " ".join(f"({' '.join(axis)})" if len(axis) > 1 else axis[0] for axis in found)
    flat = [letter for axis in found for letter in axis]
    if again != words.replace("( ", "(").replace(" )", ")"):
        raise ValueError(f"{text!r} are no axes; write letters with spaces between, as b (t h w) d")
    for letter in flat:
        if letter not in letters:
            raise ValueError(
                f"{letter!r} in {text!r} is no axis; those here are {' '.join(letters)}"
            )
    missing = [letter for letter in needed if letter not in flat]
    if missing or len(set(flat)) < len(flat):
        what = f"{missing[0]!r} is missing" if missing else "a letter stands twice"
        raise ValueError(f"{what} in {text!r}")
    return found


def arranged(frames: "Tensor", axes: Axes) -> "Tensor":
    """Frames (window, time, rgb, y, x) with their dimensions in another order.

    Parameters
    ----------
    frames : Tensor
    axes : Axes
        Of ``b t c h w``, each once.
    """
    order = [letter for axis in axes for letter in axis]
    moved = frames.permute(*("btchw".index(letter) for letter in order))
    sizes = dict(zip("btchw", frames.shape, strict=True))
    return moved.reshape([prod(sizes[letter] for letter in axis) for axis in axes])


def tokens(
    values: "Tensor", axes: Axes, known: Mapping[str, int], *, prefix: int, wide: float
) -> "Tensor":
    """What a module gives, as (window, time, y, x, feature).

    Parameters
    ----------
    values : Tensor
    axes : Axes
        Of some of ``b t h w d``; those that it hasn't have length 1.
    known : mapping of str to int
        Lengths of ``b`` and ``t``.
    prefix : int
        Tokens in front of those along rows or columns, such as a class token; they are left out.
    wide : float
        Width of a frame by its height, for ``h w`` in brackets.

    Raises
    ------
    ValueError
        If the dimensions are others; the message says what was found and what was expected.
    """
    if values.ndim != len(axes):
        raise ValueError(f"{values.ndim} dimensions, where {written(axes)} are {len(axes)}")
    sizes = {letter: 1 for letter in "thw" if not any(letter in axis for axis in axes)}
    sizes.update(known)
    if not any("t" in axis for axis in axes) and known["t"] != 1:
        raise ValueError(f"no times, where there are {known['t']}: {written(axes)} has no t")
    for place, axis in enumerate(axes):
        if prefix and {"h", "w"} & set(axis):
            values = values.narrow(place, prefix, max(values.shape[place] - prefix, 0))
            prefix = 0
        length = values.shape[place]
        unknown = [letter for letter in axis if letter not in sizes]
        rest, left = divmod(length, prod(sizes[letter] for letter in axis if letter in sizes))
        if left or not rest or (rest > 1 and not unknown):
            told = " x ".join(f"{sizes[x]} {x}" if x in sizes else x for x in axis)
            raise ValueError(f"{length} along {' '.join(axis)}, expected {told}")
        sizes |= _split(unknown, rest, wide)
    flat = [letter for axis in axes for letter in axis]
    apart = values.reshape([sizes[letter] for letter in flat])
    apart = apart.reshape([*apart.shape, *(1 for letter in "thw" if letter not in flat)])
    flat += [letter for letter in "thw" if letter not in flat]
    return apart.permute(*(flat.index(letter) for letter in "bthwd"))


def written(axes: Axes) -> str:
    """Axes as they are written."""
    return " ".join(f"({' '.join(axis)})" if len(axis) > 1 else axis[0] for axis in axes)


def _split(unknown: list[str], length: int, wide: float) -> dict[str, int]:
    """Lengths of axes that run along one dimension; of rows and columns as frames have them."""
    if len(unknown) < 2:
        return dict.fromkeys(unknown, length)
    if sorted(unknown) != ["h", "w"]:
        raise ValueError(f"{length} along {' '.join(unknown)}, which can't be told apart")
    rows = max(1, isqrt(round(length / wide)))
    if rows * round(rows * wide) != length:
        raise ValueError(
            f"{length} along h w, which aren't rows and columns of a frame {wide:g} times as wide"
            " as high"
        )
    return {"h": rows, "w": length // rows}
