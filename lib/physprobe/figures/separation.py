"""Figure: which equation does a clip obey - how often each encoder and control is right."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, rungs
from physprobe.figures import _sides

NEEDS = ("probe",)
DESIGNS = ("together",)
TITLE = "Telling the equations apart"
CAPTION = (
    "Left, the share of held-out clips whose equation is told from their mean embedding (filled) or"
    " from each token time (open), of every encoder (colour) and control (grey). Bars are 95 %"
    " intervals by bootstrap over initial conditions, whose clips stay together in every split;"
    " ochre ticks are the 95th percentile of the null, labels permuted within initial conditions"
    " with the whole selection redone; the solid line is chance, the dotted one the best control."
    " Right, every held-out clip's log-odds from its mean embedding, by the equation that it obeys:"
    " a clip on the wrong side of 0 is told wrongly. What lies beyond the axis stands at its edge."
)
REACH = 12.0  # log-odds beyond this are certainty
COLOURS = ("#0072B2", "#D55E00", "#009E73")


frame = _sides.separation


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw accuracies on the left and log-odds on the right.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``item`` (accuracy or clip), ``sample``, ``equation``,
        ``value``, and for accuracies ``ci_low``, ``ci_high``, ``null_q95``.
    """
    looks = canvas.looks(frame)
    clips = frame[frame["item"] == "clip"]
    left, right = part.subplots(1, 2, sharey=True, squeeze=False, width_ratios=(1.0, 1.15))[0]
    told = frame[frame["item"] == "accuracy"]
    rungs.draw(left, told, looks)
    mine = clips.loc[clips["encoder"] == next(iter(looks)), "equation"]
    chance = mine.value_counts(normalize=True).max() if len(mine) else 0.5
    left.axvline(chance, color="0.45", lw=1, zorder=0)
    left.set_xlim(min(chance - 0.15, np.nanmin(np.r_[told.ci_low, told.value])) - 0.02, 1.02)
    left.set_xlabel("accuracy on held-out clips")
    equations = list(dict.fromkeys(clips["equation"]))
    rng = np.random.default_rng(0)
    for y, name in enumerate(looks):
        rows = clips[clips["encoder"] == name]
        for equation, colour in zip(equations, COLOURS, strict=False):
            values = rows.loc[rows["equation"] == equation, "value"].clip(-REACH, REACH)
            heights = y + rng.uniform(-0.3, 0.3, len(values))
            right.scatter(values, heights, s=5, color=colour, alpha=0.45, lw=0)
    right.axvline(0, color="0.35", lw=0.9)
    right.set_xlim(-REACH - 0.5, REACH + 0.5)
    if equations:
        first, last = sorted(equations)[0], sorted(equations)[-1]
        right.set_xlabel(f"log-odds of {last} against {first}, each held-out clip")
    right.legend(
        handles=[
            Line2D([], [], marker="o", ls="", ms=4, color=colour, label=f"obeys {equation}")
            for equation, colour in zip(equations, COLOURS, strict=False)
        ],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=3,
        borderaxespad=0.2,
    )
    right.tick_params(axis="y", length=0)
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Bars: 95 % intervals by bootstrap over initial conditions. Ochre: 95th percentile of the"
        " null (labels permuted within initial conditions, selection redone). Solid: chance."
        " Dotted: best control from the clip's mean." + canvas.topped(canvas.parted(told)[1]),
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw which equation clips obey as a figure of its own."""
    return canvas.alone(panel, frame, (12.0, 1.9 + 0.4 * frame["encoder"].nunique()))
