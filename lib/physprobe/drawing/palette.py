"""Colours and names of encoders and controls: the one table that every figure reads."""

from collections.abc import Iterable
from typing import NamedTuple

ENCODERS = {
    "small": "#0072B2",
    "small_causal": "#D55E00",
    "vjepa2_large": "#009E73",
    "vjepa2_huge": "#CC79A7",
    "vjepa2_giant": "#E69F00",
}
"""Okabe-Ito colours of the encoders that the config comes with."""
SPARE = ("#56B4E9", "#009E73", "#CC79A7", "#E69F00", "#0072B2", "#D55E00")
"""Colours of encoders that are not in the table, in the order of the study."""
GREYS = ("0.25", "0.38", "0.50", "0.60")
LINES = ((0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
MARKERS = ("s", "^", "v", "D", "P", "X", "<", ">", "h", "p")
NULL = "#F3E3C3"
"""What shuffled labels reach, as an area."""
CEILING = "#5E3C99"
"""What one tells who knows the equation, as a line with its interval."""
INK = "0.25"
MANNERS = ("untrained", "supervised", "fine-tuned")
"""How labels of encoders begin that are no networks trained without labels."""


class Look(NamedTuple):
    """How one encoder or control is drawn."""

    colour: str
    line: object
    marker: str
    width: float


def looks(encoders: Iterable[str], controls: Iterable[str]) -> dict[str, Look]:
    """Colour, line and marker by name: encoders in colour, controls in greys.

    A colour that has to serve again has another line and another marker.
    """
    names, spare = list(encoders), iter(SPARE * 4)
    taken = {ENCODERS[name] for name in names if name in ENCODERS}
    found: dict[str, Look] = {}
    for name in names:
        colour = ENCODERS.get(name) or next(c for c in spare if c not in taken or len(names) > 6)
        again = sum(look.colour == colour for look in found.values())
        found[name] = Look(colour, ("-", *LINES)[again], ("o", *MARKERS)[again], 2.0)
    for place, name in enumerate(controls):
        found[name] = Look(
            GREYS[place % len(GREYS)],
            LINES[place % len(LINES)],
            MARKERS[place % len(MARKERS)],
            1.3,
        )
    return found


def shown(name: str, description: str | None) -> str:
    """Name for people; an encoder with random weights says so, and one that was told labels.

    Parameters
    ----------
    name : str
        Config name.
    description : str or None
        What the encoder says about itself; random weights begin with ``untrained``.
    """
    text, said = name.replace("_", " "), _manner(description)
    return f"{text} ({said})" if said in MANNERS and said not in text else text


def random(description: str | None) -> bool:
    """Whether what an embedding says about itself is that its weights are random.

    A checkpoint's label is its hub id or folder, whatever that is called: ``untrained_no_more``.
    """
    return _manner(description) == MANNERS[0]


def told(description: str | None) -> bool:
    """Whether what an embedding says about itself is that its weights were told labels."""
    return _manner(description) in MANNERS[1:]


def _manner(description: str | None) -> str:
    return (description or "").partition(",")[0]
