"""Figure: film strip of the clips with the lowest, the median and the highest label."""

import pandas as pd
from matplotlib.figure import Figure, FigureBase

from physprobe.drawing import canvas, pictures
from physprobe.figures import _frames

NEEDS = ("probe",)
FILMS = True
TITLE = "What the encoders see"
CAPTION = (
    "Frames of the clips with the lowest, the median and the highest label, or one clip of each"
    " class, as rendered, by time in seconds; positions in pixels. Of a fluid, its fields one below"
    " the other, each from its lowest to its highest value; of a signal, the traces of its"
    " channels, grey what is yet to come."
)


frame = _frames.filmstrip


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw the film strip.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``target``, its ``value`` and ``unit``, ``time`` [s], ``note`` (lowest, median, highest, or
        a class), ``image`` (y, x, rgb) uint8, ``form`` of the clips and names of ``channels``.
    """
    strip(part, frame.assign(note=[_named(shot) for _, shot in frame.iterrows()]))
    canvas.title(part, TITLE)


def _named(shot: pd.Series) -> str:
    """Which clip a line of frames is."""
    if pd.isna(shot.value):
        return f"{shot.target}: {shot.note}"
    return f"{shot.note}\n{shot.target} = {shot.value:.3g}{canvas.unit(shot.unit, around='{}')}"


def strip(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw one line of frames per ``note``."""
    notes = list(dict.fromkeys(frame["note"]))
    times = sorted(frame["time"].unique())
    axes = part.subplots(len(notes), len(times), squeeze=False)
    for row, note in zip(axes, notes, strict=True):
        shots = frame[frame["note"] == note].sort_values("time")
        for ax, (_, shot) in zip(row, shots.iterrows(), strict=True):
            height, width = shot.image.shape[:2]
            across, down = pictures.axes(shot.form, height, width, shot.channels)
            ax.imshow(shot.image, extent=(0, width, height, 0))
            ax.set_xticks(list(across.ticks), list(across.ticks.values()))
            ax.set_yticks(list(down.ticks), list(down.ticks.values()))
            ax.tick_params(labelbottom=False, labelleft=False, length=2)
            for spine in ax.spines.values():
                spine.set(visible=True, color="0.7", lw=0.5)
        row[0].tick_params(labelleft=True)
        row[0].set_ylabel(f"{note}\n{down.label}".rstrip())
    for ax, time in zip(axes[0], times, strict=True):
        ax.set_title(f"t = {time:.3g} s", loc="center")
    axes[-1][0].tick_params(labelbottom=True)
    axes[-1][0].set_xlabel(across.label)


def size(frame: pd.DataFrame) -> tuple[float, float]:
    """Width and height of a film strip by itself [inches]."""
    return 1.2 + 1.4 * frame["time"].nunique(), 0.9 + 1.42 * frame["note"].nunique()


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the film strip as a figure of its own."""
    return canvas.alone(panel, frame, size(frame))
