"""Random weights: a network that has seen nothing, the control of every trained one."""

from typing import Literal, Self

from pydantic import Field, model_validator

from physprobe.config import checkpoints, shipped
from physprobe.config.architecture import Architecture
from physprobe.embed import _families
from physprobe.embed._encoder import Encoder
from physprobe.embed.networks.network import FIVE, Network, Seeds, check_seed
from physprobe.embed.section import Foresight

ARCHITECTURE = (*Architecture.model_fields, "frames_per_clip")


class Spec(Architecture, Network):
    """Architecture and seeds of networks with random weights; by itself V-JEPA 2."""

    kind: Literal["untrained"] = "untrained"
    """Family."""
    frames_per_clip: int = Field(16, gt=0)
    """Frames that are seen at once; a longer clip is embedded piece by piece."""
    like: str | None = None
    """Hub id or folder whose config.json gives the architecture: a trained encoder's twin."""
    revision: str | None = None
    """Commit of ``like`` on the hub."""
    init: Literal["fan_in", "fixed"] = "fan_in"
    """Standard deviation of the weights: 1 / sqrt(inputs), or 0.02 as transformers does."""

    seeds: Seeds = FIVE
    """Seeds of the weights: one network each, whose spread is part of every interval."""

    @model_validator(mode="after")
    def _fits(self) -> "Spec":
        check_seed(self.model_fields_set, self.seed)
        if self.like:
            shipped.known(self.like)
            changed = [
                n for n in ARCHITECTURE if getattr(self, n) != type(self).model_fields[n].default
            ]
            if changed:
                raise ValueError(f"{changed[0]} is given by {self.like}; leave it out")
        if self.frames_per_clip % self.tubelet_size:
            raise ValueError(
                f"frames_per_clip has to be a multiple of tubelet_size, {self.tubelet_size}"
            )
        return self

    @property
    def twin(self) -> bool:
        """Random weights are the twin of trained ones."""
        return True

    @property
    def origins(self) -> set[tuple[str, str | None]]:
        """The model that it is like."""
        return {(self.like, self.revision)} if self.like else set()

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network, by its seed."""
        return {seed: self.model_copy(update={"seeds": (seed,)}) for seed in self.seeds}

    @property
    def foresees(self) -> bool:
        """Whether what it is like may have a predictor, which is drawn as well."""
        if not self.like or self.frames != "ordered" or self.causal:
            return False
        return _families.comparable(_families.declared(self.like))

    @property
    def checkpoints(self) -> dict[str, bool]:
        """Checkpoint whose architecture it has, if it is like one."""
        return {self.like: False} if self.like else {}

    @property
    def modules(self) -> tuple[str, ...]:
        """File of the family that it is like."""
        like = _families.declared(self.like) if self.like else {"model_type": "vjepa2"}
        return _families.modules(like)


def tubelet(spec: Spec) -> int | None:
    """Frames per token, if it can be known without touching the hub."""
    if spec.like:
        return _families.tubelet(spec.like)
    return spec.tubelet_size


def foresight(
    spec: Spec, member: int | None, *, height: int, width: int, threads: int
) -> Foresight | None:
    """Random encoder and predictor, of the architecture that it is like; None if it is like none.

    Raises
    ------
    FileNotFoundError, ValueError
        As for :func:`load`.
    """
    from physprobe.embed.networks import architectures, checkpoint, weights

    if not spec.like:
        return None
    own = spec if member is None else spec.members[member]
    folder = checkpoint.folder(spec.like, spec.revision, weights=False)
    config = checkpoint.config(folder)
    if not _families.comparable(config):
        return None
    where = str(folder / checkpoints.CONFIG)
    model = weights.random(
        config, own.seeds[0], spec.init, where, architectures.of(config), whole=True
    )
    processor = checkpoint.processor(folder, config["model_type"])
    return architectures.foresight(
        model, None, own, processor, where, height=height, width=width, threads=threads
    )


def load(spec: Spec, *, frames: int, height: int, width: int, threads: int) -> Encoder:
    """Draw an encoder with random weights, and a label that says so.

    Parameters
    ----------
    spec : Spec
        Architecture, seed, and how clips are shown to it; of several seeds the first is drawn.
    frames : int
        Frames per clip.
    height, width : int
        Size of a frame [px]; any.
    threads : int
        Threads on a CPU.

    Raises
    ------
    FileNotFoundError
        If ``like`` names a model that can't be had.
    ValueError
        If the clips don't fit.
    """
    from physprobe.embed.networks import architectures, checkpoint, weights
    from physprobe.embed.networks.processor import Processor

    if spec.like:
        folder = checkpoint.folder(spec.like, spec.revision, weights=False)
        config = checkpoint.config(folder)
        name, where = config["model_type"], str(folder / checkpoints.CONFIG)
        processor, shape = checkpoint.processor(folder, name), f"like {spec.like}"
    else:
        config = {field: getattr(spec, field) for field in ARCHITECTURE}
        name, where, processor = "vjepa2", "untrained", Processor("untrained")
        shape = f"{spec.hidden_size} wide, {spec.num_hidden_layers} blocks"
    architecture = architectures.of({"model_type": name, **config})
    model = weights.random(config, spec.seeds[0], spec.init, where, architecture)
    return architectures.encoder(
        architecture,
        model,
        spec,
        processor,
        where,
        frames=frames,
        height=height,
        width=width,
        threads=threads,
        provenance={
            "label": f"untrained, {shape}, {spec.init} init, seed {spec.seeds[0]}",
            "hf_repo": "untrained",
            "revision": None,
            "architecture": config,
            "processor": processor.fields,
            "weights_hash": checkpoint.weights_hash(
                architecture.network_of(model).state_dict().items()
            ),
        },
    )
