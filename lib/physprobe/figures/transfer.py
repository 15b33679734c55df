"""Figure: probes on clips unlike those that they were fitted on, beside ordinary folds."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from physprobe.drawing import canvas, palette

READS = "verdicts"
TITLE = "Probes on clips unlike those that they were fitted on"
CAPTION = (
    "Left, R\N{SUPERSCRIPT TWO} of transferred probes (filled) and of ordinary folds (open) on the"
    " same clips, about the mean of these clips; ticks are the 95th percentile of the null, labels"
    " permuted with the whole selection redone. Right, how many times as large the transferred"
    " probe's squared error is, paired by clip. Bars are 95 % intervals, of transferred probes"
    " over data sets of this size. Controls are grey. An upright line with a band is a ceiling: who"
    " knows the equation, through a probe that was transferred alike."
)
FLOOR = -1.0  # lowest R2 that is drawn
OCHRE = "#C9A24B"
OPEN = ("o", "D")
STEP = 0.24  # between marks of one encoder
SHOWN = ("r2", "error_ratio")


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of claims of kind ``holds_elsewhere``: scores there, and by ordinary folds.

    Parameters
    ----------
    result : mapping
        ``verdicts.json`` of a study.
    """
    told = [row for row in result["rows"] if row["claim"] and row["metric"] in SHOWN]
    # claims on one target and sample rest on the same scores
    rows = pd.DataFrame(told).drop(columns="claim").drop_duplicates().to_dict("records")
    several = len({row["sample"] for row in rows}) > 1
    labels = result["labels"]
    roles = dict.fromkeys(result["spec"]["controls"], "control")
    roles |= dict.fromkeys(next(iter(result["shown"].values())).get("ceilings", ()), "ceiling")
    about = pd.DataFrame(
        {
            "role": roles.get(row["encoder"], "encoder"),
            "label": palette.shown(row["encoder"], labels[row["encoder"]]),
            "what": row["target"] + (f" by {row['sample']}" if several else ""),
        }
        for row in rows
    )
    numbers = ["value", "ci_low", "ci_high", "null_q95"]
    found = pd.DataFrame(rows).astype(dict.fromkeys(numbers, float))
    return pd.concat([about, found], axis=1).assign(
        setting=setting(result), scored=next(iter(result["shown"].values()))["scored_on"]
    )


def setting(result: Mapping) -> str:
    """What the probes were fitted on and scored on, in words."""
    shown = next(iter(result["shown"].values()))
    fitted = shown["training_clips"]
    least, most = min(fitted), max(fitted)
    count = next(row["n_clips"] for row in result["rows"] if row["claim"])
    ranges = " and ".join(
        f"{name} from {part['low']:.3g} to {part['high']:.3g} {part['units']}"
        for name, part in shown["region"].items()
    )
    counted = least if least == most else f"{least} to {most}"
    held = f"{count} held-out clips of {shown['scored_on']}"
    held += f" with {ranges}" if ranges else ""
    trained = f"{counted} clips of {shown['fitted_on']}" + (" outside that range" if ranges else "")
    return f"scored on {held}; fitted on {trained}"


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw R2 on the left and ratios of squared errors on the right, target by target.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    targets = frame["what"].unique()
    frame, tops = canvas.parted(frame)
    tops = tops[(tops["metric"] == "r2") & (tops["folds"] == "transferred")]
    looks = canvas.looks(frame)
    names, scored = list(looks), frame["scored"].iloc[0]
    systems = [name for name in frame["folds"].unique() if name != "transferred"]
    axes = part.subplots(len(targets), 2, sharex="col", sharey=True, squeeze=False)
    for (left, right), target in zip(axes, targets, strict=True):
        mine = frame[frame["what"] == target]
        for y, name in enumerate(names):
            own, colour = mine[mine["encoder"] == name], looks[name].colour
            _scores(left, own, systems, y, colour)
            ratio = own[(own["metric"] == "error_ratio") & (own["against"] == scored)]
            if len(ratio):
                _mark(right, ratio.iloc[0], y, colour, "o", colour)
        canvas.ceilings(left, tops[tops["what"] == target], upright=True)
        left.axvline(0, color="0.45", lw=1, zorder=0)
        right.axvline(1, color="0.45", lw=1, zorder=0)
        labels = [frame.loc[frame["encoder"] == name, "label"].iloc[0] for name in names]
        left.set_yticks(range(len(names)), labels)
        left.set_ylim(len(names) - 0.4, -0.6)
        left.set_title(str(target).replace("_", " "), loc="left")
        for ax in (left, right):
            ax.grid(axis="x", color="0.92")
            ax.tick_params(axis="y", length=0)
    _limits(axes, frame)
    left.set_xlabel("R\N{SUPERSCRIPT TWO} on the scored clips")
    right.set_xlabel(f"squared error, transferred / ordinary folds of {scored}")
    _legend(axes[0, 1], systems, frame)
    canvas.title(part, TITLE)
    words = frame["setting"].iloc[0]
    canvas.note(
        part,
        f"{words[0].upper()}{words[1:]}. R\N{SUPERSCRIPT TWO} is about the mean of the scored clips"
        " themselves; open marks are ordinary folds on the very same clips. Bars: 95 % intervals,"
        " of transferred probes over data sets of this size, paired on the right. Triangles: lower"
        " than is drawn. Null: permuted labels, selection redone. Controls grey."
        + canvas.topped(tops),
    )


def _scores(ax: Axes, own: pd.DataFrame, systems: list[str], y: float, colour: str) -> None:
    """R2 of one encoder, transferred and by ordinary folds."""
    scores = own[own["metric"] == "r2"]
    for row in scores[scores["value"].isna()].itertuples():
        ax.annotate(
            row.note, (0.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=7.5
        )
    for place, folds in enumerate(("transferred", *systems)):
        found = scores[(scores["folds"] == folds) & scores["value"].notna()]
        shape = "o" if folds == "transferred" else OPEN[place - 1]
        face = colour if folds == "transferred" else "white"
        at = y + STEP * (place - len(systems) / 2)
        for row in found.itertuples():
            if np.isfinite(row.null_q95) and row.null_q95 > FLOOR:
                ax.plot([row.null_q95], [at], marker="|", ms=9, mew=2, color=OCHRE, ls="")
            if row.value >= FLOOR:
                _mark(ax, row, at, colour, shape, face)
                continue
            ax.plot([FLOOR], [at], marker="<", ms=5, color=colour, mfc=face, ls="", clip_on=False)
            text = canvas.interval(row.value, np.nan, np.nan, digits=1)
            ax.annotate(
                text, (FLOOR, at), (7, 0), textcoords="offset points", va="center", fontsize=7.5,
                color=colour,
            )  # fmt: skip


def _mark(ax: Axes, row: canvas.Row, y: float, colour: str, shape: str, face: str) -> None:
    bars = canvas.bars([row.ci_low], [row.value], [row.ci_high])
    ax.errorbar(
        row.value, y, xerr=bars, fmt=shape, color=colour, mfc=face, ms=5, capsize=2, elinewidth=1.2
    )  # fmt: skip


def _limits(axes: np.ndarray, frame: pd.DataFrame) -> None:
    r2 = frame[frame["metric"] == "r2"]
    low = max(FLOOR, min(-0.05, np.nanmin(np.r_[r2["ci_low"], r2["value"], 0.0])))
    axes[0, 0].set_xlim(low - 0.03 * (1.02 - low), 1.02)
    ratios = frame.loc[frame["metric"] == "error_ratio", ["value", "ci_low", "ci_high"]]
    positive = ratios.to_numpy()
    positive = positive[np.isfinite(positive) & (positive > 0)]
    low, high = 0.8 * positive.min(initial=0.8), 1.25 * positive.max(initial=1.25)
    axis = axes[0, 1].xaxis
    axes[0, 1].set_xscale("log")
    axes[0, 1].set_xlim(low, high)
    # a few ticks, whether the ratios span parts of a decade or several
    axis.set_major_locator(LogLocator(numticks=6) if high > 10 * low else MaxNLocator(5))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")


def _legend(ax: Axes, systems: list[str], frame: pd.DataFrame) -> None:
    ink = palette.INK
    handles = [Line2D([], [], marker="o", ls="", color=ink, label="transferred")]
    handles += [
        Line2D([], [], marker=shape, ls="", color=ink, mfc="white", label=f"ordinary, {system}")
        for shape, system in zip(OPEN, systems, strict=False)
    ]
    if frame["null_q95"].max() > FLOOR:
        handles.append(Line2D([], [], marker="|", ls="", ms=9, mew=2, color=OCHRE, label="null"))
    legend = ax.legend(
        handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=len(handles),
        columnspacing=1.0, handletextpad=0.2, borderaxespad=0.2,
    )  # fmt: skip
    legend.set_in_layout(False)  # it reaches over the gap between the columns


def figure(frame: pd.DataFrame) -> Figure:
    """Draw a transfer as a figure of its own."""
    height = frame["what"].nunique() * (0.45 + 0.36 * frame["encoder"].nunique())
    return canvas.alone(panel, frame, (10.5, 1.7 + height))
