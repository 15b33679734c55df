"""Figure: held-out predictions against true values, one panel per encoder and control."""

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, palette
from physprobe.figures import _frames

NEEDS = ("probe",)
TITLE = "Held-out predictions"
CAPTION = (
    "Each dot is a clip that the fit never saw, predicted from its mean embedding, with layer,"
    " scaling and ridge strength chosen inside the training clips. Squares are means over clips of"
    " similar true value; their bars, and the brackets behind R\N{SUPERSCRIPT TWO}, are 95 %"
    " intervals by bootstrap over clips. The line is the identity; encoders are in colour, controls"
    " in grey. The note names the ceiling: R\N{SUPERSCRIPT TWO} of who knows the equation."
)
COLUMNS = 6


frame = _frames.predicted


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw predictions.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``item`` (clip, bin or score), ``truth``, ``value``,
        ``ci_low``, ``ci_high``, for the score R2; ``target`` and its ``unit``.
    """
    frame, tops = canvas.parted(frame)
    looks = canvas.looks(frame)
    columns = min(COLUMNS, len(looks))
    grid = part.subplots(
        math.ceil(len(looks) / columns), columns, sharex=True, sharey=True, squeeze=False
    )
    clips = frame[frame["item"] == "clip"]
    edge = 0.06 * np.ptp(clips.truth)
    ends = np.array([clips.truth.min() - edge, clips.truth.max() + edge])
    reach = 0.35 * np.ptp(ends)
    for ax, name in zip(grid.flat, looks, strict=False):
        _one(ax, frame[frame["encoder"] == name], looks[name], ends, reach)
    for ax in grid.flat[len(looks) :]:
        ax.remove()
    target, unit = frame["target"].iloc[0].replace("_", " "), canvas.unit(frame["unit"].iloc[0])
    for column in range(columns):
        last = max(row for row in range(len(grid)) if row * columns + column < len(looks))
        grid[last, column].set_xlabel(f"true {target}{unit}")
        grid[last, column].tick_params(labelbottom=True)
    for row in grid:
        row[0].set_ylabel(f"predicted{unit}")
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Dots: held-out clips. Squares: means over clips of similar true value. Bars and brackets:"
        " 95 % intervals by bootstrap over clips. Line: identity. Controls in grey." + _told(tops),
    )


def _told(tops: pd.DataFrame) -> str:
    """R2 of ceilings, in words: a line at a score has no place here."""
    return "".join(
        f" Ceiling, {row.label}: R\N{SUPERSCRIPT TWO}"
        f" {canvas.interval(row.value, row.ci_low, row.ci_high, 3)}."
        for row in tops[tops["item"] == "score"].itertuples()
    )


def _one(ax: Axes, frame: pd.DataFrame, look: palette.Look, ends: np.ndarray, reach: float) -> None:
    clip, mean = frame[frame["item"] == "clip"], frame[frame["item"] == "bin"]
    low, high = ends[0] - reach, ends[1] + reach
    inside = clip.value.between(low, high)
    ax.plot(ends, ends, color="0.55", lw=0.9, zorder=1)
    ax.scatter(
        clip.truth,
        clip.value.clip(low, high),
        s=8 if len(clip) > 40 else 16,
        color=look.colour,
        alpha=0.5,
        lw=0,
        zorder=2,
    )
    ax.errorbar(
        mean.truth,
        mean.value,
        yerr=canvas.bars(mean.ci_low, mean.value, mean.ci_high),
        fmt="s",
        ms=3.2,
        color="black",
        ecolor="black",
        elinewidth=1.0,
        capsize=2,
        zorder=3,
    )
    ax.set_xlim(*ends)
    ax.set_ylim(low - 0.02 * reach, high + 0.02 * reach)
    score = frame[frame["item"] == "score"].iloc[0]
    r2 = f"R\N{SUPERSCRIPT TWO} {canvas.interval(score.value, score.ci_low, score.ci_high)}"
    name = score.label.replace(" (", "\n(")
    colour = look.colour if score.role == "encoder" else palette.INK
    ax.set_title(f"{name}\n{r2}", color=colour)
    if not inside.all():
        outside = f"{(~inside).sum()} outside, at the edge"
        ax.text(0.97, 0.02, outside, transform=ax.transAxes, ha="right", fontsize=8, style="italic")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw predictions as a figure of their own."""
    count = canvas.parted(frame)[0]["encoder"].nunique()
    columns = min(COLUMNS, count)
    width = max(6.0, 1.9 * columns)
    return canvas.alone(panel, frame, (width, 1.1 + 2.2 * math.ceil(count / columns)))
