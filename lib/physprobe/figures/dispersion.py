"""Figure: rates of decay and frequencies against the wavenumber, beside the true ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullFormatter

from physprobe.drawing import canvas, palette

READS = "verdicts"
TITLE = "Dispersion relations, read off without labels"
CAPTION = (
    "Decay rate (blue) and frequency (orange) against the wavenumber, median of clips; the cloud is"
    " drawn anew from the clips. Black lines: what the clips' own parameters give the same modes."
    " Numbers are the exponents of a power law fitted to each clip, median of clips, with 95 %"
    " intervals."
)
COLOURS = {"decay": "#0072B2", "frequency": "#D55E00"}
LINES = {"decay": "-", "frequency": (0, (4, 1.5))}
LEAST = 1e-4  # [1/s] where axes end


def frame(result: Mapping) -> pd.DataFrame:
    """What is drawn of claims of kind ``right_law``: a row per point of a cloud and per bin."""
    shown = result["shown"].values()
    exponents = {
        (row["system"], row["encoder"], row["quantity"]): row
        for row in result["rows"]
        if row["metric"] == "exponent"
    }
    labels = {one["source"]: one["label"] or "" for claim in shown for one in claim["systems"]}
    # claims on one source rest on the same clouds
    names = ("system", "source", "quantity")
    clouds = {tuple(c[name] for name in names): c for claim in shown for c in claim["dispersion"]}
    parts = []
    for cloud in clouds.values():
        about = {name: cloud[name] for name in names}
        found = exponents[tuple(about.values())]
        about |= {"label": labels[about["source"]]}
        about |= {f"exponent_{key}": found[key] for key in ("value", "ci_low", "ci_high")}
        bins = {key: cloud[key] for key in ("wavenumber", "value", "ci_low", "ci_high")}
        true = cloud["true"] or [None] * len(cloud["value"])
        parts.append(pd.DataFrame({**bins, "true": true}).assign(part="bin", **about))
        drawn = np.array(cloud["draws"], float)
        wavenumber = np.tile(cloud["wavenumber"], len(drawn))
        points = pd.DataFrame({"wavenumber": wavenumber, "value": drawn.ravel()})
        parts.append(points.assign(part="cloud", **about))
    return pd.concat(parts, ignore_index=True)


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a panel per system and source.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    systems, sources = list(frame["system"].unique()), list(frame["source"].unique())
    axes = part.subplots(len(systems), len(sources), sharex="col", sharey="row", squeeze=False)
    for row, system in zip(axes, systems, strict=True):
        for ax, source in zip(row, sources, strict=True):
            own = frame[(frame["system"] == system) & (frame["source"] == source)]
            if own.empty:
                ax.set_axis_off()
                continue
            _one(ax, own)
            if ax in axes[0]:
                ax.set_title(palette.shown(source, own["label"].iloc[0]))
            if ax in axes[-1]:
                ax.set_xlabel("wavenumber |k| [rad/px]")
        bins = frame[(frame["system"] == system) & (frame["part"] == "bin")]
        rates = bins[["value", "ci_low", "ci_high", "true"]].to_numpy(float)
        rates = rates[rates > LEAST]
        row[0].set_ylim(rates.min() / 1.5, rates.max() * 15)  # room for the exponents
        row[0].set_ylabel(f"{system.replace('_', ' ')}\nrate [1/s]")
    handles = [
        Line2D([], [], color=COLOURS[name], marker="o", ms=4, lw=0, label=name) for name in COLOURS
    ]
    handles += [
        Line2D([], [], color="black", ls=LINES[name], lw=1.3, label=f"true {name}")
        for name in LINES
    ]
    legend = axes[0, 0].legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.08), ncols=4
    )
    legend.set_in_layout(False)
    canvas.title(part, f"{TITLE}\n")  # the second line is the legend's
    canvas.note(
        part,
        "Dots: median of clips in bins of the wavenumber; bars: 95 % intervals, clouds: medians, by"
        " bootstrap over clips. Rates that are 0 lie below the axes. In the corner: exponents of"
        " decay and frequency in |k| (frequency of what is carried along: in |k . v|), median of"
        " clips with its 95 % interval; a dash where no clip has a rate to speak of. reaction"
        " diffusion has no true curve.",
    )


def _one(ax: Axes, own: pd.DataFrame) -> None:
    for place, (name, colour) in enumerate(COLOURS.items()):
        rows = own[own["quantity"] == name]
        cloud, bins = (rows[rows["part"] == part] for part in ("cloud", "bin"))
        ax.plot(
            cloud["wavenumber"], cloud["value"].where(cloud["value"] > 0), "o", color=colour,
            ms=2.5, alpha=0.12, mew=0,
        )  # fmt: skip
        shown = bins[bins["value"] > LEAST]
        bars = canvas.bars(shown["ci_low"], shown["value"], shown["ci_high"])
        ax.errorbar(
            shown["wavenumber"], shown["value"], yerr=bars, fmt="o", color=colour, ms=4,
            capsize=2, elinewidth=1.1,
        )  # fmt: skip
        true = bins[bins["true"].astype(float) > 0]
        ax.plot(true["wavenumber"], true["true"], color="black", ls=LINES[name], lw=1.3)
        value, low, high = (
            np.nan if bins[key].iloc[0] is None else float(bins[key].iloc[0])
            for key in ("exponent_value", "exponent_ci_low", "exponent_ci_high")
        )
        said = canvas.interval(value, low, high)
        ax.text(
            0.03, 0.98 - 0.1 * place, said, color=colour, fontsize=7.5, transform=ax.transAxes,
            va="top",
        )  # fmt: skip
    ax.set(xscale="log", yscale="log")
    ax.xaxis.set_major_locator(FixedLocator((0.05, 0.1, 0.2, 0.4)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.grid(color="0.94")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw a survey's dispersion relations as a figure of its own."""
    width = max(6.0, 3.1 * frame["source"].nunique() + 0.6)
    shape = width, 2.3 * frame["system"].nunique() + 1.6
    return canvas.alone(panel, frame, shape)
