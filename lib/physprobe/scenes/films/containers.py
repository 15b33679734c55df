"""Containers: mp4, mov, webm, mkv, avi and gif, decoded by FFmpeg through PyAV.

Frames come as they are presented, with the stamps that the file gives them, and turned as it says.
Nothing is guessed or repaired: what a player would conceal is a fault here. Where packets say how
many frames there are, and when each is shown, a film is decoded once, and has to be as they say.
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
STAMPED = {"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"}  # formats that say when each frame is shown
ONE_EACH = {"h264", "hevc", "vp9", "av1", "ffv1", "mjpeg", "prores", "png"}
"""Codecs whose packets hold a frame each that is shown. Not those of MPEG-4, which may hold two, or
of VP8, which may hold one that never is."""
TRANSPARENT = "has transparent pixels; a frame has a colour everywhere"
SLACK = 1.5  # frames by which a declared length may differ from the last frame's end


def look(path: Path, threads: int = 1, whole: bool = False) -> Film:
    """Say what a film is: how many frames, when each is shown, how large they are.

    Where a file's packets tell that, its first frame alone is decoded; :func:`frames` finds out
    whether the others are as they are told. Else, or if anything is wrong, it is decoded from end
    to end.

    Parameters
    ----------
    path : Path
    threads : int
    whole : bool
        Decode all of it anyway.

    Raises
    ------
    Faulty
        If it is empty, can't be decoded, or isn't what it declares; every reason, with numbers.
    """
    known = digest(path)
    if not whole:
        try:
            return _looked(path, known, threads, whole=False)
        except Faulty:
            pass  # what is wrong is told of frames, not of packets
    return _looked(path, known, threads, whole=True)


def _looked(path: Path, known: str, threads: int, whole: bool) -> Film:
    """What packets or, if it is to be decoded as a whole, frames tell of a film.

    Raises
    ------
    Faulty
        If something is wrong, or packets don't tell.
    """
    import av

    faults: list[str] = []
    with _opened(path, threads) as (container, stream):
        declared, span = stream.frames, _span(container, stream)
        tag = stream.metadata.get("alpha_mode")
        sounds = sum(other.type == "audio" for other in container.streams)
        found = _Seen(container, stream)
        try:
            for packet in container.demux(stream):
                found.packet(packet)
                if whole or not found.stamps:
                    for frame in packet.decode():
                        found.frame(frame, packet)
        except (av.error.FFmpegError, OSError) as error:
            faults.append(f"frame {len(found.stamps)} can't be decoded: {_short(error)}")
        # of a container that is closed nothing may be asked any more
        tick, pixel = float(stream.time_base or 0), _pixel(stream, found.turned)
    faults += found.faults()
    if not whole:
        told = sorted(found.promised or ())
        if found.transparent is not None or found.stamps[:1] != told[:1]:
            raise Faulty("its packets don't tell what its frames are")
        found.stamps = [*told]
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
    if tag == "1" and not found.transparent:
        faults.append(TRANSPARENT)
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
    if not faults and whole:
        faults += found.unlike()
    if faults:
        raise Faulty(*faults)
    notes = [*found.notes]
    notes += [f"{sounds} streams of sound are not read"] * bool(sounds)
    notes += ["declares no number of frames"] * (not declared)
    notes += [f"pixels are {pixel:.3f} times as wide as high"] * (pixel != 1)
    return Film(times, tick, found.size, pixel, known, count, tuple(notes), decoded=whole)


def frames(path: Path, threads: int = 1) -> Iterator[Image]:
    """Frames (y, x, rgb) uint8 of a film that :func:`look` has passed, and width of a pixel.

    Raises
    ------
    Faulty
        If one is not as :func:`look` took it to be: damaged, of another size, or, once the last one
        is decoded, if they are not those that packets tell.
    """
    import av

    with _opened(path, threads) as (container, stream):
        found = _Seen(container, stream)
        try:
            for packet in container.demux(stream):
                found.packet(packet)
                for frame in packet.decode():
                    found.frame(frame, packet)
                    if faults := found.faults():
                        raise Faulty(*faults)
                    pixel = _pixel(stream, frame.rotation)
                    yield _turned(frame.to_ndarray(format="rgb24"), frame.rotation), pixel
        except (av.error.FFmpegError, OSError) as error:
            told = f"frame {len(found.stamps)} can't be decoded: {_short(error)}"
            raise Faulty(told) from None
        if faults := found.unlike():
            raise Faulty(*faults)


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


class _Seen:
    """What packets tell, and what decoding has found, so far.

    Attributes
    ----------
    promised : list of int, optional
        Stamps of packets that hold one frame each; None if packets don't tell frames' stamps.
    stamps : list of int, optional
        Those of decoded frames.
    hidden : int
        Packets that an edit list hides.
    transparent : bool, optional
        Whether a pixel is; None if none could be.
    """

    def __init__(self, container: Any, stream: "av.VideoStream"):
        told = container.format.name in STAMPED and stream.codec.canonical_name in ONE_EACH
        self.promised: list[int] | None = [] if told else None
        self.stamps: list[int | None] = []
        self.hidden = self.interlaced = self.turned = 0
        self.transparent: bool | None = None
        self.size = (0, 0)
        self.notes: list[str] = []
        self.damaged: list[int] = []
        self.forms: dict[tuple[tuple[int, int], int], int] = {}

    def packet(self, packet: "av.Packet") -> None:
        """Take in a packet before it is decoded."""
        if not packet.size:  # no more than the end
            return
        self.hidden += packet.is_discard
        if packet.pts is None or packet.is_discard or packet.is_corrupt:
            self.promised = None
        elif self.promised is not None:
            self.promised.append(packet.pts)

    def frame(self, frame: "av.VideoFrame", packet: "av.Packet") -> None:
        """Take in a decoded frame."""
        number = len(self.stamps)
        self.damaged += [number] * (frame.is_corrupt or packet.is_corrupt)
        self.interlaced += frame.interlaced_frame
        (y, x), turn = form = (frame.height, frame.width), frame.rotation
        self.forms.setdefault(form, number)
        if not number:
            self.turned, self.size = turn, (x, y) if turn % 180 else (y, x)
            self.notes = _of_pixels(frame) + [f"turned by {turn} degrees, as it says"] * bool(turn)
        self.stamps.append(frame.pts)
        if not self.transparent and any(part.is_alpha for part in frame.format.components):
            self.transparent = bool((frame.to_ndarray(format="rgba")[..., 3] < 255).any())

    def faults(self) -> list[str]:
        """What is wrong with frames by themselves."""
        faults = []
        if self.damaged:
            faults.append(f"{len(self.damaged)} frames are damaged, first frame {self.damaged[0]}")
        if self.interlaced:
            faults.append(f"{self.interlaced} frames are interlaced: each shows two times")
        if len(self.forms) > 1:
            told = ", ".join(
                f"{y} x {x} px turned by {turn} from frame {number} on"
                for ((y, x), turn), number in self.forms.items()
            )
            faults.append(f"frames are not alike: {told}")
        if self.turned % 90:
            faults.append(f"is turned by {self.turned} degrees, expected quarters of a turn")
        if self.transparent:
            faults.append(TRANSPARENT)
        return faults

    def unlike(self) -> list[str]:
        """In what all frames together are not those that packets tell, if they do."""
        if self.promised is None:
            return []
        count, told = len(self.stamps), sorted(self.promised)
        if count != len(told):
            return [f"holds packets of {len(told)} frames, decodes {count}"]
        odd = [n for n, pair in enumerate(zip(self.stamps, told, strict=True)) if len({*pair}) > 1]
        return [
            f"{len(odd)} of {count} frames have other time stamps than their packets, first frame"
            f" {number}: {self.stamps[number]}, expected {told[number]}"
            for number in odd[:1]
        ]


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
