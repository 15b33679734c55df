"""Linear models: what networks that a recipe has trained condition by condition make of sensors.

Every layer is a map of one frame, A x + b, its own for each condition; which condition a clip is of
is read off the simulation, as the experimenter knows which sensors a network was trained on. Where
there is a prior, ``predicted`` is the product of the predicted distribution and the prior:

    N(m, u) N(n, v) ~ N((v m + u n) / (u + v), u v / (u + v))
"""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import Field

from physprobe.embed import _frames, projection
from physprobe.embed._encoder import Embedding, Encoder, provenance, versions
from physprobe.embed.networks.network import Seeds
from physprobe.embed.section import EncoderSpec

if TYPE_CHECKING:
    from xarray import Dataset

    from physprobe.store.zarrs import Lazy

SEES = ("signal",)
MODEL_TYPE = "physprobe_linear"
"""What config.json calls them."""
PRIOR = ("prior", "prior_log_variance")
"""Layers that are no part of an embedding, but are multiplied with a prediction."""


class Spec(EncoderSpec):
    """A folder of linear models."""

    SEES_SIMULATION: ClassVar[bool] = True
    READS: ClassVar[tuple[str, str]] = ("sensors", "conditions of sensors")

    kind: Literal["linear_models"] = "linear_models"
    """Family."""
    model: str
    """Folder that a recipe has written: results/encoders/{recipe}."""
    seeds: Seeds = (0,)
    """Members: seeds that the recipe was trained with."""
    prior: Literal["learned", "right", "wrong"] = "learned"
    """Where predictions have a prior: the one that was learned; or one that is swapped in without
    training, about the next frame's own target (``right``), and as its control about that of
    another time of the clip (``wrong``)."""
    certainty: float = Field(1.0, gt=0)
    """Variance of a prior that is swapped in, in variances of the target."""

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network, by its seed."""
        return {seed: self.model_copy(update={"seeds": (seed,)}) for seed in self.seeds}

    @property
    def checkpoints(self) -> dict[str, bool]:
        """The folder."""
        return {self.model: True}

    @property
    def sees_future(self) -> bool:
        """Whether an embedding follows from later frames: one is, where a prior tells of them."""
        return self.prior != "learned"


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return 1


def load(spec: Spec, *, frames: int, channels: int, threads: int, simulation: "Dataset") -> Encoder:
    """Load one member's maps of every condition.

    Parameters
    ----------
    spec : Spec
        Folder and member; of several the first is loaded.
    frames, channels : int
        Of a clip.
    threads : int
        Not used.
    simulation : Dataset
        Labels.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If it isn't one that a recipe has written, lacks the member or a condition, or is of
        another number of channels.
    """
    return LinearModels(spec, frames, channels, simulation)


class LinearModels(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    dtype = "float32"
    grid = (1, 1)

    def __init__(self, spec: Spec, frames: int, channels: int, simulation: "Dataset"):
        from physprobe.embed.networks import checkpoint, written

        folder, seed = Path(spec.model), next(iter(spec.members))
        content = checkpoint.config(folder, (MODEL_TYPE,))
        tensors = checkpoint.tensors(folder)
        written.check_member(tensors, seed, folder)
        if content["channels"] != channels:
            raise ValueError(f"{folder}: sees {content['channels']} channels, not {channels}.")
        own = {n: v.double().numpy() for n, v in tensors.items() if n.startswith(f"{seed}/")}
        layers = tuple(content["layers"])
        self.layers = tuple(name for name in layers if name not in PRIOR)
        if spec.prior != "learned" and not {*PRIOR} <= {*layers}:
            raise ValueError(f"{folder}: has no prior to swap. Hint: leave prior out.")
        table = np.array(content["conditions"]["table"])
        found = projection.of_clips(simulation)
        trained = {tuple(row): n for n, row in enumerate(table)}
        names = content["conditions"]["names"]
        if list(found.names) != names:
            raise ValueError(f"{folder}: its conditions are by {', '.join(names)}.")
        lacking = [tuple(row) for row in found.table if tuple(row) not in trained]
        if lacking:
            told = ", ".join(f"{n} {v:g}" for n, v in zip(names, lacking[0], strict=True))
            raise ValueError(
                f"{folder}: was not trained at {told}. Hint: train it on this very system."
            )
        self._of = np.array([trained[tuple(row)] for row in found.table])[found.of]
        self._maps = {name: own[f"{seed}/{name}/map"] for name in layers}
        self._levels = {name: own[f"{seed}/{name}/level"] for name in layers}
        self.spec, self.spans = spec, _frames.spans(frames, 1)
        self.features = int(content["width"])
        swapped = "" if spec.prior == "learned" else f", {spec.prior} prior"
        self.provenance = provenance(
            f"{folder.name}, seed {seed}{swapped}",
            hf_repo=spec.model,
            weights_hash=checkpoint.weights_hash((n, v) for n, v in tensors.items()),
            architecture={
                **{key: content[key] for key in ("recipe", "width", "layers", "channels")},
                "networks": len({row[names.index("draw")] for row in trained}),
            },
            versions=versions("numpy"),
        )

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Every layer of every frame.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, channel) float.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        of = self._of[clips]
        frames = np.stack([np.asarray(clip, float) for clip in video])
        found = {
            name: frames @ self._maps[name][of].transpose(0, 2, 1) + self._levels[name][of][:, None]
            for name in self._maps
        }
        if "prior" in found:
            if self.spec.prior != "learned":
                found |= _swapped(self.spec, found["target"])
            found |= product(found)
        return Embedding(np.stack([found[name] for name in self.layers], 1).astype("float32"))


def _swapped(spec: Spec, target: np.ndarray) -> dict[str, np.ndarray]:
    """Prior (clip, time, feature) about the next target, or one half a clip later."""
    shift = 1 if spec.prior == "right" else target.shape[1] // 2
    variance = np.log(np.maximum(target.var(1, keepdims=True) * spec.certainty, 1e-30))
    return {
        "prior": np.roll(target, -shift, axis=1),
        "prior_log_variance": np.broadcast_to(variance, target.shape),
    }


def product(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Prediction and its log-variance after the prior; see the module."""
    own, prior = (
        np.exp(np.clip(found[name], -20, 20)) for name in ("log_variance", "prior_log_variance")
    )
    mean = (prior * found["predicted"] + own * found["prior"]) / (own + prior)
    return {"predicted": mean, "log_variance": np.log(own * prior / (own + prior))}
