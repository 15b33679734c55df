"""Figure: how well the parameters of every equation are decoded, controls on the same axes."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette
from physprobe.figures import _sides

NEEDS = ("probe",)
DESIGNS = ("together",)
TITLE = "Parameters of each equation"
CAPTION = (
    "R\N{SUPERSCRIPT TWO} of every parameter on held-out clips of its own equation, from the clip's"
    " mean embedding: encoders in colour, controls in grey. Bars are 95 % intervals by bootstrap"
    " over clips; the shaded part of a line reaches up to the 95th percentile of the null, permuted"
    " labels with the whole selection redone. Parameters are never pooled over unlike units. An"
    " upright line with a band is a ceiling: what one tells who knows the equation."
)
FLOOR = -0.3


frame = _sides.parameters


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw R2 by parameter.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``system`` (the equation), ``target``, ``value``,
        ``ci_low``, ``ci_high``, ``null_q95``.
    """
    frame, tops = canvas.parted(frame)
    looks = canvas.looks(frame)
    labels = frame.drop_duplicates("encoder").set_index("encoder")["label"]
    lines = list(dict.fromkeys(zip(frame["system"], frame["target"], strict=True)))
    ax = part.subplots()
    step = 0.8 / max(len(looks), 1)
    cut = 0
    for y, (system, target) in enumerate(lines):
        rows = frame[(frame["system"] == system) & (frame["target"] == target)]
        ax.fill_betweenx(
            [y - 0.42, y + 0.42], FLOOR - 1, rows["null_q95"].max(), color="#F3E3C3", lw=0, zorder=0
        )
        own = tops[(tops["system"] == system) & (tops["target"] == target)]
        for top in own.itertuples():
            ax.fill_betweenx([y - 0.42, y + 0.42], top.ci_low, top.ci_high, color=palette.CEILING,
                             alpha=0.18, lw=0)  # fmt: skip
            ax.plot([top.value] * 2, [y - 0.42, y + 0.42], color=palette.CEILING, lw=1.6)
        for place, name in enumerate(looks):
            own = rows[rows["encoder"] == name]
            if own.empty:
                continue
            row, look = own.iloc[0], looks[name]
            if row.value < FLOOR:
                cut += 1
                continue
            ax.errorbar(
                row.value,
                y - 0.4 + (place + 0.5) * step,
                xerr=canvas.bars([row.ci_low], [row.value], [row.ci_high]),
                fmt=look.marker,
                color=look.colour,
                ms=5.0 if row.role == "encoder" else 3.6,
                capsize=1.5,
                elinewidth=1.1,
            )
    ax.axvline(0, color="0.45", lw=1)
    names = [f"{system}: {target}".replace("_", " ") for system, target in lines]
    ax.set_yticks(range(len(lines)), names)
    ax.set_ylim(len(lines) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="0.92")
    low = np.nanmin(np.r_[frame.ci_low, 0.0])
    ax.set_xlim(max(FLOOR, low) - 0.03, 1.02)
    ax.set_xlabel("R\N{SUPERSCRIPT TWO} on held-out clips")
    handles = [
        Line2D([], [], marker=look.marker, ls="", color=look.colour, label=labels[name])
        for name, look in looks.items()
    ]
    handles += [
        Line2D([], [], color=palette.CEILING, lw=1.6, label=f"ceiling: {label}")
        for label in tops["label"].unique()
    ]
    part.legend(handles=handles, loc="outside right center")
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Bars: 95 % intervals by bootstrap over clips. Shaded: up to the 95th percentile of the"
        " null (permuted labels, selection redone). Controls in grey."
        + (f" {cut} scores below {FLOOR:g} are not drawn.".replace("-", canvas.MINUS) * (cut > 0)),
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw parameters as a figure of its own."""
    count = frame.drop_duplicates(["system", "target"]).shape[0]
    shown = frame["encoder"].nunique()
    return canvas.alone(panel, frame, (9.6, 1.7 + count * max(0.5, 0.1 * shown)))
