"""Figure: all panels of a comparison of systems on one sheet."""

from collections.abc import Mapping
from types import ModuleType

import pandas as pd
from matplotlib.figure import Figure

from physprobe.report import _sheet, counterparts, orders, parameters, separation

PANELS: dict[str, ModuleType] = {
    "counterparts": counterparts,
    "separation": separation,
    "parameters": parameters,
    "orders": orders,
}
"""What is drawn, in the order of the page."""


def _counted(panel: str, column: str, each: float) -> object:
    """Height that grows with the number of lines of a panel."""
    return lambda frames: 1.7 + each * frames[panel][column].nunique()


ROWS = (
    (
        (("counterparts", 1.0),),
        lambda frames: 1.0 + 1.75 * frames["counterparts"]["note"].nunique(),
    ),
    ((("separation", 1.0),), _counted("separation", "encoder", 0.42)),
    ((("parameters", 1.0),), _counted("parameters", "target", 0.85)),
    ((("orders", 1.0),), _counted("orders", "encoder", 1.9)),
)


def figure(frames: Mapping[str, pd.DataFrame], heading: str) -> Figure:
    """Compose a comparison's sheet from the frames of its panels."""
    return _sheet.compose(frames, heading, PANELS, ROWS)
