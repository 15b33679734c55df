"""IntPhys: frames of the public development set, decoded from the files that a simulation names."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.core import intphys
from physprobe.core.spec import Spec as Base


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
        Which files they are, as ``core.intphys`` numbers them.

    Returns
    -------
    (time, y, x, rgb) uint8

    Raises
    ------
    ValueError
        If a file has changed since it was described, or can't be decoded; the message names it.
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
            raise ValueError(f"{path}: has changed since it was described. Hint: simulate again.")
        found.append(_decoded(path, content))
    return np.stack(found)


def _decoded(path: Path, content: bytes) -> np.ndarray:
    """Image (y, x, rgb) uint8."""
    import io

    import av

    try:
        with av.open(io.BytesIO(content), format="png_pipe") as image:
            return next(image.decode(video=0)).to_ndarray(format="rgb24")
    except (av.error.FFmpegError, StopIteration) as error:
        raise ValueError(f"{path}: can't be decoded: {error or 'it holds no image'}.") from None
