"""Figure: pairs of encoders that differ in one factor, target by target and member by member."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette
from physprobe.figures import _bars

READS = "verdicts"
TITLE = "One factor apart"
CAPTION = (
    "Left, R\N{SUPERSCRIPT TWO} on held-out clips: a colour for each pair of encoders that differ"
    " in one factor alone, filled the one that is claimed to know more, open its twin; ticks are"
    " single members. Right, the differences, paired by clip, of each pair and of all (black); the"
    " last line is the mean over targets. Bars are 95 % intervals by bootstrap over groups of clips"
    " and members. An upright line with a band is a ceiling: who knows the equation."
)
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of a claim of kind ``contrast``."""
    line = result["claims"][0]
    spec = result["spec"]["claims"][line["claim"]]
    rows = pd.DataFrame([row for row in result["rows"] if row["claim"] == line["claim"]])
    if rows.empty:
        raise ValueError(f"{line['claim']}: {line['note']}, so there is nothing to draw.")
    pairs = {tuple(pair): number for number, pair in enumerate(spec["pairs"])}
    first = {a: n for (a, _), n in reversed(pairs.items())}
    second = {b: n for (_, b), n in reversed(pairs.items())}
    if "member" not in rows:
        rows["member"] = None
    return rows.assign(
        pair=[
            pairs.get((row.encoder, row.control), first.get(row.encoder, second.get(row.encoder)))
            for row in rows.itertuples()
        ],
        twin=[row.encoder not in first for row in rows.itertuples()],
        verdict=line["verdict"],
        why=line["note"],
        statement=line["statement"],
    )


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw R2 on the left, differences on the right.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    scores = frame[frame["metric"] == "r2"]
    differences = frame[frame["metric"] == "r2_contrast"]
    targets = list(dict.fromkeys(differences["target"]))
    left, right = part.subplots(1, 2, sharey=True)
    count = int(scores["pair"].max()) + 1
    names: dict[str, Line2D] = {}
    tops = frame[frame["metric"] == "r2_ceiling"]
    for top in tops.itertuples():
        y, colour = targets.index(top.target), palette.CEILING
        left.fill_betweenx([y - 0.42, y + 0.42], top.ci_low, top.ci_high, color=colour, alpha=0.18,
                           lw=0)  # fmt: skip
        left.plot([top.value] * 2, [y - 0.42, y + 0.42], color=colour, lw=1.6)
    for y, target in enumerate(targets):
        found = scores[scores["target"] == target]
        alone = _bars.alone(found)
        each = found[found["member"].isna()]
        for place, row in enumerate(each.itertuples()):
            colour = COLOURS[int(row.pair) % len(COLOURS)]
            face = "white" if row.twin else colour
            height = y + 0.66 * ((place + 0.5) / len(each) - 0.5)
            _bars.bar(left, row, height, colour, 5.5, markerfacecolor=face)
            own = found[alone & found["member"].notna() & (found["encoder"] == row.encoder)]
            left.plot(own["value"], np.full(len(own), height), "|", color=colour, ms=5, alpha=0.6)
            mark = Line2D([], [], color=colour, markerfacecolor=face, marker="o", ls="")
            mark.set_label(row.encoder)
            names.setdefault(row.encoder, mark)
        own = differences[differences["target"] == target]
        for row in own.itertuples():
            whole = pd.isna(row.pair)
            colour = palette.INK if whole else COLOURS[int(row.pair) % len(COLOURS)]
            shift = 0.3 if whole else 0.6 * ((row.pair + 0.5) / (count + 1) - 0.5)
            _bars.bar(right, row, y + shift, colour, 5.5 if whole else 4)
    right.axvline(0, color="0.45", lw=1)
    told = ["mean of all" if name == "mean" else name.replace("_", " ") for name in targets]
    left.set_yticks(range(len(told)), told)
    left.set_ylim(len(told) - 0.5, -0.5)
    left.set_xlabel("R\N{SUPERSCRIPT TWO} on held-out clips")
    right.set_xlabel("R\N{SUPERSCRIPT TWO} less that of the twin")
    for ax in (left, right):
        ax.grid(axis="x", color="0.92")
        ax.tick_params(axis="y", length=0)
    handles = list(names.values())
    for name in tops["encoder"].unique():
        label = f"ceiling: {palette.shown(name, None)}"
        handles.append(Line2D([], [], color=palette.CEILING, label=label))
    left.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2)
    canvas.title(part, f"{TITLE}: {frame['verdict'].iloc[0]}")
    canvas.note(
        part,
        f"{frame['statement'].iloc[0]} {frame['why'].iloc[0]}. Bars: 95 % intervals by bootstrap;"
        " ticks: single members. Layers are chosen inside the training clips.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the contrast as a figure of its own."""
    cells = frame.loc[frame["metric"] == "r2", "encoder"].nunique()
    return canvas.alone(
        panel, frame, (10.5, 2.0 + (0.3 + 0.16 * cells) * frame["target"].nunique())
    )
