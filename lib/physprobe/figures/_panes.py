"""Panes: the plane of each encoder beside the others, as an image."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from physprobe.store import files, log, results

SIDE, HEAD, COLUMNS, LETTERS = 170, 18, 4, 12
"""Of a pane and of the words above it [px]; panes in a row; size of letters."""
PLOT = ((-10.0, 10.0), (-5.0, 15.0))
"""What of the plane is shown, along x and y."""
PAPER, GREY, INK = (255, 255, 255), "#b4b4b4", (40, 40, 40)


class Panes:
    """One frame of an animation.

    Parameters
    ----------
    names : collection of str
        Of encoders.
    about : str
        What is shown, for people.
    """

    def __init__(self, names: Collection[str], about: str):
        rows, columns = -(-len(names) // COLUMNS), min(COLUMNS, len(names))
        self.image = Image.new("RGB", (columns * SIDE, HEAD + rows * (HEAD + SIDE)), PAPER)
        self._pen, self._corners = ImageDraw.Draw(self.image), {}
        font = ImageFont.load_default(LETTERS)
        self._pen.text((4, 2), about, INK, font)
        for place, name in enumerate(names):
            left, top = place % COLUMNS * SIDE, HEAD + place // COLUMNS * (HEAD + SIDE)
            self._pen.text((left + 4, top + 2), name.replace("_", " "), INK, font)
            self._corners[name] = left, top + HEAD

    def dots(self, name: str, points: np.ndarray, colour: str, radius: int) -> None:
        """Draw points (row, 2); those outside are left out."""
        left, top = self._corners[name]
        ink = ImageColor.getrgb(colour)
        for x, y in _placed(points):
            if 0 <= x < SIDE and 0 <= y < SIDE:
                middle = left + x, top + y
                box = [part + sign * radius for sign in (-1, 1) for part in middle]
                self._pen.ellipse(box, ink)

    def shade(self, name: str, colours: np.ndarray) -> None:
        """Fill a pane with colours (y, x, rgb) uint8 of cells, y upwards."""
        cells = Image.fromarray(np.ascontiguousarray(colours[::-1]))
        self.image.paste(
            cells.resize((SIDE - 2, SIDE - 2), Image.Resampling.BILINEAR), self._corners[name]
        )


def kept(fits: Sequence[Path], schema: str, block: str) -> dict[str, Mapping]:
    """By encoder, a block of its first network's result, of those that have kept it."""
    read = [results.read(path, schema) for path in fits]
    found = {each["encoder"]: each.get("members", (each,))[0].get(block) for each in read}
    return {name: content for name, content in found.items() if content}


def _placed(points: np.ndarray) -> np.ndarray:
    """Places (row, 2) in a pane [px] of points of the plane."""
    (left, right), (low, high) = PLOT
    x = (points[:, 0] - left) / (right - left)
    y = (high - points[:, 1]) / (high - low)
    return np.stack([x, y], -1) * SIDE


def save(frames: Sequence[Image.Image], out: Path, milliseconds: int) -> None:
    """Write frames as an animation of 64 colours, over and over."""
    first, *rest = (frame.quantize(64) for frame in frames)
    with files.replacing(out) as part:
        first.save(part, "GIF", save_all=True, append_images=rest, duration=milliseconds, loop=0)
    log.done(f"{out}: {len(frames)} frames")
