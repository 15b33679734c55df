"""Figure: how the error of rolled states grows, and how long forecasts stay valid."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas
from physprobe.figures import _frames

NEEDS = ("rollout",)
TITLE = "States, rolled on"
CAPTION = (
    "Left, of each encoder: root mean square error of the angles that are read off its latents,"
    " rolled on from every start of held-out clips by its own predictor, by linear models of one to"
    " three tokens and by no change at all; dotted, the error of reading the angles off frames that"
    " were seen, which no forecast from these latents can undercut. Right: for how long the error"
    " stays below the threshold, in Lyapunov times of each clip where they are known. Bands and"
    " bars are 95 % intervals over clips, and over members where there are several."
)
COLOURS = {
    "predictor": "#0072B2", "order_1": "#E69F00", "order_2": "#D55E00", "order_3": "#CC79A7",
    "persistence": "0.35", "encoded": "0.35",
}  # fmt: skip
WORDS = {
    "predictor": "own predictor", "order_1": "linear, 1 token", "order_2": "linear, 2 tokens",
    "order_3": "linear, 3 tokens", "persistence": "no change", "encoded": "seen, not forecast",
}  # fmt: skip
CHANCE = np.pi / np.sqrt(3)  # [rad], of angles that have nothing to do with each other


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Errors by horizon, and valid times, of every encoder and control that was rolled on."""
    return _frames.table(
        {
            **_frames.about(study, name),
            **{key: row[key] for key in ("model", "metric", "horizon", *_frames.SCORE)},
            "seconds": study.rollouts[name]["rollouts"]["seconds"],
        }
        for name in study.names
        if name in study.rollouts
        for row in study.rollouts.rows(name)
        if row["value"] is not None and row["metric"] != "energy_drift"
    )


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a panel of errors for each encoder, and one of all valid times.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``model``, ``metric``, ``horizon``, ``value``, ``ci_low``,
        ``ci_high``, ``seconds``.
    """
    names = list(dict.fromkeys(frame["encoder"]))
    axes = part.subplots(1, len(names) + 1)
    for ax, name in zip(axes, names, strict=False):
        _errors(ax, frame[(frame["encoder"] == name) & (frame["metric"] == "angle_error")])
        ax.sharey(axes[0])
    axes[0].set_ylabel("error of the angles [rad]")
    axes[0].set_ylim(0, 1.08 * CHANCE)
    _valid(axes[-1], frame, names)
    known = [model for model in COLOURS if model in set(frame["model"])]
    handles = [
        Line2D([], [], color=COLOURS[m], ls=":" if m == "encoded" else "-", label=WORDS[m])
        for m in known
    ]
    part.legend(handles=handles, loc="outside upper right", ncols=len(handles))
    canvas.title(part, TITLE)
    canvas.note(
        part, "Bands and bars: 95 % intervals over clips, and members where there are several."
    )


def _errors(ax: Axes, frame: pd.DataFrame) -> None:
    """Error by time ahead [s]."""
    for model, rows in frame.groupby("model", sort=False):
        rows = rows.sort_values("horizon")
        times = rows["horizon"] * rows["seconds"]
        style = ":" if model == "encoded" else "-"
        ax.plot(times, rows["value"], style, marker="o", ms=3, color=COLOURS[model])
        ax.fill_between(
            times, rows["ci_low"], rows["ci_high"], color=COLOURS[model], alpha=0.15, lw=0
        )
    ax.axhline(CHANCE, color="0.8", lw=1)
    where = ("axes fraction", "data")
    ax.annotate("chance", (0.98, CHANCE), xycoords=where, ha="right", va="bottom", color="0.5")
    ax.set_xlabel("time ahead [s]")
    ax.set_title(frame["label"].iloc[0], fontsize=9, loc="left")
    ax.grid(color="0.93")


def _valid(ax: Axes, frame: pd.DataFrame, names: list[str]) -> None:
    """Valid time of each encoder by each model."""
    there = set(frame["metric"])
    metric = "valid_lyapunov_times" if "valid_lyapunov_times" in there else "valid_time"
    rows = frame[frame["metric"] == metric]
    models = [model for model in COLOURS if model in set(rows["model"])]
    for y, name in enumerate(names):
        for place, model in enumerate(models):
            own = rows[(rows["encoder"] == name) & (rows["model"] == model)]
            if own.empty:
                continue
            shift = 0.7 * ((place + 0.5) / len(models) - 0.5)
            (row,) = own.itertuples()
            ax.plot([row.ci_low, row.ci_high], [y + shift] * 2, color=COLOURS[model], lw=1.5)
            ax.plot(row.value, y + shift, "o", color=COLOURS[model], ms=5)
    labels = frame.drop_duplicates("encoder")["label"]
    ax.set_yticks(range(len(names)), labels, fontsize=8)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(0)
    ax.grid(axis="x", color="0.93")
    ax.set_xlabel(f"valid time [{'Lyapunov times' if metric != 'valid_time' else 's'}]")
    ax.tick_params(axis="y", length=0)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw rollouts as a figure of its own."""
    count = frame["encoder"].nunique()
    return canvas.alone(panel, frame, (3.4 + 2.9 * count, 3.6 + 0.15 * count))
