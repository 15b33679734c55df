"""Figure: how encoders of our own learn - physics per second of compute, and signs of collapse."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, palette

READS = "training"
TITLE = "Training: physics learnt, and signs of collapse"
CAPTION = (
    "Left, mean R\N{SUPERSCRIPT TWO} of a probe on validation clips against the seconds of"
    " compute that training took: dotted, the weights before the first step; starred, the"
    " checkpoint that is kept. It is what checkpoints are chosen by, no held-out score, and has no"
    " interval. The other panels show the pretext loss and signs of collapse."
)
PANELS = {
    "score": "mean R\N{SUPERSCRIPT TWO} on validation clips",
    "loss": "pretext loss, of its first epoch's",
    "effective_rank": "effective rank of token features",
    "feature_std": "mean deviation of a feature",
    "mean_cosine": "mean cosine between clips",
}


COLUMNS = ("step", "seconds", "kept", *PANELS)


def frame(*tables: pd.DataFrame) -> pd.DataFrame:
    """Tables ``training.csv``, each with its ``recipe``, one below the other."""
    return pd.concat(tables) if tables else pd.DataFrame()


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw one curve for each recipe, or each of its members, in every panel.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``recipe`` and the columns of its ``training.csv``; the first row of a recipe is that of the
        weights that it began with.
    """
    recipes = list(dict.fromkeys(frame["recipe"]))
    looks = palette.looks(recipes, [])
    for ax, (column, label) in zip(part.subplots(1, len(PANELS)), PANELS.items(), strict=True):
        for recipe in recipes:
            own = frame[frame["recipe"] == recipe]
            for _, rows in own.groupby(_members(own), sort=False):
                _curve(ax, rows, column, looks[recipe], recipe.replace("_", " "))
        ax.set_xscale("symlog", linthresh=1, linscale=0.3)
        ax.xaxis.set_major_formatter("{x:g}")
        ax.set_xlim(0)
        ax.set_xlabel("compute [min]")
        ax.set_ylabel(label)
    named = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    part.legend(named.values(), named.keys(), loc="outside upper right", ncols=5)
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Dotted: before the first step, random weights but for recipes grown from an encoder. Star:"
        " the checkpoint that is kept, chosen by this score; it is no held-out score and has no"
        " interval.",
    )


def _members(rows: pd.DataFrame) -> pd.Series:
    """Member of each row of a recipe; the same for all where it has one."""
    return rows["member"].fillna(0) if "member" in rows else rows["step"] * 0


def _curve(ax: Axes, rows: pd.DataFrame, column: str, look: palette.Look, name: str) -> None:
    """Draw one network's training."""
    minutes, values = rows["seconds"] / 60, rows[column]
    if column == "loss":
        values = values / values.dropna().iloc[0]
    style: dict = {"color": look.colour, "ls": look.line, "marker": look.marker, "ms": 3}
    ax.plot(minutes, values, label=name, **style)
    if column == "score":
        ax.axhline(values.iloc[0], color=look.colour, lw=1, ls=":")
        kept = rows[rows["kept"].astype(str) == "True"].tail(1)
        ax.plot(kept["seconds"] / 60, kept[column], "*", ms=12, color=look.colour, mec="white")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the training of one or several recipes."""
    return canvas.alone(panel, frame, (15.0, 3.6))
