"""Phase: the signal's plane, step by step, as it is and as it is read off each latent."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from physprobe.drawing import palette
from physprobe.store import files, log, results

SIDE, HEAD, COLUMNS, TAIL, STEPS = 180, 18, 4, 12, 150
"""Of a plane and of the words above it [px]; planes in a row; steps that leave a trace, and all."""
LETTERS, MILLISECONDS = 12, 60
PAPER, TRUE, INK = (255, 255, 255), (170, 170, 170), (40, 40, 40)


def run(*, fits: Sequence[Path], out: Path) -> None:
    """Write ``phase.gif``: the first two dimensions of the signal over held-out steps.

    Parameters
    ----------
    fits : sequence of Path
        Results of a recovery that has kept a condition, of the study's encoders in their order.
    out : Path
        The animation.

    Raises
    ------
    ValueError
        If none has kept one.
    """
    known = {path: results.read(path, "recovery") for path in fits}
    kept = {r["encoder"]: s for r in known.values() if (s := series(r)) is not None}
    if not kept:
        raise ValueError(f"{out}: no fit has kept a condition. Hint: set shown in its method.")
    spec = next(iter(known.values()))["spec"]
    frames = animation(kept, f"{spec['by'].replace('_', ' ')} {spec['shown']:g}")
    first, *rest = (Image.fromarray(frame).quantize(64) for frame in frames)
    with files.replacing(out) as part:
        first.save(part, "GIF", save_all=True, append_images=rest, duration=MILLISECONDS, loop=0)
    log.done(f"{out}: {len(frames)} frames of {len(kept)} encoders")


def series(result: Mapping) -> tuple[np.ndarray, np.ndarray] | None:
    """Truth and what is read (time, 2) of a result's first member, if it has kept them."""
    found = result.get("members", (result,))[0].get("series") or {}
    if not found:
        return None
    truth, read = (np.concatenate(np.asarray(found[n], float))[:STEPS] for n in ("truth", "read"))
    return truth[:, :2], read[:, :2]


def animation(kept: Mapping[str, tuple[np.ndarray, np.ndarray]], about: str) -> np.ndarray:
    """Frames (time, y, x, rgb) uint8, a plane for each encoder.

    Parameters
    ----------
    kept : mapping of str to (truth, read)
        Each (time, 2).
    about : str
        Condition, for people.
    """
    looks = palette.looks(kept, ())
    reach = 1.1 * max(np.abs(part).max() for truth, read in kept.values() for part in (truth, read))
    rows, columns = -(-len(kept) // COLUMNS), min(COLUMNS, len(kept))
    times = min(len(truth) for truth, _ in kept.values())
    size = columns * SIDE, HEAD + rows * (HEAD + SIDE)
    font = ImageFont.load_default(LETTERS)
    found = np.empty((times, size[1], size[0], 3), np.uint8)
    for time in range(times):
        image = Image.new("RGB", size, PAPER)
        pen = ImageDraw.Draw(image)
        words = f"grey: signal; colour: read one step earlier, at {about}. Step {time + 1}"
        pen.text((4, 2), words, INK, font)
        for place, (name, (truth, read)) in enumerate(kept.items()):
            left, top = place % COLUMNS * SIDE, HEAD + place // COLUMNS * (HEAD + SIDE)
            pen.text((left + 4, top + 2), name.replace("_", " "), INK, font)
            colour = ImageColor.getrgb(looks[name].colour)
            for path, ink in ((truth, TRUE), (read, colour)):
                trace = path[max(0, time - TAIL) : time + 1] / reach
                at = [
                    (left + SIDE * (1 + x) / 2, top + HEAD + SIDE * (1 - y) / 2) for x, y in trace
                ]
                if len(at) > 1:
                    pen.line(at, ink, 2)
                x, y = at[-1]
                pen.ellipse((x - 4, y - 4, x + 4, y + 4), ink)
        found[time] = np.asarray(image)
    return found
