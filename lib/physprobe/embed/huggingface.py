"""Trained encoders of transformers, by hub id or local folder: V-JEPA 2, VideoMAE, DINOv2, ...

Which families there are is in ``_families``; what their tokens are in docs/own_encoder.md.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from physprobe.config import checkpoints, shipped
from physprobe.embed import _families, untrained
from physprobe.embed._encoder import Encoder
from physprobe.embed.networks.network import Network, Seeds
from physprobe.embed.section import Foresight

Model = Annotated[str, Field(min_length=1)]


class Spec(Network):
    """A network of a known family in safetensors, on the Hugging Face hub or in a folder."""

    kind: Literal["huggingface"] = "huggingface"
    """Family."""
    model: Model | Annotated[tuple[Model, ...], Field(min_length=1)]
    """Hub id (owner/name), physprobe/{name} for what ships with the package, or a folder with
    config.json, preprocessor_config.json and *.safetensors; or several, independently trained
    copies of one architecture, whose spread is part of every interval."""
    revision: str | tuple[str | None, ...] | None = None
    """Commit on the hub, one for each model; pin it, or results change when its owner pushes."""

    @field_validator("model")
    @classmethod
    def _ships(cls, model: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(model, str):
            return shipped.known(model)
        if len(set(model)) < len(model):
            raise ValueError("each copy once")
        return tuple(shipped.known(each) for each in model)

    @model_validator(mode="after")
    def _pinned(self) -> "Spec":
        if len(self.revisions) != len(self.models):
            raise ValueError(
                f"revision: {len(self.revisions)} for {len(self.models)} models; give one for each"
            )
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """Each copy."""
        return (self.model,) if isinstance(self.model, str) else self.model

    @property
    def revisions(self) -> tuple[str | None, ...]:
        """Commit of each copy."""
        if isinstance(self.revision, tuple):
            return self.revision
        return (self.revision,) * (1 if self.revision else len(self.models))

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each copy, by its place."""
        each = zip(self.models, self.revisions, strict=True)
        return {
            place: self.model_copy(update={"model": model, "revision": revision})
            for place, (model, revision) in enumerate(each)
        }

    @property
    def origins(self) -> set[tuple[str, str | None]]:
        """Each copy."""
        return set(zip(self.models, self.revisions, strict=True))

    def random(self, seeds: Seeds) -> Network:
        """The same network with random weights."""
        shared = {name: getattr(self, name) for name in Network.model_fields}
        origin = {"like": self.models[0], "revision": self.revisions[0]}
        return untrained.Spec(**shared | origin, seeds=seeds)

    @property
    def checkpoints(self) -> dict[str, bool]:
        """Each copy, whose weights are read."""
        return dict.fromkeys(self.models, True)

    @property
    def foresees(self) -> bool:
        """Whether its predictor may be kept; what lies on the hub, or isn't trained yet, may."""
        plain = self.frames == "ordered" and not self.causal
        return plain and _families.comparable(_families.declared(self.models[0]))

    @property
    def sees_future(self) -> bool:
        """Whether an embedding follows from later frames; not where frames see none of them."""
        config = _families.declared(self.models[0])
        family = _families.of(config)
        alone = family is not None and not family.ahead(config) and self.frames == "ordered"
        return super().sees_future and not alone

    @property
    def modules(self) -> tuple[str, ...]:
        """File of its family; of what lies on the hub and can't be known, of all."""
        return _families.modules(_families.declared(self.models[0]))


def tubelet(spec: Spec) -> int | None:
    """Frames per token, if it can be known without touching the hub."""
    return _families.tubelet(spec.models[0])


def foresight(
    spec: Spec, member: int | None, *, height: int, width: int, threads: int
) -> Foresight | None:
    """Predictor of a copy; None if its checkpoint has none.

    Raises
    ------
    FileNotFoundError, ValueError
        As for :func:`load`.
    """
    from physprobe.embed.networks import architectures, checkpoint, weights

    own = spec.members[0 if member is None else member]
    folder = checkpoint.folder(own.models[0], own.revisions[0])
    config = checkpoint.config(folder)
    if not _families.comparable(config):
        return None
    tensors, where = checkpoint.tensors(folder, ()), str(folder / checkpoints.CONFIG)
    model, context = weights.with_context(folder, config, tensors, architectures.of(config))
    processor = checkpoint.processor(folder, config["model_type"])
    return architectures.foresight(
        model, context, own, processor, where, height=height, width=width, threads=threads
    )


def load(spec: Spec, *, frames: int, height: int, width: int, threads: int) -> Encoder:
    """Load a checkpoint's encoder.

    The hub is asked only for a checkpoint that is not in the local cache. What a token has seen
    depends on the family: V-JEPA 2 attends over pieces of ``frames_per_clip`` (the published
    ones: 64), VideoMAE over windows of ``num_frames``, DINOv2 over one frame. A VideoMAE that was
    fine-tuned on the mean of its tokens has no final norm: its layer ``final`` is that of the last
    block.

    Parameters
    ----------
    spec : Spec
        Checkpoint and how clips are shown to it; of several copies the first is loaded.
    frames : int
        Frames per clip.
    height, width : int
        Size of a frame [px]; any.
    threads : int
        Threads on a CPU.

    Raises
    ------
    FileNotFoundError
        If the checkpoint can't be had.
    ValueError
        If its tensors are not exactly those of its architecture, or the clips don't fit.

    References
    ----------
    Assran et al., V-JEPA 2, arXiv:2506.09985.
    Tong et al., VideoMAE, arXiv:2203.12602.
    Oquab et al., DINOv2, arXiv:2304.07193; with registers: Darcet et al., arXiv:2309.16588.
    """
    from physprobe.embed.networks import architectures, checkpoint, weights

    model, pinned = spec.models[0], spec.revisions[0]
    folder = checkpoint.folder(model, pinned)
    config = checkpoint.config(folder)
    architecture = architectures.of(config)
    tensors = checkpoint.tensors(folder)
    local = shipped.folder(model)
    revision = None if local else folder.name
    processor = checkpoint.processor(folder, config["model_type"])
    return architectures.encoder(
        architecture,
        weights.trained(
            folder,
            config,
            {name.removeprefix(architecture.PART): value for name, value in tensors.items()},
            architecture.MODEL,
            architecture.HEADS,
            architecture.ARGUMENTS,
        ),
        spec,
        processor,
        str(folder / checkpoints.CONFIG),
        frames=frames,
        height=height,
        width=width,
        threads=threads,
        provenance={
            "label": f"{model} at {revision[:8]}" if revision else model,
            "hf_repo": model,
            "revision": revision,
            "architecture": config,
            "processor": processor.fields,
            "weights_hash": checkpoint.weights_hash(tensors.items()),
        },
    )
