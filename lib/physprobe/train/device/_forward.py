"""Forward: a V-JEPA 2 with random weights, its numbers in bf16 against float32, and its speed."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from physprobe.embed.networks import weights
from physprobe.embed.networks.network import Network
from physprobe.embed.networks.resize import Preprocessing
from physprobe.embed.networks.vjepa import VJEPA2
from physprobe.statistics import seeds
from physprobe.train.device import _bounds
from physprobe.train.device._bounds import Size

TOLERANCE = 0.02
"""Largest difference of pooled features in bf16 from those in float32, over their own size."""


class Measured(VJEPA2):
    """A V-JEPA 2 on a device and in a precision that are given, by torch's own products."""

    def __init__(
        self, model: PreTrainedModel, size: Size, device: torch.device, precision: torch.dtype
    ):
        self._given = device, precision
        super().__init__(
            model,
            Network(batch=size.clips),
            Preprocessing(crop=size.side),
            frames=size.frames,
            threads=torch.get_num_threads(),
            provenance={"label": "random weights"},
        )

    def _device(self) -> torch.device:
        return self._given[0]

    def _precision(self) -> torch.dtype:
        return self._given[1]

    def _attention(self) -> str:
        return self._backends()[0]

    def _accelerate(self) -> bool:
        return False

    @torch.inference_mode()
    def forward(self, frames: torch.Tensor) -> None:
        """Run the network on frames (clip, frame, rgb, y, x) as it does for an embedding."""
        self._states(frames)


def model(size: Size) -> PreTrainedModel:
    """A V-JEPA 2 with random weights, float32."""
    return weights.random(size.config, 0, "fan_in")


def film(size: Size, clips: int) -> np.ndarray:
    """Clips (clip, frame, y, x, rgb) uint8 of coarse noise in motion, each with its own colours."""
    rng = seeds.rng("device", clips, size.frames)
    coarse = rng.integers(0, 256, (clips, 8, 8, 3), dtype=np.uint8)
    whole = coarse.repeat(-(-size.side // 8), 1).repeat(-(-size.side // 8), 2)
    whole = whole[:, : size.side, : size.side]
    return np.stack([np.roll(whole, frame, 2) for frame in range(size.frames)], 1)


def differences(network: PreTrainedModel, size: Size, device: torch.device) -> dict[str, tuple]:
    """By layer, how far pooled features in bf16 are from float32: of all, and between clips.

    The first is relative to the features' own size; the second, about the mean of the clips, to
    what differs between clips, which is all that probes read.
    """
    video, numbers = film(size, size.clips), np.arange(size.clips)
    found = []
    # products of 32 bits, not of 19 as a GPU makes them of convolutions
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for precision in (torch.float32, torch.bfloat16):
            own = Measured(network, size, device, precision)
            found.append(own.encode(video, numbers).pooled.astype(np.float64))
    exact, rounded = found

    def apart(layer: int, values: Sequence[np.ndarray]) -> float:
        one, other = (part[:, layer] for part in values)
        return float(np.linalg.norm(one - other) / np.linalg.norm(one))

    centred = [part - part.mean(0) for part in (exact, rounded)]
    return {
        name: (apart(layer, (exact, rounded)), apart(layer, centred))
        for layer, name in enumerate(own.layers)
    }


def speed(
    network: PreTrainedModel, size: Size, device: torch.device, longest: float
) -> tuple[str, float, float]:
    """Backend in use, clips per second of the network alone, and from bytes to pooled features.

    Parameters
    ----------
    network : PreTrainedModel
    size : Size
    device : torch.device
    longest : float
        Time for both [s].
    """
    own = Measured(network, size, device, torch.bfloat16)
    video = film(size, size.clips)
    shown = torch.stack([own.preprocessing(torch.from_numpy(clip).to(device)) for clip in video])
    alone = _bounds.seconds(lambda: own.forward(shown), device, longest / 2)
    whole = _bounds.seconds(lambda: own.encode(video, np.arange(size.clips)), device, longest / 2)
    assert own.attention
    return own.attention, size.clips / alone, size.clips / whole
