"""Figure: a trained encoder beside its twins with random weights, target by target."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette
from physprobe.figures import _bars

READS = "verdicts"
TITLE = "Trained against random weights"
CAPTION = (
    "Left, R\N{SUPERSCRIPT TWO} on held-out clips of the trained encoder (blue) and of five of the"
    " same architecture with random weights (grey); right, the difference to their mean, paired by"
    " clip. Bars are 95 % intervals by bootstrap over clips. The claim, declared before"
    " training, asks for an interval of the mean (black) above 0, and that no target loses much."
)
RANDOM, TRAINED = "0.55", "#0072B2"


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of a claim of kind ``above_random``, about its first encoder."""
    line, claim = result["claims"][0], result["spec"]["claims"]
    names = (line["encoder"], *result["spec"]["controls"])
    rows = pd.DataFrame([row for row in result["rows"] if row["claim"] == line["claim"]])
    # random weights are scored once for each encoder, alike
    rows = rows[rows["encoder"].isin(names)].drop_duplicates()
    return rows.assign(
        verdict=line["verdict"], why=line["note"], candidate=result["study"],
        loss=claim[line["claim"]]["loss"],
    )  # fmt: skip


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw R2 of every encoder on the left, the paired differences on the right.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    differences = frame[frame["metric"] == "r2_above_random"]
    scores = frame[frame["metric"] == "r2"]
    trained = differences["encoder"].iloc[0]
    left, right = part.subplots(1, 2, sharey=True)
    for y, row in enumerate(differences.itertuples()):
        found = scores[(scores["system"] == row.system) & (scores["target"] == row.target)]
        for own in found[_bars.alone(found) & (found["encoder"] != trained)].itertuples():
            _bars.bar(left, own, y, RANDOM, 3.5)
        for own in found[(found["encoder"] == trained) & found["member"].isna()].itertuples():
            _bars.bar(left, own, y - 0.2, TRAINED, 5.5)
        _bars.bar(right, row, y, palette.INK if row.target == "mean" else TRAINED, 5.5)
    right.axvline(0, color="0.45", lw=1)
    names = [
        "mean of all" if row.target == "mean" else f"{row.system}: {row.target}".replace("_", " ")
        for row in differences.itertuples()
    ]
    left.set_yticks(range(len(names)), names)
    left.set_ylim(len(names) - 0.5, -0.6)
    left.set_xlabel("R\N{SUPERSCRIPT TWO} on held-out clips")
    right.set_xlabel("R\N{SUPERSCRIPT TWO} less the mean of random weights")
    for ax in (left, right):
        ax.grid(axis="x", color="0.92")
        ax.tick_params(axis="y", length=0)
    left.set_xlim(min(-0.05, max(-0.6, scores["ci_low"].min())), 1.02)
    first = scores[
        (scores[["system", "target"]] == scores[["system", "target"]].iloc[0]).all(axis=1)
    ]
    twins = (_bars.alone(first) & (first["encoder"] != trained)).sum()
    left.legend(
        handles=[
            Line2D([], [], marker="o", ls="", color=TRAINED, label="trained weights"),
            Line2D([], [], marker="o", ls="", color=RANDOM, label=f"random weights, {twins} seeds"),
        ],
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=2,
    )
    candidate = frame["candidate"].iloc[0].replace("_", " ")
    canvas.title(part, f"{TITLE}: {candidate}, {frame['verdict'].iloc[0]}")
    canvas.note(
        part,
        f"{frame['why'].iloc[0][0].upper()}{frame['why'].iloc[0][1:]}. Bars: 95 % intervals by"
        " bootstrap over clips; differences are paired by clip. Layers are chosen inside the"
        " training clips.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the comparison as a figure of its own."""
    count = (frame["metric"] == "r2_above_random").sum()
    return canvas.alone(panel, frame, (10.5, 1.9 + 0.36 * count))
