"""Figure: film strip of the clips with the lowest, the median and the highest label."""

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.report import _axes

TITLE = "What the encoders see"
CAPTION = (
    "Frames of the clips with the lowest, the median and the highest alpha, as rendered; time in"
    " seconds (one frame is one time unit), position in pixels."
)


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw the film strip.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``alpha`` [px2/s], ``time`` [s], ``note`` (lowest, median, highest) and ``image``
        (y, x, rgb) uint8.
    """
    named = (
        f"{shot.note}\n\N{GREEK SMALL LETTER ALPHA} = {shot.alpha:.2f} px\N{SUPERSCRIPT TWO}/s"
        for shot in frame.itertuples()
    )
    strip(part, frame.assign(note=list(named)))
    _axes.title(part, TITLE)


def strip(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw one line of frames per ``note``."""
    notes = list(dict.fromkeys(frame["note"]))
    times = sorted(frame["time"].unique())
    axes = part.subplots(len(notes), len(times), squeeze=False)
    for row, note in zip(axes, notes, strict=True):
        shots = frame[frame["note"] == note].sort_values("time")
        for ax, (_, shot) in zip(row, shots.iterrows(), strict=True):
            height, width = shot.image.shape[:2]
            ax.imshow(shot.image, extent=(0, width, height, 0))
            ax.set_xticks([0, width // 2, width])
            ax.set_yticks([0, height // 2, height])
            ax.tick_params(labelbottom=False, labelleft=False, length=2)
            for spine in ax.spines.values():
                spine.set(visible=True, color="0.7", lw=0.5)
        row[0].tick_params(labelleft=True)
        row[0].set_ylabel(f"{note}\ny [px]")
    for ax, time in zip(axes[0], times, strict=True):
        ax.set_title(f"t = {time:g} s", loc="center")
    axes[-1][0].tick_params(labelbottom=True)
    axes[-1][0].set_xlabel("x [px]")


def size(frame: pd.DataFrame) -> tuple[float, float]:
    """Width and height of a film strip by itself [inches]."""
    return 1.2 + 1.4 * frame["time"].nunique(), 0.9 + 1.42 * frame["note"].nunique()


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the film strip as a figure of its own."""
    return _axes.alone(panel, frame, size(frame))
