"""Figures without global state: style, standalone figures, notes and intervals in one manner."""

import io
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatterSciNotation
from numpy.typing import ArrayLike

from physprobe.drawing import palette

MINUS = "\N{MINUS SIGN}"
METRICS = {"r2": "R\N{SUPERSCRIPT TWO}", "z_mse": "z-MSE"}
RAISED = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)
DASHED: Any = (0, (7, 1.5, 1.5, 1.5))
NEAR = 10
"""Times less than any other error: below that a ceiling is told, not drawn."""
TOP = palette.Look(palette.CEILING, DASHED, "", 1.4)
"""Look of a ceiling that is a curve."""
NOTHING = "nothing is defined that could be drawn"
STYLE = Path(__file__).with_name("physprobe.mplstyle")


class Row(Protocol):
    """A score with its interval, as a row of a frame has it."""

    value: float
    ci_low: float
    ci_high: float


def alone(panel: Callable, frame: pd.DataFrame, size: tuple[float, float]) -> Figure:
    """Draw one panel as a figure of its own.

    Parameters
    ----------
    panel : callable
        Draws on a figure or subfigure.
    frame : DataFrame
        What it draws.
    size : (width, height)
        In inches.
    """
    with matplotlib.rc_context(fname=STYLE):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        panel(figure, frame)
    return figure


def nothing(title: str) -> Figure:
    """A figure that says that there is nothing to draw."""
    with matplotlib.rc_context(fname=STYLE):
        figure = Figure(figsize=(6.0, 1.2), layout="constrained")
        figure.text(0.02, 0.5, f"{title}: {NOTHING}", va="center", color="0.35")
    return figure


def encoded(
    figure: Figure, title: str = "", caption: str = "", forms: Sequence[str] = ("png", "svg")
) -> list[bytes]:
    """Encode a figure, the same bytes for the same figure; its metadata say what it is.

    Letters of the SVG are outlines, so that they need no font; they are laid out for themselves.

    Parameters
    ----------
    figure : Figure
    title, caption : str
        For the metadata.
    forms : sequence of str
        ``png``, ``svg``.

    Returns
    -------
    list of bytes
        By form.
    """
    for axis in figure.findobj(Axis):
        if isinstance(axis.get_major_formatter(), LogFormatterSciNotation):
            axis.set_major_formatter(_Powers())
        if isinstance(axis.get_minor_formatter(), LogFormatterSciNotation):
            axis.set_minor_formatter(_Powers(labelOnlyBase=False))
    made: dict[str, dict[str, str | None]] = {
        "png": {"Software": "physprobe"},
        "svg": {"Creator": "physprobe", "Date": None},
    }
    found = []
    with matplotlib.rc_context(fname=STYLE):
        for form in forms:
            buffer = io.BytesIO()
            figure.savefig(
                buffer, format=form, metadata=made[form] | {"Title": title, "Description": caption}
            )
            found.append(buffer.getvalue())
    return found


class _Powers(LogFormatterSciNotation):
    """Powers of ten as letters, not as a formula, which no text is taken for."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Label of a tick."""
        text = super().__call__(x, pos).replace(r"\times", "\N{MULTIPLICATION SIGN}")
        raised = re.sub(r"\^\{([^}]*)\}", lambda power: power[1].translate(RAISED), text)
        return re.sub(r"\\mathdefault|[${}]", "", raised)


def title(part: FigureBase, text: str) -> None:
    """Title of a panel, on the left."""
    part.suptitle(text, x=0.01, ha="left")


def note(part: FigureBase, text: str) -> None:
    """Write what intervals and lines mean under a panel, wrapped to its width."""
    whole: Any = part  # of figures and subfigures alike; their base class has no box
    inches = whole.bbox.width / whole.get_figure(root=True).dpi
    lines = textwrap.fill(text, max(24, int(inches * 15.2)))
    part.supxlabel(lines, x=0.01, ha="left", fontsize=8, color="0.35")


def looks(frame: pd.DataFrame) -> dict[str, palette.Look]:
    """Look of every encoder and control of a frame."""
    names = {
        role: frame.loc[frame.role == role, "encoder"].unique() for role in ("encoder", "control")
    }
    return palette.looks(names["encoder"], names["control"])


def parted(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of encoders and controls, and those of ceilings."""
    top = frame["role"] == "ceiling"
    return frame[~top], frame[top]


def ceilings(ax: Axes, rows: pd.DataFrame, *, upright: bool = False) -> list[Line2D]:
    """Draw ceilings as lines across a panel, with their intervals as bands.

    Parameters
    ----------
    ax : Axes
        Scores go along y, or along x if lines are to be upright.
    rows : DataFrame
        ``label``, ``value``, ``ci_low``, ``ci_high``: a line for each.
    upright : bool

    Returns
    -------
    list of Line2D
        For a legend; they have labels of their own, too.
    """
    found = []
    for row in rows[rows["value"].notna()].itertuples():
        band, line = (ax.axvspan, ax.axvline) if upright else (ax.axhspan, ax.axhline)
        if np.isfinite(row.ci_low) and np.isfinite(row.ci_high):
            band(row.ci_low, row.ci_high, color=palette.CEILING, alpha=0.18, lw=0, zorder=0)
        label = f"ceiling: {row.label}"
        found.append(
            line(row.value, zorder=1, label=label, color=palette.CEILING, lw=1.4, ls=DASHED)
        )
    return found


def below(ax: Axes, errors: pd.Series) -> None:
    """Tell errors of ceilings by label that are too small to be drawn, in a corner."""
    for place, (label, error) in enumerate(errors.items()):
        ax.text(
            0.02, 0.02 + 0.06 * place, f"ceiling, below: {label}, {error:.0e}",
            transform=ax.transAxes, fontsize=7, color=palette.CEILING,
        )  # fmt: skip


def topped(rows: pd.DataFrame) -> str:
    """What a note says of ceilings, if there are some."""
    if rows.empty:
        return ""
    return " Dash-dotted with band: ceiling, told from the same clips by who knows the equation."


def names(frame: pd.DataFrame) -> list[str]:
    """Encoders first, then controls, in the study's order."""
    known = looks(frame)
    return list(known)


def scored(of: Mapping[str, str] | pd.Series) -> str:
    """A score for people, from its ``metric`` and ``target``: ``R\N{SUPERSCRIPT TWO} of alpha``."""
    return f"{METRICS.get(of['metric'], of['metric'])} of {of['target'].replace('_', ' ')}"


def unit(text: str, around: str = "[{}]") -> str:
    """`` [px\N{SUPERSCRIPT TWO}/s]`` of ``px^2/s``; nothing of 1."""
    raised = re.sub(r"\^(-?\d+)", lambda power: power[1].translate(RAISED), text)
    return "" if text == "1" else " " + around.format(raised)


def bars(low: ArrayLike, value: ArrayLike, high: ArrayLike) -> np.ndarray:
    """Lengths (2, ...) of error bars; none is negative, even where the value is outside."""
    low, value, high = (np.asarray(part, float) for part in (low, value, high))
    return np.nan_to_num(np.clip([value - low, high - value], 0.0, None))


def limits(
    ax: Axes, values: pd.Series | np.ndarray, floor: float, top: float, lowest: float = 0.0
) -> None:
    """Span the y axis over the values, but not below a floor; say so where something is cut off."""
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    least = min(finite.min(initial=lowest), lowest)
    bottom = max(least, floor)
    ax.set_ylim(bottom - 0.04 * (top - bottom), top + 0.02 * (top - bottom))
    if least < floor:
        ax.text(
            0.99, 0.02, f"cut off below {floor:g}".replace("-", MINUS), transform=ax.transAxes,
            ha="right", va="bottom", fontsize=8, style="italic", color="0.4",
        )  # fmt: skip


def interval(value: float, low: float, high: float, digits: int = 2) -> str:
    """``0.87 [0.81, 0.91]``, or a dash."""
    if not np.isfinite(value):
        return "\N{EN DASH}"
    text = f"{value:.{digits}f}".replace("-", MINUS)
    if np.isfinite(low) and np.isfinite(high):
        text += f" [{low:.{digits}f}, {high:.{digits}f}]".replace("-", MINUS)
    return text
