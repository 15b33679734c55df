"""Growth: start a wider and deeper encoder from a smaller one that is trained.

Its first features are the smaller one's, with the weights among them. The others are drawn as those
of an encoder with random weights, which are worth having too: what random features give away about
patterns that were never seen, training loses. Neither reads the other before the first step, but
for the norms, which are over both; and blocks that are added on top add nothing to their input, for
the projections that leave them are 0.

Source: Net2Net, Chen, Goodfellow and Shlens, arXiv:1511.05641, for going on from a smaller network;
new units there are copies of trained ones, here they are random.
"""

import torch
from torch import Tensor, nn
from transformers import VJEPA2Config, VJEPA2Model

from physprobe.config import shipped
from physprobe.embed.networks import checkpoint, weights

SAME = ("patch_size", "tubelet_size", "mlp_ratio", "qkv_bias", "hidden_act", "layer_norm_eps")
LEAVES = ("attention.proj.weight", "mlp.fc2.weight")


def grow(encoder: nn.Module, config: VJEPA2Config, model: str) -> None:
    """Give an encoder with random weights those of a smaller one, as far as that goes.

    Parameters
    ----------
    encoder : VJEPA2Encoder
        With random weights, of standard deviation 1 / sqrt(inputs of the unit).
    config : VJEPA2Config
        Of the encoder.
    model : str
        ``physprobe/{name}``, or a folder with a V-JEPA 2.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If the encoder is narrower or not as deep, or differs in more than width and depth.
    """
    small = _smaller(model)
    _check(config, small.config, model)
    old = small.encoder.state_dict()
    with torch.no_grad():
        for name, value in encoder.state_dict().items():
            if name in old:
                _join(value, old[name])
            elif name.endswith(LEAVES):
                value.zero_()


def _smaller(model: str) -> VJEPA2Model:
    if shipped.folder(model) is None:
        raise FileNotFoundError(
            f"grown_from: there is no encoder {model}. Hint: a folder with model.safetensors and"
            " config.json, or physprobe/{name} for one that ships with the package."
        )
    folder = checkpoint.folder(model)
    config, tensors = checkpoint.config(folder, ["vjepa2"]), checkpoint.tensors(folder)
    return weights.trained(folder, config, tensors, VJEPA2Model)


def _check(new: VJEPA2Config, old: VJEPA2Config, model: str) -> None:
    sizes = [{name: getattr(config, name) for name in SAME} for config in (new, old)]
    for size, config in zip(sizes, (new, old), strict=True):
        size["features per head"] = config.hidden_size // config.num_attention_heads
    for name, value in sizes[0].items():
        if value != sizes[1][name]:
            raise ValueError(
                f"grown_from: {name} is {value}, and {sizes[1][name]} in {model}; growth keeps it."
            )
    if new.hidden_size < old.hidden_size or new.num_hidden_layers < old.num_hidden_layers:
        raise ValueError(
            f"grown_from: {new.num_hidden_layers} blocks of {new.hidden_size} features can't be"
            f" grown from the {old.num_hidden_layers} of {old.hidden_size} in {model}."
        )


def _join(value: Tensor, old: Tensor) -> None:
    """Put a smaller tensor into the corner of a random one; new and old don't read each other."""
    outputs = len(old)
    if old.ndim == 2 and value.shape != old.shape:
        inputs, every = old.shape[1], value.shape[1]
        value[:, :inputs] = 0
        value[:outputs] = 0
        if every > inputs:  # new units have fewer inputs at first, and the same sum
            value *= (every / (every - inputs)) ** 0.5
        value[:outputs, :inputs] = old
    else:
        value[:outputs] = old
