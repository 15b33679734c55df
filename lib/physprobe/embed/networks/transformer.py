"""Transformer: the forward pass that architectures share, with trained or random weights."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from transformers import PreTrainedModel

from physprobe.embed import _frames
from physprobe.embed._encoder import Block, Embedding, Encoder, Video, versions
from physprobe.embed.networks import pool
from physprobe.embed.networks.network import Network
from physprobe.embed.networks.resize import Preprocessing
from physprobe.store import job

HALF_MAX = 65504  # largest float16


class VideoTransformer(Encoder):
    """A frozen encoder: see :class:`physprobe.embed._encoder.Encoder`.

    What sets an architecture apart is in its subclass, all of it.

    Parameters
    ----------
    model : PreTrainedModel
        Of class ``MODEL``.
    spec : Network
        How clips are shown and what is kept.
    preprocessing : Preprocessing
        Size, crop and normalisation.
    frames : int
        Frames per clip.
    threads : int
        Threads on a CPU.
    provenance : dict
        Label and origin of the weights.

    Attributes
    ----------
    MODEL : type
        Class of transformers that its checkpoints are read with.
    HEADS : tuple of str
        How names begin of a checkpoint's tensors that no embedding needs.
    WITHOUT : dict
        Fields of config.json that leave out what no embedding needs, where weights are drawn.
    SIDE : str
        Field of config.json with the side of the input that positions are made for [px].
    STRETCHES : bool
        Whether positions are interpolated for inputs of another size.

    Raises
    ------
    ValueError
        If clips or windows can't be cut as they have to be, or ``tokens`` names no layer.
    """

    MODEL: ClassVar[type[PreTrainedModel]]
    HEADS: ClassVar[tuple[str, ...]] = ()
    WITHOUT: ClassVar[dict[str, int]] = {}
    SIDE: ClassVar[str] = "image_size"
    STRETCHES: ClassVar[bool] = False
    dtype = "float16"

    def __init__(
        self,
        model: PreTrainedModel,
        spec: Network,
        preprocessing: Preprocessing,
        *,
        frames: int,
        threads: int,
        provenance: dict,
    ):
        torch.set_num_threads(threads)
        self.config = config = model.config
        self.spec, self.preprocessing = spec, preprocessing
        self.spans = _frames.spans(frames, self.tubelet)
        self.windows = self._windows(frames)
        side = preprocessing.crop // config.patch_size
        for name in ("frames_per_clip", "num_frames"):
            seen = getattr(config, name, self.tubelet)
            if seen % self.tubelet:
                raise ValueError(
                    f"config.json: {name} is {seen}, no multiple of tubelet_size, {self.tubelet}."
                )
        if not side:
            raise ValueError(
                f"config.json: patch_size {config.patch_size} is larger than the input,"
                f" {preprocessing.crop} px."
            )
        self.grid, self.features = (side, side), config.hidden_size
        self.layers = (*(str(k) for k in range(config.num_hidden_layers + 1)), "final")
        unknown = [layer for layer in spec.tokens if layer not in self.layers]
        if unknown:
            raise ValueError(
                f"tokens: found {unknown[0]!r}, but the layers are {', '.join(self.layers)}."
            )
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # bf16 products are some fifty times slower than float32 on most CPUs
        self.precision = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        network = self.network_of(model).to(self.device, self.precision)
        self.network = network.eval().requires_grad_(False)
        self._accelerated = self.device.type == "cpu" and self._accelerate()
        self.modules = dict(zip(self.layers, self._modules(), strict=True))
        self.provenance = {
            **provenance,
            "label": provenance["label"] + spec.manner(),
            "device": self.device.type,
            "dtype": str(self.precision).removeprefix("torch."),
            "products": "oneDNN" if self._accelerated else "torch",
            "versions": versions("torch", "transformers", "numpy", "scipy"),
        }

    @property
    def tubelet(self) -> int:
        """Frames per token."""
        return self.config.tubelet_size

    @property
    def at_once(self) -> int | None:
        """Frames per forward pass; None: as many as there are."""
        return None

    @property
    def ahead(self) -> int:
        """Tokens in front of the spatial ones; they are left out."""
        return 0

    @staticmethod
    def network_of(model: PreTrainedModel) -> nn.Module:
        """Part of the model that is run."""
        return model

    def _accelerate(self) -> bool:
        """Replace layers by faster ones, on a CPU, and say whether there are any."""
        return False

    def _modules(self) -> tuple[nn.Module, ...]:
        """Modules that give the layers: patch embedding, blocks, final norm."""
        raise NotImplementedError

    def _forward(self, frames: torch.Tensor) -> None:
        """Run the network on windows (window, frame, rgb, y, x)."""
        raise NotImplementedError

    def encode(self, video: Video, clips: np.ndarray) -> Embedding:
        """Embed a block of clips; a causal window's last token time is all that is kept of it.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, rgb) uint8.
        clips : ndarray
            (clip) number of each clip in its system.

        Raises
        ------
        ValueError
            If an activation is not finite or overflows float16; the message names layer and clip.
        """
        (found,) = self.each([(video, clips)])
        return found

    @torch.inference_mode()
    def each(self, blocks: Sequence[Block]) -> Iterator[Embedding]:
        """Embed blocks one after the other; while a batch is embedded, the next one is read.

        Parameters
        ----------
        blocks : sequence of (video, clips)
            What :meth:`encode` takes.
        """
        batches = [
            (video, clips, some) for video, clips in blocks for some in self._batches(len(clips))
        ]
        shown = job.ahead(lambda batch: self._shown(*batch), batches)
        for _, clips in blocks:
            found = self._empty(len(clips))
            for some in self._batches(len(clips)):
                frames, rows = next(shown), np.arange(len(clips))[some]
                for windows in self.windows:
                    self._embed(frames, rows, windows, clips, found)
            yield found

    def _batches(self, clips: int) -> list[slice]:
        starts = range(0, clips, self.spec.batch)
        return [slice(start, start + self.spec.batch) for start in starts]

    def _empty(self, clips: int) -> Embedding:
        times = len(self.spans)
        return Embedding(
            np.empty((clips, len(self.layers), times, self.features), "float16"),
            {
                layer: np.empty((clips, times, *self.grid, self.features), "float16")
                for layer in self.spec.tokens
            },
        )

    def _windows(self, frames: int) -> list[np.ndarray]:
        """Frames of each window (window, frame), one array per length."""
        length = self.at_once
        if not self.spec.causal:
            return [_frames.cut(frames, length or frames, "windows")]
        fits = self.spec.window == length if length else self.spec.window % self.tubelet == 0
        if not fits:
            hint = (
                f"{length}, what a {self.MODEL.__name__} sees at once."
                if length
                else f"a multiple of the tubelet, {self.tubelet}."
            )
            raise ValueError(f"window: found {self.spec.window} frames. Hint: give {hint}")
        return _frames.windows(frames, self.tubelet, self.spec.window, filled=length is not None)

    @torch.inference_mode()
    def _shown(self, video: Video, clips: np.ndarray, some: slice) -> torch.Tensor:
        """Network input of some clips: (clip, frame, rgb, y, x)."""
        video, clips = video[some], clips[some]
        order = _frames.order(self.spec.frames, video.shape[1], self.spec.seed, clips)
        frames = [
            self.preprocessing(torch.from_numpy(clip).to(self.device))[row]
            for clip, row in zip(video, order, strict=True)
        ]
        return torch.stack(frames)

    def _embed(
        self,
        shown: torch.Tensor,
        rows: np.ndarray,
        windows: np.ndarray,
        clips: np.ndarray,
        found: Embedding,
    ) -> None:
        """Fill in what windows of equal length give."""
        clip, window = (
            index.ravel()
            for index in np.meshgrid(np.arange(len(rows)), np.arange(len(windows)), indexing="ij")
        )
        times = windows[:, :: self.tubelet] // self.tubelet
        times = times[:, -1:] if self.spec.causal else times
        at_once = max(1, self.spec.batch * shown.shape[1] // windows.shape[1])
        for start in range(0, len(clip), at_once):
            some = clip[start : start + at_once], window[start : start + at_once]
            frames = shown[some[0][:, None], windows[some[1]]].to(self.precision)
            with pool.hooked(
                self.modules,
                self.grid,
                tokens=self.spec.tokens,
                ahead=self.ahead,
                last=self.spec.causal,
            ) as (pooled, spatial):
                self._forward(frames)
            row = rows[some[0]]
            place = row[:, None], times[some[1]]
            for index, layer in enumerate(self.layers):
                found.pooled[place[0], index, place[1]] = _half(pooled[layer], layer, clips[row])
            for layer, value in spatial.items():
                found.tokens[layer][place] = _half(value, layer, clips[row])


def _half(values: torch.Tensor, layer: str, clips: np.ndarray) -> np.ndarray:
    """Values as float16 in memory of the processor, if they fit."""
    half = values.half()
    if not torch.isfinite(half).all():
        first = tuple(torch.nonzero(~torch.isfinite(half))[0].tolist())
        raise ValueError(
            f"clip {clips[first[0]]}, layer {layer}: found {values[first].item():g}, which float16"
            f" (up to {HALF_MAX}) can't hold. Hint: look at that clip and at the weights."
        )
    return half.cpu().numpy()
