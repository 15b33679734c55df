"""Figure: which equation does a clip obey - how often each encoder and control is right."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.report import _axes, _palette

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
OCHRE = "#C9A24B"
REACH = 12.0  # log-odds beyond this are certainty
COLOURS = ("#0072B2", "#D55E00", "#009E73")


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw accuracies on the left and log-odds on the right.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``item`` (accuracy or clip), ``sample``, ``equation``,
        ``value``, and for accuracies ``ci_low``, ``ci_high``, ``null_q95``.
    """
    looks = _axes.looks(frame)
    clips = frame[frame["item"] == "clip"]
    left, right = part.subplots(1, 2, sharey=True, squeeze=False, width_ratios=(1.0, 1.15))[0]
    _accuracies(left, frame[frame["item"] == "accuracy"], looks)
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
    _axes.title(part, TITLE)
    _axes.note(
        part,
        "Bars: 95 % intervals by bootstrap over initial conditions. Ochre: 95th percentile of the"
        " null (labels permuted within initial conditions, selection redone). Solid: chance."
        " Dotted: best control from the clip's mean.",
    )


def _accuracies(ax: Axes, frame: pd.DataFrame, looks: dict[str, _palette.Look]) -> None:
    for y, name in enumerate(looks):
        for sample, shift in (("clip", -0.17), ("token", 0.17)):
            rows = frame[(frame["encoder"] == name) & (frame["sample"] == sample)]
            if rows.empty:
                continue
            row, look = rows.iloc[0], looks[name]
            ax.errorbar(
                row.value,
                y + shift,
                xerr=_axes.bars([row.ci_low], [row.value], [row.ci_high]),
                fmt=look.marker,
                color=look.colour,
                mfc=look.colour if sample == "clip" else "white",
                ms=5.5 if row.role == "encoder" else 4.5,
                capsize=2,
                elinewidth=1.3,
            )
            ax.plot([row.null_q95] * 2, [y + shift - 0.15, y + shift + 0.15], color=OCHRE, lw=2)
    best = frame[(frame["role"] == "control") & (frame["sample"] == "clip")].value.max()
    if np.isfinite(best):
        ax.axvline(best, color="0.45", lw=1, ls=":", zorder=0)
    ax.axvline(0.5, color="0.45", lw=1, zorder=0)
    named = frame.drop_duplicates("encoder").set_index("encoder")
    ax.set_yticks(range(len(looks)), [named.label.get(name, name) for name in looks])
    for tick, name in zip(ax.get_yticklabels(), looks, strict=True):
        if named.role.get(name) == "encoder":
            tick.set(color=looks[name].colour, fontweight="bold")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(looks) - 0.4, -0.6)
    ax.grid(axis="x", color="0.92")
    ax.set_xlim(min(0.35, np.nanmin(np.r_[frame.ci_low, frame.value])) - 0.02, 1.02)
    ax.set_xlabel("accuracy on held-out clips")
    ax.legend(
        handles=[
            Line2D([], [], marker="o", ls="", color=_palette.INK, label="clip mean"),
            Line2D([], [], marker="o", ls="", color=_palette.INK, mfc="white", label="each token"),
            Line2D([], [], marker="|", ls="", ms=9, mew=2, color=OCHRE, label="null, 95 %"),
        ],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=3,
        columnspacing=1.2,
        handletextpad=0.3,
        borderaxespad=0.2,
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw which equation clips obey as a figure of its own."""
    return _axes.alone(panel, frame, (12.0, 1.9 + 0.4 * frame["encoder"].nunique()))
