"""Figure: laws read off encoders, by the clips of other systems that a readout is learnt on."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, palette
from physprobe.figures import _frames

NEEDS = ("law",)
DESIGNS = ("readout",)
TITLE = "The law of a new system, by what was learnt on others"
CAPTION = (
    "Percentage of clips whose law is named right, left, and wrong, middle, by the number of clips"
    " of other systems that a readout of the field is learnt on, for every layer that is read; the"
    " rest is 'cannot tell'. Without such clips (0) the tokens are judged as they are. Bars are"
    " Wilson's 95 % intervals over single clips of all systems together; the field itself is a line"
    " across. Right, how well the waves of the field are read with"
    " most clips: squared coherence over clips and times, by periods per side, mean of systems."
)
PANELS = {"right": "law named right [%]", "wrong": "law named wrong [%]"}
STYLES = ("-", "--", ":", "-.")


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Shares of all systems together, and coherence, by encoder, layer and number of clips."""
    return _frames.table(_lines(study))


def _lines(study: _frames.Evidence) -> Iterator[dict]:
    keys = ("system", "layer", "count", "metric", "periods", *_frames.SCORE)
    for name in study.names:
        if name not in study.counts:
            continue
        for row in study.counts[name]["rows"]:
            waves = row["metric"] == "coherence"
            if waves or (row["metric"] in PANELS and row["system"] == "all"):
                about = _frames.about(study, name)
                yield {**about, **{key: row[key] for key in keys}}


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a curve for each encoder and layer.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    axes = part.subplots(1, 3)
    counts = sorted(frame["count"].unique())
    looks = canvas.looks(frame)
    for ax, metric in zip(axes, PANELS, strict=False):
        _shares(ax, frame[frame["metric"] == metric], counts, looks)
        ax.set_ylabel(PANELS[metric])
    _waves(axes[2], frame[frame["metric"] == "coherence"], looks)
    axes[0].legend(fontsize=8)
    canvas.title(part, TITLE)
    n = int(frame.loc[frame["metric"] == "right", "n_clips"].max())
    canvas.note(part, f"Bars: 95 % intervals (Wilson) over {n} clips, each judged by itself.")


def _each(
    frame: pd.DataFrame, looks: Mapping[str, palette.Look]
) -> Iterator[tuple[pd.DataFrame, dict]]:
    """Rows of each encoder and layer, and how they look: alike in all panels."""
    for name, rows in frame.groupby("encoder", sort=False):
        for place, (layer, own) in enumerate(rows.groupby("layer", sort=False, dropna=False)):
            label = own["label"].iloc[0] + ("" if pd.isna(layer) else f", layer {layer}")
            look = looks[str(name)]
            several = rows["layer"].nunique() > 1
            line = STYLES[place % len(STYLES)] if several else look.line
            about = {"color": look.colour, "ls": line, "marker": look.marker, "label": label}
            yield own, about


def _shares(
    ax: Axes, frame: pd.DataFrame, counts: list[int], looks: Mapping[str, palette.Look]
) -> None:
    """Shares by number of clips, in even steps; what has one number alone as a line."""
    places = {count: place for place, count in enumerate(counts)}
    for own, look in _each(frame, looks):
        own = own.sort_values("count")
        value, low, high = (100 * own[key].astype(float) for key in ("value", "ci_low", "ci_high"))
        along = own["count"].map(places)
        if len(own) == 1 and len(counts) > 1:
            ax.plot([0, len(counts) - 1], [value.iloc[0]] * 2, **{**look, "marker": ""}, lw=1)
            ax.fill_between(
                [0, len(counts) - 1], low.iloc[0], high.iloc[0], color=look["color"], alpha=0.12,
                lw=0,
            )  # fmt: skip
            continue
        bars = canvas.bars(low, value, high)
        ax.errorbar(along, value, yerr=bars, ms=5, capsize=2, lw=1.4, **look)
    ax.set_xticks(range(len(counts)), [str(int(count)) for count in counts])
    ax.set_xlabel("clips of other systems")
    ax.set_ylim(-3, 103)
    ax.grid(axis="y", color="0.93")


def _waves(ax: Axes, frame: pd.DataFrame, looks: Mapping[str, palette.Look]) -> None:
    """Squared coherence by periods per side, with the most clips that there are."""
    for own, look in _each(frame, looks):
        most = own[own["count"] == own["count"].max()]
        mean = most.groupby("periods")["value"].mean()
        ax.plot(mean.index, mean, ms=4, lw=1.4, **look)
    ax.set(ylim=(-0.03, 1.03), xlabel="periods per side", ylabel="squared coherence with the field")
    if len(frame):
        ax.set_xticks(np.arange(1, int(frame["periods"].max()) + 1, 2))
    ax.grid(color="0.93")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the curves as a figure of their own."""
    return canvas.alone(panel, frame, (13.5, 4.6))
