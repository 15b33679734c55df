"""Sheet: several panels as one figure, row by row."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType

import matplotlib
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from physprobe.drawing import canvas

WIDTH = 15.0
Height = Callable[[Mapping[str, pd.DataFrame]], float]
Row = tuple[Sequence[tuple[str, float]], float | Height]
"""Panels with their share of the width; the height in inches, or what it follows from."""


def compose(
    frames: Mapping[str, pd.DataFrame],
    heading: str,
    panels: Mapping[str, ModuleType],
    rows: Sequence[Row],
) -> Figure:
    """Draw panels row by row; one with nothing to show is left out.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        By name of the panel.
    heading : str
        Study, number of clips, and whether the encoder is untrained.
    panels : mapping of str to module
        What draws each panel.
    rows : sequence of Row
    """
    there = {name for name, frame in frames.items() if len(frame)}
    kept = [
        (
            [cell for cell in cells if cell[0] in there],
            height(frames) if callable(height) else height,
        )
        for cells, height in rows
        if any(name in there for name, _ in cells)
    ]
    heights = [height for _, height in kept]
    with matplotlib.rc_context(fname=canvas.STYLE):
        sheet = Figure(figsize=(WIDTH, sum(heights) + 0.6), layout="constrained")
        FigureCanvasAgg(sheet)
        sheet.suptitle(heading, x=0.01, ha="left", fontsize=14)
        parts = sheet.subfigures(len(kept), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, (cells, _) in zip(parts, kept, strict=True):
            shares = [share for _, share in cells]
            inner = part.subfigures(1, len(cells), width_ratios=shares, squeeze=False)[0]
            for cell, (name, _) in zip(inner, cells, strict=True):
                panels[name].panel(cell, frames[name])
    return sheet
