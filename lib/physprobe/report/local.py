"""Figure: where in the image an encoder's tokens hold labels - under the ball, patch by patch."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.report import _axes, _palette

READS = "local"
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
    """What is drawn of a local result: ``item`` is ``part``, ``patch`` or ``touched``.

    Parameters
    ----------
    result : mapping
        Content of ``{system}/local/{encoder}.json``.
    """
    sample = result["rows"][0]["sample"]
    rows = [row for row in result["rows"] if (row["sample"], row["metric"]) == (sample, "r2")]
    kept = ("encoder", "target", "layer", "place", "value", "ci_low", "ci_high", "null_q95", "note")
    lines = [{key: row[key] for key in kept} for row in rows]
    for line in lines:
        line["item"] = "part" if line["place"] in PARTS else "patch"
        if line["item"] == "patch":
            line["y"], line["x"] = map(int, line["place"].split(","))
    for y, x in np.ndindex(*result["grid"]):
        count = result["touched"][y][x]
        lines.append({"item": "touched", "y": y, "x": x, "value": count})
    numbers = ("value", "ci_low", "ci_high", "null_q95", "y", "x")
    label = _palette.shown(rows[0]["encoder"], result["label"])
    return pd.DataFrame(lines).astype(dict.fromkeys(numbers, float)).assign(
        label=label, clips=rows[0]["n_clips"]
    )  # fmt: skip


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a row for every target: parts of the image, then the map of patches.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    targets = list(frame["target"].dropna().unique())
    axes = part.subplots(len(targets), 3, squeeze=False, width_ratios=[1.5, 1, 1])
    colour = _axes.looks(frame.dropna(subset=["target"]).assign(role="encoder"))
    colour = next(iter(colour.values())).colour
    low = frame.loc[frame["item"] == "part", ["ci_low", "value"]].min().min()
    for row, target in zip(axes, targets, strict=True):
        mine = frame[frame["target"] == target]
        _parts(row[0], mine[mine["item"] == "part"], colour, max(LOW, min(low, -0.05)))
        row[0].set_title(str(target).replace("_", " "), loc="left")
        shown = _map(row[1], mine[mine["item"] == "patch"], cmap="viridis", vmin=LOW, vmax=HIGH)
        part.colorbar(
            shown, ax=row[1], extend="min", label="R\N{SUPERSCRIPT TWO} from the patch alone"
        )
    counts = frame[frame["item"] == "touched"]
    clips = int(frame["clips"].iloc[0])
    shown = _map(axes[0, 2], counts, cmap="cividis", vmin=0, vmax=max(counts["value"].max(), 1))
    part.colorbar(shown, ax=axes[0, 2], label=f"clips, of {clips}, whose ball touches the patch")
    for ax in axes[1:, 2]:
        ax.remove()
    axes[-1, 0].set_xlabel("R\N{SUPERSCRIPT TWO} on held-out clips")
    layer = frame["layer"].dropna().iloc[0]
    _axes.title(part, f"{TITLE}: {frame['label'].iloc[0]}, layer {layer}")
    _axes.note(
        part,
        f"Bars: 95 % intervals by bootstrap over {clips} clips. Ochre: 95th percentile of the null"
        " (permuted labels, selection redone). Grey: the ball's places read in another clip's"
        " tokens, which is what a path alone gives away. Maps: every patch has a nested ridge probe"
        f" of its own; colours end at {LOW:g} and {HIGH:g}.".replace("-0", f"{_axes.MINUS}0"),
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
        bars = _axes.bars([row["ci_low"]], [row["value"]], [row["ci_high"]])
        ax.errorbar(
            row["value"], y, xerr=bars, fmt="o", color=mine, ms=5, capsize=2, elinewidth=1.2
        )  # fmt: skip
    ax.axvline(0, color="0.45", lw=0.8, zorder=0)
    ax.set_yticks(range(len(PARTS)), list(PARTS.values()))
    ax.set_ylim(len(PARTS) - 0.5, -0.5)
    ax.set_xlim(low - 0.03, 1.02)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="0.92")


def _map(ax: Axes, rows: pd.DataFrame, **colours: object) -> object:
    values = rows.pivot(index="y", columns="x", values="value").to_numpy()
    ax.set_xlabel("x [patches]")
    ax.set_ylabel("y [patches]")
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax.imshow(values, **colours)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw a local result as a figure of its own."""
    return _axes.alone(panel, frame, (11.0, 1.4 + 2.7 * frame["target"].nunique()))
