"""Networks of images by their names in timm: every frame by itself.

    dino: {kind: timm, model: vit_small_patch16_224.dino}

Of the package's families those are read that have blocks in a row (ViT, DeiT, EVA, BEiT, ...);
others through ``kind: python``. See docs/own_encoder.md.
"""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, JsonValue, model_validator

from physprobe.embed import _files, python
from physprobe.embed._built import Built
from physprobe.embed._encoder import Encoder, versions
from physprobe.embed.networks.network import Network

if TYPE_CHECKING:
    from torch import nn

NEEDED = "needs timm, which isn't installed. Hint: pip install 'physprobe[timm]'."


class Spec(Built):
    """A network's name in timm, and where its weights are."""

    kind: Literal["timm"] = "timm"
    """Family."""
    model: str = Field(min_length=1)
    """Name with its tag, such as vit_small_patch16_224.dino, or hf-hub:owner/name@revision."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Further arguments of timm.create_model, such as img_size."""
    weights: str | None = None
    """File of weights, in safetensors; by default those that timm fetches."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.weights is not None and not self.weights.endswith(".safetensors"):
            raise ValueError(f"weights: found {self.weights!r}, expected a file of safetensors")
        known = {"pretrained", "checkpoint_path", "model_name"} & set(self.arguments)
        if known:
            raise ValueError(f"arguments: {min(known)} is given by model and weights; leave it out")
        return self

    @property
    def sees_future(self) -> bool:
        """Whether an embedding follows from later frames: only where they are shuffled."""
        return self.frames != "ordered"

    def listing(self) -> str:
        """Digest of the file of weights, as can be told without reading it whole."""
        return _files.listing([self.weights]) if self.weights and not list(problems(self)) else ""

    def content(self) -> str:
        """Digest of the file of weights."""
        return _files.content([self.weights]) if self.weights else ""


def problems(spec: Spec) -> Iterator[str]:
    """Whether timm is installed, and the file of weights is there."""
    if find_spec("timm") is None:
        yield f"{spec.model} {NEEDED}"
    yield from _files.problems([spec.weights] if spec.weights else [])


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return 1


def load(spec: Spec, *, frames: int, height: int, width: int, threads: int) -> Encoder:
    """Make a network, with weights or, of random ones, without asking for any.

    Layers are 0, what the first block is given, to L and ``final``, as the norm after the blocks
    has it; where that stands behind the pooling, ``final`` is the last block's. Of tokens in front
    of the patches timm says how many there are.

    Parameters
    ----------
    spec : Spec
        Of several seeds of random weights the first is drawn.
    frames : int
        Frames per clip.
    height, width : int
        Size of a frame [px].
    threads : int
        Threads on a CPU.

    Raises
    ------
    ModuleNotFoundError
        If timm isn't installed.
    ValueError
        If timm doesn't know the network, can't get its weights, or it has no blocks in a row.
    """
    import torch

    from physprobe.embed.networks import own

    for line in problems(spec):
        raise (ValueError if find_spec("timm") else ModuleNotFoundError)(line)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        built, about = _built(spec)
    side = _side(spec, built, about["input_size"])
    shown = {name: getattr(spec, name) for name in Network.model_fields}
    reading = python.Spec(
        **shown,
        model=f"timm:{spec.model}",
        at_once=1,
        read=_read(spec, built),
        input="(b t) c h w",
        output="(b t) (h w) d",
        prefix=getattr(built, "num_prefix_tokens", 0),
        size=side,
        short=round(side / about["crop_pct"]),
        resample=about["interpolation"],
        mean=about["mean"],
        std=about["std"],
        seeds=spec.seeds,
        init=spec.init,
    )
    sizes = {"frames": frames, "height": height, "width": width, "threads": threads}
    encoder = own.encoder(built, reading, f"timm {spec.model}", **sizes)
    encoder.provenance["versions"] |= versions("timm")
    return encoder


def _built(spec: Spec) -> tuple["nn.Module", dict]:
    """The network, and what timm says of its input."""
    import timm
    from timm.data import resolve_model_data_config

    own: dict[str, JsonValue] = {"pretrained": not (spec.seeds or spec.weights)}
    if spec.weights and not spec.seeds:
        own["checkpoint_path"] = spec.weights
    try:
        built = timm.create_model(spec.model, **own, **spec.arguments)
    except Exception as error:  # whatever timm and the hub make of a name
        line = " ".join(str(error).split())
        raise ValueError(
            f"timm {spec.model}: {type(error).__name__}: {line}."
            " Hint: timm.list_models() has all names; weights names a file here."
        ) from error
    return built, resolve_model_data_config(built)


def _side(spec: Spec, built: "nn.Module", published: tuple[int, ...]) -> int:
    """Side of the input [px]: that of the network, which may differ from the published one."""
    patches = getattr(built, "patch_embed", None)
    height, width = getattr(patches, "img_size", None) or published[1:]
    if height != width:
        raise ValueError(
            f"timm {spec.model}: its input is {height} x {width} px, expected squares."
        )
    return height


def _read(spec: Spec, built: "nn.Module") -> tuple[str, ...]:
    """Modules that give the layers."""
    names = dict(built.named_children())
    if not {"blocks", "norm"} <= set(names):
        raise ValueError(
            f"timm {spec.model}: has no blocks and norm in a row, but {', '.join(names)}. Hint:"
            " {kind: python, model: timm:create_model, arguments: {model_name: ...}, read: [...]}."
        )
    first = ("norm_pre",) if "norm_pre" in names else ()
    return (*first, "blocks.*", "norm")
