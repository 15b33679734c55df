"""Figure: how wrong probes are by the number of groups that their encoders were trained on."""

from collections.abc import Iterator, Mapping

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _amounts, _frames

NEEDS = ("probe",)
SHARES = True
TITLE = "By the number of groups that were trained on"
CAPTION = (
    "How wrong a probe is about held-out clips, by the number of groups of clips, such as"
    " trajectories, that its encoder was trained on, in as many steps each, on logarithmic axes: a"
    " curve for each recipe. The probe is fitted to the same clips throughout, which are others"
    " than were trained on. Of numbers it is the mean squared error of labels that are standardised"
    " by those of the training clips (z_mse), or the part of their variance that stays unexplained;"
    " of classes the share that is named wrong. In grey, on the right, controls, which were trained"
    " on none. Bars are 95 % intervals by bootstrap over groups of held-out clips, and over members"
    " where there are several; which groups were drawn for a share is one draw, whose luck is in no"
    " interval."
)
LABEL = "groups trained on, such as trajectories"


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Score of every encoder and control by the number of groups that it was trained on."""
    return _frames.table(row for name in study.names for row in _of_one(study, name))


def _of_one(study: _frames.Evidence, name: str) -> Iterator[dict]:
    learnt = study.learnt(name)
    spec = study.probes[name]["spec"]
    where = {"sample": spec["samples"][0], "layer": "selected", "time": None, "part": None}
    known = study.probes.rows(name, **where)
    there = [m for m in _amounts.METRICS if any(row["metric"] == m for row in known)]
    for row in known:
        if row["metric"] != there[0] or row["value"] is None:
            continue
        yield {
            **_frames.about(study, name), "curve": _curve(learnt), "share": learnt.get("share"),
            "groups": learnt.get("groups"), "count": learnt.get("trained_on"),
            "target": row["target"], "metric": row["metric"],
            **{key: row.get(key) for key in _frames.SCORE},
        }  # fmt: skip


def _curve(learnt: Mapping) -> str:
    """What encoders have alike that differ in their share."""
    if not learnt.get("groups"):
        return ""
    return f"{learnt['recipe'].removeprefix('fields_')} {learnt['network']}"


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a panel for each target.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``curve``, ``groups``, ``target``, ``metric``, ``value``,
        ``ci_low``, ``ci_high``.
    """
    looks, targets = canvas.looks(frame), frame["target"].unique()
    axes = part.subplots(1, len(targets), squeeze=False)[0]
    for ax, target in zip(axes, targets, strict=True):
        rows = frame[frame["target"] == target]
        ours = rows["groups"].notna()
        parts = [(own, str(name)) for name, own in rows[ours].groupby("curve", sort=False)]
        _amounts.curves(ax, parts, looks, "groups")
        least, most = rows["groups"].min(), rows["groups"].max()
        _amounts.levels(ax, rows[~ours], looks, least, most)
        _amounts.axes(ax, rows.iloc[0], rows.loc[ours, "groups"], LABEL)
    handles, names = axes[0].get_legend_handles_labels()
    part.legend(handles, names, loc="outside right center", fontsize=8)
    canvas.title(part, TITLE)
    canvas.note(
        part,
        "Bars: 95 % intervals over groups of held-out clips, and members; which groups a share has"
        " is one draw. Right: controls, trained on none.",
    )


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the curves as a figure of their own."""
    return canvas.alone(panel, frame, (3.6 + 3.4 * frame["target"].nunique(), 4.6))
