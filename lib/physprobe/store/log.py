"""Log: what a stage tells people while it works - progress, one line of what it did.

No result follows from it, nor from any call of it: ``fingerprint`` leaves both out.
"""

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tqdm import tqdm

STARTED = time.monotonic()
_log = logging.getLogger("physprobe")
info, error = _log.info, _log.error


def progress(
    items: Sequence, what: str, every: float = 20.0, clips: Sequence[int] = ()
) -> Iterator:
    """Pass items on with a bar on a terminal, or a line in a log now and then.

    Parameters
    ----------
    items : sequence
        What is worked through.
    what : str
        What the items are, for instance ``clips``.
    every : float
        Seconds between two lines in a log [s].
    clips : sequence of int
        Clips of each item, if their rate is to be told in the end.
    """
    begin = last = time.monotonic()
    if sys.stderr.isatty():
        yield from tqdm(items, desc=what, leave=False)
        items_left: Sequence = ()
    else:
        items_left = items
    for done, item in enumerate(items_left):
        now = time.monotonic()
        if done and now - last > every:
            last = now
            left = (now - begin) / done * (len(items) - done)
            info("%s: %d of %d done, about %.0f s left", what, done, len(items), left)
        yield item
    if clips:
        seconds = time.monotonic() - begin
        info(
            "%d clips in %.1f s, %.1f a second",
            sum(clips),
            seconds,
            sum(clips) / max(seconds, 1e-9),
        )


def megabytes(path: Path) -> float:
    """Size of a file, or of everything in a folder [MB]."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def done(what: str) -> None:
    """Log the one line that says what a stage did."""
    info("%s, %.1f s", what, time.monotonic() - STARTED)


def table(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells, the columns side by side."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        + "\n"
        for line in lines
    )
