"""IntPhys: frames of the public development set, decoded from the files that a simulation names."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.spec import Spec as Base
from physprobe.scenes import intphys

DRAWS = ("files",)


class Spec(Base):
    """Frames from files."""

    kind: Literal["intphys"] = "intphys"
    """Frames of IntPhys' development set."""
    folder: str = Field(min_length=1)
    """Folder that holds O1, O2 and O3; the same as that of the simulation."""


def frames(spec: Spec, field: np.ndarray) -> np.ndarray:
    """Frames of one clip.

    Parameters
    ----------
    spec : Spec
    field : (time, quantity)
        Which files they are, as ``scenes.intphys`` numbers them.

    Returns
    -------
    (time, y, x, rgb) uint8

    Raises
    ------
    ValueError
        If a file has changed since it was described, can't be decoded or is transparent; the
        message names it.
    """
    field = np.asarray(field)
    if field.ndim != 2 or field.shape[1] != len(intphys.QUANTITIES):
        raise ValueError(
            f"shape {field.shape}: expected (time, {len(intphys.QUANTITIES)}), numbers of files."
            " Hint: this renderer is for systems of kind `intphys`."
        )
    found = []
    for values in field:
        row = dict(zip(intphys.QUANTITIES, map(float, values), strict=True))
        path = intphys.frame_path(Path(spec.folder), *intphys.described(row))
        content = path.read_bytes()
        if intphys.checksum(content) != round(row["checksum"]):
            raise ValueError(
                f"{path}: has changed since it was described. Hint: simulate this system again,"
                " which reads all of its files anew; by hand with `--force`, in the workflow"
                " by `snakemake --force` and the simulation's `zarr.json`."
            )
        found.append(_decoded(path, content))
    return np.stack(found)


def _decoded(path: Path, content: bytes) -> np.ndarray:
    """Image (y, x, rgb) uint8."""
    import io

    import av

    try:
        with av.open(io.BytesIO(content), "r", format="png_pipe") as image:
            frame = next(image.decode(video=0))
    except (av.error.FFmpegError, StopIteration) as error:
        raise ValueError(
            f"{path}: can't be decoded: {error or 'it holds no image'}. Hint: put the published"
            " file in its place, and simulate this system again."
        ) from None
    if not any(part.is_alpha for part in frame.format.components):
        return frame.to_ndarray(format="rgb24")
    colours = frame.to_ndarray(format="rgba")
    if (colours[..., 3] < 255).any():
        raise ValueError(
            f"{path}: has transparent pixels; a frame has a colour everywhere. Hint: put the"
            " published file in its place, and simulate this system again."
        )
    return np.ascontiguousarray(colours[..., :3])
