"""Points: small networks that see a point of the plane, and give an energy or an embedding of it.

An energy E is that of a density, p ~ exp(-E), so that its score, the gradient of log p, is -grad E.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import nn

from physprobe.embed.networks import checkpoint, written

MODEL_TYPE = "physprobe_points"
"""What config.json calls them."""
CHANNELS = 2
ENERGY = ("energy", "score_x", "score_y")
"""Features of a layer that is an energy."""
ACTIVATIONS: Mapping[str, type[nn.Module]] = {"relu": nn.ReLU, "silu": nn.SiLU}
PIECE = 20_000
"""Points that are seen at once."""


def network(
    hidden: Sequence[int], outputs: int, activation: str, inputs: int = CHANNELS
) -> nn.Sequential:
    """Layers from points (row, input) to (row, output)."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), ACTIVATIONS[activation]()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def energies(network: nn.Module, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Energy (row,) of points (row, 2), and its gradient (row, 2)."""

    def total(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        found = network(points)[:, 0]
        return found.sum(), found

    gradient, found = torch.func.grad(total, has_aux=True)(points)
    return found, gradient


def read(folder: Path) -> tuple[dict, dict[str, torch.Tensor]]:
    """What a recipe says of the networks, and the tensors of all members.

    Raises
    ------
    FileNotFoundError
        If a file isn't there.
    ValueError
        If it isn't what a recipe has written.
    """
    return checkpoint.config(folder, (MODEL_TYPE,)), checkpoint.tensors(folder)


def restored(
    content: Mapping, tensors: Mapping[str, torch.Tensor], seed: int, folder: Path
) -> list[nn.Sequential]:
    """Networks of one member, one for each deviation of noise; frozen.

    Raises
    ------
    ValueError
        If there is no such member.
    """
    written.check_member(tensors, seed, folder)
    found = []
    for place in range(len(content["deviations"])):
        start = f"{seed}/{place}/"
        own = {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}
        one = network(content["hidden"], content["outputs"], content["activation"])
        one.load_state_dict(own)
        found.append(one.eval().requires_grad_(False))
    return found


def function(networks: Sequence[nn.Module], of_energy: bool) -> Callable[..., np.ndarray]:
    """Function from points (row, 2) to features (layer, row, feature), a network's each.

    Of an energy they are ``ENERGY``. Numbers of layers after the points are those that are wanted.
    """

    def one(network: nn.Module, points: torch.Tensor) -> torch.Tensor:
        if not of_energy:
            return network(points)
        energy, gradient = energies(network, points)
        return torch.cat([energy[:, None], -gradient], 1)

    @torch.no_grad()
    def whole(points: np.ndarray, *layers: int) -> np.ndarray:
        seen = torch.from_numpy(np.ascontiguousarray(points, np.float32)).split(PIECE)
        wanted = [networks[n] for n in layers or range(len(networks))]
        return np.stack([torch.cat([one(n, part) for part in seen]).numpy() for n in wanted])

    return whole
