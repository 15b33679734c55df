"""Walk: points on their way by Langevin dynamics, beside the density's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from physprobe.drawing import palette
from physprobe.figures import _panes

MILLISECONDS = 120


def run(*, fits: Sequence[Path], out: Path) -> None:
    """Write ``langevin.gif``: samples by each encoder's score, from start to end.

    Parameters
    ----------
    fits : sequence of Path
        Results of energies, of the study's encoders in their order.
    out : Path
        The animation.

    Raises
    ------
    ValueError
        If none has drawn samples.
    """
    kept = _panes.kept(fits, "energy", "samples")
    if not kept:
        raise ValueError(f"{out}: no fit has drawn samples. Hint: set samples in its method.")
    _panes.save(animation(kept), out, MILLISECONDS)


def animation(kept: Mapping[str, Mapping]) -> list[Image.Image]:
    """Frames, a pane for each encoder.

    Parameters
    ----------
    kept : mapping of str to mapping
        ``truth`` (row, 2) and ``path`` (time, row, 2) of each.
    """
    looks = palette.looks(kept, ())
    times = min(len(block["path"]) for block in kept.values())
    frames = []
    for time in range(times):
        about = f"grey: the mixture; colour: drawn by each score, {time + 1} of {times}"
        panes = _panes.Panes(kept, about)
        for name, block in kept.items():
            panes.dots(name, np.asarray(block["truth"], float), _panes.GREY, 1)
            panes.dots(name, np.asarray(block["path"][time], float), looks[name].colour, 2)
        frames.append(panes.image)
    return frames
