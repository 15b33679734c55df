"""Figure: film strip of clips that start alike, one of each system."""

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _sides, filmstrip

NEEDS = ("probe",)
DESIGNS = ("together",)
FILMS = True
TITLE = "Same start, different law"
CAPTION = (
    "Frames of clips that start from the same pattern and obey different equations, as rendered;"
    " time in seconds (one frame is one time unit), position in pixels."
)


frame = _sides.counterparts


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw the film strip.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``note`` (system and clip), ``time`` [s] and ``image`` (y, x, rgb) uint8.
    """
    filmstrip.strip(part, frame)
    canvas.title(part, TITLE)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the film strip as a figure of its own."""
    return canvas.alone(panel, frame, filmstrip.size(frame))
