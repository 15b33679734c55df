"""Figure: how well states that vary in time are decoded, encoders and controls side by side."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, rungs
from physprobe.figures import _frames

NEEDS = ("state",)
TITLE = "States, frame by frame"
CAPTION = (
    "R\N{SUPERSCRIPT TWO} of each state at the last frame of every token, on held-out clips, about"
    " the mean over clips at that time; layer and penalty chosen inside the training clips."
    " Encoders in colour, controls in grey. Bars are 95 % intervals; ochre ticks are the 95th"
    " percentile of the null, in which clips exchange their whole histories. Dotted: the best"
    " control."
)
FLOOR = -0.3
COLUMNS = 3


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Score of every encoder and control for each state, by the layer that is chosen."""
    evidence = study.in_time
    return _frames.table(
        {
            **_frames.about(study, name),
            **{key: found[key] for key in ("target", "metric", *_frames.SCORE)},
        }
        for name in study.names
        for found in evidence.probes.rows(name, layer="selected", metric="r2", time=None)
        if found["value"] is not None
    )


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a column for each state.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``target``, ``value``, ``ci_low``, ``ci_high``,
        ``null_q95``.
    """
    looks = canvas.looks(frame)
    targets = list(dict.fromkeys(frame["target"]))
    columns = min(COLUMNS, len(targets))
    grid = part.subplots(-(-len(targets) // columns), columns, sharey=True, squeeze=False)
    for ax, target in zip(grid.flat, targets, strict=False):
        rows = frame[frame["target"] == target].set_index("encoder")
        for y, name in enumerate(looks):
            if name not in rows.index:
                continue
            row = rows.loc[name]
            value = max(row.value, FLOOR)
            shape = "<" if row.value < FLOOR else looks[name].marker
            ends = np.maximum([row.ci_low, row.ci_high], FLOOR)
            ax.plot(ends, [y, y], color=looks[name].colour, lw=1.4)
            ax.plot(value, y, shape, color=looks[name].colour, ms=5)
            if row.null_q95 >= FLOOR:
                ax.plot([row.null_q95] * 2, [y - 0.3, y + 0.3], color=rungs.OCHRE, lw=2)
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
    part.legend(
        handles=[
            Line2D([], [], marker="|", ls="", ms=9, mew=2, color=rungs.OCHRE, label="null, 95 %")
        ],
        loc="outside upper right",
    )


def _named(target: str) -> str:
    """A state as people read it."""
    form, _, state = target.partition("_")
    words = {"sincos": f"{state} (sine and cosine)", "log": f"log {state}"}.get(form, target)
    return words.replace("_", " ")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw states as a figure of its own."""
    rows = -(-frame["target"].nunique() // COLUMNS)
    return canvas.alone(
        panel, frame, (11.0, 1.1 + rows * (1.0 + 0.24 * frame["encoder"].nunique()))
    )
