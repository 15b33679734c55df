"""Figure: how wrong probes are by the number of training clips or groups, ours and controls'."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _frames

NEEDS = ("probe",)
DESIGNS = ("counts",)
TITLE = "By the number of training clips"
CAPTION = (
    "How wrong a probe is about held-out clips, by the number of training clips, or of groups of"
    " them such as trajectories, that it is fitted to, on logarithmic axes; all are scored on the"
    " same clips. Of classes it is the share that is named wrong; of numbers the part of their"
    " variance that stays unexplained, or the mean squared error of labels that are standardised by"
    " those of the training clips (z_mse). In colour encoders - one curve for those that were"
    " trained on that very number themselves, without labels, each of several members; in grey"
    " controls. Bars are 95 % intervals by bootstrap over held-out clips, or groups of them, and"
    " over members where there are several. A star is a published number: of one network, other"
    " clips to train on and to hold out, and a setting that was chosen on those held out; it stands"
    " here for where the curves lead, and is not comparable."
)
OURS = "trained on as many"
METRICS = ("accuracy", "z_mse", "r2")
"""Scores that are drawn, the first that there is."""
MARKS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
LEAST = 1e-4  # nothing is drawn below, as a logarithm has no zero


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Score of every encoder and control by number of clips or groups, and the published ones."""
    return _frames.table(_lines(study))


def _lines(study: _frames.Evidence) -> Iterator[dict]:
    design: dict = {}
    target, metric = "", METRICS[0]
    for name in study.names:
        if name not in study.counts:
            continue
        design = study.counts[name]["design"]
        rows = [
            row
            for row in study.counts.rows(name, member=None)
            if row["value"] is not None and row.get("member") is None
        ]
        there = [metric for metric in METRICS if any(row["metric"] == metric for row in rows)]
        if not there:
            continue
        (metric, *_), (sample, *_) = there, [row["sample"] for row in rows]
        for row in rows:
            if (row["metric"], row["sample"]) != (metric, sample):
                continue
            target = row["target"]
            keys = ("target", "metric", "share", "groups", "count", *_frames.SCORE)
            yield {
                **_frames.about(study, name), "trained": name in design["trained"],
                **{key: row[key] for key in keys if key in row},
            }  # fmt: skip
    for count, value in design.get("published", ()):
        # of several targets the last is their mean, if there is one
        about = {
            "target": target,
            "metric": metric,
            "groups" if design.get("shares") else "count": count,
        }
        yield {"role": "published", "label": "published", **about, "value": value}


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a curve for each control, and one of what was trained; a panel for each target.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``trained``, ``target``, ``metric`` (accuracy, z_mse or
        r2), ``count`` of clips, of shares also ``groups``, ``value``, ``ci_low``, ``ci_high``.
    """
    targets = frame["target"].unique()
    axes = part.subplots(1, len(targets), squeeze=False)[0]
    for ax, target in zip(axes, targets, strict=True):
        _curves(ax, frame[frame["target"] == target])
    axes[-1].legend(fontsize=8)
    of_groups = "groups" in frame
    canvas.title(part, "By the number of training groups" if of_groups else TITLE)
    over = "groups of held-out clips" if of_groups else "held-out clips"
    canvas.note(part, f"Bars: 95 % intervals over {over}, and members.")


def _curves(ax: Axes, frame: pd.DataFrame) -> None:
    """Curves of one target."""
    scored = frame[frame["role"] != "published"]
    looks, along = canvas.looks(scored), "groups" if "groups" in frame else "count"
    ours = scored["trained"].astype(bool) & (scored["role"] == "encoder")
    curves = [(rows, "") for _, rows in scored[~ours].groupby("encoder", sort=False)]
    if ours.any():
        curves.append((scored[ours], OURS))
    for rows, label in curves:
        rows = rows.sort_values(along)
        look = looks[rows["encoder"].iloc[-1]]
        wrong, low, high = _wrong(rows)
        name = f"{rows['label'].iloc[-1]}, {label}" if label else rows["label"].iloc[0]
        ax.errorbar(
            rows[along], wrong, yerr=canvas.bars(low, wrong, high), color=look.colour,
            marker=look.marker, ls=look.line, ms=5, capsize=2, lw=1.4, label=name,
        )  # fmt: skip
    told = frame[frame["role"] == "published"]
    if len(told):
        ax.plot(
            told[along], _wrong(told)[0], "*", ms=12, mfc="none", mec="black", ls="",
            label="published, not comparable",
        )  # fmt: skip
    first, of_groups = scored.iloc[0], along == "groups"
    named = "mean z-MSE of all targets" if first["target"] == "mean" else canvas.scored(first)
    ax.set(xscale="log", yscale="log")
    ax.set_xlabel("training groups, such as trajectories" if of_groups else "training clips")
    minus = f"1 \N{MINUS SIGN} {named}"
    what = {"accuracy": f"named wrong: {minus}", "r2": f"unexplained: {minus}"}
    ax.set_ylabel(what.get(first["metric"], named))
    counts = np.unique(frame[along].astype(int))
    ax.set_xticks(counts, [f"{count:,}" for count in counts])
    ax.minorticks_off()
    low, high = ax.get_ylim()
    classes = first["metric"] == "accuracy"
    marks = [mark for mark in (*MARKS, *(() if classes else (1, 2, 5))) if low <= mark <= high]
    ax.set_yticks(marks, [f"{100 * mark:g} %" if classes else f"{mark:g}" for mark in marks])
    ax.grid(color="0.93")


def _wrong(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series, pd.Series]:
    """How wrong, and from where to where, of scores of one metric."""
    value, low, high = (rows[key].astype(float) for key in ("value", "ci_low", "ci_high"))
    if rows["metric"].iloc[0] != "z_mse":
        value, low, high = 1 - value, 1 - high, 1 - low
    return value.clip(LEAST), low.clip(LEAST), high.clip(LEAST)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the curves as a figure of their own."""
    return canvas.alone(panel, frame, (3.6 + 3.4 * frame["target"].nunique(), 4.6))
