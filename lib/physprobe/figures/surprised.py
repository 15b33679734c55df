"""Figure: how often an impossible film surprises more, beside what foresees nothing."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas

READS = "verdicts"
TITLE = "Surprise"
CAPTION = (
    "Share of pairs of one possible and one impossible film, equal up to where the impossible one"
    " breaks a principle, in which the impossible one surprises the encoder's own predictor more."
    " Triangles: the scene's two pairs apart, in which either ending is the possible one once; a"
    " liking for how films end is right in one and wrong in the other. In grey what foresees"
    " nothing: a copy of the last tubelet that was seen, the context shuffled in time, that of"
    " another film, and random weights, each with lengths of its own choice. In orange, probes that"
    " were fitted to labels of possible films, which a predictor never saw. Bars are 95 % intervals"
    " by bootstrap over scenes, and members where there are several; dashed, chance."
)
OWN, GREY, PROBE = "#0072B2", "0.55", "#E69F00"
WORDS = {
    "predictor": "own predictor",
    "copy": "copy of the last tubelet",
    "shuffled": "context shuffled",
    "stranger": "context of another film",
}
MARKERS = {"first": ">", "second": "<"}


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of claims of kind ``surprised``."""
    lines: dict[str, list[str]] = {}
    several = len({line["encoder"] for line in result["claims"]}) > 1
    for line in result["claims"]:
        who = f"{line['encoder']} " if several else ""
        lines.setdefault(line["claim"], []).append(f"{who}{line['verdict']}")
    rows = pd.DataFrame([row for row in result["rows"] if row["metric"] == "relative_accuracy"])
    if rows.empty:
        return rows
    rows = rows[rows["member"].isna() & rows["claim"].isin(lines)]
    controls = set(result["spec"]["controls"])
    return rows.assign(
        control=rows["encoder"].isin(controls) | rows["model"].isin([*WORDS][1:]),
        verdict=rows["claim"].map(lambda claim: ", ".join(lines[claim])),
    ).reset_index(drop=True)


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a panel for each claim, a line for each encoder and model.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    claims = list(dict.fromkeys(frame["claim"]))
    lines = list(dict.fromkeys(zip(frame["encoder"], frame["model"], strict=True)))
    axes = part.subplots(1, len(claims), sharey=True, squeeze=False)[0]
    for ax, claim in zip(axes, claims, strict=True):
        own = frame[frame["claim"] == claim]
        for y, (encoder, model) in enumerate(lines):
            _line(ax, own[(own["encoder"] == encoder) & (own["model"] == model)], y)
        ax.axvline(0.5, color="0.45", lw=1, ls="--")
        ax.set_xlim(-0.02, 1.02)
        ax.set_xlabel("share of pairs that are right")
        told = [claim.replace("_", " "), *own["verdict"].iloc[0].split(", ")]
        ax.set_title("\n".join(told), loc="left", fontsize=9)
        ax.grid(axis="x", color="0.92")
        ax.tick_params(axis="y", length=0)
    named = [f"{encoder}: {WORDS.get(m, f'probe {m}')}".replace("_", " ") for encoder, m in lines]
    axes[0].set_yticks(range(len(named)), named, fontsize=8)
    axes[0].set_ylim(len(named) - 0.5, -0.6)
    canvas.title(part, TITLE)
    canvas.note(part, "Bars: 95 % intervals over scenes. Triangles: either direction by itself.")


def _line(ax: Axes, rows: pd.DataFrame, y: int) -> None:
    """One encoder's score by one model, and both directions."""
    for row in rows.itertuples():
        if pd.isna(row.value):
            continue
        probe = row.model not in WORDS
        colour = PROBE if probe else GREY if row.control else OWN
        if row.direction in MARKERS:
            ax.plot(row.value, y + 0.25, MARKERS[row.direction], color=colour, ms=4, mfc="none")
            continue
        bars = canvas.bars([row.ci_low], [row.value], [row.ci_high])
        ax.errorbar(row.value, y, xerr=bars, fmt="o", color=colour, ms=5, capsize=2, elinewidth=1.2)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the comparison as a figure of its own."""
    lines = frame.drop_duplicates(["encoder", "model"]).shape[0]
    claims = frame["claim"].nunique()
    return canvas.alone(panel, frame, (2.4 + 2.6 * claims, 2.0 + 0.34 * lines))
