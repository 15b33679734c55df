"""Video: a film of some clips, for people; encoders read the frames in the store."""

from pathlib import Path

import numpy as np

from physprobe.config import seen
from physprobe.drawing import films, pictures
from physprobe.store import log, zarrs

# Wide enough for 256 cells as they are: averaging would hide a checkerboard of single cells.
COLUMNS, WIDEST = 4, 256


def run(*, clips: Path, out: Path) -> None:
    """Write ``preview.mp4``: the first clips side by side, for people.

    Parameters
    ----------
    clips : Path
        Root ``zarr.json`` of the clips.
    out : Path
        The film.
    """
    source = zarrs.read(clips)
    form = seen.of(source.data_vars)
    preview(pictures.films(form, zarrs.values(source, form, clip=slice(0, 8))), out)
    log.done(f"{out}: {min(8, source.sizes['clip'])} clips")


def sheet(video: np.ndarray) -> np.ndarray:
    """Clips side by side, up to four in a row, averaged down to at most 256 px each.

    Parameters
    ----------
    video : (clip, time, y, x, rgb) uint8

    Returns
    -------
    (time, y, x, rgb) uint8
        Height and width even, as video codecs want them; places without a clip are black.
    """
    clips, time, height, width, _ = video.shape
    block = -(-max(height, width) // WIDEST)
    height, width = height // block, width // block
    columns = min(COLUMNS, clips)
    rows = -(-clips // columns)
    shape = (time, rows * height, columns * width, 3)
    tiles = np.zeros((time, shape[1] + shape[1] % 2, shape[2] + shape[2] % 2, 3), np.uint8)
    for number, clip in enumerate(video):
        top, left = number // columns * height, number % columns * width
        whole = clip[:, : height * block, : width * block]
        cells = whole.reshape(time, height, block, width, block, 3)
        tiles[:, top : top + height, left : left + width] = cells.mean((2, 4)).round()
    return tiles


def preview(video: np.ndarray, path: Path, fps: int = 16) -> None:
    """Write clips side by side as an H.264 film, which any player and browser shows.

    Parameters
    ----------
    video : (clip, time, y, x, rgb) uint8
    path : Path
        The film (.mp4); it appears once it is complete.
    fps : int
        Frames per second.
    """
    films.write(path, sheet(video), fps)
