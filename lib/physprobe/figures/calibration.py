"""Figure: false positives on noise and shortcuts, coverage of intervals on planted truth."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, palette

READS = "calibration"
TITLE = "Calibration of the tests and the intervals"
CAPTION = (
    "From the left: how often each test rejects at 5 % where features know nothing of the labels,"
    " everything that is chosen chosen anew; how often a 95 % interval holds the truth where it is"
    " known: the mean score over data sets of that size, of two encoders that are alike no"
    " difference, of single fits what they score on other clips; the R\N{SUPERSCRIPT TWO} of"
    " labels that features know nothing of, where"
    " hyper-parameters are chosen on inner folds, not at all, or on the fold that is reported;"
    " how often the claim that a label is decoded beyond the controls is refuted, and supported,"
    " where the label leaks through brightness, place, duration, file order or rendering and the"
    " encoder knows nothing but that, exactly (sharp) or with noise (blurred)."
    " Bars are 95 % intervals, of rates by Clopper and Pearson, of means by Student; lines are"
    " nominal rates and no knowledge, of shortcuts what is asked at least and at most, the band is"
    " 93 to 97 %, triangles are the 95th percentile over labels."
)
LABELS = {
    "rejection_rate": "rejections of noise [%]",
    "coverage": "intervals with the truth [%]",
    "chance_level": "R\N{SUPERSCRIPT TWO} of noise",
    "shortcut_refuted": "claims on shortcuts refuted [%]",
    "shortcut_supported": "supported [%]",
}
BAND = (93.0, 97.0)


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of a calibration's result."""
    rows = pd.DataFrame(result["rows"])
    return rows.assign(nominal=rows["metric"].map(result["nominal"]))


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw all kinds of rates, and chance levels.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    there = [metric for metric in LABELS if (frame["metric"] == metric).any()]
    for ax, metric in zip(part.subplots(1, len(there)), there, strict=True):
        label = LABELS[metric]
        rows = frame[frame["metric"] == metric].reset_index()
        unit = 100 if "%" in label else 1
        value, low, high = (unit * rows[name] for name in ("value", "ci_low", "ci_high"))
        ax.axvline(unit * rows["nominal"].iloc[0], color="0.45", lw=1)
        ax.plot(unit * rows["null_q95"].astype(float), rows.index, "<", color="0.6", ms=5)
        if metric == "coverage":
            ax.axvspan(*BAND, color="0.93", zorder=0)
        ax.errorbar(
            value, rows.index, xerr=canvas.bars(low, value, high), fmt="o", color=palette.INK,
            ms=4.5, capsize=2, elinewidth=1.2,
        )  # fmt: skip
        ax.set_yticks(rows.index, rows["test"].str.replace("_", " "))
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color="0.92")
        ax.set_xlabel(label)
    canvas.title(part, TITLE)
    counts = frame.groupby("metric", sort=False)["note"].first()
    canvas.note(
        part,
        f"Bars: 95 % intervals; {counts['rejection_rate']} of noise, {counts['coverage']} of"
        " planted truth (differences are of two encoders that are alike). Lines: nominal rates, and"
        " no knowledge; of shortcuts 95 and 5 %. Band: 93 to 97 %. R\N{SUPERSCRIPT TWO} of noise:"
        f" {counts['chance_level'].partition(',')[0]}; the published sweep chooses on the fold that"
        " it reports; triangles: 95th percentile over labels.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw a calibration as a figure of its own."""
    rows = frame.groupby("metric").size()
    return canvas.alone(panel, frame, (5.2 * len(rows), 1.8 + 0.32 * rows.max()))
