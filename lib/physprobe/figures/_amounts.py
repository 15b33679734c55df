"""Amounts: how wrong probes are by the number of something, on logarithmic axes."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from physprobe.drawing import canvas, palette

METRICS = ("accuracy", "z_mse", "r2")
"""Scores that are drawn, the first that there is."""
MARKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
LEAST = 1e-4  # nothing is drawn below, as a logarithm has no zero
APART = 1.3  # of what has no number, beyond the largest one


def curves(
    ax: Axes,
    parts: Iterable[tuple[pd.DataFrame, str]],
    looks: Mapping[str, palette.Look],
    along: str,
) -> None:
    """Draw curves with their intervals.

    Parameters
    ----------
    ax : Axes
    parts : iterable of (DataFrame, str)
        Rows of each curve, and its name; it looks as the encoder of its largest number does.
    looks : mapping of str to Look
    along : str
        Column of the number.
    """
    for rows, name in parts:
        rows = rows.sort_values(along)
        look = looks[rows["encoder"].iloc[-1]]
        value, low, high = wrong(rows)
        ax.errorbar(
            rows[along], value, yerr=canvas.bars(low, value, high), color=look.colour,
            marker=look.marker, ls=look.line, ms=5, capsize=2, lw=1.4, label=name,
        )  # fmt: skip


def levels(
    ax: Axes, frame: pd.DataFrame, looks: Mapping[str, palette.Look], first: float, last: float
) -> None:
    """Draw what has no number as lines from the first number, and beyond the last one."""
    for place, row in enumerate(frame.index):
        own = frame.loc[[row]]
        (value,), (low,), (high,) = wrong(own)
        look, x = looks[own["encoder"].iloc[0]], last * APART ** (place + 1)
        ax.plot([first, x], [value, value], color=look.colour, ls=":", lw=0.9, zorder=1)
        ax.errorbar(
            x, value, yerr=canvas.bars([low], [value], [high]), fmt=look.marker, ms=4.5, capsize=2,
            color=look.colour, elinewidth=1.1, label=own["label"].iloc[0],
        )  # fmt: skip


def axes(ax: Axes, score: pd.Series, counts: pd.Series, label: str) -> None:
    """Scale and name both axes.

    Parameters
    ----------
    ax : Axes
    score : Series
        One of the rows: its ``metric`` and ``target``.
    counts : Series
        Numbers that are drawn, and
    label : str
        what they count.
    """
    named = "mean z-MSE of all targets" if score["target"] == "mean" else canvas.scored(score)
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel(label)
    minus = f"1 \N{MINUS SIGN} {named}"
    what = {"accuracy": f"named wrong: {minus}", "r2": f"unexplained: {minus}"}
    ax.set_ylabel(what.get(score["metric"], named))
    ticks = np.unique(counts.astype(int))
    ax.set_xticks(ticks, [f"{count:,}" for count in ticks])
    ax.minorticks_off()
    low, high = ax.get_ylim()
    classes = score["metric"] == "accuracy"
    marks = [mark for mark in (*MARKS, *(() if classes else (1, 2, 5))) if low <= mark <= high]
    ax.set_yticks(marks, [f"{100 * mark:g} %" if classes else f"{mark:g}" for mark in marks])
    ax.grid(color="0.93")


def wrong(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """How wrong, and from where to where, of scores of one metric."""
    value, low, high = (rows[key].astype(float) for key in ("value", "ci_low", "ci_high"))
    if rows["metric"].iloc[0] != "z_mse":
        value, low, high = 1 - value, 1 - high, 1 - low
    return value.clip(LEAST), low.clip(LEAST), high.clip(LEAST)
