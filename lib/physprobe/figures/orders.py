"""Figure: skill by order in time, system by system: who needs more than one frame of history."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette
from physprobe.figures import _sides

NEEDS = ("dynamics",)
DESIGNS = ("together",)
TITLE = "Order in time"
CAPTION = (
    "Skill = 1 - SSE / SSE(persistence) of linear models with one, two and three frames of history,"
    " at equal parameter count and from equal starts, on held-out clips: one column per equation,"
    " and one for a single model of all of them; one row per encoder, pixels below. Bands are 95 %"
    " intervals by bootstrap over clips. A wave needs its velocity, and so two frames, where a"
    " diffusion does not; an embedding that holds the velocity already needs neither. An encoder"
    " that attends over the whole clip has seen the future: only a causal one forecasts."
)
LINES = {1: ("-", 2.2), 2: ("--", 1.8), 3: (":", 1.8)}


frame = _sides.orders


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw skill by horizon and order.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``system``, ``order``, ``horizon`` [tokens],
        ``time_step`` [s], ``value``, ``ci_low``, ``ci_high``; against persistence.
    """
    looks = canvas.looks(frame)
    systems = list(dict.fromkeys(frame["system"]))
    grid = part.subplots(len(looks), len(systems), sharex=True, sharey=True, squeeze=False)
    for line, name in zip(grid, looks, strict=True):
        for ax, system in zip(line, systems, strict=True):
            rows = frame[(frame["encoder"] == name) & (frame["system"] == system)]
            for order, (dashes, width) in LINES.items():
                own = rows[(rows["order"] == order) & rows["value"].notna()].sort_values("horizon")
                if own.empty:
                    continue
                colour, x = looks[name].colour, own.horizon
                ax.fill_between(x, own.ci_low, own.ci_high, color=colour, alpha=0.13, lw=0)
                ax.plot(x, own.value, color=colour, ls=dashes, lw=width)
            ax.axhline(0.0, color="0.25", lw=0.9, zorder=1)
        label = frame.loc[frame["encoder"] == name, "label"].iloc[0]
        line[0].set_ylabel(f"{label}\nskill")
    for ax, system in zip(grid[0], systems, strict=True):
        ax.set_title(system.replace("_", " "))
    for ax in grid[-1]:
        ax.set_xlabel(f"horizon [tokens of {frame.time_step.iloc[0]:g} s]")
        ax.xaxis.get_major_locator().set_params(integer=True)
    canvas.limits(grid[0, 0], np.r_[frame.value, frame.ci_low], floor=-0.5, top=1.0, lowest=-0.1)
    part.legend(
        handles=[
            Line2D([], [], color=palette.INK, ls=dashes, lw=width, label=f"order {order}")
            for order, (dashes, width) in LINES.items()
        ],
        loc="outside right center",
    )
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Against persistence, at equal parameter count and from equal starts. Bands: 95 % intervals"
        " by bootstrap over clips. Only a causal encoder forecasts.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw skill by order as a figure of its own."""
    rows, columns = frame["encoder"].nunique(), frame["system"].nunique()
    return canvas.alone(panel, frame, (2.4 + 2.9 * columns, 1.3 + 1.9 * rows))
