"""Figure: the ladder of controls - what every encoder and every control decodes, with its null."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D

from physprobe.report import _axes, _palette

TITLE = "Encoders on the ladder of controls"
CAPTION = (
    "R\N{SUPERSCRIPT TWO} of alpha on held-out clips for every encoder (colour) and control (grey):"
    " filled markers read the clip's mean embedding, open ones each token time on its own. Bars are"
    " 95 % intervals by bootstrap over clips; ochre ticks are the 95th percentile of the null,"
    " permuted labels with the whole selection redone. The dotted line is the best control from the"
    " clip's mean: an encoder says something about alpha only to the right of it."
)
OCHRE = "#C9A24B"
FLOOR = -0.5  # worse than this is written, not drawn


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw the ladder.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``sample`` (clip or token), ``value``, ``ci_low``,
        ``ci_high``, ``null_q95``; layer chosen inside the training clips.
    """
    looks = _axes.looks(frame)
    ax = part.subplots()
    for y, name in enumerate(looks):
        for sample, shift in (("clip", -0.17), ("token", 0.17)):
            rows = frame[(frame["encoder"] == name) & (frame["sample"] == sample)]
            rows = rows[rows.value.notna()]
            if rows.empty:
                continue
            row, look = rows.iloc[0], looks[name]
            if row.value < FLOOR:
                beyond = _axes.interval(row.value, row.ci_low, row.ci_high)
                text = f"\N{BLACK LEFT-POINTING SMALL TRIANGLE} {sample}: {beyond}"
                ax.annotate(
                    text, (0.01, y + shift), xycoords=("axes fraction", "data"), va="center",
                    fontsize=7.5, color=look.colour,
                )  # fmt: skip
                continue
            ax.errorbar(
                row.value,
                y + shift,
                xerr=_axes.bars([row.ci_low], [row.value], [row.ci_high]),
                fmt=look.marker,
                color=look.colour,
                mfc=look.colour if sample == "clip" else "white",
                ms=5.5 if row.role == "encoder" else 4.5,
                capsize=2,
                elinewidth=1.3,
            )
            ax.plot([row.null_q95] * 2, [y + shift - 0.15, y + shift + 0.15], color=OCHRE, lw=2)
    best = frame[(frame["role"] == "control") & (frame["sample"] == "clip")].value.max()
    if np.isfinite(best):
        ax.axvline(best, color="0.45", lw=1, ls=":", zorder=0)
    labels = frame.drop_duplicates("encoder").set_index("encoder")["label"]
    ax.set_yticks(range(len(looks)), [labels[name] for name in looks])
    roles = frame.drop_duplicates("encoder").set_index("encoder")["role"]
    for tick, name in zip(ax.get_yticklabels(), looks, strict=True):
        if roles[name] == "encoder":
            tick.set(color=looks[name].colour, fontweight="bold")
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(looks) - 0.4, -0.6)
    ax.grid(axis="x", color="0.92")
    ax.set_xlabel("R\N{SUPERSCRIPT TWO} of alpha on held-out clips")
    low = max(FLOOR, min(-0.05, np.nanmin(np.r_[frame.ci_low, frame.null_q95])))
    ax.set_xlim(low - 0.03, 1.02)
    ax.legend(
        handles=[
            Line2D([], [], marker="o", ls="", color=_palette.INK, label="clip mean"),
            Line2D([], [], marker="o", ls="", color=_palette.INK, mfc="white", label="each token"),
            Line2D([], [], marker="|", ls="", ms=9, mew=2, color=OCHRE, label="null, 95 %"),
        ],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=3,
        columnspacing=1.2,
        handletextpad=0.3,
        borderaxespad=0.2,
    )  # fmt: skip
    _axes.title(part, TITLE)
    _axes.note(
        part,
        "Bars: 95 % intervals by bootstrap over clips. Dotted: best control from the clip's mean."
        " Null: permuted labels, selection redone.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the ladder as a figure of its own."""
    return _axes.alone(panel, frame, (7.6, 1.9 + 0.36 * frame["encoder"].nunique()))
