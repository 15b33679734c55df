"""A training step of the published networks on frames: the common loop, and a plain PyTorch loop.

    python tests/benchmarks/bench_dynamics_training.py

The plain loop has the same networks, batch, loss and optimiser, as a reader would write them down;
its clips lie in memory as float32, as the published ones do. Then five members of an MLP of small
layers, together and one after the other.

The gate: from equal weights both sides have the same loss of the same batch, and the same weights
after a step.
"""

import copy

import torch
from _bench import compare
from torch import nn

from physprobe.train import _clips, _loop, dynamics_jepa
from physprobe.train._members import Members
from physprobe.train._recipe import Recipe

PENDULUM = {"kind": "double_pendulum", "mass_ratio": 1.0, "length_ratio": 1.0, "gravity": 9.81}
PUBLISHED = {
    "system": {
        "simulate": {**PENDULUM, "frames": 30},
        "render": {"kind": "pendulum", "size": 64},
    },
    "validation": ("omega1",), "channels": (32, 64, 128), "hidden": (512, 512), "horizon": 8,
    "clips": 300, "batch": 256, "steps": 1950, "clip": 1e9,
}  # fmt: skip
TIPS = {
    "system": {"simulate": {**PENDULUM, "frames": 30}, "render": {"kind": "signal"}},
    "validation": ("omega1",), "network": "mlp", "embedding": 16, "hidden": (32, 32), "horizon": 4,
    "clips": 300, "batch": 64, "steps": 1950,
}  # fmt: skip


class Plain:
    """The published training, written down as it is told.

    Parameters
    ----------
    recipe : Recipe
        Whose weights it begins with.
    """

    def __init__(self, recipe: Recipe):
        self.spec = recipe.spec
        spec, side = self.spec, 64 // 2 ** len(self.spec.channels)
        layers, inputs = [], spec.history
        for channels in spec.channels:
            layers += [nn.Conv2d(inputs, channels, 4, stride=2, padding=1), nn.ReLU()]
            inputs = channels
        layers += [nn.Flatten(), nn.Linear(inputs * side**2, spec.embedding)]
        self.encoder = nn.Sequential(*layers)
        first, second = spec.hidden
        self.change = nn.Sequential(
            nn.Linear(spec.embedding, first), nn.ReLU(),
            nn.Linear(first, second), nn.ReLU(), nn.Linear(second, spec.embedding),
        )  # fmt: skip
        for own, other in (
            (self.encoder, recipe.encoder),
            (self.change, recipe.predictor.change),
        ):
            for value, known in zip(own.parameters(), other.parameters(), strict=True):
                value.data.copy_(known.data)
        self.target = copy.deepcopy(self.encoder)
        trained = [*self.encoder.parameters(), *self.change.parameters()]
        self.optimiser = torch.optim.AdamW(trained, 1e-3, betas=(0.9, 0.95), weight_decay=0.0)

    def loss(self, video: torch.Tensor) -> torch.Tensor:
        """Loss of windows (window, frame, 1, y, x)."""
        latent, total = self.encoder(video[:, :2].flatten(1, 2)), torch.zeros(())
        for k in range(1, self.spec.horizon + 1):
            latent = latent + self.change(latent)
            with torch.no_grad():
                goal = self.target(video[:, k : k + 2].flatten(1, 2))
            deviation = (latent.var(0) + 1e-4).sqrt()
            centred = latent - latent.mean(0)
            matrix = centred.T @ centred / (len(latent) - 1)
            off = matrix - torch.diag(torch.diag(matrix))
            total = total + 25 * (latent - goal).square().mean()
            total = total + 25 * torch.relu(1 - deviation).mean()
            total = total + off.square().sum() / latent.shape[1]
        return total / self.spec.horizon

    def step(self, video: torch.Tensor, rate: float, momentum: float) -> None:
        """Take a step."""
        self.optimiser.param_groups[0]["lr"] = rate
        loss = self.loss(video)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        with torch.no_grad():
            for slow, fast in zip(self.target.parameters(), self.encoder.parameters(), strict=True):
                slow.mul_(momentum).add_((1 - momentum) * fast)


class Ours:
    """Steps of the common loop."""

    def __init__(self, *recipes: Recipe):
        self.recipe = Members(recipes) if len(recipes) > 1 else recipes[0]
        groups = _loop._groups(self.recipe, 0.0, self.recipe.leading)
        self.optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.95), fused=True)
        self.progress = _loop.Progress()

    def step(self) -> None:
        """Read a batch and take a step; a run reads the batch ahead, on another core."""
        batch = self.recipe.batch(self.progress.step)
        _loop._step(self.recipe, self.optimiser, batch, self.progress)


def frames(spec: dynamics_jepa.Spec) -> torch.Tensor:
    """All clips (clip, time, 1, y, x) float32, in memory."""
    film = torch.from_numpy(_clips.world(spec).film[...])
    return film.movedim(-1, 2).float() / 255


def drawn(spec: dynamics_jepa.Spec, film: torch.Tensor) -> torch.Tensor:
    """Windows of a step, one time for all of a batch as published."""
    clips = torch.randperm(len(film))[: spec.batch]
    start = int(torch.randint(film.shape[1] - spec.window + 1, ()))
    return film[clips, start : start + spec.window]


def check() -> str:
    """Gate: equal losses, and equal weights after a step."""
    small = {**PUBLISHED, "clips": 16, "batch": 16, "channels": (4, 6, 8), "hidden": (16, 16)}
    spec = dynamics_jepa.Spec(**small).members[1]
    ours = Ours(Recipe(spec))
    plain, video = Plain(ours.recipe), ours.recipe.batch(0).video
    theirs = plain.loss(video).item()
    plain.step(video, _loop.learning_rate(spec, 0), spec.momentum[0])
    ours.step()
    apart = abs(ours.progress.losses[0][0] / theirs - 1)
    moved = max(
        (own - other).abs().max().item()
        for own, other in zip(
            [*ours.recipe.encoder.parameters(), *ours.recipe.predictor.parameters()],
            [*plain.encoder.parameters(), *plain.change.parameters()],
            strict=True,
        )
    )
    rate = _loop.learning_rate(spec, 0)
    if apart > 1e-5 or moved > 0.05 * rate:
        raise SystemExit(f"gate: losses differ by {apart:.1e}, weights by {moved:.1e}")
    return f"gate: losses equal to {apart:.0e}, weights after a step to {moved / rate:.0e} of it"


def main() -> None:
    """Check, then time a step of each."""
    print(check())
    spec = dynamics_jepa.Spec(**PUBLISHED).members[1]
    ours = Ours(Recipe(spec))
    plain, film = Plain(ours.recipe), frames(spec)
    compare(
        "step of 256 windows, 64 px, 32-64-128",
        3,
        common_loop=(ours.step, 1),
        plain_pytorch=(lambda: plain.step(drawn(spec, film), 1e-3, 0.99), 1),
    )
    members = list(dynamics_jepa.Spec(**TIPS).members.values())
    together = Ours(*map(Recipe, members))
    alone = [Ours(Recipe(member)) for member in members]
    compare(
        "step of five members, layers of 32",
        30,
        together=(together.step, 1),
        one_by_one=(lambda: [each.step() for each in alone], 1),
    )


if __name__ == "__main__":
    main()
