"""Alike: which points an embedding holds to be like one that wanders through the mixture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image

from physprobe.figures import _panes

MILLISECONDS = 200


def run(*, fits: Sequence[Path], out: Path) -> None:
    """Write ``similarities.gif``: cosines with one reference after the other.

    Parameters
    ----------
    fits : sequence of Path
        Results of spread, of the study's encoders in their order.
    out : Path
        The animation.

    Raises
    ------
    ValueError
        If none has kept cosines.
    """
    kept = _panes.kept(fits, "spread", "similarity")
    if not kept:
        raise ValueError(f"{out}: no fit has kept cosines. Hint: are its encoders of points?")
    _panes.save(animation(kept), out, MILLISECONDS)


def animation(kept: Mapping[str, Mapping]) -> list[Image.Image]:
    """Frames, a pane for each encoder.

    Parameters
    ----------
    kept : mapping of str to mapping
        ``reference`` (reference, 2) and ``cosine`` (reference, y, x), in hundredths, of each.
    """
    colours = matplotlib.colormaps["RdBu_r"]
    points = np.asarray(next(iter(kept.values()))["reference"], float)
    frames = []
    for place in range(len(points)):
        panes = _panes.Panes(kept, "cosine with the marked point: red 1, white 0, blue -1")
        for name, block in kept.items():
            share = (np.asarray(block["cosine"][place], float) / 100 + 1) / 2
            panes.shade(name, (255 * colours(share)[..., :3]).astype(np.uint8))
            panes.dots(name, points, "#7f7f7f", 1)
            panes.dots(name, points[place : place + 1], "black", 4)
        frames.append(panes.image)
    return frames
