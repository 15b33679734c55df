"""Latent: small networks of a dynamical system that is seen a few frames at a time.

    encoder    frames x[t - H + 1 ... t] -> z[t] in R^d
    predictor  z[t] -> z[t] + f(z[t]), an estimate of z[t + 1]
    decoder    z[t] -> x[t - H + 1 ... t], of films 0 to 1

Frames are read by convolutions of stride 2, the numbers of a signal by an MLP. ``pooled`` is as
JointEmbeddingArchitecturesTutorial has it for MNIST (``jepa_mnist.py``): convolutions of kernel 3,
mean over places, a linear layer and two layer norms; its predictor is an MLP and nothing more.
Where there is no encoder the latent is the history of a signal, and the predictor shifts it by a
frame:

    (x[t - H + 1], ..., x[t]) -> (x[t - H + 2], ..., x[t], f(x[t - H + 1], ..., x[t]))
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from physprobe.config.latent import MODEL_TYPE, Latent, Seen
from physprobe.embed.networks import checkpoint, written

PIECE = 128
"""Samples that convolutions see at a time on a CPU: what they pass on then stays in its cache."""

Network = TypeVar("Network", bound=nn.Module)
Made = TypeVar("Made")


class Pieces(nn.Sequential):
    """Layers one after the other; of convolutions on a CPU, a piece of the samples at a time.

    Not where a norm takes its statistics of all samples.
    """

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Samples after the layers."""
        kinds = {type(layer) for layer in self}
        whole = not kinds & {nn.Conv2d, nn.ConvTranspose2d} or samples.device.type != "cpu"
        if whole or len(samples) <= PIECE or (self.training and nn.BatchNorm2d in kinds):
            return super().forward(samples)
        return torch.cat([super(Pieces, self).forward(part) for part in samples.split(PIECE)])


class _Stacked(nn.Flatten):
    """Frames (sample, history, channel, y, x) as channels of one image, innermost in memory."""

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        return super().forward(frames).contiguous(memory_format=torch.channels_last)


class _Maps(nn.Unflatten):
    """Numbers (sample, ...) as maps (sample, channel, y, x), channels innermost in memory."""

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        return super().forward(numbers).contiguous(memory_format=torch.channels_last)


class Encoder(Pieces):
    """From frames (sample, history, channel[, y, x]) to latents (sample, feature).

    Raises
    ------
    ValueError
        If the network doesn't read what is seen, or convolutions don't halve the frame's side.
    """

    def __init__(self, spec: Latent, seen: Seen):
        self.history = spec.history
        super().__init__(*_layers(spec, seen))

    def each(self, frames: torch.Tensor) -> torch.Tensor:
        """Latents (clip, time, feature) of every history of frames (clip, frame, channel[, y, x]).

        The first is that of the first whole history, so there are ``history`` - 1 fewer of them.
        """
        windows = frames.unfold(1, self.history, 1).movedim(-1, 2)
        return self(windows.flatten(0, 1)).unflatten(0, windows.shape[:2])


def _layers(spec: Latent, seen: Seen) -> list[nn.Module]:
    inputs, side = spec.history * seen.values, _side(spec, seen, whole=spec.network == "cnn")
    if spec.network == "none":
        if spec.embedding != inputs:
            raise ValueError(
                f"embedding: {spec.embedding}, but {spec.history} frames of {seen.values} numbers"
                f" are {inputs}, and network: none leaves them as they are"
            )
        return [nn.Flatten(1)]
    if spec.network == "mlp":
        return [nn.Flatten(1), *_mlp(inputs, spec.hidden, spec.embedding)]
    if spec.network == "pooled":
        return _pooled(spec, inputs)
    layers: list[nn.Module] = [_Stacked(1, 2)]
    for channels in spec.channels:
        layers.append(nn.Conv2d(inputs, channels, 4, stride=2, padding=1))
        if spec.normalisation == "batch":
            layers.append(nn.BatchNorm2d(channels))
        layers.append(nn.ReLU())
        inputs = channels
    return [*layers, nn.Flatten(1), nn.Linear(inputs * side**2, spec.embedding)]


def _pooled(spec: Latent, inputs: int) -> list[nn.Module]:
    layers: list[nn.Module] = [_Stacked(1, 2)]
    for channels in spec.channels:
        convolution = nn.Conv2d(inputs, channels, 3, stride=2, padding=1)
        layers += [convolution, nn.BatchNorm2d(channels), nn.SiLU()]
        inputs = channels
    norms = [nn.LayerNorm(spec.embedding), nn.LayerNorm(spec.embedding, eps=1e-6)]
    return [
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(inputs, spec.embedding), *norms,
    ]  # fmt: skip


def decoder(spec: Latent, seen: Seen) -> nn.Module:
    """From latents (sample, feature) to frames (sample, history, channel[, y, x])."""
    unflattened = nn.Unflatten(1, (spec.history, seen.values))
    outputs = spec.history * seen.values
    if seen.side is None:
        _side(spec, seen)
        return Pieces(*_mlp(spec.embedding, spec.hidden[::-1], outputs), unflattened)
    side, (first, *rest) = _side(spec, seen), spec.channels[::-1]
    layers = [nn.Linear(spec.embedding, first * side**2), _Maps(1, (first, side, side))]
    for inputs, channels in zip((first, *rest), (*rest, outputs), strict=True):
        layers += [nn.ReLU(), nn.ConvTranspose2d(inputs, channels, 4, stride=2, padding=1)]
    return Pieces(*layers, nn.Sigmoid(), unflattened)


class Predictor(nn.Module):
    """Latent one frame later, z + f(z) with f an MLP; of a history, f(z) is its next frame.

    Where frames are pooled it is f(z), of SiLU.
    """

    def __init__(self, spec: Latent):
        super().__init__()
        self.shifts = spec.network == "none"
        self.adds = spec.network != "pooled"
        outputs = spec.embedding // spec.history if self.shifts else spec.embedding
        unit = nn.ReLU if self.adds else nn.SiLU
        self.change = nn.Sequential(*_mlp(spec.embedding, spec.hidden, outputs, unit))

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """Latents (sample, feature) of the next frame."""
        found = self.change(latent)
        if self.shifts:
            return torch.cat([latent[:, found.shape[1] :], found], 1)
        return latent + found if self.adds else found

    def unrolled(self, latent: torch.Tensor, steps: int) -> torch.Tensor:
        """Latents (sample, step, feature) of the next frames, each predicted from the last one."""
        found = []
        for _ in range(steps):
            latent = self(latent)
            found.append(latent)
        return torch.stack(found, 1)


def _mlp(
    inputs: int, hidden: Sequence[int], outputs: int, unit: type[nn.Module] = nn.ReLU
) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), unit()]
        inputs = width
    return [*layers, nn.Linear(inputs, outputs)]


def _side(spec: Latent, seen: Seen, *, whole: bool = True) -> int:
    """Side of the last convolution's map, which has to be ``whole``; 0 of a signal."""
    filmed = spec.network in ("cnn", "pooled")
    if filmed != (seen.side is not None):
        what = "a signal" if seen.side is None else f"frames of {seen.side} px"
        raise ValueError(
            f"network: {spec.network} doesn't read {what}. Hint: cnn and pooled read"
            " frames, mlp signals."
        )
    side, factor = seen.side or 0, 2 ** len(spec.channels)
    if whole and side % factor:
        raise ValueError(
            f"channels: {len(spec.channels)} convolutions don't halve {side} px so many times."
            f" Hint: render frames whose side is a multiple of {factor}."
        )
    return side // factor


def all_of(spec: Latent, seen: Seen) -> dict[str, nn.Module]:
    """Encoder, predictor and decoder."""
    return {
        "encoder": Encoder(spec, seen),
        "predictor": Predictor(spec),
        "decoder": decoder(spec, seen),
    }


def drawn(seed: int, make: Callable[[], Made]) -> Made:
    """Network, or several by name, with torch's usual first weights from a seed of their own."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def named(seed: int, network: str) -> str:
    """What tensors of a network of a member begin with, in the file of all members."""
    return f"{seed}/{network}/"


def save(tensors: Mapping[int, Mapping[str, torch.Tensor]], path: Path) -> None:
    """Write tensors ``{network}.{parameter}`` of every member into one file."""
    whole = {
        named(seed, network) + rest: value.contiguous()
        for seed, found in tensors.items()
        for name, value in found.items()
        for network, _, rest in [name.partition(".")]
    }
    save_file(whole, path, {"format": "pt"})
    path.chmod(0o644)


def restored(
    network: Network, tensors: Mapping[str, torch.Tensor], start: str, folder: Path
) -> Network:
    """A network with the weights of one member, frozen.

    Parameters
    ----------
    network : Module
    tensors : mapping of str to Tensor
        Of all members.
    start : str
        Of :func:`named`.
    folder : Path
        Where they come from, for the message.

    Raises
    ------
    ValueError
        If they are not exactly those of the network.
    """
    own = {n.removeprefix(start): v.float() for n, v in tensors.items() if n.startswith(start)}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        about = " ".join(str(error).split())
        raise ValueError(f"{folder}: tensors {start}* don't fit ({about}).") from None
    return network.eval().requires_grad_(False)


def read(folder: Path) -> tuple[Latent, Seen, dict[str, torch.Tensor]]:
    """Sizes, what is seen, and the tensors of all members.

    Raises
    ------
    FileNotFoundError
        If a file isn't there.
    ValueError
        If it isn't what a recipe has written.
    """
    content = checkpoint.config(folder, (MODEL_TYPE,))
    sizes, shown = written.sizes(content, Latent), written.sizes(content, Seen)
    return sizes, shown, checkpoint.tensors(folder)


def frames(clip: np.ndarray, gray: bool) -> torch.Tensor:
    """Frames as the networks want them: of a film 0 to 1, a signal as it is.

    Parameters
    ----------
    clip : ndarray
        (time, y, x, rgb) uint8, or (time, channel).
    gray : bool
        Whether a film's colours are averaged.

    Returns
    -------
    Tensor
        (time, channel[, y, x]) float32.
    """
    if clip.ndim == 2:
        return torch.from_numpy(np.ascontiguousarray(clip, np.float32))
    found = torch.from_numpy(np.ascontiguousarray(np.moveaxis(clip, -1, -3))).float().div_(255)
    return found.mean(-3, keepdim=True) if gray else found
