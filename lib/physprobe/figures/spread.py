"""Figure: how far embeddings are spread, and what is read of them - a verdict on collapse."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, palette
from physprobe.figures import _frames

NEEDS = ("spread",)
TITLE = "Which embeddings have collapsed, and what is read of the others"
CAPTION = (
    "One mark for each network: effective rank of its embeddings, and one less the mean cosine"
    " between points, both on logarithmic axes. Shaded: where an embedding has collapsed, rank"
    " below 1.5 or cosine above 0.99; a cross is a network that has. Right, held-out scores of what"
    " is read of the embedding, with 95 % intervals over points and networks: accuracy of the"
    " component and R\N{SUPERSCRIPT TWO} of log p. Controls in grey: the coordinates themselves,"
    " and random weights."
)
BOUNDS = {"effective_rank": 1.5, "apart": 0.01}
WORDS = {"effective_rank": "effective rank", "apart": "1 less mean cosine"}
FLOOR = 1e-6


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Rank and cosine of every network, and scores of probes."""
    return _frames.table(row for name in study.names for row in _of_one(study, name))


def _of_one(study: _frames.Evidence, name: str) -> Iterator[dict]:
    result = study.spreads.get(name)
    if not result:
        return
    own = _frames.about(study, name)
    for part in result.get("members", (result,)):
        found = {row["metric"]: row["value"] for row in part["rows"]}
        about = {**own, "member": part.get("member"), "collapsed": bool(found["collapsed"])}
        yield {**about, "metric": "effective_rank", "value": found["effective_rank"]}
        yield {**about, "metric": "apart", "value": 1 - found["mean_cosine"]}
    for fits in study.each("probe").values():
        if name not in fits:
            continue
        for target in fits[name]["spec"]["targets"]:
            for metric in ("accuracy", "r2"):
                where = {"target": target, "sample": "clip", "layer": "selected", "part": None}
                row = fits.row(name, member=None, metric=metric, time=None, **where)
                if row and row["value"] is not None:
                    score = {key: row[key] for key in _frames.SCORE}
                    yield {**own, "metric": metric, "target": target, **score}


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a row for each encoder in every panel.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``metric``, ``value``, ``collapsed`` of each network;
        of scores ``target``, ``ci_low``, ``ci_high``.
    """
    looks = canvas.looks(frame)
    places = {name: place for place, name in enumerate(looks)}
    scored = frame[~frame["metric"].isin(BOUNDS)]
    asked = list(dict.fromkeys(zip(scored["metric"], scored.get("target", ()), strict=False)))
    axes = part.subplots(1, len(BOUNDS) + len(asked), sharey=True, squeeze=False)[0]
    for ax, metric in zip(axes, BOUNDS, strict=False):
        _networks(ax, frame[frame["metric"] == metric], looks, places)
        ax.set_xscale("log")
        low, high = ax.get_xlim()
        low = min(low, BOUNDS[metric] / 2)
        ax.axvspan(low, BOUNDS[metric], color="0.93", zorder=0)
        ax.set_xlim(low, high)
        ax.set_xlabel(WORDS[metric])
    for ax, (metric, target) in zip(axes[len(BOUNDS) :], asked, strict=True):
        rows = scored[(scored["metric"] == metric) & (scored["target"] == target)]
        for row in rows.itertuples():
            bar = canvas.bars(row.ci_low, row.value, row.ci_high)[:, None]
            ax.errorbar(
                row.value, places[row.encoder], xerr=bar, fmt=looks[row.encoder].marker,
                color=looks[row.encoder].colour, ms=5, capsize=2,
            )  # fmt: skip
        ax.set_xlabel(canvas.scored({"metric": metric, "target": target}))
        ax.grid(axis="x", color="0.94")
    labels = frame.drop_duplicates("encoder").set_index("encoder")["label"]
    axes[0].set_yticks(range(len(places)), [palette.shown(n, labels[n]) for n in places])
    axes[0].invert_yaxis()
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "A mark for each network; shaded: collapsed, rank below 1.5 or cosine above 0.99; a cross"
        " has, by either. Right: held-out scores with 95 % intervals over points and networks.",
    )


def _networks(ax: Axes, rows: pd.DataFrame, looks: dict, places: dict[str, int]) -> None:
    for name, own in rows.groupby("encoder", sort=False):
        heights = places[name] + (np.linspace(-0.25, 0.25, len(own)) if len(own) > 1 else 0.0)
        fell = own["collapsed"].to_numpy(bool)
        value = np.maximum(own["value"].to_numpy(float), FLOOR)
        for some, mark in ((~fell, "o"), (fell, "x")):
            where = np.broadcast_to(heights, len(own))[some]
            ax.plot(value[some], where, mark, color=looks[name].colour, ms=5)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw spread as a figure of its own."""
    return canvas.alone(panel, frame, (13.0, 1.8 + 0.42 * frame["encoder"].nunique()))
