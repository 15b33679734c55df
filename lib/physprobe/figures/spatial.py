"""Figure: the spatial head, and whether knowing alpha helps it to forecast the tokens."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.image import AxesImage

from physprobe.drawing import canvas
from physprobe.figures import _frames

NEEDS = ("head",)
TITLE = "Spatial head: real, shuffled and no alpha"
CONDITIONS = {
    "real": "real",
    "shuffled": "shuffled",
    "shuffled_on_shuffled": "shuffled*",
    "none": "none",
}
KERNELS = {"free": "free kernel", "zero_sum": "zero-sum kernel"}
CAPTION = (
    "Left: one-step skill against persistence, on held-out clips, of x[t+1] = x[t] + alpha K(x[t])"
    " with one 3 x 3 kernel per whitened feature, fitted with the true alpha, with alpha"
    " shuffled between clips (scored on the true alpha, and with * on its own), and without"
    " it; kernels are free, or constrained to sum to zero as a Laplacian does, at equal"
    " parameter counts. Middle: what the true alpha adds, paired by clip; if it is not above"
    " 0, the tokens' dynamics don't use alpha. Right: mean kernel over features with the true"
    " alpha; a diffusing field would have a negative centre, positive neighbours and sum 0."
    " Bars and brackets are 95 % intervals by bootstrap over clips, refitted for the kernels."
)


frame = _frames.spatial


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw the spatial head's skill, what alpha adds to it, and its mean kernels.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``item`` (skill, difference or weight), ``model`` (free or
        zero_sum), ``note`` (a condition; of a difference, the one that is taken off), ``value``,
        ``ci_low``, ``ci_high``; a weight has ``y``, ``x`` [tokens].
    """
    weights = frame[frame["item"] == "weight"]
    weights = weights[weights["encoder"] == weights["encoder"].iloc[0]]
    axes = part.subplots(1, 4, width_ratios=[1.7, 1.5, 1.4, 1.4])
    _dots(axes[0], frame[frame["item"] == "skill"], list(CONDITIONS))
    axes[0].set_ylabel("skill against persistence")
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    _dots(axes[1], frame[frame["item"] == "difference"], list(CONDITIONS)[1:])
    axes[1].set_ylabel("skill with the true alpha, less that of")
    reach = weights.value.abs().max()
    for ax, kernel in zip(axes[2:], KERNELS, strict=True):
        image = _kernel(ax, weights[weights["model"] == kernel], reach)
        ax.set_title(f"{KERNELS[kernel]}, " + ax.get_title(loc="left"))
    axes[2].set_ylabel("y [tokens]")
    bar = part.colorbar(image, ax=list(axes[2:]), shrink=0.7, location="right")
    bar.set_label("mean weight [s/px\N{SUPERSCRIPT TWO}]")
    bar.outline.set_visible(False)
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Bars and brackets: 95 % intervals by bootstrap over clips, differences paired by clip."
        " Line at 0: no better than persistence; nothing gained. Filled: true alpha. *:"
        " scored on the shuffled alpha. Maps: kernels averaged over features, of"
        f" {weights.label.iloc[0]}.",
    )


def _dots(ax: Axes, frame: pd.DataFrame, notes: list[str]) -> None:
    looks = canvas.looks(frame)
    shifts = np.linspace(-0.15, 0.15, len(looks)) if len(looks) > 1 else np.zeros(1)
    places = {
        (kernel, note): x + number * (len(notes) + 0.5)
        for number, kernel in enumerate(KERNELS)
        for x, note in enumerate(notes)
    }
    for shift, name in zip(shifts, looks, strict=True):
        rows = frame[frame["encoder"] == name]
        for number, row in enumerate(rows.itertuples()):
            ax.errorbar(
                places[row.model, row.note] + shift,
                row.value,
                yerr=canvas.bars([row.ci_low], [row.value], [row.ci_high]),
                fmt="o",
                color=looks[name].colour,
                mfc=looks[name].colour if row.note == "real" else "white",
                capsize=2.5,
                elinewidth=1.3,
                label=row.label if number == 0 else None,
            )
    ax.axhline(0.0, color="0.25", lw=0.9, zorder=0)
    ax.set_xticks(list(places.values()), [CONDITIONS[note] for _, note in places])
    for tick in ax.get_xticklabels():
        tick.set(rotation=40, ha="right", rotation_mode="anchor")
    for number, kernel in enumerate(KERNELS):
        middle = number * (len(notes) + 0.5) + (len(notes) - 1) / 2
        ax.text(
            middle, 0.99, KERNELS[kernel], transform=ax.get_xaxis_transform(), ha="center",
            va="top", color="0.35", fontsize=8.5,
        )  # fmt: skip
    ax.set_xlim(-0.6, 2 * len(notes) + 0.1)
    ax.margins(y=0.18)


def _kernel(ax: Axes, weights: pd.DataFrame, reach: float) -> AxesImage:
    tables = {
        column: weights.pivot_table(index="y", columns="x", values=column).to_numpy()
        for column in ("value", "ci_low", "ci_high")
    }
    image = ax.imshow(
        tables["value"], cmap="RdBu_r", vmin=-reach, vmax=reach, extent=(-1.5, 1.5, 1.5, -1.5)
    )
    for y, x in np.ndindex(3, 3):
        value, low, high = (_short(table[y, x]) for table in tables.values())
        colour = "white" if abs(tables["value"][y, x]) > 0.6 * reach else "black"
        ax.text(x - 1, y - 1.08, value, ha="center", va="center", fontsize=8, color=colour)
        ax.text(
            x - 1, y - 0.78, f"{low}\n{high}", ha="center", va="center", fontsize=6.5, color=colour
        )
    total = tables["value"].sum()
    ax.set_title("sum " + (_short(total) if abs(total) > 1e-4 * reach else "0"))
    ax.set(xticks=(-1, 0, 1), yticks=(-1, 0, 1), xlabel="x [tokens]")
    return image


def _short(value: float) -> str:
    return f"{value:.2g}".replace("-", "\N{MINUS SIGN}")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the spatial head as a figure of its own."""
    return canvas.alone(panel, frame, (11.6, 4.2))
