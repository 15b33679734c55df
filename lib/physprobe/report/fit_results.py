"""Figure: all of a study's panels on one sheet."""

import math
from collections.abc import Mapping
from types import ModuleType

import pandas as pd
from matplotlib.figure import Figure

from physprobe.report import (
    _sheet,
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


def _lines(frames: Mapping[str, pd.DataFrame]) -> float:
    """Height of the predictions, a line of panels after the other."""
    panels = frames["predicted"]["encoder"].nunique()
    return 1.1 + 2.55 * math.ceil(panels / predicted.COLUMNS)


ROWS = (
    ((("filmstrip", 1.55), ("ladder", 1.0)), 5.0),
    ((("predicted", 1.0),), _lines),
    ((("skill", 1.0),), 4.4),
    ((("layers", 1.5), ("eigenvalues", 1.0)), 5.6),
    ((("spatial", 1.0),), 4.8),
)


def figure(frames: Mapping[str, pd.DataFrame], heading: str) -> Figure:
    """Compose a study's sheet from the frames of its panels."""
    return _sheet.compose(frames, heading, PANELS, ROWS)
