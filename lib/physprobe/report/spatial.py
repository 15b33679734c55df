"""Figure: the spatial head - does knowing alpha help to forecast the tokens?"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.report import _axes

TITLE = "Spatial head: real, shuffled and no alpha"
CONDITIONS = ("real", "shuffled", "none")
KERNELS = {"free": "free kernel", "zero_sum": "zero-sum kernel"}
CAPTION = (
    "Skill against persistence, on held-out clips, of x[t+1] = x[t] + alpha K(x[t]) with one 3 x 3"
    " kernel per feature, fitted and scored with the true alpha, with alpha shuffled between clips,"
    " and without it; kernels are free, or constrained to sum to zero (a Laplacian) at matched"
    " parameter counts. Bars are 95 % intervals by bootstrap over clips. If real is not above"
    " shuffled and none, the tokens' dynamics don't use alpha. The maps show the mean kernel with"
    " the true alpha; a diffusing field would give a negative centre, positive neighbours, sum 0."
)


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw the spatial head's skill and its mean kernels.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``label``, ``item`` (skill or weight), ``model`` (free or zero_sum), ``note``
        (real, shuffled or none), ``value``, ``ci_low``, ``ci_high``; a weight has ``y``, ``x``.
    """
    weights = frame[frame["item"] == "weight"]
    maps = [kernel for kernel in KERNELS if kernel in set(weights["model"])]
    axes = part.subplots(
        1, 1 + len(maps), squeeze=False, width_ratios=[2.4, *[1.0] * len(maps)]
    )[0]
    _dots(axes[0], frame[frame["item"] == "skill"])
    reach = weights.value.abs().max()
    for ax, kernel in zip(axes[1:], maps, strict=True):
        table = weights[weights["model"] == kernel].pivot_table(
            index="y", columns="x", values="value", sort=True
        )
        image = ax.imshow(
            table, cmap="RdBu_r", vmin=-reach, vmax=reach, extent=(-1.5, 1.5, 1.5, -1.5)
        )
        for y, x in np.ndindex(table.shape):
            value = table.iloc[y, x]
            ax.text(
                x - 1, y - 1, f"{value:.2g}".replace("-", "\N{MINUS SIGN}"), ha="center",
                va="center", fontsize=8, color="white" if abs(value) > 0.6 * reach else "black",
            )  # fmt: skip
        total = f"{table.to_numpy().sum():+.2g}".replace("-", "\N{MINUS SIGN}")
        ax.set_title(f"{KERNELS[kernel]}\nsum {total}")
        ax.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1), xlabel="x [tokens]")
    if maps:
        axes[1].set_ylabel("y [tokens]")
        bar = part.colorbar(image, ax=list(axes[1:]), shrink=0.75, location="right")
        bar.set_label("mean weight [1]")
        bar.outline.set_visible(False)
    _axes.title(part, TITLE)
    _axes.note(
        part,
        "Bars: 95 % intervals by bootstrap over clips. Line at 0: no better than persistence. Maps:"
        " kernels averaged over features, real alpha.",
    )


def _dots(ax: Axes, frame: pd.DataFrame) -> None:
    looks = _axes.looks(frame)
    groups = [(kernel, note) for kernel in KERNELS for note in CONDITIONS]
    for shift, name in zip(_shifts(len(looks)), looks, strict=True):
        rows = frame[frame["encoder"] == name].set_index(["model", "note"])
        for x, group in enumerate(groups):
            if group not in rows.index:
                continue
            row = rows.loc[group]
            ax.errorbar(
                x + shift + 0.4 * (x >= 3),
                row.value,
                yerr=_axes.bars([row.ci_low], [row.value], [row.ci_high]),
                fmt="o",
                color=looks[name].colour,
                mfc=looks[name].colour if group[1] == "real" else "white",
                capsize=2.5,
                label=row.label if x == 0 else None,
            )
    ax.axhline(0.0, color="0.25", lw=0.9, zorder=0)
    ax.set_xticks(
        [x + 0.4 * (x >= 3) for x in range(6)],
        [f"{note}\n{KERNELS[kernel]}" if note == "shuffled" else note for kernel, note in groups],
    )
    ax.set_xlim(-0.6, 6.0)
    ax.set_ylabel("skill against persistence")
    ax.margins(y=0.15)
    ax.legend(loc="best")


def _shifts(count: int) -> np.ndarray:
    return np.linspace(-0.15, 0.15, count) if count > 1 else np.zeros(1)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the spatial head as a figure of its own."""
    return _axes.alone(panel, frame, (9.6, 4.2))
