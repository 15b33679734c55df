"""Figure: how well states that vary in time are decoded, encoders and controls side by side."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, rungs
from physprobe.figures import _frames
from physprobe.store import results

NEEDS = ("state",)
TITLE = "States, frame by frame"
CAPTION = (
    "R\N{SUPERSCRIPT TWO} of each state at the last frame of every token, on held-out clips, about"
    " the mean over clips at that time; layer, penalty, width and epochs chosen inside the training"
    " clips. Filled: a linear probe; open, below it: a small MLP, where one is fitted."
    " Encoders in colour, controls in grey. Bars are 95 % intervals; ochre ticks are the 95th"
    " percentile of the null, in which clips exchange their whole histories. Dotted: the best"
    " control."
)
FLOOR = -0.3
COLUMNS = 3
PROBES = {"states": "linear probe", "states_mlp": "small MLP"}


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Score of every encoder and control for each state by each probe, layer chosen inside."""
    return _frames.table(
        {
            **_frames.about(study, name),
            "probe": results.first(fits)["spec"]["kind"],
            **{key: found[key] for key in ("method", "target", "metric", *_frames.SCORE)},
        }
        for name in study.names
        for fits in study.each("state").values()
        if name in fits
        for found in fits.rows(name, layer="selected", metric="r2", time=None)
        if found["value"] is not None
    )


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a column for each state.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``probe``, ``method``, ``target``, ``value``,
        ``ci_low``, ``ci_high``, ``null_q95``.
    """
    looks = canvas.looks(frame)
    targets = list(dict.fromkeys(frame["target"]))
    place = {name: number for number, name in enumerate(dict.fromkeys(frame["method"]))}
    columns = min(COLUMNS, len(targets))
    grid = part.subplots(-(-len(targets) // columns), columns, sharey=True, squeeze=False)
    for ax, target in zip(grid.flat, targets, strict=False):
        rows = frame[frame["target"] == target].set_index("encoder")
        for row in rows.itertuples():
            y = list(looks).index(row.Index) + 0.36 * ((place[row.method] + 0.5) / len(place) - 0.5)
            colour, linear = looks[row.Index].colour, row.probe == "states"
            value = max(row.value, FLOOR)
            shape = "<" if row.value < FLOOR else looks[row.Index].marker
            ends = np.maximum([row.ci_low, row.ci_high], FLOOR)
            ax.plot(ends, [y, y], color=colour, lw=1.4)
            ax.plot(value, y, shape, color=colour, ms=5, mfc=colour if linear else "white")
            if row.null_q95 >= FLOOR:
                reach = 0.3 / len(place)
                ax.plot([row.null_q95] * 2, [y - reach, y + reach], color=rungs.OCHRE, lw=2)
        best = rows[rows["role"] == "control"]["value"].max()
        if np.isfinite(best):
            ax.axvline(max(best, FLOOR), color="0.45", lw=1, ls=":", zorder=0)
        ax.set_title(_named(target), fontsize=9, loc="left")
        ax.set_xlim(FLOOR - 0.03, 1.02)
        ax.set_ylim(len(looks) - 0.4, -0.6)
        ax.grid(axis="x", color="0.92")
    for ax in grid.flat[len(targets) :]:
        ax.remove()
    for column in range(columns):
        last = max(r for r in range(len(grid)) if r * columns + column < len(targets))
        grid[last, column].set_xlabel("R\N{SUPERSCRIPT TWO} on held-out clips")
        grid[last, column].tick_params(labelbottom=True)
    named = frame.drop_duplicates("encoder").set_index("encoder")
    for row in grid:
        row[0].set_yticks(range(len(looks)), [named.label[name] for name in looks], fontsize=8)
        row[0].tick_params(axis="y", length=0)
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Bars: 95 % intervals. Ochre: 95th percentile of the null. Dotted: best control. Triangles:"
        " lower than is drawn.",
    )
    drawn = {"states": "0.2", "states_mlp": "white"}
    handles = [
        Line2D([], [], marker="o", ls="", ms=5, color="0.2", mfc=drawn[kind], label=PROBES[kind])
        for kind in drawn
        if len(place) > 1 and kind in set(frame["probe"])
    ]
    null = Line2D([], [], marker="|", ls="", ms=9, mew=2, color=rungs.OCHRE, label="null, 95 %")
    part.legend(handles=[*handles, null], loc="outside upper right", ncols=len(handles) + 1)


def _named(target: str) -> str:
    """A state as people read it."""
    form, _, state = target.partition("_")
    words = {"sincos": f"{state} (sine and cosine)", "log": f"log {state}"}.get(form, target)
    return words.replace("_", " ")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw states as a figure of its own."""
    rows = -(-frame["target"].nunique() // COLUMNS)
    line = (0.16 + 0.08 * frame["method"].nunique()) * frame["encoder"].nunique()
    return canvas.alone(panel, frame, (11.0, 1.1 + rows * (1.0 + line)))
