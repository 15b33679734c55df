"""Frozen: how a network is shown clips, whatever it is: whole, in pieces or in causal windows."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from physprobe.embed import _frames
from physprobe.embed._encoder import Block, Embedding, Encoder, Video
from physprobe.embed.networks.network import Network
from physprobe.store import job

HALF_MAX = 65504  # largest float16

States = tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]
"""By layer: (window, time, feature), and of layers whose tokens are kept (window, time, y, x,
feature)."""


class Frozen(Encoder):
    """A network that is never trained here: see :class:`physprobe.embed._encoder.Encoder`.

    Parameters
    ----------
    spec : Network
        How clips are shown and what is kept.
    frames : int
        Frames per clip.
    threads : int
        Threads on a CPU.

    Raises
    ------
    ValueError
        If clips or windows can't be cut as they have to be.
    """

    dtype = "float16"

    def __init__(self, spec: Network, *, frames: int, threads: int):
        torch.set_num_threads(threads)
        self.spec = spec
        self.spans = _frames.spans(frames, self.tubelet)
        self.windows = self._windows(frames)
        self.device = self._device()

    def _device(self) -> torch.device:
        """Where it runs."""
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

    @property
    def tubelet(self) -> int:
        """Frames per token."""
        raise NotImplementedError

    @property
    def at_once(self) -> int | None:
        """Frames per forward pass; None: as many as there are."""
        return None

    @property
    def called(self) -> str:
        """What it is, for messages."""
        return type(self).__name__

    def _prepared(self, frames: torch.Tensor) -> torch.Tensor:
        """Frames (frame, y, x, rgb) uint8 of a clip as the network wants them (frame, ...)."""
        raise NotImplementedError

    def _states(self, frames: torch.Tensor) -> States:
        """What the network makes of windows (window, frame, ...); of causal ones the last time."""
        raise NotImplementedError

    def _check_tokens(self) -> None:
        unknown = [layer for layer in self.spec.tokens if layer not in self.layers]
        if unknown:
            raise ValueError(
                f"tokens: found {unknown[0]!r}, but the layers are {', '.join(self.layers)}."
            )

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
            np.empty((clips, len(self.layers), times, self.features), self.dtype),
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
                f"{length}, what a {self.called} sees at once."
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
            self._prepared(torch.from_numpy(clip).to(self.device))[row]
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
            pooled, spatial = self._states(shown[some[0][:, None], windows[some[1]]])
            row = rows[some[0]]
            place = row[:, None], times[some[1]]
            for index, layer in enumerate(self.layers):
                values = _checked(pooled[layer], layer, clips[row], self.dtype)
                found.pooled[place[0], index, place[1]] = values
            for layer, value in spatial.items():
                found.tokens[layer][place] = _checked(value, layer, clips[row], "float16")


def _checked(values: torch.Tensor, layer: str, clips: np.ndarray, dtype: str) -> np.ndarray:
    """Values of a type of numbers in memory of the processor, if they fit."""
    kept = values.to(getattr(torch, dtype))
    if not torch.isfinite(kept).all():
        first = tuple(torch.nonzero(~torch.isfinite(kept))[0].tolist())
        more = f" (up to {HALF_MAX})" if dtype == "float16" else ""
        raise ValueError(
            f"clip {clips[first[0]]}, layer {layer}: found {values[first].item():g}, which {dtype}"
            f"{more} can't hold. Hint: look at that clip and at the weights."
        )
    return kept.cpu().numpy()
