"""Figure: where in the image an encoder's tokens hold labels - under the ball, patch by patch."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.image import AxesImage

from physprobe.drawing import canvas, palette

READS = "verdicts"
TITLE = "Where in the image"
CAPTION = (
    "Left, R\N{SUPERSCRIPT TWO} on held-out clips from parts of the image, with 95 % intervals by"
    " bootstrap over clips; ochre ticks are the 95th percentile of the null, permuted labels with"
    " the selection redone. The places of the ball in another clip's tokens tell what a path alone"
    " gives away (grey). Middle, R\N{SUPERSCRIPT TWO} from each patch of the image, colours from"
    " \N{MINUS SIGN}0.2 to 1. Right, in how many clips the ball touches a patch."
)
PARTS = {
    "under": "token under the ball",
    "elsewhere": "same places, other clip",
    "far": "token far from the ball",
    "mean": "mean of all tokens",
}
LOW, HIGH = -0.2, 1.0  # colours; what is lower is as bad
OCHRE = "#C9A24B"


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of claims of kind ``located``: ``item`` is ``part``, ``patch``, ``touched``.

    Parameters
    ----------
    result : mapping
        ``verdicts.json`` of a study.
    """
    return pd.concat([_of(result, name) for name in _encoders(result)], ignore_index=True)


def _encoders(result: Mapping) -> list[str]:
    return list(dict.fromkeys(row["encoder"] for row in result["rows"]))


def _of(result: Mapping, encoder: str) -> pd.DataFrame:
    """What is drawn of one encoder or control."""
    rows = [
        row
        for row in result["rows"]
        if (row["encoder"], row["metric"]) == (encoder, "r2") and row["claim"]
    ]
    shown = next(iter(result["shown"].values()))
    kept = ("encoder", "target", "layer", "place", "value", "ci_low", "ci_high", "null_q95", "note")
    # claims on one target rest on the same scores
    lines = [dict(line) for line in dict.fromkeys(tuple((k, row[k]) for k in kept) for row in rows)]
    for line in lines:
        line["item"] = "part" if line["place"] in PARTS else "patch"
        if line["item"] == "patch":
            line["y"], line["x"] = map(int, line["place"].split(","))
    for y, x in np.ndindex(*shown["grid"][encoder]):
        count = shown["touched"][encoder][y][x]
        about = {"item": "touched", "encoder": encoder}
        lines.append({**about, "y": y, "x": x, "value": count})
    numbers = ("value", "ci_low", "ci_high", "null_q95", "y", "x")
    label = palette.shown(encoder, result["labels"][encoder])
    role = "control" if encoder in result["spec"]["controls"] else "encoder"
    return pd.DataFrame(lines).astype(dict.fromkeys(numbers, float)).assign(
        label=label, role=role, clips=rows[0]["n_clips"]
    )  # fmt: skip


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a row for every target: parts of the image, then the map of patches.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    drawn = list(frame.dropna(subset=["target"]).groupby(["encoder", "target"], sort=False))
    axes = part.subplots(len(drawn), 3, squeeze=False, width_ratios=[1.5, 1, 1])
    looks = canvas.looks(frame)
    low = frame.loc[frame["item"] == "part", ["ci_low", "value"]].min().min()
    for row, ((encoder, target), mine) in zip(axes, drawn, strict=True):
        colour = looks[encoder].colour
        _parts(row[0], mine[mine["item"] == "part"], colour, max(LOW, min(low, -0.05)))
        told = f"{str(target).replace('_', ' ')}: {mine['label'].iloc[0]}"
        row[0].set_title(told, loc="left")
        shown = _map(row[1], mine[mine["item"] == "patch"], cmap="viridis", vmin=LOW, vmax=HIGH)
        part.colorbar(
            shown, ax=row[1], extend="min", label="R\N{SUPERSCRIPT TWO} from the patch alone"
        )
    first = frame["encoder"] == frame["encoder"].iloc[0]
    counts = frame[first & (frame["item"] == "touched")]
    clips = int(frame["clips"].iloc[0])
    shown = _map(axes[0, 2], counts, cmap="cividis", vmin=0, vmax=max(counts["value"].max(), 1))
    part.colorbar(shown, ax=axes[0, 2], label=f"clips, of {clips}, whose ball touches the patch")
    for ax in axes[1:, 2]:
        ax.remove()
    axes[-1, 0].set_xlabel("R\N{SUPERSCRIPT TWO} on held-out clips")
    layer = frame["layer"].dropna().iloc[0]
    canvas.title(part, f"{TITLE}: layer {layer}")
    canvas.note(
        part,
        f"Bars: 95 % intervals by bootstrap over {clips} clips. Ochre: 95th percentile of the null"
        " (permuted labels, selection redone). Grey: the ball's places read in another clip's"
        " tokens, which is what a path alone gives away. Maps: every patch has a nested ridge probe"
        f" of its own; colours end at {LOW:g} and {HIGH:g}.".replace("-0", f"{canvas.MINUS}0"),
    )


def _parts(ax: Axes, rows: pd.DataFrame, colour: str, low: float) -> None:
    for y, name in enumerate(PARTS):
        row = rows[rows["place"] == name].iloc[0]
        if not np.isfinite(row["value"]):
            ax.annotate(
                row["note"], (0.02, y), xycoords=("axes fraction", "data"), fontsize=7.5
            )  # fmt: skip
            continue
        mine = "0.5" if name == "elsewhere" else colour
        if np.isfinite(row["null_q95"]):
            ax.plot([row["null_q95"]], [y], marker="|", ms=11, mew=2, color=OCHRE, ls="")
        bars = canvas.bars([row["ci_low"]], [row["value"]], [row["ci_high"]])
        ax.errorbar(
            row["value"], y, xerr=bars, fmt="o", color=mine, ms=5, capsize=2, elinewidth=1.2
        )  # fmt: skip
    ax.axvline(0, color="0.45", lw=0.8, zorder=0)
    ax.set_yticks(range(len(PARTS)), list(PARTS.values()))
    ax.set_ylim(len(PARTS) - 0.5, -0.5)
    ax.set_xlim(low - 0.03, 1.02)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="0.92")


def _map(ax: Axes, rows: pd.DataFrame, *, cmap: str, vmin: float, vmax: float) -> AxesImage:
    values = rows.pivot(index="y", columns="x", values="value").to_numpy()
    ax.set_xlabel("x [patches]")
    ax.set_ylabel("y [patches]")
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax.imshow(values, cmap=cmap, vmin=vmin, vmax=vmax)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the parts of the image as a figure of their own."""
    rows = len(frame.dropna(subset=["target"]).groupby(["encoder", "target"]))
    return canvas.alone(panel, frame, (11.0, 1.4 + 2.7 * rows))
