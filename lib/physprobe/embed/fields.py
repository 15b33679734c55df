"""Fields: what networks that a recipe trained on windows of named fields make of a clip.

A clip is cut into groups of as many frames as the network sees at once. Layers are the stem and the
stages of convolutions, or the tubelets and the blocks of a transformer; their mean over places, and
in time over the frames of each of the last layer's times. A layer that has fewer features than
another has zeros behind them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance, versions
from physprobe.embed._trained import Trained

if TYPE_CHECKING:
    import torch

    from physprobe.config.fields import Shown
    from physprobe.store.zarrs import Lazy

SEES = ("channels",)


class Spec(Trained):
    """A folder of networks, its trained members or others with random weights."""

    kind: Literal["fields"] = "fields"
    """Family."""

    NAMED: ClassVar[bool] = True

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.causal:
            raise ValueError("causal: frames of a group are encoded together; leave it out")
        return self


def tubelet(spec: Spec) -> int | None:
    """Frames per token; it stands in the folder, which may be still to be written."""
    return None


def load(
    spec: Spec,
    *,
    frames: int,
    height: int,
    width: int,
    channels: int,
    threads: int,
    names: Sequence[str] | None = None,
) -> Encoder:
    """Load one member's encoder.

    Parameters
    ----------
    spec : Spec
        Folder and member; of several the first is loaded.
    frames : int
        Frames per clip.
    height, width : int
        Cells of the grid.
    channels : int
        Fields.
    names : sequence of str, optional
        Theirs: by name they are shown, in whatever order they come; by default in that of training.
    threads : int
        Threads on a CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it isn't one that a recipe has written, lacks the member, or the clips don't fit or
        show other fields.
    """
    import torch

    torch.set_num_threads(threads)
    return Fields(spec, frames, (height, width, channels), names)


def _order(folder: Path, shown: "Shown", names: Sequence[str] | None) -> list[int] | None:
    """Places of the fields that were trained on among those that there are; None: as they are."""
    if names is None or len(names) != len(shown.channels):  # a wrong number is told with the sizes
        return None
    if set(names) != set(shown.channels):
        raise ValueError(
            f"{folder}: was trained on fields {', '.join(shown.channels)}, but these are"
            f" {', '.join(names)}. Hint: take an encoder that was trained on such clips."
        )
    return [list(names).index(name) for name in shown.channels]


class Fields(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    dtype = "float32"

    def __init__(
        self,
        spec: Spec,
        frames: int,
        size: tuple[int, int, int],
        names: Sequence[str] | None = None,
    ):
        import torch

        from physprobe.embed.networks import checkpoint, draws, fields, latent, written

        folder, (seed, *_) = Path(spec.model), spec.members
        sizes, shown, tensors = fields.read(folder)
        self.places = _order(folder, shown, names)
        manner = fields.told(folder)
        expected = (shown.height, shown.width, len(shown.channels))
        if size != expected:
            told = ["{} x {} cells and {} fields".format(*each) for each in (expected, size)]
            raise ValueError(
                f"{folder}: was trained on clips of {told[0]} ({', '.join(shown.channels)}), but"
                f" these have {told[1]}. Hint: take an encoder that was trained on such clips."
            )
        network = fields.encoder(sizes, shown)
        if spec.weights == "random":
            draws.redraw(network, seed)
            label = f"untrained, {sizes.network} like {folder.name}, seed {seed}"
        else:
            written.check_member(tensors, seed, folder)
            latent.restored(network, tensors, latent.named(seed, "encoder"), folder)
            label = f"{manner}{folder.name}, seed {seed}"
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.network = network.eval().requires_grad_(False).to(self.device)
        self.spec, self.sizes, self.shown = spec, sizes, shown
        self.layers, self.features = fields.layers(sizes), fields.features(sizes)
        times, *grid = network.grid
        self.times, self.grid = times, (grid[0], grid[1])
        self.spans = _frames.spans(frames, sizes.strides[0])
        self.groups = _frames.cut(frames, sizes.frames, "groups")
        whole = self.layers[-1:] if sizes.network == "convnext" else self.layers
        for name in spec.tokens:
            if name not in whole:
                raise ValueError(
                    f"tokens: {folder} keeps places of {', '.join(whole)}, not of {name!r}."
                )
        self.provenance = provenance(
            label + spec.manner(),
            hf_repo=spec.model if spec.weights == "trained" else None,
            weights_hash=checkpoint.weights_hash(self.network.state_dict().items()),
            architecture={
                **sizes.dump(),
                **shown.dump(),
                **(fields.learnt(folder) if spec.weights == "trained" else {}),
            },
            device=self.device.type,
            versions=versions("numpy", "torch"),
        )

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Embed every group of frames.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, y, x, channel) float.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        order = _frames.order(self.spec.frames, video.shape[1], self.spec.seed, clips)
        pooled: list[np.ndarray] = []
        tokens: dict[str, list[np.ndarray]] = {name: [] for name in self.spec.tokens}
        for clip, row in zip(video, order, strict=True):
            found = self._layers(np.asarray(clip)[row])
            pooled.append(np.stack([self._pooled(layer) for layer in found.values()]))
            for name, kept in tokens.items():
                kept.append(found[name].flatten(0, 1).cpu().numpy())
        return Embedding(np.stack(pooled), {name: np.stack(kept) for name, kept in tokens.items()})

    def _layers(self, frames: np.ndarray) -> "dict[str, torch.Tensor]":
        """Features (group, time, y, x, feature) of each layer."""
        import torch

        from physprobe.embed.networks import fields

        frames = frames[..., self.places] if self.places is not None else frames
        seen = torch.from_numpy(fields.normalised(frames, self.shown)[self.groups])
        with torch.no_grad():
            found = self.network.each(seen.to(self.device))
        return dict(zip(self.layers, found, strict=True))

    def _pooled(self, layer: "torch.Tensor") -> np.ndarray:
        """Means (time, feature) over places, and over times that the last layer has as one."""
        means = layer.mean((2, 3)).unflatten(1, (self.times, -1)).mean(2).flatten(0, 1)
        found = np.zeros((len(means), self.features), np.float32)
        found[:, : means.shape[1]] = means.cpu().numpy()
        return found
