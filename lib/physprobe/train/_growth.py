"""Growth: start a wider and deeper encoder as the very function that a smaller, trained one is.

Every unit becomes several equal ones. What reads them shares out its weight among them, unevenly
(0.5 to 1.5 parts before they are brought to a sum of 1), so that training tells them apart. Blocks
that are added on top add nothing to their input at first: the projections that leave them are 0.

Sources: Net2Net, Chen, Goodfellow and Shlens, arXiv:1511.05641; bert2BERT, Chen et al.,
arXiv:2110.07143.
"""

import torch
from torch import Tensor, nn
from transformers import VJEPA2Config, VJEPA2Model

from physprobe.core import seeds, shipped
from physprobe.embed import _weights

SAME = ("patch_size", "tubelet_size", "mlp_ratio", "qkv_bias", "hidden_act", "layer_norm_eps")
LEAVES = ("attention.proj.weight", "mlp.fc2.weight")


def grow(encoder: nn.Module, config: VJEPA2Config, model: str, seed: int) -> None:
    """Give an encoder the weights of a smaller one.

    Parameters
    ----------
    encoder : VJEPA2Encoder
        With random weights; afterwards its hidden states are the smaller one's, repeated along
        the features, and those of its last block for all blocks that are added.
    config : VJEPA2Config
        Of the encoder.
    model : str
        ``physprobe/{name}``, or a folder with a V-JEPA 2.
    seed : int
        Seed of the shares.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the encoder is not some times as wide and at least as deep, or differs in more.
    """
    small = _smaller(model)
    _check(config, small.config, model)
    old = small.encoder.state_dict()
    blocks = small.config.num_hidden_layers
    with torch.no_grad():
        for name, value in encoder.state_dict().items():
            if _block(name) < blocks:
                value.copy_(_repeated(old[name], value.shape, seed, name))
            elif name.endswith(LEAVES):
                value.zero_()


def _smaller(model: str) -> VJEPA2Model:
    folder = shipped.folder(model)
    if folder is None:
        raise FileNotFoundError(
            f"grown_from: there is no encoder {model}. Hint: a folder with model.safetensors and"
            " config.json, or physprobe/{name} for one that ships with the package."
        )
    return _weights.trained(folder, VJEPA2Model)


def _check(new: VJEPA2Config, old: VJEPA2Config, model: str) -> None:
    sizes = [{name: getattr(config, name) for name in SAME} for config in (new, old)]
    for size, config in zip(sizes, (new, old), strict=True):
        size["features per head"] = config.hidden_size // config.num_attention_heads
    for name, value in sizes[0].items():
        if value != sizes[1][name]:
            raise ValueError(
                f"grown_from: {name} is {value}, and {sizes[1][name]} in {model}; growth keeps it."
            )
    if new.hidden_size % old.hidden_size or new.num_hidden_layers < old.num_hidden_layers:
        raise ValueError(
            f"grown_from: {new.num_hidden_layers} blocks of {new.hidden_size} features can't be"
            f" grown from the {old.num_hidden_layers} of {old.hidden_size} in {model}; what can be"
            " is some times as wide, and at least as deep."
        )


def _block(name: str) -> int:
    """Number of the block that a tensor belongs to; -1 for what every encoder has."""
    parts = name.split(".")
    return int(parts[1]) if parts[0] == "layer" else -1


def _repeated(old: Tensor, shape: torch.Size, seed: int, name: str) -> Tensor:
    """Tensor whose outputs are the old ones', repeated, if its inputs are."""
    outputs = shape[0] // old.shape[0]
    if old.ndim != 2:  # biases and norms; and the patch embedding, which reads pixels
        return old.repeat(outputs, *[1] * (old.ndim - 1))
    copies = shape[1] // old.shape[1]
    draw = seeds.rng("growth", seed, name).uniform(0.5, 1.5, (shape[0], copies, old.shape[1]))
    shares = torch.from_numpy(draw / draw.sum(1, keepdims=True)).to(old.dtype)
    return (old.repeat(outputs, 1)[:, None] * shares).reshape(shape)
