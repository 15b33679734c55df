"""Figure: where labels become readable, layer by layer, beside controls and published curves."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, palette

READS = "verdicts"
BESIDE = ("published_layers.yaml",)
TITLE = "Layer by layer"
CAPTION = (
    "R\N{SUPERSCRIPT TWO}, or the score of classes that the axis names, on held-out clips, every"
    " choice made inside the training clips, of each layer (0 is the patch embedding, final is"
    " after the last LayerNorm). Bands and bars are 95 % intervals of single layers by bootstrap"
    " over clips, or over whole scenes; thin lines bound the band that holds all layers at once."
    " Diamonds: the first layer at the threshold, with the interval that follows from that band."
    " Encoders of different depth are drawn against the part of their blocks that were applied,"
    " and against their number. Grey: controls; those without layers stand on the right. The shaded"
    " floor reaches up to the 95th percentile of the null, permuted labels with the selection"
    " redone. A dash-dotted line with a band is a ceiling: who knows the equation."
)
SCORES = {
    "r2": "R\N{SUPERSCRIPT TWO}",
    "accuracy": "accuracy",
    "auc": "AUC",
    "relative_accuracy": "relative accuracy",
}
"""Words for the metrics."""
FORMS = {"sincos": "1st harmonic", "sincos2": "2nd harmonic", "sincos3": "3rd harmonic"}
COLUMNS, FLOOR = 3, -0.5
PUBLISHED = "#882255"


class Axis(NamedTuple):
    """What stands along x: an encoder's layers."""

    column: str
    """Of the frame: ``place`` or ``depth``."""
    label: str
    final: float
    """How far behind the last block its normed output stands."""
    named: bool
    """Whether that is the same place for all, and a tick."""


ALIKE = Axis("place", "layer [blocks applied]", 1.0, True)
DEPTH = Axis("depth", "depth [part of the blocks applied]", 0.06, True)
LAYER = Axis("place", "layer [blocks applied]", 0.5, False)


def frame(result: Mapping, published: Mapping) -> pd.DataFrame:
    """Lines of a figure: ``item`` is ``score``, ``onset``, ``onset_above_controls``, ``published``.

    Parameters
    ----------
    result : mapping
        ``verdicts.json`` of a study with claims of kind ``onset``.
    published : mapping
        Content of ``published_layers.yaml``.
    """
    return pd.DataFrame(_lines(result, published))


def _lines(result: Mapping, published: Mapping) -> Iterator[dict]:
    controls, drawn = result["spec"]["controls"], set()
    claims = {name: result["spec"]["claims"][name] for name in result["shown"]}
    for panel, shown in result["shown"].items():
        for line in shown["table"]:
            about = shown["encoders"][line["encoder"]]
            if about["role"] == "encoder" and about["hf_repo"] == published["encoder"]:
                drawn.add(panel)
            named = palette.shown(line["encoder"], line["label"])
            threshold = claims[panel]["margin"]
            yield {"variable": panel, **line, "item": "score", "shown": named,
                   "threshold": threshold}  # fmt: skip
    found = {(row["metric"], row["claim"], row["encoder"]): row for row in result["rows"]}
    for (metric, panel, encoder), row in found.items():
        if metric in ("onset", "onset_above_controls"):
            yield {
                "item": metric,
                "variable": panel,
                "encoder": encoder,
                "role": "control" if encoder in controls else "encoder",
                "target": row["target"],
                **_onset("place", row),
                **_onset("depth", found[f"{metric}_depth", panel, encoder]),
            }
    for panel, asked in claims.items():
        if not (panel in drawn and asked["published"]):
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
                "depth": place / len(means),
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


def _onset(column: str, row: Mapping) -> dict:
    return {
        column: row["value"],
        f"{column}_low": row["ci_low"],
        f"{column}_high": row["ci_high"],
        f"{column}_told": row["note"],
    }


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw one panel per label; two, one below the other, where encoders differ in depth.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        Of :func:`frame`.
    """
    names = list(frame["variable"].unique())
    scores = frame[frame["item"] == "score"]
    looks = canvas.looks(scores)
    kinds, rows, columns = _grid(frame)
    axes = part.subplots(rows, columns, squeeze=False)
    for place, name in enumerate(names):
        for below, kind in enumerate(kinds):
            ax = axes[place // columns * len(kinds) + below, place % columns]
            _draw(ax, frame[frame["variable"] == name], looks, kind)
            ax.set_title(_named(name, frame), loc="left")
    for ax in axes.flat:
        if not ax.has_data():
            ax.remove()
    drawn = {
        label: handle
        for ax in axes.flat
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    shown = dict(zip(scores["encoder"], scores["shown"], strict=True))
    order = [shown[name] for name in looks if shown.get(name) in drawn]
    order += [label for label in drawn if label not in order]
    part.legend(
        [drawn[label] for label in order],
        order,
        loc="outside upper right",
        ncols=min(columns + 1, len(order)),
    )
    canvas.title(part, textwrap.fill(_titled(scores), 16 * columns + 12))  # beside the legend
    threshold = frame["threshold"].dropna().iloc[0]
    words = " or ".join(SCORES[metric] for metric in scores["metric"].unique())
    canvas.note(
        part,
        "Bands and bars: 95 % intervals of single layers by bootstrap over clips; thin lines: band"
        f" that holds all layers at once (95 %). Diamond: first layer with {words} of"
        f" {threshold:g} or more; its bar: where the band lets that layer be. Shaded floor: up to"
        " the 95th percentile of the null (permuted labels, selection redone). Controls grey."
        + (
            " Encoders differ in depth: above, against the part of their blocks that were applied;"
            " below, against the number, where open markers are after the last LayerNorm."
            if len(kinds) > 1
            else ""
        )
        + (
            " Relative accuracy: share of scenes whose possible movies, taken together, are given"
            " the higher probability, ties one half. Scenes are drawn whole, and relabelled within."
            if (scores["metric"] == "relative_accuracy").any()
            else ""
        )
        + (
            " Attention is no sum over frames: that movies share their frames ties nothing here, so"
            " go by the controls."
            if scores["solver"].str.startswith("attentive").any()
            else ""
        )
        + (
            " Published: hyper-parameters were chosen on the fold that is reported; bars are"
            " standard deviations over five folds."
            if (frame["item"] == "published").any()
            else ""
        ),
    )


def _titled(scores: pd.DataFrame) -> str:
    """Title that tells one figure from another: study, probes, and what folds keep together."""
    found = (
        f"{TITLE}: {scores['run_name'].iloc[0]}, {' and '.join(scores['solver'].unique())} probes"
    )
    coarser = [name for name in scores["grouping"].unique() if name != "clip"]
    found += f", folds by {' and '.join(coarser)}" if coarser else ""
    return found.replace("_", " ")


def _named(name: str, frame: pd.DataFrame) -> str:
    target = frame.loc[frame["variable"] == name, "target"].iloc[0]
    form = FORMS.get(target.partition("_")[0], "")
    if target == "direction":
        form = "raw angle"
    return name.replace("_", " ") + (f" ({form})" if form and form not in name else "")


def _grid(frame: pd.DataFrame) -> tuple[list[Axis], int, int]:
    """Axes that every label is drawn on, one below the other; rows and columns of the figure."""
    scores, count = frame[frame["item"] == "score"], frame["variable"].nunique()
    last = scores.groupby("encoder")["place"].max()
    kinds = [ALIKE] if last[last > 0].nunique() <= 1 else [DEPTH, LAYER]
    columns = 2 if count == 4 else min(COLUMNS, count)
    return kinds, -(-count // columns) * len(kinds), columns


def _draw(ax: Axes, frame: pd.DataFrame, looks: Mapping, kind: Axis) -> None:
    scores = frame[frame["item"] == "score"]
    _, tops = canvas.parted(scores)
    canvas.ceilings(ax, tops.assign(label=tops["shown"], value=tops["score"]))
    by_name = {name: rows.sort_values("place") for name, rows in scores.groupby("encoder")}
    deep = [name for name in looks if name in by_name and len(by_name[name]) > 1]
    flat = [name for name in looks if name in by_name and len(by_name[name]) == 1]
    x = {name: _along(kind, by_name[name]) for name in deep}
    end = max((places[-1] for places in x.values()), default=1.0)
    for name in reversed(deep):
        _line(ax, by_name[name], x[name], looks[name], kind)
    _onsets(ax, frame, looks, kind, x)
    _published(ax, frame, kind)
    step = 0.09 * max(end, 1.0)
    places = {name: end + step * (number + 1.2) for number, name in enumerate(flat)}
    for name, place in places.items():
        row, look = by_name[name].iloc[0], looks[name]
        if row.score < FLOOR:
            value = canvas.interval(row.score, np.nan, np.nan)
            told = f"\N{BLACK DOWN-POINTING SMALL TRIANGLE}\n{value}"
            ax.annotate(
                told, (place, 0.08), xycoords=("data", "axes fraction"), ha="center", fontsize=8
            )
            continue
        ax.plot([0, place], [row.score] * 2, color=look.colour, ls=":", lw=0.9, zorder=1)
        bars = canvas.bars([row.ci_low], [row.score], [row.ci_high])
        ax.errorbar(place, row.score, yerr=bars, fmt=look.marker, color=look.colour, capsize=2,
                    ms=5, elinewidth=1.1, label=row["shown"])  # fmt: skip
    _ticks(ax, [by_name[name] for name in deep], kind, end, places, by_name)
    drawn = np.r_[scores["score"], scores["ci_low"], scores["band_low"].dropna()]
    metric = scores["metric"].iloc[0]
    if metric == "r2":
        canvas.limits(ax, drawn, floor=FLOOR, top=1.0, lowest=-0.1)
    else:
        chance = scores["chance"].iloc[0]
        ax.axhline(chance, color="0.5", lw=0.8, ls=(0, (4, 3)), zorder=1, label="chance")
        canvas.limits(ax, drawn, floor=0.0, top=1.0, lowest=min(0.4, chance - 0.1))
    ax.set_ylabel(f"{SCORES[metric]} on held-out clips")


def _along(kind: Axis, rows: pd.DataFrame) -> np.ndarray:
    """Where the layers of an encoder stand, in order."""
    normed = (rows["layer"] == "final").to_numpy()
    last = rows.loc[~normed, kind.column].max()
    return np.where(normed, last + kind.final, rows[kind.column].to_numpy(float))


def _line(ax: Axes, rows: pd.DataFrame, x: np.ndarray, look: palette.Look, kind: Axis) -> None:
    """An encoder's scores, with their intervals; of one under test with band and null."""
    own = rows["role"].iloc[0] == "encoder"
    if own:
        ax.fill_between(x, -9, rows["null_q95"], color=palette.NULL, lw=0, zorder=0,
                        label="null, below its 95th percentile")  # fmt: skip
        for edge in ("band_low", "band_high"):
            ax.plot(x, rows[edge], color=look.colour, lw=0.7, alpha=0.7)
    alpha, size = 0.22 if own else 0.12, 4 if len(rows) < 16 else 2.5
    ax.fill_between(x, rows["ci_low"], rows["ci_high"], color=look.colour, alpha=alpha, lw=0)
    ax.plot(x, rows["score"], color=look.colour, ls=look.line, marker=look.marker, lw=look.width,
            ms=size, label=rows["shown"].iloc[0])  # fmt: skip
    if not kind.named and rows["layer"].iloc[-1] == "final":
        ax.plot(x[-1], rows["score"].iloc[-1], look.marker, color=look.colour, mfc="white", ms=size)


def _onsets(ax: Axes, frame: pd.DataFrame, looks: Mapping, kind: Axis, x: Mapping) -> None:
    """Diamonds at the threshold, and what they say in the panel's upper right corner."""
    threshold = float(frame["threshold"].dropna().iloc[0])
    ax.axhline(threshold, color="0.8", lw=0.8, zorder=0)
    told = []
    found = frame[(frame["item"] == "onset") & (frame["role"] == "encoder")]
    for number, row in enumerate(found.itertuples()):
        name = f"onset of {row.encoder.replace('_', ' ')}" if len(found) > 1 else "onset"
        told.append(f"{name}: {getattr(row, f'{kind.column}_told')}")
        if not np.isfinite(row.place_low):
            continue
        y, colour, places = threshold - 0.025 * number, looks[row.encoder].colour, x[row.encoder]
        low = places[int(row.place_low)]
        certain = np.isfinite(row.place_high)
        high = places[int(row.place_high) if certain else -1]
        ax.plot([low, high], [y, y], color=colour, lw=1.6, zorder=4)
        ax.plot(low, y, "|", color=colour, ms=8, zorder=4)
        ax.plot(high, y, "|" if certain else ">", color=colour, ms=8 if certain else 5, zorder=4)
        if np.isfinite(row.place):
            ax.plot(places[int(row.place)], y, "D", color=colour, mec="white", ms=6.5, zorder=5)
    if told:
        # several lines stand above the panel's name, whatever their length
        text = "\n".join(told) + "\n" * (len(told) > 1)
        ax.set_title(text, loc="right", fontsize=8, color="0.35")


def _published(ax: Axes, frame: pd.DataFrame, kind: Axis) -> None:
    rows = frame[frame["item"] == "published"]
    if len(rows):
        ax.errorbar(
            rows[kind.column], rows["score"], yerr=rows["spread"].astype(float).fillna(0.0),
            color=PUBLISHED, ls="--", lw=1.2, elinewidth=0.6, label="published (other selection)",
        )  # fmt: skip


def _ticks(
    ax: Axes, deep: list[pd.DataFrame], kind: Axis, end: float, places: Mapping, known: Mapping
) -> None:
    ticks: dict[float, str] = {}
    if deep and kind is DEPTH:
        ticks = {x: f"{x:g}" for x in (0.0, 0.25, 0.5, 0.75, 1.0)} | {end: "final"}
    elif deep:
        longest = max(deep, key=len)
        names = longest["layer"].tolist()
        every = 1 + (len(names) - 1) // 10
        ticks = {float(x): names[x] for x in range(0, len(names) - 1, every)}
        if kind.named and end - max(ticks) < 0.6 * every:
            ticks.pop(max(ticks))
        if kind.named:
            ticks[end] = names[-1]
    ticks |= {place: known[name]["shown"].iloc[0] for name, place in places.items()}
    ax.set_xticks(list(ticks), list(ticks.values()))
    for tick in ax.get_xticklabels()[len(ticks) - len(places) :]:
        tick.set(rotation=40, ha="right", rotation_mode="anchor", fontsize=8)
    if deep and places:
        ax.axvline(end + 0.05 * max(end, 1.0), color="0.85", lw=1)
    ax.set_xlim(-0.04 * max(end, 1.0), max([end, *places.values()]) + 0.05 * max(end, 1.0))
    ax.set_xlabel(kind.label)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw a layerwise figure."""
    _, rows, columns = _grid(frame)
    return canvas.alone(panel, frame, (5.2 * columns, 1.4 + 3.9 * rows))
