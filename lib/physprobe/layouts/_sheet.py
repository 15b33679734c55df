"""Sheet: panels of a study on one figure, and everything that they draw as one table."""

from collections.abc import Mapping, Sequence
from types import ModuleType

import pandas as pd

from physprobe.drawing import canvas, sheet
from physprobe.store.evidence import Evidence


def frames(study: Evidence, panels: Mapping[str, ModuleType]) -> dict[str, pd.DataFrame]:
    """What each panel draws."""
    return {name: module.frame(study) for name, module in panels.items()}


def image(
    frames: Mapping[str, pd.DataFrame],
    heading: str,
    panels: Mapping[str, ModuleType],
    rows: Sequence[sheet.Row],
) -> bytes:
    """PNG of the panels, row by row."""
    (picture,) = canvas.encoded(sheet.compose(frames, heading, panels, rows), forms=["png"])
    return picture


def table(frames: Mapping[str, pd.DataFrame]) -> str:
    """CSV of everything that is drawn, but for the images, with a column ``panel``."""
    parts = [
        frame.drop(columns="image", errors="ignore").assign(panel=name)
        for name, frame in frames.items()
        if len(frame)
    ]
    whole = pd.concat(parts, ignore_index=True)
    columns = ["panel", *(column for column in whole if column != "panel")]
    return whole[columns].to_csv(index=False, float_format="%.7g")
