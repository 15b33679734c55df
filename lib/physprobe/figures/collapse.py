"""Figure: the ladder against collapse - spread of each member's features, and what they hold."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, palette

READS = "training"
TITLE = "The ladder against collapse"
CAPTION = (
    "One mark per member, at the last step of its training: effective rank of its features, mean"
    " cosine between clips, and mean R\N{SUPERSCRIPT TWO} of a probe on validation clips. A cross"
    " is a member that counts as collapsed: its features have fewer than 1.5 dimensions, or all"
    " clips point the same way, to a cosine above 0.999. Ticks: the same network's random weights."
    " The validation score is no held-out score and has no interval."
)
PANELS = {
    "effective_rank": "effective rank of features",
    "mean_cosine": "mean cosine between clips",
    "score": "mean R\N{SUPERSCRIPT TWO} on validation clips",
}
COLUMNS = ("step", "collapsed", *PANELS)


def frame(*tables: pd.DataFrame) -> pd.DataFrame:
    """First and last row of every member of every recipe, from their ``training.csv``."""
    if not tables:
        return pd.DataFrame()
    rows = pd.concat(tables)
    rows = rows.assign(member=rows.get("member", 0))
    ends = rows.groupby(["recipe", "member"], sort=False)["step"].agg(["min", "max"])
    ends = rows.join(ends, on=["recipe", "member"])
    kept = ends[(ends["step"] == ends["min"]) | (ends["step"] == ends["max"])]
    return kept[["recipe", "member", *COLUMNS]].reset_index(drop=True)


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a row for each recipe in every panel.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``recipe``, ``member``, ``step``, ``effective_rank``, ``mean_cosine``, ``score``,
        ``collapsed``: of each member before its first step and after its last.
    """
    recipes = list(dict.fromkeys(frame["recipe"]))
    looks = palette.looks(recipes, [])
    axes = part.subplots(1, len(PANELS), sharey=True)
    for ax, (column, label) in zip(axes, PANELS.items(), strict=True):
        for row, recipe in enumerate(recipes):
            own = frame[frame["recipe"] == recipe]
            first, last = own[own["step"] == 0], own[own["step"] > 0]
            where = row + np.linspace(-0.25, 0.25, len(last)) if len(last) > 1 else [row]
            fell = (last["collapsed"].astype(str) == "True").to_numpy()
            colour = looks[recipe].colour
            for is_cross, mark in ((False, "o"), (True, "x")):
                some = fell == is_cross
                ax.plot(last[column][some], np.asarray(where)[some], mark, color=colour, ms=5)
            ax.plot(first[column], np.full(len(first), row), "|", color="0.6", ms=14)
        ax.set_xlabel(label)
    axes[0].set_yticks(range(len(recipes)), [recipe.replace("_", " ") for recipe in recipes])
    axes[0].invert_yaxis()
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "A mark per member, after its last step; crosses have collapsed (rank below 1.5 or cosine"
        " above 0.999). Grey ticks: random weights. Scores are of validation clips, no interval.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the ladder of several recipes."""
    return canvas.alone(panel, frame, (11.0, 1.8 + 0.42 * frame["recipe"].nunique()))
