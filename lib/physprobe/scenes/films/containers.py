"""Containers: mp4, mov, webm, mkv, avi and gif, decoded by FFmpeg through PyAV.

Frames come as they are presented, with the stamps that the file gives them, and turned as it says.
Nothing is guessed or repaired: what a player would conceal is a fault here.
"""

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from physprobe.scenes.films.film import Faulty, Film, Image

if TYPE_CHECKING:
    import av

ENDINGS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".gif")
QUIET = {"data", "subtitle", "attachment"}
SLACK = 1.5  # frames by which a declared length may differ from the last frame's end


def look(path: Path, threads: int = 1) -> Film:
    """Decode a film from end to end, and say what it is.

    Raises
    ------
    Faulty
        If it is empty, can't be decoded, or isn't what it declares; every reason, with numbers.
    """
    known = digest(path)
    faults: list[str] = []
    with _opened(path, threads) as (container, stream):
        declared, span = stream.frames, _span(container, stream)
        tag = stream.metadata.get("alpha_mode")
        sounds = sum(other.type == "audio" for other in container.streams)
        found = _decode(container, stream, faults)
        # of a container that is closed nothing may be asked any more
        tick, pixel = float(stream.time_base or 0), _pixel(stream, found.turned)
    if not found.stamps:
        raise Faulty(*faults, "no frame can be decoded")
    count = len(found.stamps)
    if declared and declared != count:
        more = f" ({found.hidden} hidden by an edit list)" if found.hidden else ""
        faults.append(f"declares {declared} frames, decodes {count}{more}")
    elif found.hidden:
        faults.append(f"an edit list hides {found.hidden} of {count + found.hidden} frames")
    if path.suffix.lower() in (".mp4", ".m4v", ".mov") and (parts := _edits(path)):
        faults.append(f"an edit list {parts}")
    if path.suffix.lower() == ".gif" and not _ends_as_gif(path):
        faults.append(f"is truncated: its {path.stat().st_size} bytes don't end as a GIF does")
    if tag == "1":
        found.alpha = True
    if found.alpha:
        faults.append("has transparent pixels; a frame has a colour everywhere")
    if None in found.stamps:
        missing = found.stamps.count(None)
        raise Faulty(*faults, f"{missing} of {count} frames have no time stamp")
    stamps = np.array(found.stamps)
    steps = np.diff(stamps)
    if (steps <= 0).any():
        where = int(np.argmax(steps <= 0))
        faults.append(
            f"{int((steps <= 0).sum())} of {count} time stamps don't ascend, first that of frame"
            f" {where + 1}: {float(stamps[where] * tick):.3f} s, then"
            f" {float(stamps[where + 1] * tick):.3f} s"
        )
    times = (stamps - stamps[0]) * tick
    if span and count > 1 and not declared:
        step = times[-1] / (count - 1)
        if abs(span - times[-1] - step) > SLACK * step + tick:
            faults.append(
                f"declares {span:.3f} s, decodes {times[-1] + step:.3f} s ({count} frames);"
                " it may be truncated"
            )
    if faults:
        raise Faulty(*faults)
    notes = [*found.notes]
    notes += [f"{sounds} streams of sound are not read"] * bool(sounds)
    notes += ["declares no number of frames"] * (not declared)
    notes += [f"pixels are {pixel:.3f} times as wide as high"] * (pixel != 1)
    return Film(times, tick, found.size, pixel, known, count, tuple(notes))


def frames(path: Path, threads: int = 1) -> Iterator[Image]:
    """Frames (y, x, rgb) uint8 of a film that :func:`look` has passed, and width of a pixel."""
    with _opened(path, threads) as (container, stream):
        for frame in container.decode(stream):
            pixel = _pixel(stream, frame.rotation)
            yield _turned(frame.to_ndarray(format="rgb24"), frame.rotation), pixel


def _pixel(stream: "av.VideoStream", turned: int) -> float:
    """Width of a pixel, in heights of one, as it is seen."""
    pixel = float(stream.sample_aspect_ratio or 1) or 1.0
    return 1 / pixel if turned % 180 else pixel


class _opened:
    """A film's container and its one stream of video."""

    def __init__(self, path: Path, threads: int):
        self.path, self.threads = path, threads

    def __enter__(self) -> "tuple[Any, av.VideoStream]":
        import av

        if not self.path.stat().st_size:
            raise Faulty("is empty (0 bytes)")
        try:
            self.container = av.open(str(self.path))
        except (av.error.FFmpegError, OSError) as error:
            size = self.path.stat().st_size
            raise Faulty(f"can't be opened as a film ({size} bytes): {_short(error)}") from None
        covers = av.stream.Disposition.attached_pic
        streams = [s for s in self.container.streams.video if not s.disposition & covers]
        if len(streams) != 1:
            self.container.close()
            raise Faulty(f"holds {len(streams) or 'no'} streams of video, expected 1")
        (stream,) = streams
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = self.threads
        return self.container, stream

    def __exit__(self, *error: object) -> None:
        self.container.close()


class _Found:
    """What decoding has found so far."""

    def __init__(self) -> None:
        self.stamps: list[int | None] = []
        self.hidden, self.turned, self.alpha = 0, 0, False
        self.size = (0, 0)
        self.notes: list[str] = []


def _decode(container: Any, stream: "av.VideoStream", faults: list[str]) -> _Found:
    import av

    found, interlaced = _Found(), 0
    corrupt: list[int] = []
    sizes: dict[tuple[tuple[int, int], int], int] = {}
    try:
        for packet in container.demux(stream):
            found.hidden += bool(packet.size) and packet.is_discard
            for frame in packet.decode():
                number = len(found.stamps)
                corrupt += [number] * (frame.is_corrupt or packet.is_corrupt)
                interlaced += frame.interlaced_frame
                form = (frame.height, frame.width), frame.rotation
                sizes.setdefault(form, number)
                if not number:
                    found.notes += _of_pixels(frame)
                found.stamps.append(frame.pts)
                if not found.alpha and any(part.is_alpha for part in frame.format.components):
                    shown = frame.to_ndarray(format="rgba")[..., 3]
                    found.alpha = bool((shown < 255).any())
    except (av.error.FFmpegError, OSError) as error:
        faults.append(f"frame {len(found.stamps)} can't be decoded: {_short(error)}")
    if corrupt:
        faults.append(f"{len(corrupt)} frames are damaged, first frame {corrupt[0]}")
    if interlaced:
        faults.append(f"{interlaced} frames are interlaced: each shows two times")
    if len(sizes) > 1:
        told = ", ".join(
            f"{y} x {x} px turned by {turn} from frame {number} on"
            for ((y, x), turn), number in sizes.items()
        )
        faults.append(f"frames are not alike: {told}")
    for (y, x), turn in list(sizes)[:1]:
        found.turned = turn
        if turn % 90:
            faults.append(f"is turned by {turn} degrees, expected quarters of a turn")
        found.size = (x, y) if turn % 180 else (y, x)
        found.notes += [f"turned by {turn} degrees, as it says"] * bool(turn)
    return found


def _of_pixels(frame: "av.VideoFrame") -> list[str]:
    """What is particular about a film's pixels."""
    if frame.format.has_palette:
        return []
    parts = [part for part in frame.format.components if not part.is_alpha]
    bits = max(part.bits for part in parts)
    notes = [f"{bits} bits a colour are read as 8"] * (bits > 8)
    return notes + ["gray"] * (len(parts) == 1)


def _turned(image: np.ndarray, degrees: int) -> np.ndarray:
    """Image as it is to be seen; degrees as FFmpeg counts them, counter-clockwise."""
    return np.ascontiguousarray(np.rot90(image, degrees // 90)) if degrees else image


def _span(container: Any, stream: "av.VideoStream") -> float | None:
    """Length that a film declares [s], if it does."""
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    told = stream.metadata.get("DURATION")
    if told and told.count(":") == 2:
        hours, minutes, seconds = told.split("\0")[0].split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    if container.duration and len(container.streams) == 1:
        return float(Fraction(container.duration, 1_000_000))
    return None


def digest(path: Path) -> str:
    """Digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _short(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).split(":")[0] or type(error).__name__


def _ends_as_gif(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64))
        return file.read().rstrip(b"\0").endswith(b";")


def _edits(path: Path) -> str:
    """What an MP4's edit list of its film does, beyond a plain start; empty if nothing.

    References
    ----------
    ISO/IEC 14496-12, 8.6.6: version and flags, number of entries, and of each its length, its
    media time (-1: nothing is shown) and its rate in 16.16.
    """
    told = ""
    with path.open("rb") as file:
        for track in _boxes(file, (b"moov", b"trak")):
            handlers = [
                _content(file, box)[8:12] for box in _boxes(file, (b"mdia", b"hdlr"), track)
            ]
            if handlers != [b"vide"]:
                continue
            for box in _boxes(file, (b"edts", b"elst"), track):
                content = _content(file, box)
                wide = 8 if content[0] else 4
                shown = []
                for entry in range(int.from_bytes(content[4:8], "big")):
                    start = 8 + entry * (2 * wide + 4) + wide
                    media = int.from_bytes(content[start : start + wide], "big", signed=True)
                    rate = int.from_bytes(content[start + wide : start + wide + 4], "big")
                    shown += [rate / 65536] * (media >= 0)
                if len(shown) > 1:
                    told = f"puts it together from {len(shown)} parts"
                elif shown and shown[0] != 1:
                    told = f"plays it at {shown[0]:g} times its rate"
    return told


def _boxes(
    file: Any, names: tuple[bytes, ...], within: tuple[int, int] | None = None
) -> Iterator[tuple[int, int]]:
    """Start and end of the content of boxes of an MP4 that lie at a path of names."""
    start, end = within or (0, file.seek(0, 2))
    while start + 8 <= end:
        file.seek(start)
        head = file.read(16)
        size, name, skip = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, skip = int.from_bytes(head[8:16], "big"), 16
        size = size or end - start
        if size < skip:
            return
        if name == names[0]:
            inner = start + skip, min(start + size, end)
            if len(names) == 1:
                yield inner
            else:
                yield from _boxes(file, names[1:], inner)
        start += size


def _content(file: Any, box: tuple[int, int]) -> bytes:
    file.seek(box[0])
    return file.read(box[1] - box[0])
