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
        ``clip``, ``alpha`` [px2/s], ``time`` [s], ``note`` (lowest, median, highest) and ``image``
        (y, x, rgb) uint8.
    """
    clips = list(dict.fromkeys(frame["clip"]))
    times = sorted(frame["time"].unique())
    axes = part.subplots(len(clips), len(times), squeeze=False)
    for row, clip in zip(axes, clips, strict=True):
        shots = frame[frame["clip"] == clip].sort_values("time")
        for ax, (_, shot) in zip(row, shots.iterrows(), strict=True):
            height, width = shot.image.shape[:2]
            ax.imshow(shot.image, extent=(0, width, height, 0))
            ax.set_xticks([0, width // 2, width])
            ax.set_yticks([0, height // 2, height])
            ax.tick_params(labelbottom=False, labelleft=False, length=2)
            for spine in ax.spines.values():
                spine.set(visible=True, color="0.7", lw=0.5)
        row[0].tick_params(labelleft=True)
        row[0].set_ylabel(
            f"{shots.note.iloc[0]}\n\N{GREEK SMALL LETTER ALPHA} = {shots.alpha.iloc[0]:.2f}"
            " px\N{SUPERSCRIPT TWO}/s\ny [px]"
        )
    for ax, time in zip(axes[0], times, strict=True):
        ax.set_title(f"t = {time:g} s", loc="center")
    axes[-1][0].tick_params(labelbottom=True)
    axes[-1][0].set_xlabel("x [px]")
    _axes.title(part, TITLE)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the film strip as a figure of its own."""
    times, clips = frame["time"].nunique(), frame["clip"].nunique()
    return _axes.alone(panel, frame, (1.2 + 1.4 * times, 0.9 + 1.42 * clips))
