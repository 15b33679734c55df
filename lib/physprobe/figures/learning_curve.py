"""Figure: how wrong probes are by the number of training clips or groups, ours and controls'."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _amounts, _frames

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
    " here for where the curves lead, and is not comparable. A dash-dotted line, or a number below,"
    " is a ceiling: who knows the equation, through the same probe."
)
OURS = "trained on as many"


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Score of all by number of clips or groups, and the published ones."""
    return _frames.table(_lines(study))


def _lines(study: _frames.Evidence) -> Iterator[dict]:
    design: dict = {}
    target, metric = "", _amounts.METRICS[0]
    for name in study.scored:
        if name not in study.counts:
            continue
        design = study.counts[name]["design"]
        rows = [
            row
            for row in study.counts.rows(name, member=None)
            if row["value"] is not None and row.get("member") is None
        ]
        there = [
            metric for metric in _amounts.METRICS if any(row["metric"] == metric for row in rows)
        ]
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
    of_groups = _of_groups(frame)
    canvas.title(part, "By the number of training groups" if of_groups else TITLE)
    over = "groups of held-out clips" if of_groups else "held-out clips"
    canvas.note(part, f"Bars: 95 % intervals over {over}, and members.")


def _curves(ax: Axes, frame: pd.DataFrame) -> None:
    """Curves of one target."""
    scored, tops = canvas.parted(frame[frame["role"] != "published"])
    looks = canvas.looks(scored) | dict.fromkeys(tops["encoder"], canvas.TOP)
    along = "groups" if "groups" in frame else "count"
    ours = scored["trained"].astype(bool) & (scored["role"] == "encoder")
    parts = [
        (rows, rows["label"].iloc[0]) for _, rows in scored[~ours].groupby("encoder", sort=False)
    ]
    lowest, below = _amounts.wrong(scored)[0].min(), {}
    for label, rows in tops.groupby("label", sort=False):
        error = _amounts.wrong(rows)[0].max()
        if error > lowest / canvas.NEAR:
            parts.append((rows, f"ceiling: {label}"))
        else:
            below[label] = error
    canvas.below(ax, pd.Series(below, dtype=float))
    if ours.any():
        name = scored[ours].sort_values(along)["label"].iloc[-1]
        parts.append((scored[ours], f"{name}, {OURS}"))
    _amounts.curves(ax, parts, looks, along)
    told = frame[frame["role"] == "published"]
    if len(told):
        ax.plot(
            told[along], _amounts.wrong(told)[0], "*", ms=12, mfc="none", mec="black", ls="",
            label="published, not comparable",
        )  # fmt: skip
    of_groups = _of_groups(scored)
    label = "training groups, such as trajectories" if of_groups else "training clips"
    _amounts.axes(ax, scored.iloc[0], frame[along], label)


def _of_groups(frame: pd.DataFrame) -> bool:
    """Whether groups hold several clips: otherwise clips are what is counted."""
    if "groups" not in frame:
        return False
    scored = frame[frame["role"] != "published"]
    return bool((scored["groups"] != scored["count"]).any())


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the curves as a figure of their own."""
    return canvas.alone(panel, frame, (3.6 + 3.4 * frame["target"].nunique(), 4.6))
