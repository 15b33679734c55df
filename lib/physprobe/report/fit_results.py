"""Figure: all of a study's panels on one sheet."""

import math
from collections.abc import Mapping
from types import ModuleType

import matplotlib
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from physprobe.report import (
    _axes,
    eigenvalues,
    filmstrip,
    ladder,
    layers,
    predicted,
    skill,
    spatial,
)

PANELS: dict[str, ModuleType] = {
    "filmstrip": filmstrip,
    "ladder": ladder,
    "predicted": predicted,
    "layers": layers,
    "skill": skill,
    "eigenvalues": eigenvalues,
    "spatial": spatial,
}
"""What is drawn, in the order of the page."""
ROWS = (
    ((("filmstrip", 1.55), ("ladder", 1.0)), 5.0),
    ((("predicted", 1.0),), None),
    ((("skill", 1.0),), 4.4),
    ((("layers", 1.5), ("eigenvalues", 1.0)), 5.6),
    ((("spatial", 1.0),), 4.8),
)
"""Rows of (panel, share of the width), and their height in inches; the predictions' depends."""
WIDTH = 15.0


def figure(frames: Mapping[str, pd.DataFrame], heading: str) -> Figure:
    """Compose a study's sheet; a panel with nothing to show is left out.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        By name of the panel.
    heading : str
        Study, number of clips, and whether the encoder is untrained.
    """
    there = {name for name, frame in frames.items() if len(frame)}
    rows = [
        ([cell for cell in cells if cell[0] in there], height)
        for cells, height in ROWS
        if any(name in there for name, _ in cells)
    ]
    panels = frames["predicted"]["encoder"].nunique() if "predicted" in there else 0
    lines = math.ceil(panels / predicted.COLUMNS)
    heights = [height or 1.1 + 2.55 * lines for _, height in rows]
    with matplotlib.rc_context(fname=_axes.STYLE):
        sheet = Figure(figsize=(WIDTH, sum(heights) + 0.6), layout="constrained")
        FigureCanvasAgg(sheet)
        sheet.suptitle(heading, x=0.01, ha="left", fontsize=14)
        parts = sheet.subfigures(len(rows), 1, height_ratios=heights, squeeze=False)[:, 0]
        for part, (cells, _) in zip(parts, rows, strict=True):
            shares = [share for _, share in cells]
            inner = part.subfigures(1, len(cells), width_ratios=shares, squeeze=False)[0]
            for cell, (name, _) in zip(inner, cells, strict=True):
                PANELS[name].panel(cell, frames[name])
    return sheet
