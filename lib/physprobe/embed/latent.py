"""Latents of small networks that see a few frames at a time, as this package's recipes train them.

A token stands for each frame: its latent is that of the history that ends with it. Before there are
enough frames the first one is repeated.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
from pydantic import model_validator

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance, versions
from physprobe.embed._trained import Trained

if TYPE_CHECKING:
    from physprobe.store.zarrs import Lazy

SEES = ("video", "signal")
AT_ONCE = 16
"""Frames that are embedded together at least, of as many clips as have them."""


class Spec(Trained):
    """A folder of networks, its trained members or others with random weights."""

    kind: Literal["latent"] = "latent"
    """Family."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.tokens:
            raise ValueError("tokens: a latent has no place in the frame; leave it out")
        if self.causal:
            raise ValueError("causal: a latent has seen nothing later anyway; leave it out")
        return self

    @property
    def sees_future(self) -> bool:
        """Whether an embedding follows from later frames: only where they are shuffled."""
        return self.frames != "ordered"


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return 1


def predictor(spec: Spec, member: int | None) -> Callable[[np.ndarray], np.ndarray] | None:
    """The member's predictor; None of random weights, or where the recipe trains none."""
    import torch

    from physprobe.embed.networks import latent

    folder, seed = Path(spec.model), next(iter(spec.members)) if member is None else member
    sizes, _, tensors = latent.read(folder)
    start = latent.named(seed, "predictor")
    if spec.weights == "random" or not any(name.startswith(start) for name in tensors):
        return None
    network = latent.restored(latent.Predictor(sizes), tensors, start, folder)

    def advance(features: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.from_numpy(np.asarray(features, np.float32))).numpy()

    return advance


def load(spec: Spec, *, frames: int, threads: int, **size: int) -> Encoder:
    """Load one member's encoder.

    Parameters
    ----------
    spec : Spec
        Folder and member; of several the first is loaded.
    frames : int
        Frames per clip.
    threads : int
        Threads on a CPU.
    **size : int
        ``height`` and ``width`` of a frame [px], or ``channels`` of a signal.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it isn't one that a recipe has written, lacks the member, or the frames don't fit.
    """
    import torch

    torch.set_num_threads(threads)
    return Latents(spec, frames, size)


class Latents(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("latent",)
    dtype = "float32"
    grid = (1, 1)

    def __init__(self, spec: Spec, frames: int, size: Mapping[str, int]):
        from physprobe.embed.networks import checkpoint, latent, written

        folder, (seed, *_) = Path(spec.model), spec.members
        sizes, shown, tensors = latent.read(folder)
        expected = {"channels": shown.values}
        if shown.side is not None:
            expected = {"height": shown.side, "width": shown.side}
        if size != expected:
            told = [", ".join(f"{k} {v}" for k, v in each.items()) for each in (expected, size)]
            raise ValueError(
                f"{folder}: was trained on clips of {told[0]}, but these have {told[1]}."
                " Hint: render them alike."
            )
        if spec.weights == "random":
            network = latent.drawn(seed, lambda: latent.Encoder(sizes, shown))
            label = f"untrained, {sizes.network} like {folder.name}, seed {seed}"
        else:
            written.check_member(tensors, seed, folder)
            start = latent.named(seed, "encoder")
            network = latent.restored(latent.Encoder(sizes, shown), tensors, start, folder)
            label = f"{folder.name}, seed {seed}"
        self.network: latent.Encoder = network.eval().requires_grad_(False)
        self.spec, self.sizes = spec, sizes
        self.features = sizes.embedding
        ends = np.arange(1, frames + 1)
        self.spans = np.stack([np.maximum(ends - sizes.history, 0), ends], axis=1)
        state = self.network.state_dict()
        self.provenance = provenance(
            label + spec.manner(),
            hf_repo=spec.model if spec.weights == "trained" else None,
            weights_hash=checkpoint.weights_hash(state.items()),
            architecture={**sizes.dump(), **shown.dump()},
            versions=versions("numpy", "torch"),
        )

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Embed every history of frames.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, rgb) uint8, or (clip, frame, channel) of a signal.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        import torch

        from physprobe.embed.networks import latent

        order = _frames.order(self.spec.frames, video.shape[1], self.spec.seed, clips)
        found: list[np.ndarray] = []
        waiting: list[torch.Tensor] = []
        for clip, row in zip(video, order, strict=True):
            frames = latent.frames(np.asarray(clip)[row], self.sizes.gray)
            first = frames[:1].expand(self.sizes.history - 1, *frames.shape[1:])
            waiting.append(torch.cat([first, frames]))
            # short clips together, long ones by themselves
            if len(waiting) * len(row) >= AT_ONCE or len(found) + len(waiting) == len(video):
                with torch.no_grad():
                    found.extend(self.network.each(torch.stack(waiting)).numpy())
                waiting = []
        return Embedding(np.stack(found)[:, None].astype(np.float32))
