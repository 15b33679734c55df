"""Figure: skill of the Koopman model by horizon, against each baseline."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette
from physprobe.figures import _frames

NEEDS = ("dynamics",)
TITLE = "Koopman skill by horizon"
BASELINES = {
    "persistence": "vs persistence",
    "mean": "vs the mean",
    "time_index_mean": "vs the mean at that time",
    "time_shuffled": "vs a time-shuffled fit",
}
CAPTION = (
    "Skill = 1 - SSE / SSE(baseline) of rollouts z[t+h] = A\N{MODIFIER LETTER SMALL H} z[t] on"
    " held-out clips, on centred features; 0 is no better than the baseline, 1 perfect. Each panel"
    " has its own baseline, for models of order 1; the last one compares models of order 1, 2 and 3"
    " of the encoders at equal parameter count, against persistence. Bands are 95 % intervals"
    " by bootstrap over clips; controls, scored in their own spaces, are grey. An encoder that"
    " attends over the whole clip has seen the future: only a causal one forecasts. Where clips are"
    " embedded piece by piece, tokens a piece apart are alike, and persistence is good there."
)
ORDERS = {1: "-", 2: "--", 3: ":"}


frame = _frames.skill


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw skill by horizon.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``baseline``, ``order``, ``horizon`` [tokens],
        ``time_step`` [s], ``value``, ``ci_low``, ``ci_high``.
    """
    looks = canvas.looks(frame)
    first = frame["order"].min()
    shown = [name for name in BASELINES if name in set(frame["baseline"])]
    orders = sorted(frame["order"].unique())
    axes = part.subplots(1, len(shown) + (len(orders) > 1), sharey=True, squeeze=False)[0]
    for ax, baseline in zip(axes, shown, strict=False):
        rows = frame[(frame["baseline"] == baseline) & (frame["order"] == first)]
        for name in reversed(looks):
            _curve(ax, rows[rows["encoder"] == name], looks[name], looks[name].line)
        ax.set_title(BASELINES[baseline])
    if len(orders) > 1:
        encoders = frame[(frame["role"] == "encoder") & (frame["baseline"] == shown[0])]
        for name in encoders["encoder"].unique():
            for order in orders:
                rows = encoders[(encoders["encoder"] == name) & (encoders["order"] == order)]
                _curve(axes[-1], rows, looks[name], ORDERS.get(order, "-."))
        axes[-1].set_title("orders, " + BASELINES[shown[0]])
    for ax in axes:
        ax.axhline(0.0, color="0.25", lw=0.9, zorder=1)
        ax.set_xlabel(f"horizon [tokens of {frame.time_step.iloc[0]:g} s]")
        ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0].set_ylabel("skill on held-out clips")
    canvas.limits(axes[0], np.r_[frame.value, frame.ci_low], floor=-1.0, top=1.0, lowest=-0.1)
    handles, labels = (side[::-1] for side in axes[0].get_legend_handles_labels())
    if len(orders) > 1:
        handles += [Line2D([], [], color="0.25", ls=ORDERS.get(order, "-.")) for order in orders]
        labels += [f"order {order:.0f}, right panel" for order in orders]
    part.legend(handles, labels, loc="outside right center")
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Bands: 95 % intervals by bootstrap over clips. Line at 0: no better than the baseline."
        " Controls in grey, each scored in its own space. Only a causal encoder forecasts.",
    )


def _curve(ax: Axes, rows: pd.DataFrame, look: palette.Look, line: object) -> None:
    rows = rows[rows.value.notna()].sort_values("horizon")
    if rows.empty:
        return
    encoder = rows["role"].iloc[0] == "encoder"
    ax.fill_between(
        rows.horizon,
        rows.ci_low,
        rows.ci_high,
        color=look.colour,
        alpha=0.2 if encoder else 0.1,
        lw=0,
    )
    ax.plot(
        rows.horizon,
        rows.value,
        color=look.colour,
        ls=line,
        lw=look.width if encoder else 1.1,
        marker=look.marker,
        ms=3.5 if encoder else 2.8,
        label=rows["label"].iloc[0],
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw skill by horizon as a figure of its own."""
    return canvas.alone(panel, frame, (11.6, 3.9))
