"""Tiny films, written by PyAV, and bytes edited by hand: what tests need and no one films."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

PIXELS = {"gif": "rgb8", "ffv1": "bgr0", "mjpeg": "yuvj420p"}
CODECS = {".webm": "libvpx-vp9", ".avi": "mpeg4", ".gif": "gif", ".mkv": "ffv1"}


def moving(count: int, size: tuple[int, int] = (16, 16), speed: float = 1.0) -> np.ndarray:
    """Frames (time, y, x, rgb): a bright bar that moves to the right, the number in its colour."""
    height, width = size
    x = np.arange(width) - (2 + speed * np.arange(count))[:, None]
    bar = np.clip(1.5 - np.abs(x), 0, 1)[:, None, :, None]
    shade = np.stack([np.full(count, 200), np.full(count, 60), 40 + 3 * np.arange(count)], -1)
    whole = np.broadcast_to(bar * shade[:, None, None], (count, height, width, 3))
    return (whole + 20).astype(np.uint8)


def write(
    path: Path,
    frames: np.ndarray,
    *,
    rate: float = 10,
    stamps: list[int] | None = None,
    pixels: str | None = None,
    codec: str | None = None,
    streams: int = 1,
    sound: bool = False,
    **options: str,
) -> Path:
    """Write a film; stamps count hundredths of a second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codec = codec or CODECS.get(path.suffix, "libx264")
    container_options = {"movflags": "faststart"} if path.suffix in (".mp4", ".mov") else {}
    with av.open(str(path), "w", options=container_options) as film:
        made = []
        for _ in range(streams):
            stream = film.add_stream(codec, rate=Fraction(rate).limit_denominator(1000))
            stream.height, stream.width = frames.shape[1:3]
            stream.pix_fmt = pixels or PIXELS.get(codec, "yuv420p")
            stream.options = {"crf": "10", **options} if codec.startswith("lib") else options
            if stamps:
                stream.time_base = stream.codec_context.time_base = Fraction(1, 100)
            made.append(stream)
        if sound:
            audio = film.add_stream("aac", rate=8000)
            audio.layout = "mono"
        for number, image in enumerate(frames):
            for stream in made:
                form = {3: "rgb24", 4: "rgba"}[image.shape[-1]]
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), form)
                if stamps:
                    frame.pts, frame.time_base = stamps[number], Fraction(1, 100)
                film.mux(stream.encode(frame))
        if sound:
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate = 8000
            film.mux(audio.encode(silence))
            film.mux(audio.encode())
        for stream in made:
            film.mux(stream.encode())
    return path


def patched(path: Path, name: bytes, offset: int, content: bytes) -> Path:
    """Overwrite bytes of a file, so far behind the first place where a name stands."""
    whole = bytearray(path.read_bytes())
    start = whole.index(name) + len(name) + offset
    whole[start : start + len(content)] = content
    path.write_bytes(whole)
    return path


def hidden(path: Path, number: int) -> Path:
    """Have a key frame of VP9, by its packet, be decoded but never shown."""
    with av.open(str(path)) as film:
        packet = bytes([bytes(packet) for packet in film.demux(video=0)][number])
    return patched(path, packet[:24], -24, bytes([packet[0] & ~2]))  # the bit show_frame


def turned(path: Path, degrees: float) -> Path:
    """Have an MP4 say that it is to be seen turned clockwise."""
    angle = np.deg2rad(degrees)
    a, b = (round(f(angle) * 65536).to_bytes(4, "big", signed=True) for f in (np.cos, np.sin))
    minus = round(-np.sin(angle) * 65536).to_bytes(4, "big", signed=True)
    zero = bytes(4)
    matrix = a + b + zero + minus + a + zero + zero + zero + (1 << 30).to_bytes(4, "big")
    return patched(path, b"tkhd", 40, matrix)


def cut(path: Path, part: float) -> Path:
    """Keep the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    return path
