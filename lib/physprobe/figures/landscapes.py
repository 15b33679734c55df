"""Figure: energies that were learned, beside the density, on one colour scale."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _frames

NEEDS = ("energy",)
TITLE = "Log densities that were learned, beside the density itself"
CAPTION = (
    "First column, log p of the mixture, and of the mixture that noise of deviation s has smoothed;"
    " beside it what each encoder's first network gives, -E plus the constant that suits it best on"
    " the mass of the density. One colour scale for all, cut off 12 nats below the peak. White"
    " lines: where the true log density is 2, 5 and 9 nats below its peak. Dotted: the square that"
    " negatives were drawn from; outside it an energy was told nothing. r: correlation of energies"
    " on the mass of the density, mean over networks."
)
DEEP, LINES = 12.0, (-9.0, -5.0, -2.0)


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Log density of every encoder, layer and cell, and the true one."""
    parts = []
    for name in study.names:
        result = study.energies.get(name)
        if not result:
            continue
        block = result.get("members", (result,))[0]["landscape"]
        for place, layer in enumerate(block["layer"]):
            row = study.energies.row(name, member=None, layer=layer, metric="energy_correlation")
            x, y = np.meshgrid(block["x"], block["y"])
            parts.append(
                pd.DataFrame(
                    {
                        **_frames.about(study, name), "layer": layer,
                        "noise": block["noise"][place],
                        "half_width": block["half_width"] if not block["noise"][place] else None,
                        "correlation": row["value"] if row else None,
                        "x": x.ravel(), "y": y.ravel(),
                        "value": np.ravel(block["value"][place]).astype(float),
                        "truth": np.ravel(block["truth"][place]).astype(float),
                    }
                )
            )  # fmt: skip
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a row for each deviation of noise: the density, then the encoders.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``label``, ``layer``, ``noise``, ``half_width``, ``correlation``, ``x``, ``y``,
        ``value``, ``truth``.
    """
    frame = frame[frame["role"] == "encoder"]
    noises = sorted(frame["noise"].unique())
    most = max(frame[frame["noise"] == noise]["encoder"].nunique() for noise in noises)
    grid = part.subplots(
        len(noises), most + 1, squeeze=False, sharex=True, sharey=True,
        subplot_kw={"box_aspect": 1},
    )  # fmt: skip
    top = frame["truth"].max()
    shown: Any = None
    for row, noise in zip(grid, noises, strict=True):
        own = frame[frame["noise"] == noise]
        of = dict(list(own.groupby("encoder", sort=False)))
        first = next(iter(of.values()))
        shape = (first["y"].nunique(), first["x"].nunique())
        x, y, truth = (first[c].to_numpy().reshape(shape) for c in ("x", "y", "truth"))
        panels = [(f"log p{f', smoothed by {noise:g}' if noise else ''}", truth, None)]
        for each in of.values():
            r = each["correlation"].iloc[0]
            about = f"{each['label'].iloc[0]}, r {r:.3f}"
            half = each["half_width"].iloc[0]
            panels.append((about, each["value"].to_numpy().reshape(shape), half))
        for ax in row[len(panels) :]:
            ax.set_visible(False)
        for ax, (name, values, half) in zip(row, panels, strict=False):
            shown = ax.pcolormesh(
                x, y, np.clip(values, top - DEEP, top), vmin=top - DEEP, vmax=top, cmap="inferno",
                rasterized=True,
            )  # fmt: skip
            ax.contour(
                x, y, truth - truth.max(), levels=LINES, colors="white", linewidths=0.6,
                linestyles="solid",
            )  # fmt: skip
            if half is not None and np.isfinite(half):
                ax.plot(*_square(half), color="white", ls=":", lw=1)
            ax.set_xlim(x.min(), x.max())
            ax.set_ylim(y.min(), y.max())
            ax.set_title(name, loc="left", fontsize=9)
            ax.set(xlabel="x", ylabel="y")
            ax.label_outer()
    part.colorbar(shown, ax=grid, label="log density [nats]", shrink=0.8, extend="both")
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "One scale for all, 12 nats deep. White: the true log density 2, 5 and 9 nats below its"
        " peak. Dotted: where negatives were drawn from. First network of each; r: mean over its"
        " networks.",
    )


def _square(half: float) -> tuple[list[float], list[float]]:
    return [-half, half, half, -half, -half], [-half, -half, half, half, -half]


def figure(frame: pd.DataFrame) -> Figure:
    """Draw landscapes as a figure of their own."""
    return canvas.alone(panel, frame, (12.0, 1.0 + 3.2 * frame["noise"].nunique()))
