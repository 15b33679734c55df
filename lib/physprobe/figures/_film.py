"""Film: a few held-out clips as they are, as they are forecast, and as they are drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from physprobe.drawing import films, palette, strips
from physprobe.store import log, results

SIDE, GAP, HEAD, STRIP = 160, 4, 18, 34
"""Of a frame, between frames, and height of the words above and below [px]."""
COLUMNS = 2
PAPER, INK, FAINT = (255, 255, 255), (40, 40, 40), (120, 120, 120)
LETTERS = 12
WORDS = {"truth": "truth", "forecast": "forecast", "reconstruction": "reconstruction"}
SECONDS = 10
"""The film is slowed down, or sped up, to about this."""


def run(*, fits: Sequence[Path], out: Path) -> None:
    """Write ``forecast.mp4``: held-out clips, their forecast and reconstruction side by side.

    Of the first encoder that has a predictor of its own, else of the first one, without a forecast;
    of several members the first.

    Parameters
    ----------
    fits : sequence of Path
        Results of a decoder, of the study's encoders in their order.
    out : Path
        The film.
    """
    if not fits:
        raise ValueError(f"{out}: no decoder was given. Hint: name its results as --fits.")
    found = [(results.read(path, "decoder"), path) for path in fits]
    blocks = [(first(result), result, path) for result, path in found]
    forecast = [each for each in blocks if _forecast(each[0])]
    block, result, path = (forecast or blocks)[0]
    shown = palette.shown(result["encoder"], _label(result))
    frames = film(block, shown)
    films.write(out, frames, max(1, min(30, round(len(frames) / SECONDS))))
    log.done(f"{out}: {len(frames)} frames of {len(named(block))} clips, from {path}")


def first(result: Mapping) -> dict:
    """Block of a result's decoder; of several members the first one's."""
    return result.get("members", (result,))[0]["decoder"]


def named(block: Mapping) -> dict[str, dict]:
    """Clips of a block by the rules that chose them, each clip once."""
    rules: dict[str, list[str]] = {}
    for rule, part in block["shown"].items():
        rules.setdefault(part["clip"], []).append(rule)
    return {", ".join(each): block["shown"][each[0]] for each in rules.values()}


def _label(result: Mapping) -> str | None:
    label = result.get("label")
    return label[0] if isinstance(label, list) else label


def _forecast(block: Mapping) -> bool:
    return any(part["forecast"] for part in block["shown"].values())


def film(block: Mapping, encoder: str) -> np.ndarray:
    """Frames of the film.

    Parameters
    ----------
    block : mapping
        ``decoder`` of a result.
    encoder : str
        Its name for people.

    Returns
    -------
    (time, y, x, rgb) uint8
        Clips in two columns; of each the columns truth, forecast, reconstruction, and below them
        error and time so far. Height and width are even.
    """
    tiles = [_tile(rule, part, block["seconds"]) for rule, part in named(block).items()]
    if len(tiles) % COLUMNS and len(tiles) > 1:
        tiles.append(np.full_like(tiles[0], 255))
    columns = min(COLUMNS, len(tiles))
    lines = [np.concatenate(tiles[at : at + columns], 2) for at in range(0, len(tiles), columns)]
    whole = np.concatenate(lines, 1)
    title = Image.new("RGB", (whole.shape[2], HEAD + GAP), PAPER)
    words = f"held-out clips, decoded from {encoder}; chosen by error of reconstruction"
    if any(part["pace"] is not None for part in block["shown"].values()):
        words += ", and by Lyapunov exponent from calmest to wildest"
    ImageDraw.Draw(title).text((GAP, GAP), words, INK, _font())
    head = np.broadcast_to(np.asarray(title), (len(whole), *np.asarray(title).shape))
    whole = np.concatenate([head, whole], 1)
    odd = [(0, size % 2) for size in whole.shape[1:3]]
    return np.pad(whole, [(0, 0), *odd, (0, 0)], constant_values=255)


def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(LETTERS)


def _tile(rule: str, part: Mapping, seconds: float | None) -> np.ndarray:
    """One clip (time, y, x, rgb): its columns with words above and below."""
    columns = {name: strips.unpacked(part[name]) for name in WORDS if part[name]}
    times, *_ = columns["truth"].shape
    width = len(columns) * (SIDE + GAP) + GAP
    error = _errors(columns)
    found = np.empty((times, HEAD + SIDE + STRIP, width, 3), np.uint8)
    for time in range(times):
        canvas = Image.new("RGB", (width, HEAD + SIDE + STRIP), PAPER)
        pen = ImageDraw.Draw(canvas)
        for place, (name, frames) in enumerate(columns.items()):
            left = GAP + place * (SIDE + GAP)
            image = Image.fromarray(frames[time]).resize((SIDE, SIDE), Image.Resampling.NEAREST)
            canvas.paste(image.convert("RGB"), (left, HEAD))
            seen = name == "forecast" and time <= part["start"]
            words = "forecast: still seen" if seen else WORDS[name]
            pen.text((left, 2), words, FAINT if seen else INK, _font())
            if name != "truth":
                told = f"error {error[name][time]:.4f}"
                pen.text((left, HEAD + SIDE + 2), told, INK, _font())
        pen.text((GAP, HEAD + SIDE + 2), f"clip {part['clip']}: {rule}", INK, _font())
        told = _clock(part, time, seconds)
        pen.text((GAP, HEAD + SIDE + 2 + LETTERS + 2), told, FAINT, _font())
        found[time] = np.asarray(canvas)
    return found


def _errors(columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Mean squared error (time,) of every column against the truth, pixels from 0 to 1."""
    truth = columns["truth"] / 255
    return {name: ((frames / 255 - truth) ** 2).mean((1, 2)) for name, frames in columns.items()}


def _clock(part: Mapping, time: int, seconds: float | None) -> str:
    """Time since the last frame that a forecast has seen, in seconds and in Lyapunov times."""
    ahead = time - part["start"]
    if seconds is None:
        return f"{ahead} tokens after the last one seen"
    told = f"{ahead * seconds:.2f} s after the last frame seen"
    if part["pace"] and part["pace"] > 0:
        told += f", {ahead * seconds * part['pace']:.2f} Lyapunov times"
    return told.replace("-", "\N{MINUS SIGN}")
