"""Figure: where labels become readable, layer by layer, beside controls and published curves."""

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.report import _axes, _palette

TITLE = "Layer by layer"
CAPTION = (
    "R\N{SUPERSCRIPT TWO}, or the score of classes that the axis names, on held-out clips, every"
    " choice made inside the training clips, of each layer (0 is the patch embedding, final is"
    " after the last LayerNorm). Bands and bars are 95 % intervals of single layers by bootstrap"
    " over clips, or over whole scenes; thin lines bound the band that holds all layers at once."
    " Diamonds: the first layer at the threshold, with the interval that follows from that band."
    " Grey: controls; those without layers stand on the right. The shaded floor reaches up to the"
    " 95th percentile of the null, permuted labels with the selection redone."
)
SCORES = {
    "r2": "R\N{SUPERSCRIPT TWO}",
    "accuracy": "accuracy",
    "auc": "AUC",
    "relative_accuracy": "relative accuracy",
}
"""Words for the metrics; 0.5 is chance for all but R2."""
FORMS = {"sincos": "1st harmonic", "sincos2": "2nd harmonic", "sincos3": "3rd harmonic"}
COLUMNS, FLOOR = 3, -0.5
FINAL = 0.06  # of the depth: how far behind the last block its normed output stands
PUBLISHED = "#882255"


def frame(result: Mapping, published: Mapping) -> pd.DataFrame:
    """Lines of a figure: ``item`` is ``score``, ``onset``, ``onset_above_controls``, ``published``.

    Parameters
    ----------
    result : mapping
        A layerwise result.
    published : mapping
        Content of ``published_layers.yaml``.
    """
    return pd.DataFrame(_lines(result, published))


def _lines(result: Mapping, published: Mapping) -> Iterator[dict]:
    panels, threshold = result["spec"]["figures"][result["figure"]], result["spec"]["threshold"]
    same = [
        name
        for name, about in result["encoders"].items()
        if about["role"] == "encoder" and about["hf_repo"] == published["encoder"]
    ]
    for line in result["table"]:
        shown = _palette.shown(line["encoder"], line["label"])
        yield {**line, "item": "score", "shown": shown, "threshold": threshold}
    for row in result["rows"]:
        if row["metric"] in ("onset", "onset_above_controls"):
            yield {
                "item": row["metric"],
                "variable": row["model"],
                "encoder": row["encoder"],
                "role": result["encoders"][row["encoder"]]["role"],
                "target": row["target"],
                "place": row["value"],
                "place_low": row["ci_low"],
                "place_high": row["ci_high"],
                "note": row["note"],
            }
    for panel, asked in panels.items():
        if not (same and asked["published"]):
            continue
        curve = published["curves"][asked["published"]]
        metric = asked.get("metric", "r2")
        if f"{metric}_mean" not in curve:
            continue
        means = curve[f"{metric}_mean"]
        deviations = curve.get(f"{metric}_std", [None] * len(means))
        for number, (mean, deviation) in enumerate(zip(means, deviations, strict=True)):
            place = curve["first_layer"] + number
            yield {
                "item": "published",
                "run_name": curve["run"],
                "variable": panel,
                "layer": str(place),
                "place": place,
                "metric": metric,
                "score": mean,
                "spread": deviation,
                f"{metric}_mean": mean,
                f"{metric}_std": deviation,
                "role": "published",
                "target": curve["target"],
                "note": ", ".join(curve[key] for key in ("pooling", "grouping", "solver")),
                **{key: curve[key] for key in ("grouping", "solver", "norm_mode")},
            }


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw one panel per label.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    names = list(frame["variable"].unique())
    scores = frame[frame["item"] == "score"]
    looks = _axes.looks(scores)
    axes = part.subplots(-(-len(names) // COLUMNS), min(COLUMNS, len(names)), squeeze=False)
    for ax in axes.flat[len(names) :]:
        ax.remove()
    for ax, name in zip(axes.flat, names, strict=False):
        _draw(ax, frame[frame["variable"] == name], looks)
        ax.set_title(_named(name, frame), loc="left")
    drawn = {
        label: handle
        for ax in axes.flat[: len(names)]
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    shown = dict(zip(scores["encoder"], scores["shown"], strict=True))
    order = [shown[name] for name in looks if shown.get(name) in drawn]
    order += [label for label in drawn if label not in order]
    part.legend(
        [drawn[label] for label in order],
        order,
        loc="outside upper right",
        ncols=min(4, len(order)),
    )
    _axes.title(part, TITLE)
    threshold = frame["threshold"].dropna().iloc[0]
    words = " or ".join(SCORES[metric] for metric in scores["metric"].unique())
    _axes.note(
        part,
        "Bands and bars: 95 % intervals of single layers by bootstrap over clips; thin lines: band"
        f" that holds all layers at once (95 %). Diamond: first layer with {words} of"
        f" {threshold:g} or more; its bar: where the band lets that layer be. Shaded floor: up to"
        " the 95th percentile of the null (permuted labels, selection redone). Controls grey."
        + (
            " Relative accuracy: share of scenes whose possible movies, taken together, are given"
            " the higher probability, ties one half. Scenes are drawn whole, and relabelled within."
            if (scores["metric"] == "relative_accuracy").any()
            else ""
        )
        + (
            " Published: hyper-parameters were chosen on the fold that is reported; bars are"
            " standard deviations over five folds."
            if (frame["item"] == "published").any()
            else ""
        ),
    )


def _named(name: str, frame: pd.DataFrame) -> str:
    target = frame.loc[frame["variable"] == name, "target"].iloc[0]
    form = FORMS.get(target.partition("_")[0], "")
    if target == "direction":
        form = "raw angle"
    return name.replace("_", " ") + (f" ({form})" if form and form not in name else "")


def _draw(ax: Axes, frame: pd.DataFrame, looks: Mapping) -> None:
    scores = frame[frame["item"] == "score"]
    depth = scores.groupby("encoder", sort=False)["place"].max()
    deep = [name for name in looks if depth.get(name, 0) > 0]
    flat = [name for name in looks if depth.get(name, -1) == 0]
    alike = len({depth[name] for name in deep}) <= 1
    last = {name: None if alike else depth[name] for name in deep}
    end = float(depth[deep].max()) if alike and deep else 1.0 + FINAL
    for name in reversed(deep):
        rows, look = scores[scores["encoder"] == name].sort_values("place"), looks[name]
        x, own = _x(rows["place"], last[name]), rows["role"].iloc[0] == "encoder"
        if own:
            null = rows["null_q95"]
            ax.fill_between(x, -9, null, color=_palette.NULL, lw=0, zorder=0,
                            label="null, below its 95th percentile")  # fmt: skip
            for edge in ("band_low", "band_high"):
                ax.plot(x, rows[edge], color=look.colour, lw=0.7, alpha=0.7)
        alpha = 0.22 if own else 0.12
        ax.fill_between(x, rows["ci_low"], rows["ci_high"], color=look.colour, alpha=alpha, lw=0)
        ax.plot(
            x, rows["score"], color=look.colour, ls=look.line, marker=look.marker, lw=look.width,
            ms=4 if len(rows) < 16 else 2.5, label=rows["shown"].iloc[0],
        )  # fmt: skip
    _onsets(ax, frame, looks, last, end)
    _published(ax, frame, alike)
    step = 0.09 * max(end, 1.0)
    places = {name: end + step * (number + 1.2) for number, name in enumerate(flat)}
    for name, x in places.items():
        row, look = scores[scores["encoder"] == name].iloc[0], looks[name]
        if row.score < FLOOR:
            value = _axes.interval(row.score, np.nan, np.nan)
            told = f"\N{BLACK DOWN-POINTING SMALL TRIANGLE}\n{value}"
            ax.annotate(
                told, (x, 0.08), xycoords=("data", "axes fraction"), ha="center", fontsize=8
            )
            continue
        ax.plot([0, x], [row.score] * 2, color=look.colour, ls=":", lw=0.9, zorder=1)
        bars = _axes.bars([row.ci_low], [row.score], [row.ci_high])
        ax.errorbar(x, row.score, yerr=bars, fmt=look.marker, color=look.colour, capsize=2, ms=5,
                    elinewidth=1.1, label=row["shown"])  # fmt: skip
    _ticks(ax, scores, deep, alike, end, places)
    drawn = np.r_[scores["score"], scores["ci_low"], scores["band_low"].dropna()]
    metric = scores["metric"].iloc[0]
    if metric == "r2":
        _axes.limits(ax, drawn, floor=FLOOR, top=1.0, lowest=-0.1)
    else:
        ax.axhline(0.5, color="0.5", lw=0.8, ls=(0, (4, 3)), zorder=1, label="chance")
        _axes.limits(ax, drawn, floor=0.0, top=1.0, lowest=0.4)
    ax.set_ylabel(f"{SCORES[metric]} on held-out clips")


def _x(place: pd.Series | float, last: float | None) -> pd.Series | float:
    """Place on the axis: the layer's own, or if the last is given its part of the depth."""
    if last is None:
        return place
    return np.minimum(place / (last - 1), 1.0) + FINAL * (place == last)


def _onsets(ax: Axes, frame: pd.DataFrame, looks: Mapping, last: Mapping, end: float) -> None:
    """Diamonds at the threshold, and what they say in the panel's upper right corner."""
    threshold = float(frame["threshold"].dropna().iloc[0])
    ax.axhline(threshold, color="0.8", lw=0.8, zorder=0)
    told = []
    found = frame[(frame["item"] == "onset") & (frame["role"] == "encoder")]
    for number, row in enumerate(found.itertuples()):
        name = f"onset of {row.encoder.replace('_', ' ')}" if len(found) > 1 else "onset"
        told.append(f"{name}: {row.note}")
        if not np.isfinite(row.place_low):
            continue
        y, colour = threshold - 0.025 * number, looks[row.encoder].colour
        low, place, high = (
            float(_x(value, last[row.encoder])) if np.isfinite(value) else math.nan
            for value in (row.place_low, row.place, row.place_high)
        )
        ax.plot([low, high if np.isfinite(high) else end], [y, y], color=colour, lw=1.6, zorder=4)
        ax.plot(low, y, "|", color=colour, ms=8, zorder=4)
        ax.plot(high if np.isfinite(high) else end, y, "|" if np.isfinite(high) else ">",
                color=colour, ms=8 if np.isfinite(high) else 5, zorder=4)  # fmt: skip
        if np.isfinite(place):
            ax.plot(place, y, "D", color=colour, mec="white", ms=6.5, zorder=5)
    if told:
        ax.set_title("\n".join(told), loc="right", fontsize=8, color="0.35")


def _published(ax: Axes, frame: pd.DataFrame, alike: bool) -> None:
    rows = frame[frame["item"] == "published"]
    if len(rows):
        ax.errorbar(
            rows["place"] / (1 if alike else len(rows)), rows["score"],
            yerr=rows["spread"].astype(float).fillna(0.0), color=PUBLISHED, ls="--", lw=1.2,
            elinewidth=0.6, label="published (other selection)",
        )  # fmt: skip


def _ticks(
    ax: Axes, scores: pd.DataFrame, deep: list, alike: bool, end: float, places: Mapping
) -> None:
    labels = {name: scores.loc[scores["encoder"] == name, "shown"].iloc[0] for name in places}
    ticks: dict[float, str] = {}
    if deep and alike:
        names = scores[scores["encoder"] == deep[0]].sort_values("place")["layer"].tolist()
        every = 1 + (len(names) - 1) // 10
        ticks = {float(x): names[x] for x in range(0, len(names) - 1, every)}
        if end - max(ticks) < 0.6 * every:
            ticks.pop(max(ticks))
        ticks[end] = names[-1]
    elif deep:
        ticks = {x: f"{x:g}" for x in (0.0, 0.25, 0.5, 0.75, 1.0)} | {end: "final"}
    ticks |= {places[name]: labels[name] for name in places}
    ax.set_xticks(list(ticks), list(ticks.values()))
    for tick in ax.get_xticklabels()[len(ticks) - len(places) :]:
        tick.set(rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
    if deep and places:
        ax.axvline(end + 0.05 * max(end, 1.0), color="0.85", lw=1)
    ax.set_xlim(-0.04 * max(end, 1.0), max([end, *places.values()]) + 0.05 * max(end, 1.0))
    ax.set_xlabel("layer [blocks applied]" if alike else "depth [part of the blocks applied]")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw a layerwise figure."""
    count = frame["variable"].nunique()
    return _axes.alone(panel, frame, (5.2 * min(COLUMNS, count), 1.4 + 3.9 * -(-count // COLUMNS)))
