"""Figure: by how much fluids change when they are solved in shorter steps, or on finer grids."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas

READS = "resolution"
TITLE = "Shorter steps, finer grids"
CAPTION = (
    "Of some trajectories of each fluid, by how much their fields differ from those that are solved"
    " in shorter steps (blue), or on a finer grid (orange), from one initial condition: root mean"
    " square over cells, over the deviation of each field, and over fields. Thin lines are single"
    " trajectories, which are all that there is of an interval, thick ones their root mean square;"
    " dashed and dotted lines are of more steps or cells, where there are any. A difference is the"
    " error of the coarser solution, as long as that of the finer one is much smaller. Where a flow"
    " forgets its start, differences grow, however small they begin."
)
LOOKS = {"steps": "#0072B2", "grid": "#D55E00"}
LINES = ("-", "--", ":")
LEAST = 1e-9  # nothing is drawn below, as a logarithm has no zero
COLUMNS = ("system", "fluid", "unit", "trajectory", "refined", "times", "most", "field", "time",
           "value")  # fmt: skip


def frame(*found: Mapping) -> pd.DataFrame:
    """Errors of every fluid, by time of all fields together, at the last time of each by itself."""
    parts = [
        pd.DataFrame(result["rows"]).assign(
            fluid=result["fluid"], unit=result["unit"], most=max(result["spec"]["finer"])
        )
        for result in found
    ]
    whole = pd.concat(parts, ignore_index=True)
    return whole[list(COLUMNS)].astype({"time": float, "value": float})


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a panel for each fluid.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    systems = list(dict.fromkeys(frame["system"]))
    axes = part.subplots(1, len(systems), sharey=True, squeeze=False)[0]
    drawn = frame[frame["field"] == "all"]
    for ax, system in zip(axes, systems, strict=True):
        _curves(ax, drawn[drawn["system"] == system])
        ax.set_title(system.replace("_", " "), loc="left", fontsize=10)
    axes[0].set_ylabel("difference over the fields' deviation")
    handles, labels = [], []
    for (way, times, most), _ in drawn.groupby(["refined", "times", "most"], sort=False):
        look = Line2D([], [], color=LOOKS[way], ls=_line(frame, times), lw=2)
        handles.append(look)
        labels.append(f"{way}: {times} x as many against {most} x")
    part.legend(handles, labels, loc="outside right upper", fontsize=8)
    canvas.title(part, TITLE)
    counts = drawn.groupby("system", sort=False)["trajectory"].nunique()
    several = ", ".join(f"{n} of {name.replace('_', ' ')}" for name, n in counts.items())
    canvas.note(
        part,
        f"Thin lines: single trajectories ({several}), which are all that there is of an interval;"
        " thick ones: their root mean square. Fields are kept in single precision, which rounds to"
        " about 1e-7.".replace("-", canvas.MINUS),
    )


def _line(frame: pd.DataFrame, times: int) -> str:
    known = sorted(frame["times"].unique())
    return LINES[min(known.index(times), len(LINES) - 1)]


def _curves(ax: Axes, frame: pd.DataFrame) -> None:
    """Curves of one fluid."""
    for (way, times), rows in frame.groupby(["refined", "times"], sort=False):
        colour, line = LOOKS[way], _line(frame, times)
        for _, own in rows.groupby("trajectory"):
            value = own["value"].where(own["value"] > LEAST)
            ax.plot(own["time"], value, color=colour, ls=line, lw=0.7, alpha=0.6)
        mean = np.sqrt((rows["value"] ** 2).groupby(rows["time"]).mean())
        ax.plot(mean.index, mean.where(mean > LEAST), color=colour, ls=line, lw=2)
    ax.set_yscale("log")
    unit = canvas.unit(frame["unit"].iloc[0]) or " [1]"
    ax.set_xlabel(f"time since the start{unit}")
    ax.grid(color="0.94")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the errors as a figure of their own."""
    return canvas.alone(panel, frame, (3.6 + 3.2 * frame["system"].nunique(), 4.0))
