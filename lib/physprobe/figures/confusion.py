"""Figure: which law was said to hold for each system, from each source, and how often falsely."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Rectangle

from physprobe.discover.linear import CANNOT_TELL, VERDICTS
from physprobe.drawing import canvas, palette

READS = "verdicts"
TITLE = "Which law is it? Verdicts on single clips"
CAPTION = (
    "Percentage of each system's clips (rows) by verdict (columns), each clip judged by itself"
    " without labels, from the exact field, the video and encoders' spatial tokens, with Wilson's"
    " 95 % interval below; frames mark the right answer, and the last column is the verdict on all"
    " clips together. Right, how often a law is named for controls that have none."
)
CONTROLS = {
    "shuffled": "frames shuffled",
    "still": "still, with noise",
    "noise": "white noise",
    "scrambled": "wavevectors scrambled",
    "all": "all of them",
}


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of claims of kind ``right_law``."""
    rows = pd.DataFrame([row for row in result["rows"] if row["claim"]])
    # claims on one source rest on the same rates
    rows = rows.drop(columns="claim").drop_duplicates()
    shares = rows[rows["metric"].eq("share")]
    false = rows[rows["metric"].eq("false_verdicts") & rows["system"].eq("all")]
    systems = pd.DataFrame([one for shown in result["shown"].values() for one in shown["systems"]])
    systems = systems.drop_duplicates(["system", "source"]).rename(
        columns={"source": "encoder", "verdict": "together"}
    )
    systems["label"] = systems["label"].fillna("")
    keys = ["encoder", "system", "right", "together", "label"]
    return pd.concat([shares, false]).merge(systems[keys], how="left", on=["encoder", "system"])


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a matrix per source, and the rates on controls.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    shares = frame[frame["metric"] == "share"]
    sources = list(shares["encoder"].unique())
    columns = -(-len(sources) // 2)
    widths = (2.6 * columns, 2.0)
    left, right = part.subfigures(1, 2, squeeze=False, width_ratios=widths, wspace=0.02)[0]
    axes = left.subplots(2 if len(sources) > 1 else 1, columns, sharey=True, squeeze=False)
    occur = {*shares["verdict"], *shares["right"], CANNOT_TELL}
    verdicts = [verdict for verdict in VERDICTS if verdict in occur]
    for ax, source in zip(axes.flat, sources, strict=False):
        _matrix(ax, shares[shares["encoder"] == source], source, verdicts)
    for ax in axes.flat[len(sources) :]:
        ax.set_axis_off()
    _controls(right.subplots(), frame[frame["metric"] == "false_verdicts"])
    canvas.title(part, TITLE)
    counts = shares.groupby(["encoder", "system"])["n_clips"].first()
    canvas.note(
        part,
        f"Each cell: percentage of {int(counts.min())} clips, below it the 95 % interval (Wilson)."
        " Framed: the right answer; verdicts that no clip has and that are right for none have no"
        " column. Last column: the verdict on all clips of the system together,"
        " + right, \N{MULTIPLICATION SIGN} wrong, ? cannot tell. Right panel: bars are 95 %"
        " intervals (Wilson); the line is the 5 % that may be false.",
    )


def _matrix(ax: Axes, rows: pd.DataFrame, source: str, verdicts: list[str]) -> None:
    systems = list(rows["system"].unique())
    ax.set(xlim=(-0.5, len(verdicts) + 0.5), ylim=(len(systems) - 0.5, -0.5))
    for y, system in enumerate(systems):
        own = rows[rows["system"] == system].set_index("verdict")
        right, together = own["right"].iloc[0], own["together"].iloc[0]
        for x, verdict in enumerate(verdicts):
            told = own.loc[verdict] if verdict in own.index else None
            value = 0.0 if told is None else told["value"]
            wrong = verdict not in (right, CANNOT_TELL)
            colour = "#D55E00" if wrong else "#0072B2" if verdict == right else "0.55"
            ax.add_patch(_cell(x, y, colour, alpha=0.65 * value))
            if verdict == right:
                ax.add_patch(_cell(x, y, "none", edge=palette.INK, lw=1.4))
            if told is not None:
                ax.text(x, y - 0.14, f"{100 * value:.0f}", ha="center", va="center", fontsize=9)
                ends = f"{100 * told['ci_low']:.0f}\N{EN DASH}{100 * told['ci_high']:.0f}"
                ax.text(x, y + 0.24, ends, ha="center", va="center", fontsize=6.5, color="0.3")
        mark = "+" if together == right else "?" if together == CANNOT_TELL else "\u00d7"
        ax.text(len(verdicts), y, mark, ha="center", va="center", fontsize=12, weight="bold")
    ax.set_xticks(range(len(verdicts) + 1), [*verdicts, "together"], rotation=38, ha="right")
    ax.set_yticks(range(len(systems)), [name.replace("_", " ") for name in systems])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_title(palette.shown(source, rows["label"].iloc[0]))


def _cell(
    x: float,
    y: float,
    face: str,
    *,
    edge: str | None = None,
    alpha: float | None = None,
    lw: float = 0,
) -> Rectangle:
    corner = (x - 0.46, y - 0.46)
    return Rectangle(corner, 0.92, 0.92, facecolor=face, edgecolor=edge, alpha=alpha, lw=lw)


def _controls(ax: Axes, rows: pd.DataFrame) -> None:
    sources = list(rows["encoder"].unique())
    known = palette.looks(sources, ())
    gap = np.linspace(-0.28, 0.28, len(sources))
    for shift, source in zip(gap, sources, strict=True):
        own = rows[rows["encoder"] == source].set_index("decoy").reindex(list(CONTROLS))
        value, low, high = (100 * own[name] for name in ("value", "ci_low", "ci_high"))
        ax.errorbar(
            value, np.arange(len(own)) + shift, xerr=canvas.bars(low, value, high), fmt="o", ms=4,
            color=known[source].colour, capsize=2, elinewidth=1.2, label=source.replace("_", " "),
        )  # fmt: skip
    ax.axvline(5, color="0.45", lw=1)
    ax.set_yticks(range(len(CONTROLS)), list(CONTROLS.values()))
    ax.set_ylim(len(CONTROLS) - 0.4, -0.6)
    ax.set_xlim(left=-0.3)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="0.92")
    ax.set_xlabel("false verdicts on controls [%]")
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw a survey's verdicts as a figure of its own."""
    sources = frame["encoder"].nunique()
    columns = -(-sources // 2)
    return canvas.alone(panel, frame, (5.0 * columns + 4.2, 3.6 * min(sources, 2) + 1.2))
