"""Points: what small networks that a recipe trained on points of the plane make of them.

A layer of an energy is the energy and its score, -grad E, one layer for each deviation of noise; of
an embedding there is one.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance, versions
from physprobe.embed.networks.network import FIVE, Seeds
from physprobe.embed.section import EncoderSpec

if TYPE_CHECKING:
    from torch import nn
    from xarray import Dataset

    from physprobe.store.zarrs import Lazy

SEES = ("signal",)


class Spec(EncoderSpec):
    """A folder of networks."""

    kind: Literal["points"] = "points"
    """Family."""
    model: str
    """Folder that a recipe has written: results/encoders/{recipe}."""
    weights: Literal["trained", "random"] = "trained"
    """Those of the folder, or random ones in its architecture."""
    seeds: Seeds = FIVE
    """Members: seeds that the recipe was trained with, or those of random weights."""

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network, by its seed."""
        return {seed: self.model_copy(update={"seeds": (seed,)}) for seed in self.seeds}

    @property
    def checkpoints(self) -> dict[str, bool]:
        """The folder, whose weights are read even for their shapes."""
        return {self.model: True}


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return 1


def anywhere(spec: Spec, member: int | None, simulation: "Dataset") -> Callable[..., np.ndarray]:
    """Function from points (row, 2) to features (layer, row, feature) of a member's networks."""
    from physprobe.embed.networks import points

    seed = next(iter(spec.members)) if member is None else member
    content, _, networks = _loaded(spec.members[seed])
    return points.function(networks, content["output"] == "energy")


def load(spec: Spec, *, frames: int, channels: int, threads: int) -> Encoder:
    """Load one member's networks.

    Parameters
    ----------
    spec : Spec
        Folder and member; of several the first is loaded.
    frames, channels : int
        Of a clip.
    threads : int
        Threads on a CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it isn't one that a recipe has written, lacks the member, or clips are no points.
    """
    import torch

    torch.set_num_threads(threads)
    if channels != 2:
        raise ValueError(f"{spec.model}: sees points of 2 coordinates, not {channels} channels.")
    return Points(spec, frames)


def _loaded(spec: Spec) -> "tuple[dict, str, list[nn.Sequential]]":
    """What a folder says of its networks; a member's label, and its networks."""
    from physprobe.embed.networks import latent, points

    folder, seed = Path(spec.model), next(iter(spec.members))
    content, tensors = points.read(folder)
    if spec.weights == "trained":
        networks = points.restored(content, tensors, seed, folder)
        return content, f"{folder.name}, seed {seed}", networks
    shape = (content["hidden"], content["outputs"], content["activation"])
    one = latent.drawn(seed, lambda: points.network(*shape)).eval().requires_grad_(False)
    content = {**content, "deviations": content["deviations"][:1]}
    return content, f"untrained, like {folder.name}, seed {seed}", [one]


class Points(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    dtype = "float32"
    grid = (1, 1)

    def __init__(self, spec: Spec, frames: int):
        from physprobe.embed.networks import checkpoint, points

        self.spec, self.spans = spec, _frames.spans(frames, 1)
        content, label, networks = _loaded(spec)
        of_energy = content["output"] == "energy"
        self.layers = layers(content["deviations"]) if of_energy else ("embedding",)
        self.features = len(points.ENERGY) if of_energy else content["outputs"]
        self._function = points.function(networks, of_energy)
        states = [
            (f"{n}.{k}", v) for n, one in enumerate(networks) for k, v in one.state_dict().items()
        ]
        kept = ("recipe", "output", "hidden", "activation", "deviations", "half_width")
        self.provenance = provenance(
            label,
            hf_repo=spec.model if spec.weights == "trained" else None,
            weights_hash=checkpoint.weights_hash(states),
            architecture={key: content[key] for key in kept},
            versions=versions("numpy", "torch"),
        )

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Every layer of every point.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, channel) float.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        seen = np.stack([np.asarray(clip, np.float32) for clip in video])
        found = self._function(seen.reshape(-1, seen.shape[-1]))
        whole = found.reshape(len(self.layers), len(seen), -1, self.features)
        return Embedding(np.moveaxis(whole, 0, 1).astype(self.dtype))


def layers(deviations: tuple[float, ...] | list[float]) -> tuple[str, ...]:
    """Names of an energy's layers: ``energy``, or with noise ``energy_0.5``."""
    return tuple(f"energy_{noise:g}" if noise else "energy" for noise in deviations)
