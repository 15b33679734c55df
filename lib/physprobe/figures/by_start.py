"""Figure: how wrong a probe is by the time at which a window of its trajectory begins."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _frames
from physprobe.statistics import bootstrap, scores
from physprobe.store import fits

NEEDS = ("probe",)
FIELD = "fluid"
LABEL = "t0"
TITLE = "By the time at which a window begins"
CAPTION = (
    "Mean squared error of held-out windows over the variance of the label, by when they begin in"
    " their trajectories, in as many windows each; 1 is what the mean predicts. Bars are 95 %"
    " intervals by bootstrap over groups; of several members the mean, with the fits held fixed."
    " A dash-dotted line with a band, or a number below, is a ceiling: who knows the equation errs"
    " by as much."
    " Where nothing moves yet, or nothing any more, there is nothing to be read."
)
PARTS = 5


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Error of every encoder and control, target by target and part by part."""
    return _frames.table(row for name in study.scored for row in _of_one(study, name))


def _of_one(study: _frames.Evidence, name: str) -> Iterator[dict]:
    result = study.probes[name]
    spec, members = result["spec"], result.get("members", (result,))
    for target in spec["targets"]:
        found = (fits.held_out(part, target, spec["samples"][0]) for part in members)
        errors = [block["squared_error"] for block in found if block and "squared_error" in block]
        if len(errors) < len(members):
            continue
        told = members[0]["predictions"]
        clips, truth = np.asarray(told["clip"]), np.asarray(told["truth"][target], float)
        wrong = np.mean([np.asarray(error, float) for error in errors], axis=0)
        wrong = wrong / truth.reshape(len(truth), -1).var(0).sum()
        begins = study.system[LABEL].values[clips]
        for part in np.array_split(np.argsort(begins, kind="stable"), PARTS):
            sums = np.stack([wrong[part], np.ones(len(part))], -1)
            interval = bootstrap.interval(
                sums,
                scores.mean_of,
                groups=np.asarray(told["group"])[part],
                draws=spec["bootstraps"],
                seed=0,
            )
            yield {
                **_frames.about(study, name),
                "target": target,
                "start": float(begins[part].mean()),
                "unit": study.units[LABEL],
                **interval.columns(),
                "n_clips": len(part),
            }


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a panel for each target.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``target``, ``start`` and its ``unit``, ``value``,
        ``ci_low``, ``ci_high``.
    """
    frame, tops = canvas.parted(frame)
    looks = canvas.looks(frame)
    targets, lowest = list(dict.fromkeys(frame["target"])), frame["value"].min()
    axes = part.subplots(1, len(targets), sharey=True, squeeze=False)[0]
    for ax, target in zip(axes, targets, strict=True):
        for name, rows in frame[frame["target"] == target].groupby("encoder", sort=False):
            look = looks[name]
            ax.errorbar(
                rows["start"], rows["value"],
                yerr=canvas.bars(rows["ci_low"], rows["value"], rows["ci_high"]),
                color=look.colour, ls=look.line, marker=look.marker, ms=4, lw=look.width, capsize=2,
                elinewidth=0.8, label=rows["label"].iloc[0],
            )  # fmt: skip
        floors = _floors(tops[tops["target"] == target])
        near = floors["value"] > lowest / canvas.NEAR
        canvas.ceilings(ax, floors[near])
        canvas.below(ax, floors[~near].set_index("label")["value"])
        ax.axhline(1, color="0.45", lw=1)
        ax.set_title(target.replace("_", " "), loc="left", fontsize=10)
        ax.set_xlabel(f"window begins at{canvas.unit(frame['unit'].iloc[0])}")
        ax.grid(color="0.94")
    if lowest > 0 and frame["value"].max() / lowest > canvas.NEAR:
        axes[0].set_yscale("log")
    axes[0].set_ylabel("squared error over the label's variance")
    handles, names = axes[0].get_legend_handles_labels()
    part.legend(handles, names, loc="outside right center", fontsize=8)
    canvas.title(part, TITLE)
    told = "Bars: 95 % intervals over groups. Line: what the mean predicts."
    canvas.note(part, told + canvas.topped(tops))


def _floors(tops: pd.DataFrame) -> pd.DataFrame:
    """Errors of ceilings, over all windows: parts have as many each."""
    columns = ["value", "ci_low", "ci_high"]
    return tops.groupby("label", sort=False)[columns].mean().reset_index()


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the errors as a figure of their own."""
    return canvas.alone(panel, frame, (3.4 + 3.6 * frame["target"].nunique(), 4.2))
