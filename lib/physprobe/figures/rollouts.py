"""Figure: how the error of rolled states grows, and how long forecasts stay valid."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, rungs
from physprobe.figures import _frames, _rivals

NEEDS = ("rollout",)
TITLE = "States, rolled on"
CAPTION = (
    "Above, of each encoder: root mean square error of the angles that are read off its latents,"
    " rolled on from every start of held-out clips by its own predictor, by linear models of one"
    " to three tokens and by no change at all; beside them two that know more, a small network of"
    " true states, and the true equation from the state that another reads off the latent; dotted,"
    " the error of reading the angles off frames that were seen, linearly, which no latent that is"
    " rolled on can be expected to undercut. Below: for how long the error stays below the"
    " threshold, in Lyapunov times of each clip where they are known; and, past the longest of"
    " these times, how far power spectrum and histogram of energies are from those of what was"
    " seen, with the 95th percentile of a null in which clips exchange both. Bands and bars are 95"
    " % intervals over clips, and over members where there are several."
)
COLOURS = {
    model: _rivals.COLOURS[model]
    for model in (
        "predictor", "order_1", "order_2", "order_3", "persistence", "state_mlp", "equation",
        "encoded",
    )
}  # fmt: skip
WORDS = _rivals.WORDS
DISTANCES = {
    "spectrum_distance": "apart in power spectrum",
    "energy_distance": "apart in energy [deviations]",
}
COLUMNS = 4
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
    """Draw a panel of errors for each encoder, and below them valid times and what comes after.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``model``, ``metric``, ``horizon``, ``value``, ``ci_low``,
        ``ci_high``, ``null_q95``, ``seconds``.
    """
    names = list(dict.fromkeys(frame["encoder"]))
    rows = -(-len(names) // COLUMNS)
    halves = part.subfigures(2, 1, squeeze=False, height_ratios=_heights(len(names)))
    upper, lower = halves[:, 0]
    grid = upper.subplots(rows, min(COLUMNS, len(names)), sharey=True, squeeze=False)
    for ax, name in zip(grid.flat, names, strict=False):
        _errors(ax, frame[(frame["encoder"] == name) & (frame["metric"] == "angle_error")])
    for ax in grid.flat[len(names) :]:
        ax.remove()
    for ax in grid[:, 0]:
        ax.set_ylabel("error of the angles [rad]")
        ax.set_ylim(0, 1.08 * CHANCE)
    far = [metric for metric in DISTANCES if metric in set(frame["metric"])]
    axes = lower.subplots(1, 1 + len(far), squeeze=False)[0]
    _valid(axes[0], frame, names)
    for ax, metric in zip(axes[1:], far, strict=True):
        _apart(ax, frame[frame["metric"] == metric], names, metric)
    known = [model for model in COLOURS if model in set(frame["model"])]
    handles = [
        Line2D([], [], color=COLOURS[m], ls=":" if m == "encoded" else "-", label=WORDS[m])
        for m in known
    ]
    upper.legend(handles=handles, loc="outside upper right", ncols=4)
    canvas.title(upper, TITLE)
    canvas.note(
        lower,
        "Bands and bars: 95 % intervals over clips, and members where there are several. Ochre:"
        " 95th percentile of the null.",
    )


def _heights(names: int) -> tuple[float, float]:
    """Of the panels of errors, and of those below [inches]."""
    return 0.5 + 2.6 * -(-names // COLUMNS), 1.2 + 0.5 * names


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
    _named(ax, frame, names)
    ax.set_xlim(0)
    ax.set_xlabel(f"valid time [{'Lyapunov times' if metric != 'valid_time' else 's'}]")


def _apart(ax: Axes, frame: pd.DataFrame, names: list[str], metric: str) -> None:
    """Distance of what is rolled far from what was seen, beside its null."""
    models = [model for model in COLOURS if model in set(frame["model"])]
    for row in frame.itertuples():
        shift = 0.7 * ((models.index(row.model) + 0.5) / len(models) - 0.5)
        y = names.index(row.encoder) + shift
        ax.plot(row.value, y, "o", color=COLOURS[row.model], ms=5)
        ax.plot(row.null_q95, y, "|", color=rungs.OCHRE, ms=6, mew=1.5, zorder=0)
    _named(ax, frame, names)
    if metric == "energy_distance":
        ax.set_xscale("log")
    else:
        ax.set_xlim(0)
    ax.set_yticklabels([])
    ax.set_xlabel(DISTANCES[metric])


def _named(ax: Axes, frame: pd.DataFrame, names: list[str]) -> None:
    """A line for each encoder."""
    labels = frame.drop_duplicates("encoder").set_index("encoder")["label"]
    ax.set_yticks(range(len(names)), [labels.get(name, name) for name in names], fontsize=8)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(axis="x", color="0.93")
    ax.tick_params(axis="y", length=0)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw rollouts as a figure of its own."""
    count = frame["encoder"].nunique()
    width = max(9.0, 0.8 + 2.9 * min(count, COLUMNS))
    return canvas.alone(panel, frame, (width, 0.4 + sum(_heights(count))))
