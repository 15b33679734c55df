"""Figure: how well a label is decoded from each layer, controls on the same axes."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, palette
from physprobe.figures import _frames

NEEDS = ("probe",)
TITLE = "Decoding, layer by layer"
CAPTION = (
    "Score on held-out clips from the mean embedding of each layer (0 is the patch"
    " embedding, final is after the last LayerNorm). Bands and bars are 95 % intervals by bootstrap"
    " over clips. Grey: controls; what has no layers stands on the right. The shaded floor reaches"
    " up to the 95th percentile of the null, permuted labels with the whole selection redone."
    " A dash-dotted line with a band is a ceiling: what one tells from the same clips who knows the"
    " equation, through the same probe."
)

FLOOR = -0.5  # lowest R2 that is drawn
MOST_BANDS = 5
"""Lines with bands that can be told apart; more have bars side by side."""


frame = _frames.layers


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw scores by layer.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``layer``, ``value``, ``ci_low``, ``ci_high``,
        ``null_q95``, ``target``, ``metric``.
    """
    frame, tops = canvas.parted(frame)
    looks = canvas.looks(frame)
    depth = frame.groupby("encoder", sort=False)["layer"].nunique()
    deep = [name for name in looks if depth[name] > 1]
    flat = [name for name in looks if depth[name] == 1]
    ticks = order([layer for layer in frame.loc[frame["encoder"].isin(deep), "layer"]])
    place = {layer: x for x, layer in enumerate(ticks)}
    ax = part.subplots()
    null = frame.groupby("layer")["null_q95"].max()
    if deep and null.reindex(ticks).notna().all():
        ax.fill_between(
            range(len(ticks)), -9.0, null.reindex(ticks), color=palette.NULL, lw=0, zorder=0
        )
        ax.plot([], [], color=palette.NULL, lw=7, label="null, below its 95th percentile")
    canvas.ceilings(ax, tops)
    banded = len(deep) <= MOST_BANDS
    beside = dict(zip(deep, np.linspace(-0.2, 0.2, len(deep)) * (not banded), strict=True))
    for name in reversed(deep):
        rows, look = frame[frame["encoder"] == name], looks[name]
        rows = rows.assign(x=rows["layer"].map(place) + beside[name]).sort_values("x")
        if banded:
            alpha = 0.22 if rows["role"].iloc[0] == "encoder" else 0.13
            ax.fill_between(rows.x, rows.ci_low, rows.ci_high, color=look.colour, alpha=alpha, lw=0)
        else:
            bars = canvas.bars(rows.ci_low, rows.value, rows.ci_high)
            ax.errorbar(rows.x, rows.value, yerr=bars, fmt="none", color=look.colour, elinewidth=1)
        ax.plot(
            rows.x,
            rows.value,
            color=look.colour,
            ls=look.line,
            marker=look.marker,
            lw=look.width,
            ms=4,
            label=rows["label"].iloc[0],
        )
    start = len(ticks) + (0.4 if deep else 0.0)
    for x, name in enumerate(flat, start=0):
        row, look = frame[frame["encoder"] == name].iloc[0], looks[name]
        ax.plot([start + x - 0.35, start + x + 0.35], [row.null_q95] * 2, color="#C9A24B", lw=2)
        if row.value < FLOOR:
            value = canvas.interval(row.value, np.nan, np.nan)
            text = f"\N{BLACK DOWN-POINTING SMALL TRIANGLE}\n{value}"
            ax.annotate(text, (start + x, 0.08), xycoords=("data", "axes fraction"), ha="center")
            continue
        ax.errorbar(
            start + x,
            row.value,
            yerr=canvas.bars([row.ci_low], [row.value], [row.ci_high]),
            fmt=look.marker,
            color=look.colour,
            capsize=2.5,
            elinewidth=1.2,
        )
    if deep and flat:
        ax.axvline(len(ticks) - 0.3, color="0.85", lw=1)
    ax.set_xticks(
        [*range(len(ticks)), *(start + np.arange(len(flat)))],
        [*ticks, *(frame.loc[frame["encoder"] == name, "label"].iloc[0] for name in flat)],
    )
    for tick in ax.get_xticklabels()[len(ticks) :]:
        tick.set(rotation=40, ha="right", rotation_mode="anchor")
    ax.set_xlim(-0.4, start + len(flat) - (0.4 if flat else 0.9))
    ax.set_xlabel("layer [blocks applied]" + ("  |  those without layers" if flat else ""))
    ax.set_ylabel(f"{canvas.scored(frame.iloc[0])} on held-out clips")
    canvas.limits(ax, np.r_[frame.value, frame.ci_low], floor=FLOOR, top=1.0, lowest=-0.1)
    handles, labels = ax.get_legend_handles_labels()
    ax.legend(
        handles[::-1],
        labels[::-1],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=2,
        borderaxespad=0.2,
    )
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Bands and bars: 95 % intervals by bootstrap over clips. Shaded floor and ochre ticks: up"
        " to the 95th percentile of the null (permuted labels, selection redone). Controls grey."
        + canvas.topped(tops),
    )


def order(layers: list[str]) -> list[str]:
    """Layers by number, ``final`` last."""
    found = dict.fromkeys(map(str, layers))
    return sorted(found, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0))


def figure(frame: pd.DataFrame) -> Figure:
    """Draw scores by layer as a figure of its own."""
    return canvas.alone(panel, frame, (8.6, 5.2))
