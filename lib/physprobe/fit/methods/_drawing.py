"""Drawing: a network that draws frames from latents, and one that reads angles off frames."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from physprobe.fit.methods._decoder_settings import Settings
from physprobe.statistics import seeds
from physprobe.statistics.splits import Fold
from physprobe.store import log, memory

if TYPE_CHECKING:
    from torch import Tensor, nn


AT_A_TIME = 512
VALIDATED = 2048
"""Most frames that one look at the validation clips takes."""
Draw = Callable[[np.ndarray], np.ndarray]
"""From latents (row, feature) to frames (row, y, x), 0 to 1."""
Read = Callable[[np.ndarray], np.ndarray]
"""From frames (row, y, x), 0 to 1, to angles (row, angle) [rad]."""


def decoder(spec: Settings, latent: np.ndarray, frames: np.ndarray, fold: Fold) -> tuple[Draw, int]:
    """A decoder of the fold's training clips, and the step that its state is of.

    Parameters
    ----------
    spec : Settings
    latent : (clip, time, feature)
    frames : (clip, time, y, x) uint8
    fold : Fold
    """
    import torch

    from physprobe.config.latent import Latent, Seen
    from physprobe.embed.networks import latent as networks

    rows = latent[fold.train].reshape(-1, latent.shape[-1])
    mean, deviation = rows.mean(0), rows.std(0)
    # a feature that hardly varies says nothing, and would only be blown up
    scale = np.where(deviation > 1e-6 * max(deviation.max(), 1e-300), deviation, np.inf)

    def known(values: np.ndarray) -> "Tensor":
        return torch.from_numpy(((values - mean) / scale).astype(np.float32))

    sizes = Latent(history=1, embedding=latent.shape[-1], channels=spec.channels)
    shown = Seen(side=spec.size, values=1)
    made = networks.drawn(spec.seed, lambda: {"net": networks.decoder(sizes, shown)})
    _begin_at(made["net"], float(frames[fold.inner[0][0]].mean()) / 255)
    own, held = ((known(latent[clips]), torch.from_numpy(frames[clips])) for clips in fold.inner[0])
    drawn, step = _trained(spec, made["net"], own, held, lambda rows: rows, _bright, "decoder")
    return (lambda values: drawn(known(values))[:, 0, 0]), step


def reader(spec: Settings, frames: np.ndarray, angles: np.ndarray, fold: Fold) -> Read:
    """A network that reads angles off single frames as they were rendered.

    Parameters
    ----------
    spec : Settings
        Its convolutions are those of the decoder, the other way round.
    frames : (clip, time, y, x) uint8
    angles : (clip, time, angle)
        [rad]
    fold : Fold
    """
    import torch

    from physprobe.config.latent import Latent, Seen
    from physprobe.embed.networks import latent as networks

    sizes = Latent(history=1, embedding=2 * angles.shape[-1], channels=spec.channels)
    shown = Seen(side=spec.size, values=1)
    made = networks.drawn(spec.seed, lambda: {"net": networks.Encoder(sizes, shown)})
    turned = np.concatenate([np.sin(angles), np.cos(angles)], -1).astype(np.float32)
    own, held = (
        (torch.from_numpy(frames[clips]), torch.from_numpy(turned[clips]))
        for clips in fold.inner[0]
    )
    found, _ = _trained(spec, made["net"], own, held, _bright, lambda rows: rows, "reader")

    def read(values: np.ndarray) -> np.ndarray:
        sines, cosines = np.split(found(torch.from_numpy(values) * 255.0), 2, -1)
        return np.arctan2(sines, cosines)

    return read


def _bright(frames: "Tensor") -> "Tensor":
    """Frames (row, y, x) from 0 to 255 as networks want them, (row, history, colour, y, x)."""
    return (frames.float() / 255)[:, None, None]


def _trained(
    spec: Settings,
    network: "nn.Module",
    training: tuple["Tensor", "Tensor"],
    validation: tuple["Tensor", "Tensor"],
    taken: Callable[["Tensor"], "Tensor"],
    wanted: Callable[["Tensor"], "Tensor"],
    name: str,
) -> tuple[Callable[["Tensor"], np.ndarray], int]:
    """A network at the state that is best on validation clips, as a function, and its step.

    Parameters
    ----------
    spec : Settings
    network : Module
    training, validation : (inputs, outputs), each (clip, time, ...)
    taken, wanted : callable
        From rows of inputs, and of outputs, to what the network takes and puts out.
    name : str
        Of its batches.
    """
    import torch
    from torch import nn

    from physprobe.embed.networks import denormal

    memory.keep()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = network.to(device)
    inputs, outputs = (part.flatten(0, 1) for part in training)
    held, truth = (part.flatten(0, 1) for part in validation)
    every = max(1, -(-len(held) // VALIDATED))
    held, truth = held[::every], truth[::every]

    def put_out(rows: "Tensor") -> "Tensor":
        with torch.no_grad():
            parts = [network(taken(part.to(device))).cpu() for part in rows.split(AT_A_TIME)]
        return torch.cat(parts)

    optimiser = torch.optim.Adam(network.parameters(), lr=spec.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, spec.steps)
    rng = seeds.rng(name, spec.seed)
    pause = max(1, spec.steps // spec.checks)
    best, kept, waited = np.inf, (0, network.state_dict()), 0
    with denormal.flushed():
        for step in log.progress(range(1, spec.steps + 1), f"steps of the {name}"):
            picked = torch.from_numpy(rng.integers(len(inputs), size=spec.batch))
            asked = wanted(outputs[picked].to(device))
            loss = nn.functional.mse_loss(network(taken(inputs[picked].to(device))), asked)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            if step % pause and step < spec.steps:
                continue
            error = float((put_out(held) - wanted(truth)).square().mean())
            if error < best:
                state = {key: value.clone() for key, value in network.state_dict().items()}
                best, kept, waited = error, (step, state), 0
            elif (waited := waited + 1) >= spec.patience:
                break
    network.load_state_dict(kept[1])
    return (lambda rows: put_out(rows).numpy()), kept[0]


def _begin_at(network: "nn.Module", brightness: float) -> None:
    """Let a decoder begin with images as bright as the mean: few pixels of a sparse one are lit."""
    import torch
    from torch import nn

    level = float(np.clip(brightness, 1e-3, 1 - 1e-3))
    last = [part for part in network.modules() if isinstance(part, nn.ConvTranspose2d)][-1]
    assert last.bias is not None
    with torch.no_grad():
        last.bias.fill_(np.log(level / (1 - level)))
