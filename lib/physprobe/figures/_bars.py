"""Bars: scores with their intervals along x, one below the other, alike in all figures."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from physprobe.drawing import canvas


def bar(ax: Axes, row: canvas.Row, y: float, colour: str, size: float, **looks: Any) -> None:
    """One score with its 95 % interval at a height."""
    bars = canvas.bars([row.ci_low], [row.value], [row.ci_high])
    told = {"capsize": 2, "elinewidth": 1.2, **looks}
    ax.errorbar(row.value, y, xerr=bars, fmt="o", color=colour, ms=size, **told)


def alone(scores: pd.DataFrame) -> pd.Series:
    """Which rows are of a single network: not those of a mean over members."""
    several = set(scores.loc[scores["member"].notna(), "encoder"])
    return scores["member"].notna() | ~scores["encoder"].isin(several)
