"""Figure: the specification curve - scores of every defensible probe, and what was chosen in it."""

import textwrap
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette

READS = "verdicts"
TITLE = "Specification curve"
CAPTION = (
    "Above, R\N{SUPERSCRIPT TWO} on held-out clips of every specification - one value of each axis"
    " below - in order, with 95 % intervals by bootstrap over clips; grey, the best control in the"
    " same specification. Dark: the specification supports the claim, as the whole interval of the"
    " difference to the best control, paired by clip, is above the margin, and that of"
    " R\N{SUPERSCRIPT TWO} above 0. Below, what was chosen,"
    " with the number of supporting specifications among those of each choice. All specifications"
    " are read on the same clips: their share is no probability, and has no interval."
)
FLOOR = -0.5  # lowest R2 that is drawn
AXES = ("target", "layer", "sample", "grouping", "normalisation", "solver")
WIDTH = 5.6  # inches of one curve
ROW = 0.17  # inches of one choice
DARK, LIGHT, CONTROL = palette.ENCODERS["small"], "#9CC9E8", "0.55"


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of claims of kind ``robust``: their specifications, where some are defined.

    Parameters
    ----------
    result : mapping
        ``verdicts.json`` of a study.
    """
    claims = result["spec"]["claims"]
    lines = [
        {"claim": name, **line}
        for name, shown in result["shown"].items()
        for line in shown["specifications"]
    ]
    drawn = {(x["claim"], x["encoder"]) for x in lines if x["verdict"] != "undefined"}
    lines = [line for line in lines if (line["claim"], line["encoder"]) in drawn]
    if not lines:
        return pd.DataFrame()
    told = [
        {
            **{key: claims[line["claim"]][key] for key in ("statement", "margin", "beyond")},
            "label": palette.shown(line["encoder"], result["labels"][line["encoder"]]),
        }
        for line in lines
    ]
    scores = [f"{what}{key}" for what in ("", "control_") for key in ("value", "ci_low", "ci_high")]
    found = pd.DataFrame(lines).astype(dict.fromkeys(scores, float))
    return pd.concat([found, pd.DataFrame(told)], axis=1)


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a curve above a matrix of choices for every claim about every encoder.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    curves = [rows for _, rows in frame.groupby(["encoder", "claim"], sort=False)]
    most = max(len(_choices(rows)) for rows in curves)
    upper, lower = part.subplots(
        2, len(curves), sharex="col", squeeze=False, height_ratios=[3.2, ROW * (most + 1)]
    )
    for top, bottom, rows in zip(upper, lower, curves, strict=True):
        defined = rows[rows["verdict"] != "undefined"].sort_values("value", kind="stable")
        _curve(top, defined)
        top.set_title(_told(defined, len(rows)), loc="left")
        _matrix(bottom, defined, _choices(rows))
    scores = ["value", "ci_low", "ci_high", "control_ci_low", "control_ci_high"]
    low, high = (end(frame[scores].to_numpy()) for end in (np.nanmin, np.nanmax))
    for top in upper:
        canvas.limits(
            top, frame["value"], FLOOR, np.clip(1.1 * high, 0.3, 1.0), min(max(low, FLOOR), -0.1)
        )
    upper[0].set_ylabel("R\N{SUPERSCRIPT TWO} on held-out clips")
    _legend(part, frame)
    canvas.title(part, TITLE)
    what = {
        "controls": "R\N{SUPERSCRIPT TWO} is above 0, and of the difference, paired by clip, above",
        "chance": "R\N{SUPERSCRIPT TWO} is above",
    }
    rules = frame[["beyond", "margin"]].drop_duplicates().itertuples()
    rule = " or ".join(f"{what[rule.beyond]} {rule.margin:g}" for rule in rules)
    canvas.note(
        part,
        "Bars: 95 % intervals by bootstrap over clips. Grey: best control, specification for"
        f" specification. Dark: the whole interval of {rule}. Counts on the right: supporting"
        " specifications of those with this choice. All of them are read on the same clips, and"
        " many differ in little: the share is no probability and has no interval.",
    )


def _told(defined: pd.DataFrame, specifications: int) -> str:
    """Share and count of what supports the claim, under the claim itself."""
    first, count = defined.iloc[0], len(defined)
    supported, refuted = ((defined["verdict"] == word).sum() for word in ("supported", "refuted"))
    left = f", {specifications - count} undefined" if specifications > count else ""
    told = (
        f"{first['label']}: supported by {supported} of {count} specifications"
        f" ({100 * supported / count:.0f} %), refuted by {refuted}{left}"
    )
    return "\n".join(textwrap.fill(line, 58) for line in (first["statement"], told))


def _colours(rows: pd.DataFrame) -> np.ndarray:
    return np.where(rows["verdict"] == "supported", DARK, LIGHT)


def _curve(ax: Axes, rows: pd.DataFrame) -> None:
    """Scores in order, with intervals, and the best control's."""
    x, colours = np.arange(len(rows)), _colours(rows)
    thin = float(np.clip(150 / len(rows), 0.5, 2.0))
    if rows["control_value"].notna().any():
        ends = (rows[f"control_ci_{end}"].clip(FLOOR, 1.0) for end in ("low", "high"))
        ax.vlines(x, *ends, color="0.86", lw=thin, zorder=1)
        ax.scatter(x, rows["control_value"], s=2 + 4 * thin, color=CONTROL, marker="s", lw=0,
                   zorder=2)  # fmt: skip
    for level, colour in ((3, LIGHT), (5, DARK)):
        mine = colours == colour
        ends = (rows.loc[mine, f"ci_{end}"].clip(FLOOR, 1.0) for end in ("low", "high"))
        ax.vlines(x[mine], *ends, color=colour, lw=thin, zorder=level)
        ax.scatter(x[mine], rows.loc[mine, "value"], s=3 + 6 * thin, color=colour, lw=0,
                   zorder=level + 1)  # fmt: skip
    ax.axhline(0, color="0.45", lw=0.8, zorder=0)
    ax.set_xlim(-0.5 - 0.01 * len(rows), len(rows) - 0.5 + 0.01 * len(rows))
    ax.tick_params(axis="x", length=0)


def _choices(rows: pd.DataFrame) -> list[tuple[str, str]]:
    """Axes with their values, in the order that the config names them; those with one are none."""
    return [
        (axis, value) for axis in AXES for value in rows[axis].unique() if rows[axis].nunique() > 1
    ]


def _matrix(ax: Axes, rows: pd.DataFrame, choices: list[tuple[str, str]]) -> None:
    """Which specification chose what, and how many of each choice support the claim."""
    colours = _colours(rows)
    for y, (axis, value) in enumerate(choices):
        mine = (rows[axis] == value).to_numpy()
        ax.scatter(np.flatnonzero(mine), np.full(mine.sum(), y), c=colours[mine], marker="|", s=32,
                   lw=float(np.clip(200 / len(rows), 0.6, 2.0)))  # fmt: skip
        supported = (rows["verdict"][mine] == "supported").sum()
        ax.annotate(
            f"{supported} of {mine.sum()}", (1.0, y), (3, 0), xycoords=("axes fraction", "data"),
            textcoords="offset points", va="center", fontsize=7.5, color="0.35",
        )  # fmt: skip
        if y and axis != choices[y - 1][0]:
            ax.axhline(y - 0.5, color="0.85", lw=0.8, zorder=0)
    ax.set_yticks(range(len(choices)), [_named(*choice) for choice in choices], fontsize=8)
    ax.set_ylim(len(choices) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.set_xticks([])
    ax.set_xlabel("specifications, in the order of R\N{SUPERSCRIPT TWO}")
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)


def _named(axis: str, value: str) -> str:
    words = str(value).replace("_", " ")
    return f"{axis} {words}" if axis in ("layer", "grouping") else words


def _legend(part: FigureBase, frame: pd.DataFrame) -> None:
    handles = [
        Line2D([], [], marker="o", ls="-", lw=1, color=DARK, label="supports the claim"),
        Line2D([], [], marker="o", ls="-", lw=1, color=LIGHT, label="does not"),
    ]
    if frame["control"].notna().any():
        handles.append(
            Line2D([], [], marker="s", ls="-", lw=1, color=CONTROL, ms=3.5, label="best control")
        )
    part.legend(handles=handles, loc="outside upper right", ncols=len(handles))


def figure(frame: pd.DataFrame) -> Figure:
    """Draw a multiverse as a figure of its own."""
    curves = frame.groupby(["encoder", "claim"], sort=False)
    most = max(len(_choices(rows)) for _, rows in curves)
    return canvas.alone(panel, frame, (WIDTH * max(curves.ngroups, 2), 5.6 + ROW * most))
