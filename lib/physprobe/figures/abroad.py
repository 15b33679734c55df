"""Figure: another system's clip, a real film perhaps, as encoder and decoder make of it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.figure import Figure, FigureBase, SubFigure

from physprobe.drawing import canvas, strips
from physprobe.figures import _film, _frames

NEEDS = ("decoder",)
ABROAD = True
TITLE = "A film that nothing was trained on"
CAPTION = (
    "One clip of another system, a real film where one is named. Above as it was filmed, at the"
    " pace of the study's own frames; below it what moves, the difference from the median frame"
    " stretched to white and cut to a square, which is what the encoder is shown; then what the"
    " decoder draws of its latents. Nothing was trained on it: the decoder was fitted to the"
    " study's own clips, an encoder that a recipe has trained saw that recipe's clips alone,"
    " nothing was chosen by it, and no claim is judged from it. It shows how far a latent carries"
    " beyond what it was made for, and no more. The error is that of pixels from 0 to 1 against"
    " what the encoder is shown."
)
TIMES = 8
LINES = {"filmed": "as filmed", "truth": "what moves", "reconstruction": "drawn"}


def frame(study: _frames.Evidence) -> pd.DataFrame:
    """Frames of the clip, as filmed, as shown to each encoder, and as drawn."""
    return _frames.table(_lines(study))


def _lines(study: _frames.Evidence) -> Iterator[dict]:
    for name in study.encoders:
        if name not in study.decoders:
            continue
        block = _film.first(study.decoders[name])
        part = block.get("abroad")
        if part is None:
            continue
        films = {line: strips.unpacked(part[line]) for line in LINES}
        last = len(films["truth"]) - 1
        for time in np.unique(np.linspace(0, last, TIMES).round().astype(int)):
            for line, film in films.items():
                yield {
                    **_frames.about(study, name), "system": part["system"], "line": line,
                    "value": part["error"], "time": time * (block["seconds"] or 1.0),
                    "image": film[time],
                }  # fmt: skip


def panel(part: FigureBase, frame: pd.DataFrame) -> None:
    """Draw three lines of frames for each encoder.

    Parameters
    ----------
    part : Figure or SubFigure
    frame : DataFrame
        ``encoder``, ``label``, ``system``, ``line``, ``value``, ``time`` [s], ``image`` (y, x)
        uint8.
    """
    names = list(dict.fromkeys(frame["encoder"]))
    grid = part.subfigures(len(names), 1, squeeze=False)[:, 0]
    for where, name in zip(grid, names, strict=True):
        _strip(where, frame[frame["encoder"] == name])
    canvas.title(part, TITLE)
    canvas.note(part, "Nothing was trained on it, neither encoder nor decoder.")


def _strip(part: SubFigure, shots: pd.DataFrame) -> None:
    first = shots.iloc[0]
    part.suptitle(
        f"{first.label}: {first.system}, error {first.value:.4f}", x=0.02, ha="left", fontsize=9
    )
    times = sorted(shots["time"].unique())
    axes = part.subplots(len(LINES), len(times), squeeze=False)
    for row, line in zip(axes, LINES, strict=True):
        own = shots[shots["line"] == line].sort_values("time")
        for ax, shot in zip(row, own.itertuples(), strict=True):
            ax.imshow(shot.image, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
            ax.set_xticks([])
            ax.set_yticks([])
            if line == "reconstruction":
                ax.set_xlabel(f"{shot.time:.2f} s", fontsize=8)
        row[0].set_ylabel(LINES[line], fontsize=8)


def figure(frame: pd.DataFrame) -> Figure:
    """Draw the strip as a figure of its own."""
    return canvas.alone(panel, frame, (10.0, 0.8 + 4.2 * frame["encoder"].nunique()))
