"""Figure: which points of the plane an embedding holds to be like a given one."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _frames

NEEDS = ("spread",)
TITLE = "What an embedding holds to be like the marked point"
CAPTION = (
    "Cosine between the embedding of the marked point, one in each component, and that of every"
    " point of the plane; the negative of what has been called the energy of the point given the"
    " marked one. One scale for all. Lines: where the density of the mixture is 2, 5 and 9 nats"
    " below its peak. Of the first network. An embedding that has collapsed is red everywhere;"
    " cosines of the coordinates themselves follow the direction from the origin alone."
)
SHOWN = (0.12, 0.45, 0.83)
"""Which of the references, sorted by their first coordinate, as parts of them."""
LINES = (-9.0, -5.0, -2.0)


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Cosine of every encoder, reference and cell, and the log density there."""
    parts = []
    for name in study.names:
        result = study.spreads.get(name)
        block = result and result.get("members", (result,))[0].get("similarity")
        if not block:
            continue
        x, y = np.meshgrid(block["x"], block["y"])
        count = len(block["reference"])
        for place in dict.fromkeys(round(part * (count - 1)) for part in SHOWN):
            at = block["reference"][place]
            parts.append(
                pd.DataFrame(
                    {
                        **_frames.about(study, name), "reference": place,
                        "reference_x": at[0], "reference_y": at[1],
                        "x": x.ravel(), "y": y.ravel(),
                        "value": np.ravel(block["cosine"][place]) / 100,
                        "log_density": np.ravel(block["log_density"]).astype(float),
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a column for each encoder and a row for each reference.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``label``, ``reference``, ``reference_x``, ``reference_y``, ``x``, ``y``,
        ``value``, ``log_density``.
    """
    names = canvas.names(frame)
    references = sorted(frame["reference"].unique())
    grid = part.subplots(
        len(references), len(names), squeeze=False, sharex=True, sharey=True,
        subplot_kw={"box_aspect": 1},
    )  # fmt: skip
    cells = dict(list(frame.groupby(["reference", "encoder"])))
    shape = (frame["y"].nunique(), frame["x"].nunique())
    shown: Any = None
    for place, (row, reference) in enumerate(zip(grid, references, strict=True)):
        for ax, name in zip(row, names, strict=True):
            own = cells[reference, name]
            x, y, value, density = (
                own[column].to_numpy().reshape(shape)
                for column in ("x", "y", "value", "log_density")
            )
            shown = ax.pcolormesh(x, y, value, vmin=-1, vmax=1, cmap="RdBu_r", rasterized=True)
            ax.contour(
                x, y, density - density.max(), levels=LINES, colors="0.25", linewidths=0.5,
                linestyles="solid",
            )  # fmt: skip
            first = own.iloc[0]
            ax.plot(first["reference_x"], first["reference_y"], "*", color="black", ms=8, mew=0)
            ax.set_xticks([])
            ax.set_yticks([])
            if place == 0:
                ax.set_title(name.replace("_", " "), loc="left", fontsize=8)
    part.colorbar(shown, ax=grid, label="cosine", shrink=0.8)
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Star: the given point. Lines: density 2, 5 and 9 nats below its peak. First network of"
        " each; no interval.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw similarities as a figure of their own."""
    rows, columns = (frame[name].nunique() for name in ("reference", "encoder"))
    return canvas.alone(panel, frame, (max(7.0, 1.2 + 1.5 * columns), 1.0 + 1.6 * rows))
