"""Resize: from rendered frames to a network's input."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from scipy.sparse import csr_array, eye_array, kron

RESAMPLE = {2: "bilinear", 3: "bicubic"}  # codes of Pillow, which checkpoints use


@dataclass(frozen=True)
class Preprocessing:
    """Size, crop and normalisation that a checkpoint was trained with.

    Attributes
    ----------
    crop : int
        Side of the network's input [px]; of frames with a shorter side all of that is kept.
    short : int or None
        Length that the short side is resized to before the centre is cut out [px];
        None: resize straight to the input, or to ``fixed``.
    fixed : (int, int) or None
        Height and width that frames are resized to before the centre is cut out [px].
    mean, std : tuple of float
        (rgb) of frames in units of ``scale``, 0..1 for the usual one.
    resample : str
        ``bilinear`` or ``bicubic``.
    scale : float
        Byte that counts as 1.
    """

    crop: int
    short: int | None = None
    fixed: tuple[int, int] | None = None
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    resample: str = "bilinear"
    scale: float = 255.0

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Height and width after resizing, before the crop [px]."""
        if self.short is None:
            return self.fixed or (self.crop, self.crop)
        side = min(height, width)
        return int(self.short * height / side), int(self.short * width / side)

    def shown(self, height: int, width: int) -> tuple[int, int]:
        """Height and width of the network's input [px]."""
        rows, columns = self.size(height, width)
        return min(rows, self.crop), min(columns, self.crop)

    def __call__(self, video: torch.Tensor) -> torch.Tensor:
        """Resize, crop and normalise.

        Antialiased, float32 throughout (transformers' processor rounds to uint8 between).

        Parameters
        ----------
        video : Tensor
            (frame, y, x, rgb) uint8.

        Returns
        -------
        Tensor
            (frame, rgb, y, x) float32.
        """
        size = self.size(*video.shape[1:3])
        top, left = (max(0, round((side - self.crop) / 2)) for side in size)
        mean, std = (
            torch.tensor(v, device=video.device).view(3, 1, 1) for v in (self.mean, self.std)
        )
        if size == tuple(video.shape[1:3]):
            frames = video.permute(0, 3, 1, 2).float()
        elif video.device.type == "cpu":
            frames = torch.stack([_sparse(frame, size, self.resample) for frame in video])
        else:
            frames = _dense(video.permute(0, 3, 1, 2).float(), size, self.resample)
        frames.clamp_(0, 255)  # bicubic overshoots at edges, and either by a rounding error
        frames = frames[..., top : top + self.crop, left : left + self.crop]
        return frames.sub_(self.scale * mean).div_(self.scale * std)


def _dense(frames: torch.Tensor, size: tuple[int, int], resample: str) -> torch.Tensor:
    """Frames (frame, rgb, y, x) of another size."""
    return F.interpolate(frames, size=size, mode=resample, antialias=True)


def _sparse(frame: torch.Tensor, size: tuple[int, int], resample: str) -> torch.Tensor:
    """The same of one frame (y, x, rgb) uint8, several times as fast: (rgb, y, x).

    Rows come first, since they lie as they are read; torch begins with columns, of every row.
    """
    height, width, colours = frame.shape
    rows = _weights(height, size[0], resample) @ frame.float().numpy().reshape(height, -1)
    turned = torch.from_numpy(rows).T.contiguous().numpy()  # numpy takes its time over this
    found = _weights(width, size[1], resample, colours) @ turned
    return torch.from_numpy(found).view(colours, size[1], size[0]).mT


@cache
def _weights(old: int, new: int, resample: str, colours: int = 1) -> csr_array:
    """What old pixels of a line, colours side by side, add to each colour's new: (new, old)."""
    weights = csr_array(_dense(torch.eye(old)[None, None], (new, old), resample)[0, 0].numpy())
    apart = np.arange(new * colours).reshape(new, colours).T.ravel()
    return csr_array(kron(weights, eye_array(colours, dtype="float32"), format="csr")[apart])
