"""Rungs: one line per encoder and control, its scores with intervals and nulls upon it."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette

OCHRE = "#C9A24B"
SHIFTS = {"clip": -0.17, "token": 0.17}


def draw(
    ax: Axes, frame: pd.DataFrame, looks: dict[str, palette.Look], floor: float = -np.inf
) -> None:
    """Draw every score on its rung, with its null, the best control, and what the marks mean.

    Parameters
    ----------
    ax : Axes
        The caller gives it its limits and its label.
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``sample`` (clip or token), ``value``, ``ci_low``,
        ``ci_high``, ``null_q95``.
    looks : dict of str to Look
        Of the rungs, from above; ceilings are lines across them.
    floor : float
        A score below it is written, not drawn.
    """
    for y, name in enumerate(looks):
        for sample, shift in SHIFTS.items():
            rows = frame[(frame["encoder"] == name) & (frame["sample"] == sample)]
            rows = rows[rows.value.notna()]
            if not rows.empty:
                _score(ax, y + shift, rows.iloc[0], looks[name], floor)
    best = frame[(frame["role"] == "control") & (frame["sample"] == "clip")].value.max()
    if np.isfinite(best):
        ax.axvline(best, color="0.45", lw=1, ls=":", zorder=0)
    tops = canvas.ceilings(ax, canvas.parted(frame[frame["sample"] == "clip"])[1], upright=True)
    named = frame.drop_duplicates("encoder").set_index("encoder")
    ax.set_yticks(range(len(looks)), [named.label.get(name, name) for name in looks])
    for tick, name in zip(ax.get_yticklabels(), looks, strict=True):
        if named.role.get(name) == "encoder":
            tick.set(color=looks[name].colour, fontweight="bold")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(looks) - 0.4, -0.6)
    ax.grid(axis="x", color="0.92")
    ax.legend(
        handles=[
            Line2D([], [], marker="o", ls="", color=palette.INK, label="clip mean"),
            Line2D([], [], marker="o", ls="", color=palette.INK, mfc="white", label="each token"),
            Line2D([], [], marker="|", ls="", ms=9, mew=2, color=OCHRE, label="null, 95 %"),
            *tops,
        ],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=3 + len(tops),
        columnspacing=1.2,
        handletextpad=0.3,
        borderaxespad=0.2,
    )


def _score(ax: Axes, y: float, row: pd.Series, look: palette.Look, floor: float) -> None:
    if row.value < floor:
        beyond = canvas.interval(row.value, row.ci_low, row.ci_high)
        text = f"\N{BLACK LEFT-POINTING SMALL TRIANGLE} {row['sample']}: {beyond}"
        ax.annotate(
            text, (0.01, y), xycoords=("axes fraction", "data"), va="center", fontsize=7.5,
            color=look.colour,
        )  # fmt: skip
        return
    ax.errorbar(
        row.value,
        y,
        xerr=canvas.bars([row.ci_low], [row.value], [row.ci_high]),
        fmt=look.marker,
        color=look.colour,
        mfc=look.colour if row["sample"] == "clip" else "white",
        ms=5.5 if row.role == "encoder" else 4.5,
        capsize=2,
        elinewidth=1.3,
    )
    ax.plot([row.null_q95] * 2, [y - 0.15, y + 0.15], color=OCHRE, lw=2)
