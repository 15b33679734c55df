"""Figure: what is read of a signal, step by step, and in its plane."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas
from physprobe.figures import _frames

NEEDS = ("recovery",)
TITLE = "The signal, step by step"
CAPTION = (
    "Held-out steps of the first draw under one condition: grey, the signal's first dimension;"
    " coloured, what least squares reads of it off each latent one step earlier. Right, its first"
    " two dimensions against each other over the same steps. No interval: it is one path."
)
STEPS = 150


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """First dimensions of the signal and of what is read, of every encoder that kept them."""
    rows = []
    for name in study.names:
        result = study.recoveries.get(name, {})
        series = result.get("members", (result,))[0].get("series") or {}
        if not series:
            continue
        truth, read = (
            np.concatenate(np.asarray(series[key], float))[:STEPS] for key in ("truth", "read")
        )
        second = min(1, truth.shape[1] - 1)
        rows += [
            {
                **_frames.about(study, name), "by": result["spec"]["by"],
                "part": result["spec"]["shown"], "time": step,
                "truth": truth[step, 0], "value": read[step, 0],
                "truth_second": truth[step, second], "value_second": read[step, second],
            }
            for step in range(len(truth))
        ]  # fmt: skip
    return pd.DataFrame(rows)


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw a row for each encoder: over time, and in the plane.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``role``, ``label``, ``by``, ``part``, ``time``, ``truth``, ``value``,
        ``truth_second``, ``value_second``.
    """
    looks = canvas.looks(frame)
    grid = part.subplots(
        len(looks), 2, squeeze=False, sharex="col", sharey=True, width_ratios=(5, 1)
    )
    for row, (name, own) in zip(grid, frame.groupby("encoder", sort=False), strict=True):
        line = {"color": looks[name].colour, "lw": 1.3}
        row[0].plot(own["time"], own["truth"], color="0.75", lw=2.5)
        row[0].plot(own["time"], own["value"], **line)
        row[0].set_title(own["label"].iloc[0], loc="left", fontsize=9)
        row[1].plot(own["truth"], own["truth_second"], color="0.75", lw=2)
        row[1].plot(own["value"], own["value_second"], **line)
        row[1].set_box_aspect(1)
    grid[-1, 0].set_xlabel("held-out step")
    grid[-1, 1].set_xlabel("first dimension")
    by, shown = (frame[column].iloc[0] for column in ("by", "part"))
    canvas.title(part, f"{TITLE}, at {by.replace('_', ' ')} {shown:g}")
    canvas.note(part, "Grey: the signal. Coloured: what is read of it. One path, no interval.")


def figure(frame: pd.DataFrame) -> Figure:
    """Draw series as a figure of its own."""
    return canvas.alone(panel, frame, (11.0, 0.9 + 1.15 * frame["encoder"].nunique()))
