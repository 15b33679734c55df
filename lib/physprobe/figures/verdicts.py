"""Figure: every claim of a study - its statistic with interval, its margin, and the verdict."""

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette

READS = "verdicts"
TITLE = "Claims and verdicts"
CAPTION = (
    "Each claim's statistic, as the line below it names it, with its 95 % interval; the upright"
    " tick is the margin that was declared. A claim is supported (green) if the whole interval is"
    " above its margin and its null is refuted, refuted (orange) if the interval is below, either"
    " among all claims of the study (Holm), and otherwise the data cannot tell (grey). Triangles:"
    " lower than is drawn. What has no interval is a share, or is undefined."
)
COLOURS = {"supported": "#009E73", "refuted": "#D55E00", "cannot tell": "0.5"}
FLOOR = -0.6  # lower values are written at the edge
CEILING = 2.0  # intervals that reach further run off the edge
WIDTH = 52  # letters of a statement's line


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of a study's verdicts: a row per claim and encoder."""
    kept = ("claim", "statement", "encoder", "label", "statistic", "value", "ci_low", "ci_high",
            "margin", "verdict", "note")  # fmt: skip
    lines = [{key: line[key] for key in kept} for line in result["claims"]]
    numbers = ("value", "ci_low", "ci_high", "margin")
    found = pd.DataFrame(lines, columns=list(kept)).astype(dict.fromkeys(numbers, float))
    words = ["statistic", "note"]
    return found.assign(**{name: found[name].astype(object).fillna("") for name in words})


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a line per claim and encoder.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    ax = part.subplots()
    for y, row in enumerate(frame.itertuples()):
        colour = COLOURS[row.verdict]
        if pd.notna(row.value):
            if pd.notna(row.ci_low):
                ends = np.maximum([row.ci_low, row.ci_high], FLOOR)
                ax.plot(ends, [y, y], color=colour, lw=2.2)
            if row.value < FLOOR:
                text = canvas.interval(row.value, np.nan, np.nan, digits=1)
                ax.annotate(
                    text, (FLOOR, y), (7, 4), textcoords="offset points", fontsize=7.5, color=colour
                )
            ax.plot(max(row.value, FLOOR), y, "<" if row.value < FLOOR else "o", color=colour, ms=6)
            ax.plot([row.margin, row.margin], [y - 0.3, y + 0.3], color=palette.INK, lw=1.2)
        ax.text(
            1.02, y, row.verdict, transform=ax.get_yaxis_transform(), va="center", color=colour,
            fontweight="bold",
        )  # fmt: skip
    ax.set_yticks(range(len(frame)), _told(frame), fontsize=8)
    ax.set_ylim(len(frame) - 0.5, -0.5)
    ax.axvline(0, color="0.85", lw=1, zorder=0)
    low, high = frame[["ci_low", "value", "margin"]].min().min(), frame["ci_high"].max()
    reach = 0.05 if pd.isna(high) else min(high, CEILING)
    top = max(reach, frame["value"].max(), frame["margin"].max())
    ax.set_xlim(max(FLOOR, min(0.0, low)) - 0.03, top + 0.03)
    ax.set_xlabel("statistic of the claim")
    ax.grid(axis="x", color="0.93")
    ax.tick_params(axis="y", length=0)
    handles = [Line2D([], [], marker="o", color=c, label=word) for word, c in COLOURS.items()]
    handles.append(Line2D([], [], marker="|", ls="", color=palette.INK, label="margin"))
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4)
    canvas.title(part, TITLE)
    canvas.note(part, "Bars: 95 % intervals. Upright ticks: margins, declared before the run.")


def _told(frame: pd.DataFrame) -> list[str]:
    """What is claimed in each line, of whom, and by which statistic."""
    several = frame["encoder"].nunique() > 1
    found = []
    for row in frame.itertuples():
        of = f"{palette.shown(row.encoder, row.label)}: " if several else ""
        parts = (row.statement, of + (row.statistic or row.note))
        found.append("\n".join(textwrap.fill(part, WIDTH) for part in parts))
    return found


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the claims as a figure of its own."""
    most = max(told.count("\n") + 1 for told in _told(frame))
    return canvas.alone(panel, frame, (9.5, 1.8 + (0.12 + 0.16 * most) * len(frame)))
