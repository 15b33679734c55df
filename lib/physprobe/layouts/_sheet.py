"""Sheet: panels of a study on one figure, and everything that they draw as one table."""

from collections.abc import Mapping, Sequence

import pandas as pd

from physprobe.config import kinds
from physprobe.drawing import canvas, sheet
from physprobe.store.evidence import Evidence


def frames(study: Evidence, panels: Sequence[str]) -> dict[str, pd.DataFrame]:
    """What each panel draws."""
    return {name: kinds.load("figures", name).frame(study) for name in panels}


def image(frames: Mapping[str, pd.DataFrame], heading: str, rows: Sequence[sheet.Row]) -> bytes:
    """PNG of the panels, row by row."""
    panels = {name: kinds.load("figures", name) for name in frames}
    return canvas.png(sheet.compose(frames, heading, panels, rows))


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
