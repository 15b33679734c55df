"""Figure: the ladder of controls - what every encoder and every control decodes, with its null."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, rungs
from physprobe.figures import _frames

NEEDS = ("probe",)
TITLE = "Encoders on the ladder of controls"
CAPTION = (
    "Score of the label on held-out clips for every encoder (colour) and control (grey):"
    " filled markers read the clip's mean embedding, open ones each token time on its own. Bars are"
    " 95 % intervals by bootstrap over clips; ochre ticks are the 95th percentile of the null,"
    " permuted labels with the whole selection redone. The dotted line is the best control from the"
    " clip's mean: an encoder says something about the label only to the right of it. A dash-dotted"
    " line with a band is a ceiling: what one tells who knows the equation, through the same probe."
)
FLOOR = -0.5  # worse than this is written, not drawn


frame = _frames.ladder


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw the ladder.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``sample`` (clip or token), ``value``, ``ci_low``,
        ``ci_high``, ``null_q95``, ``target``, ``metric``; layer chosen inside the training clips.
    """
    _, tops = canvas.parted(frame)
    looks = canvas.looks(frame)
    ax = part.subplots()
    rungs.draw(ax, frame, looks, FLOOR)
    ax.set_xlabel(f"{canvas.scored(frame.iloc[0])} on held-out clips")
    low = max(FLOOR, min(-0.05, np.nanmin(np.r_[frame.ci_low, frame.null_q95])))
    ax.set_xlim(low - 0.03, 1.02)
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Bars: 95 % intervals by bootstrap over clips. Dotted: best control from the clip's mean."
        " Null: permuted labels, selection redone." + canvas.topped(tops),
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the ladder as a figure of its own."""
    return canvas.alone(panel, frame, (7.6, 1.9 + 0.36 * frame["encoder"].nunique()))
