"""Figure: points that Langevin dynamics draws by a learned score, beside the density's own."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _frames

NEEDS = ("energy",)
TITLE = "Points drawn by a learned score, beside the density's own"
CAPTION = (
    "Left, points of the mixture, in grey also behind the others; in colour as many that Langevin"
    " dynamics draws by each encoder's score, from noise on a square: with several deviations of"
    " noise from the largest to the smallest, of one alone at that one, of an energy without noise"
    " at a temperature that falls to 1. Of the first network; numbers are means over networks: W2,"
    " sliced Wasserstein distance (in brackets that of other draws of the mixture), and the largest"
    " error of a mode's weight. The density itself as a control shows what sampling alone costs."
)
METRICS = ("sliced_wasserstein", "mmd", "share_error")


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Points of every encoder's first network and of the density, and how far they are apart."""
    parts = []
    for name in study.names:
        result = study.energies.get(name)
        block = result and result.get("members", (result,))[0].get("samples")
        if not block:
            continue
        told = {}
        for metric in METRICS:
            for layer, column in (("samples", metric), ("truth", f"{metric}_of_truth")):
                where = {"member": None, "layer": layer, "metric": metric, "part": None}
                row = study.energies.row(name, **where)
                told[column] = row["value"] if row else None
        for kind in ("truth", "found"):
            points = np.asarray(block[kind], float)
            parts.append(
                pd.DataFrame(
                    {
                        **_frames.about(study, name), **told, "drawn": kind,
                        "x": points[:, 0], "y": points[:, 1],
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a panel for each encoder and control.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``drawn``, ``x``, ``y``, and metrics.
    """
    looks = canvas.looks(frame)
    axes = part.subplots(
        1, 1 + len(looks), squeeze=False, sharex=True, sharey=True, subplot_kw={"box_aspect": 1}
    )[0]
    truth = frame[(frame["encoder"] == next(iter(looks))) & (frame["drawn"] == "truth")]
    axes[0].plot(truth["x"], truth["y"], ".", color="0.5", ms=3, mew=0)
    axes[0].set_title("the mixture\n", loc="left", fontsize=9)
    for ax, name in zip(axes[1:], looks, strict=True):
        own = frame[frame["encoder"] == name]
        first = own.iloc[0]
        for kind, colour in (("truth", "0.75"), ("found", looks[name].colour)):
            points = own[own["drawn"] == kind]
            ax.plot(points["x"], points["y"], ".", color=colour, ms=3, mew=0)
        told = (
            f"W2 {first['sliced_wasserstein']:.2f} ({first['sliced_wasserstein_of_truth']:.2f}),"
            f" weights to {first['share_error']:.3f}"
        )
        ax.set_title(f"{first['label']}\n{told}", loc="left", fontsize=9)
        ax.set_xlim(-10, 10)
        ax.set_ylim(-6, 14)
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Grey: points of the mixture. Colour: Langevin samples of the first network, their numbers"
        " means over networks; in brackets W2 of two draws of the mixture.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw samples as a figure of their own."""
    return canvas.alone(panel, frame, (max(7.0, 2.6 * (1 + frame["encoder"].nunique())), 4.0))
