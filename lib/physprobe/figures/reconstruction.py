"""Figure: held-out frames above what is drawn from their latents, and the error of forecasts."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase, SubFigure
from matplotlib.lines import Line2D

from physprobe.drawing import canvas, palette, strips
from physprobe.figures import _film, _frames, _rivals

NEEDS = ("decoder",)
TITLE = "Frames drawn from latents"
CAPTION = (
    "Of each encoder the held-out clips whose reconstruction is worst and median, with their mean"
    " squared error of pixels from 0 to 1: truth above what a decoder draws from frozen latents,"
    " of one member where there are several. Right of them: error of all held-out clips by time"
    " ahead, of latents that the encoder's own predictor rolls on, of the last frame that was seen"
    " and of the training clips' mean image; dashed, the reconstruction, which no forecast drawn"
    " by this decoder can be expected to undercut. Beside them DMD of pixels, a small network of"
    " true states and the true equation from the state that is read off the latent, the latter two"
    " as the system is filmed. Far right, where clips have angles: how wrong those are that a"
    " network reads off what is drawn; dashed, off reconstructions, dotted, off frames as they"
    " were rendered, grey, chance. Bands and bars are 95 % intervals over clips, and over members"
    " where there are several. forecast.mp4 beside this figure shows such clips in motion."
)
RULES = ("worst", "median")
TIMES = 5
COLOURS = {
    model: _rivals.COLOURS[model]
    for model in (
        "predictor", "reconstruction", "copy_last", "mean_image", "dmd", "state_mlp", "equation"
    )
}  # fmt: skip
WORDS = {**_rivals.WORDS, "predictor": "own predictor, drawn"}
CHANCE = np.pi / 2  # [rad], mean error of an angle that has nothing to do with the true one


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Scores of every encoder and control, and frames of the encoders' worst and median clips."""
    return _frames.table(_lines(study))


def _lines(study: _frames.Evidence) -> Iterator[dict]:
    for name in study.names:
        if name not in study.decoders:
            continue
        about = _frames.about(study, name)
        block = _film.first(study.decoders[name])
        seconds = block["seconds"] or 1.0
        for row in study.decoders.rows(name):
            if row["value"] is not None:
                keys = ("model", "metric", "target", "baseline", "horizon", *_frames.SCORE)
                yield {
                    **about, "item": "score", "seconds": seconds,
                    **{key: row.get(key) for key in keys},
                }  # fmt: skip
        if about["role"] != "encoder":
            continue
        for rule in RULES:
            part = block["shown"][rule]
            films = {key: strips.unpacked(part[key]) for key in ("truth", "reconstruction")}
            last = len(films["truth"]) - 1
            for time in np.unique(np.linspace(0, last, TIMES).round().astype(int)):
                for model, film in films.items():
                    yield {
                        **about, "item": rule, "model": model, "clip": part["clip"],
                        "value": part["error"], "time": time * seconds, "image": film[time],
                    }  # fmt: skip


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a line for each encoder: worst clip, median clip, error by time ahead.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``; ``item``: ``score``, with ``model``, ``metric``,
        ``horizon``, ``value``, ``ci_low``, ``ci_high`` and ``seconds`` of a token, or the rule of
        a clip, with ``clip``, ``time`` [s] and ``image`` (y, x) uint8.
    """
    drawn = frame[frame["item"] != "score"]
    names = list(dict.fromkeys(drawn["encoder"]))
    scored = frame[(frame["item"] == "score") & (frame["metric"] == "mse")]
    controls = list(dict.fromkeys(scored.loc[scored["role"] == "control", "encoder"]))
    turned = frame[(frame["item"] == "score") & (frame["metric"] == "state_error")]
    widths = [1.0, 1.0, 0.95, 0.95][: 3 + bool(len(turned))]
    grid = part.subfigures(len(names), len(widths), squeeze=False, width_ratios=widths)
    top = 1.15 * scored["ci_high"].fillna(scored["value"]).max()
    for line, name in zip(grid, names, strict=True):
        own = drawn[drawn["encoder"] == name]
        for where, rule in zip(line, RULES, strict=False):
            _clip(where, own[own["item"] == rule], name)
        mine = scored[(scored["encoder"] == name) | scored["encoder"].isin(controls)]
        _errors(line[2], mine, name, top)
        if len(turned):
            _angles(line[3], turned[turned["encoder"] == name])
    handles = [
        Line2D([], [], color=COLOURS[m], ls="--" if m == "reconstruction" else "-", label=WORDS[m])
        for m in COLOURS
        if m in set(scored["model"])
    ]
    if controls:
        handles.append(
            Line2D([], [], color="0.6", marker="s", ls="", ms=4, label="reconstruction, controls")
        )
    part.legend(handles=handles, loc="outside upper right", ncols=-(-len(handles) // 2), fontsize=8)
    canvas.title(part, TITLE)
    canvas.note(
        part, "Bands and bars: 95 % intervals over clips, and members where there are several."
    )


def _clip(part: SubFigure, shots: pd.DataFrame, name: str) -> None:
    """Truth above reconstruction of one clip."""
    (first, *_) = shots.itertuples()
    label = palette.shown(name, None) if pd.isna(first.label) else first.label
    part.suptitle(
        f"{label}, {first.item}: clip {first.clip}, error {first.value:.4f}",
        x=0.02, ha="left", fontsize=9,
    )  # fmt: skip
    times = sorted(shots["time"].unique())
    axes = part.subplots(2, len(times), squeeze=False)
    for row, model in zip(axes, ("truth", "reconstruction"), strict=True):
        own = shots[shots["model"] == model].sort_values("time")
        for ax, shot in zip(row, own.itertuples(), strict=True):
            ax.imshow(shot.image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            ax.set_xticks([])
            ax.set_yticks([])
            if model == "reconstruction":
                ax.set_xlabel(f"{shot.time:.2f} s", fontsize=8)
        row[0].set_ylabel("truth" if model == "truth" else "drawn", fontsize=8)


def _errors(part: SubFigure, scores: pd.DataFrame, name: str, top: float) -> None:
    """Error by time ahead [s]; reconstructions, of the controls too, where nothing is forecast."""
    ax = part.subplots()
    own = scores[scores["encoder"] == name]
    ahead = own[own["horizon"].notna()]
    for model, rows in ahead.groupby("model", sort=False):
        rows = rows.sort_values("horizon")
        times = rows["horizon"] * rows["seconds"]
        ax.plot(times, rows["value"], marker="o", ms=3, color=COLOURS[model])
        ax.fill_between(
            times, rows["ci_low"], rows["ci_high"], color=COLOURS[model], alpha=0.15, lw=0
        )
    seen = scores[scores["horizon"].isna()]
    longest = float((ahead["horizon"] * ahead["seconds"]).max()) if len(ahead) else 1.0
    level = seen[(seen["encoder"] == name) & (seen["model"] == "mean_image")]
    for row in level.itertuples():
        ax.axhline(row.value, color=COLOURS["mean_image"], lw=1, zorder=0)
    drawn = seen[seen["model"] == "reconstruction"]
    places = -longest * (0.03 + 0.045 * np.arange(len(drawn)))
    for place, row in zip(places, drawn.itertuples(), strict=True):
        mine = row.encoder == name
        colour = COLOURS["reconstruction"] if mine else "0.6"
        ax.plot([place, place], [row.ci_low, row.ci_high], color=colour, lw=1.5)
        ax.plot(place, row.value, "o" if mine else "s", color=colour, ms=5 if mine else 4)
        if mine:
            ax.axhline(row.value, color=colour, lw=1, ls="--", zorder=0)
    ax.axvline(0, color="0.85", lw=0.8, zorder=0)
    ax.set_ylim(0, top)
    ax.set_xlim(places.min() - 0.03 * longest, 1.03 * longest)
    if not len(ahead):
        ax.set_xticks([])
    _labelled(ax, bool(len(ahead)))


def _angles(part: SubFigure, scores: pd.DataFrame) -> None:
    """Error of the angles that are read off what is drawn, mean over angles, by time ahead [s]."""
    ax = part.subplots()
    ahead = scores[scores["horizon"].notna()]
    for model, rows in ahead.groupby("model", sort=False):
        means = rows.groupby("horizon")["value"].mean()
        times = means.index * rows["seconds"].iloc[0]
        ax.plot(times, means, marker="o", ms=3, color=COLOURS[model])
    for model, style in (("reconstruction", "--"), ("frames", ":")):
        level = scores.loc[(scores["model"] == model) & scores["horizon"].isna(), "value"].mean()
        ax.axhline(level, color=_rivals.COLOURS[model], ls=style, lw=1, zorder=0)
    ax.axhline(CHANCE, color="0.8", lw=1, zorder=0)
    ax.set_ylim(0, 1.12 * CHANCE)
    ax.set_xlabel("time ahead [s]" if len(ahead) else "seen; nothing is forecast")
    if not len(ahead):
        ax.set_xticks([])
    ax.set_ylabel("error of angles read off [rad]", fontsize=8)
    ax.grid(axis="y", color="0.93")


def _labelled(ax: Axes, forecast: bool) -> None:
    ax.set_xlabel("time ahead [s]; left of 0, seen" if forecast else "seen; nothing is forecast")
    ax.set_ylabel("squared error of pixels", fontsize=8)
    ax.grid(axis="y", color="0.93")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw reconstructions as a figure of their own."""
    lines = frame.loc[frame["item"] != "score", "encoder"].nunique()
    width = 15.5 if "state_error" in set(frame["metric"].dropna()) else 12.0
    return canvas.alone(panel, frame, (width, 1.2 + 1.65 * lines))
