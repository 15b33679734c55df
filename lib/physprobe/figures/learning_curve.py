"""Figure: what probes name wrong by the number of training clips, ours and controls'."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _frames

NEEDS = ("probe",)
DESIGNS = ("counts",)
TITLE = "By the number of training clips"
CAPTION = (
    "Share of held-out clips that a probe names wrong, by the number of training clips that it is"
    " fitted to, on logarithmic axes; all are scored on the same clips. In colour encoders that"
    " were trained on that very number themselves, without labels, each of several members; in grey"
    " controls. Bars are 95 % intervals by bootstrap over held-out clips, and over members where"
    " there are several. A star is a published number: of one network, other clips to train on and"
    " to hold out, and a setting that was chosen on those held out; it stands here for where the"
    " curves lead, and is not comparable."
)
OURS = "trained on as many"


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Score of every encoder and control by number of clips, and the published ones."""
    return _frames.table(_lines(study))


def _lines(study: _frames.Evidence) -> Iterator[dict]:
    design: dict = {}
    for name in study.names:
        if name not in study.counts:
            continue
        design = study.counts[name]["design"]
        for row in study.counts.rows(name, metric="accuracy", member=None):
            if row["value"] is None or row.get("member") is not None:
                continue
            keys = ("target", "metric", "count", *_frames.SCORE)
            yield {
                **_frames.about(study, name), "trained": name in design["trained"],
                **{key: row.get(key) for key in keys},
            }  # fmt: skip
    for count, value in design.get("published", ()):
        yield {"role": "published", "label": "published", "count": count, "value": value}


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a curve for each control, and one of what was trained.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``trained``, ``count``, ``value`` (accuracy), ``ci_low``,
        ``ci_high``.
    """
    ax = part.subplots()
    scored = frame[frame["role"] != "published"]
    looks = canvas.looks(scored)
    ours = scored["trained"].astype(bool) & (scored["role"] == "encoder")
    curves = [(rows, "") for _, rows in scored[~ours].groupby("encoder", sort=False)]
    if ours.any():
        curves.append((scored[ours], OURS))
    for rows, label in curves:
        rows = rows.sort_values("count")
        look = looks[rows["encoder"].iloc[-1]]
        wrong = 1 - rows["value"]
        bars = canvas.bars(1 - rows["ci_high"], wrong, 1 - rows["ci_low"])
        name = f"{rows['label'].iloc[-1]}, {label}" if label else rows["label"].iloc[0]
        ax.errorbar(
            rows["count"], wrong, yerr=bars, color=look.colour, marker=look.marker, ls=look.line,
            ms=5, capsize=2, lw=1.4, label=name,
        )  # fmt: skip
    told = frame[frame["role"] == "published"]
    if len(told):
        ax.plot(
            told["count"], 1 - told["value"], "*", ms=12, mfc="none", mec="black", ls="",
            label="published, not comparable",
        )  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel="training clips")
    ax.set_ylabel(f"named wrong: 1 \N{MINUS SIGN} {canvas.scored(scored.iloc[0])}")
    counts = np.unique(frame["count"].astype(int))
    ax.set_xticks(counts, [f"{count:,}" for count in counts])
    ax.minorticks_off()
    low, high = ax.get_ylim()
    marks = [mark for mark in (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if low <= mark <= high]
    ax.set_yticks(marks, [f"{100 * mark:g} %" for mark in marks])
    ax.grid(color="0.93")
    ax.legend(fontsize=8)
    canvas.title(part, TITLE)
    canvas.note(part, "Bars: 95 % intervals over held-out clips, and members.")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the curves as a figure of their own."""
    return canvas.alone(panel, frame, (7.0, 4.6))
