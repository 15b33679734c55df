"""Films: frames as an H.264 film, which any player and browser shows."""

from pathlib import Path

import numpy as np

from physprobe.store import files


def write(path: Path, frames: np.ndarray, fps: int = 16) -> None:
    """Write a film; the same frames give the same bytes.

    Parameters
    ----------
    path : Path
        The film (.mp4); it appears once it is complete.
    frames : (time, y, x, rgb) uint8
        Height and width even, as the codec wants them.
    fps : int
        Frames per second.
    """
    import av

    # x264 divides a frame among its threads, and so the bytes would follow from the machine
    options = {"crf": "18", "threads": "1"}
    with files.replacing(path) as part, av.open(part, "w", format="mp4") as film:
        stream = film.add_stream("libx264", rate=fps, options=options)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        film.mux(stream.encode())
