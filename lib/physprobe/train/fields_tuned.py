"""Fields tuned: go on from the weights that another recipe has kept, all of them, to the labels.

    loss = mean (A mean E(x) + b - y)^2

as in ``fields_supervised``, but that member s begins with the encoder of member s of ``start``.
What comes of it is no frozen encoder, but one that was told labels: it is called fine-tuned
wherever it is shown. Fields that the other recipe has not seen get new vectors,
where they have such (``network: avit``).

Published for MPP: Adam with rate 1e-5, halved where the validation's error stays.

References
----------
McCabe et al. 2023, Multiple Physics Pretraining, arXiv:2310.02994; "Representation Learning for
Spatiotemporal Physical Systems", arXiv:2603.13227.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.config import problems, shipped
from physprobe.config.fields import FieldNetwork
from physprobe.train._fields import Fields, Told
from physprobe.train._training import MADE, Schedule

if TYPE_CHECKING:
    import torch
    from torch import nn

    from physprobe.train._stored import Batch, Networks

KEPT = ("encoder", "readout")
STOPS = False


class Spec(Told):
    """Regression of the labels that ``validation`` names, from weights that are there."""

    kind: Literal["fields_tuned"] = "fields_tuned"
    """Recipe."""
    start: str
    """Folder that another of these recipes has written, results/encoders/{recipe}: an encoder of
    these sizes, with a member of each seed."""
    learning_rate: float = Field(2e-4, gt=0)
    """Highest learning rate of AdamW."""

    ROLE: ClassVar[str] = "fine-tuned"

    @property
    def ancestors(self) -> tuple[str, ...]:
        """The encoder that it starts from."""
        return (self.start,)

    def content(self) -> str:
        """Digests of the stores, and of the weights that it starts from."""
        path = Path(self.start) / "model.safetensors"
        whole = [super().content(), _digest(path, path.stat().st_mtime_ns) if path.exists() else ""]
        return " ".join(filter(None, whole))

    def descends(self, recipes: Mapping[str, Schedule]) -> Iterator[str]:
        """A start that there isn't, or that is no encoder of these sizes and seeds."""
        folder = Path(self.start)
        if folder.parent != MADE or folder.name not in recipes:
            if shipped.folder(self.start) is None:
                near = problems.nearest(self.start, [str(MADE / name) for name in recipes])
                yield f"start: {self.start} is no folder, and no recipe writes it.{near}"
            return
        other = recipes[folder.name]
        if not isinstance(other, Fields) or isinstance(other, Spec) or other.SIZES != self.SIZES:
            yield f"start: {folder.name} is trained by {other.kind}, which nothing is tuned from"
            return
        for name in FieldNetwork.model_fields:
            own, theirs = getattr(self, name), getattr(other, name)
            if own != theirs and name not in ("preset", "head_width"):
                yield f"{name}: {own}, but {folder.name} has {theirs}"
        if lacking := sorted(set(self.seeds) - set(other.seeds)):
            yield f"seeds: {folder.name} has no member {lacking[0]}; it has {list(other.seeds)}"


@lru_cache(4)
def _digest(path: Path, changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def networks(spec: Spec) -> "dict[str, nn.Module | None]":
    """Encoder with the weights that it starts from, and a linear map to the labels.

    Raises
    ------
    FileNotFoundError
        If the folder isn't there.
    ValueError
        If it has other sizes, or no such member.
    """
    from physprobe.embed.networks import fields, latent, written
    from physprobe.train import _stored

    found = _stored.networks(spec, lambda shown: {"readout": _stored.readout(spec)})
    encoder, folder = found["encoder"], Path(spec.start)
    _, _, tensors = fields.read(folder)
    if encoder is not None:
        written.check_member(tensors, spec.seed, folder)
        begin = latent.named(spec.seed, "encoder")
        new = {
            begin + name: value
            for name, value in encoder.state_dict().items()
            if name.startswith("field.") and spec.network == "avit"
        }
        known = {n: v for n, v in tensors.items() if n.startswith(begin)}
        own = {n for n in known if not n.startswith(f"{begin}field.") or n in new}
        latent.restored(encoder, {**new, **{n: known[n] for n in own}}, begin, folder)
        encoder.train().requires_grad_(True)
    return found


def loss(
    spec: Spec, net: "Networks", batch: "Batch", drawn: np.random.Generator
) -> "tuple[torch.Tensor, dict[str, torch.Tensor]]":
    """Loss of a batch, and nothing else to report; nothing is drawn."""
    from physprobe.train import _stored

    return _stored.regression(net, batch), {}
