"""Figure: false positives on noise, and coverage of intervals on planted truth."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.report import _axes, _palette

TITLE = "Calibration of the tests and the intervals"
CAPTION = (
    "Left, how often each test rejects at 5 % where features know nothing of the labels, everything"
    " that is chosen chosen anew; right, how often a 95 % interval holds the truth where it is"
    " known. Bars are 95 % intervals of the rates (Clopper and Pearson); the line is the nominal"
    " rate, the band on the right 93 to 97 %."
)
LABELS = {"rejection_rate": "rejections of noise [%]", "coverage": "intervals with the truth [%]"}
BAND = (93.0, 97.0)


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of a calibration's result."""
    rows = pd.DataFrame(result["rows"])
    return rows.assign(nominal=rows["metric"].map(result["nominal"]))


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw both kinds of rates.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    for ax, (metric, label) in zip(part.subplots(1, 2), LABELS.items(), strict=True):
        rows = frame[frame["metric"] == metric].reset_index()
        value, low, high = (100 * rows[name] for name in ("value", "ci_low", "ci_high"))
        ax.axvline(100 * rows["nominal"].iloc[0], color="0.45", lw=1)
        if metric == "coverage":
            ax.axvspan(*BAND, color="0.93", zorder=0)
        ax.errorbar(
            value, rows.index, xerr=_axes.bars(low, value, high), fmt="o", color=_palette.INK,
            ms=4.5, capsize=2, elinewidth=1.2,
        )  # fmt: skip
        ax.set_yticks(rows.index, rows["model"].str.replace("_", " "))
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color="0.92")
        ax.set_xlabel(label)
    _axes.title(part, TITLE)
    counts = frame.groupby("metric", sort=False)["note"].first()
    _axes.note(
        part,
        f"Bars: 95 % intervals of the rates; {counts['rejection_rate']} of noise,"
        f" {counts['coverage']} of planted truth (200 clips; few features are 16, many 128). Lines:"
        " nominal rates. Band: 93 to 97 %.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw a calibration as a figure of its own."""
    rows = frame.groupby("metric").size().max()
    return _axes.alone(panel, frame, (11.0, 1.6 + 0.32 * rows))
