"""Report's contract: what every figure of this folder offers."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


class Kind(Protocol):
    """A figure: rows, a picture of them, and what people have to know to read it.

    A module is one by having these names. What it draws by itself is declared in a stage's
    ``commands.py``.
    """

    TITLE: str
    CAPTION: str
    """What is drawn and what its intervals are: the one place where it is said."""
    READS: str | None = None
    """Schema of the results, or name of the tables, that it is of; none if it is of a study's
    evidence."""
    NEEDS: tuple[str, ...] = ()
    """Of evidence: roles of the methods that a study has to fit to have this figure."""
    DESIGNS: tuple[str, ...] = ("plain",)
    """Of evidence: designs of the studies that have it."""
    FILMS: bool = False
    """Whether it shows clips."""
    ABROAD: bool = False
    """Of evidence: whether it is of studies alone one of whose methods shows another system."""
    CLEAN: bool = False
    """Of evidence: whether it is of studies alone whose decoder draws other frames than were
    embedded; those have no other figure of a decoder."""
    FIELD: str | None = None
    """Of evidence: field that the study's systems have to have, such as a fluid; by default any."""
    SHARES: bool = False
    """Of evidence: whether it is of studies alone some of whose encoders were trained on a share of
    the groups that there are."""
    BESIDE: tuple[str, ...] = ()
    """Files of this folder that it takes after its sources, or after the evidence."""
    COLUMNS: tuple[str, ...] = ()
    """Columns of the tables that it is of."""
    frame: "Callable[..., DataFrame]"
    """From the content of its sources to the DataFrame that is drawn."""
    figure: "Callable[[DataFrame], Figure]"
    """From that to the Figure."""
