"""V-JEPA 2: the forward pass that trained and random weights share."""

import numpy as np
import torch
from transformers import VJEPA2Model

from physprobe.embed import _cpu, _frames, _pool
from physprobe.embed._encoder import Embedding
from physprobe.embed._network import Network
from physprobe.embed._resize import Preprocessing

HALF_MAX = 65504  # largest float16


class VideoTransformer:
    """A frozen V-JEPA 2 encoder: see :class:`physprobe.embed._encoder.Encoder`.

    Parameters
    ----------
    model : VJEPA2Model
        Its predictor is never run.
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

    Raises
    ------
    ValueError
        If clips or windows are no whole number of tubelets, or ``tokens`` names no layer.
    """

    dtype = "float16"

    def __init__(
        self,
        model: VJEPA2Model,
        spec: Network,
        preprocessing: Preprocessing,
        *,
        frames: int,
        threads: int,
        provenance: dict,
    ):
        torch.set_num_threads(threads)
        config = model.config
        self.spec, self.preprocessing, self.tubelet = spec, preprocessing, config.tubelet_size
        self.spans = _frames.spans(frames, self.tubelet)
        if spec.causal and spec.window % self.tubelet:
            raise ValueError(
                f"window: found {spec.window} frames."
                f" Hint: give a multiple of the tubelet, {self.tubelet}."
            )
        side = config.crop_size // config.patch_size
        self.grid, self.features = (side, side), config.hidden_size
        self.layers = (*(str(k) for k in range(config.num_hidden_layers + 1)), "final")
        unknown = [layer for layer in spec.tokens if layer not in self.layers]
        if unknown:
            raise ValueError(
                f"tokens: found {unknown[0]!r}, but the layers are {', '.join(self.layers)}."
            )
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        # bf16 products are some fifty times slower than float32 on most CPUs
        dtype = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        self.network = model.encoder.to(self.device, dtype).eval().requires_grad_(False)
        if self.device.type == "cpu":
            _cpu.accelerate(self.network)
        modules = (self.network.embeddings, *self.network.layer, self.network.layernorm)
        self.modules = dict(zip(self.layers, modules, strict=True))
        self.provenance = {
            **provenance,
            "label": provenance["label"] + spec.manner(),
            "device": self.device.type,
            "dtype": str(dtype).removeprefix("torch."),
        }

    @torch.inference_mode()
    def encode(self, video: np.ndarray, clips: np.ndarray) -> Embedding:
        """Embed a block of clips; a causal window's last token time is all that is kept of it.

        Parameters
        ----------
        video : ndarray
            (clip, frame, y, x, rgb) uint8.
        clips : ndarray
            (clip) number of each clip in its system.

        Raises
        ------
        ValueError
            If an activation is not finite or overflows float16; the message names layer and clip.
        """
        times = len(self.spans)
        found = Embedding(
            np.empty((len(clips), len(self.layers), times, self.features), "float16"),
            {
                layer: np.empty((len(clips), times, *self.grid, self.features), "float16")
                for layer in self.spec.tokens
            },
        )
        for start in range(0, len(clips), self.spec.batch):
            rows = np.arange(start, min(start + self.spec.batch, len(clips)))
            tubelets = self._tubelets(video[rows[0] : rows[-1] + 1], clips[rows])
            for window in self._windows():
                self._embed(tubelets, rows, window, clips, found)
        return found

    def _windows(self) -> list[np.ndarray]:
        times = len(self.spans)
        if not self.spec.causal:
            return [np.arange(times)[None]]
        return _frames.windows(times, self.spec.window // self.tubelet)

    def _tubelets(self, video: np.ndarray, clips: np.ndarray) -> torch.Tensor:
        """Network input of some clips: (clip, time, frame, rgb, y, x)."""
        order = _frames.order(self.spec.frames, video.shape[1], self.spec.seed, clips)
        frames = [
            self.preprocessing(torch.from_numpy(clip).to(self.device))[row]
            for clip, row in zip(video, order, strict=True)
        ]
        return torch.stack(frames).unflatten(1, (-1, self.tubelet))

    def _embed(
        self,
        tubelets: torch.Tensor,
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
        at_once = max(1, self.spec.batch * len(self.spans) // windows.shape[1])
        for start in range(0, len(clip), at_once):
            some = clip[start : start + at_once], windows[window[start : start + at_once]]
            frames = tubelets[some[0][:, None], some[1]].flatten(1, 2)
            with _pool.hooked(
                self.modules, self.grid, tokens=self.spec.tokens, last=self.spec.causal
            ) as (pooled, spatial):
                self.network(pixel_values_videos=frames)
            row = rows[some[0]]
            place = row[:, None], (some[1][:, -1:] if self.spec.causal else some[1])
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
