"""Linear models: a step of 220 networks at once by their moments, and one by one on all pairs.

    python tests/benchmarks/bench_linear_models.py

The gate: the loss of a network by moments is that on the pairs themselves.
"""

import time
from types import SimpleNamespace

import numpy as np
import torch

from physprobe.simulate import noisy_tv
from physprobe.statistics import conditions
from physprobe.train import _sensors, linear_jepa

SYSTEM = {
    "simulate": {"kind": "noisy_tv", "paths": "contiguous", "train": 50, "test": 3},
    "render": {"kind": "sensors"},
}
STEPS, ALONE, SHOWN = 200, 20, 3


def recipe() -> tuple[linear_jepa.Spec, SimpleNamespace, _sensors.Batch]:
    """All networks of the published figure's JEPA, for 20 draws."""
    spec = linear_jepa.Spec.strict({"kind": "linear_jepa", "system": SYSTEM})
    return spec, SimpleNamespace(**linear_jepa.networks(spec)), _sensors.batch(spec, 0)


def pairs(number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """All pairs (pair, channel) of one condition."""
    spec = noisy_tv.Spec.strict(SYSTEM["simulate"])
    labels = noisy_tv.draw(spec)
    found = conditions.numbered(labels, noisy_tv.CONDITIONS)
    mine = (found.of == number) & (labels["split"] == "train")
    sensors, _ = noisy_tv.solved(spec, {n: v[mine] for n, v in labels.items()})
    both = sensors[:, :-1], sensors[:, 1:]
    now, following = (torch.from_numpy(part.reshape(-1, 20)) for part in both)
    return now, following


def on_pairs(
    spec: linear_jepa.Spec,
    net: SimpleNamespace,
    number: int,
    now: torch.Tensor,
    later: torch.Tensor,
) -> torch.Tensor:
    """Loss of one network, on the pairs."""
    weight, predictor, target = (
        part.weight[number] for part in (net.encoder, net.predictor, net.target)
    )
    p, y = now @ weight.T @ predictor.T, later @ target.T
    found = spec.invariance * (p - y).square().mean()
    for side in (p, y):
        square = torch.cov(side.T)
        variance = square.diagonal()
        found = found + spec.variance * torch.relu(1 - (variance + 1e-4).sqrt()).mean()
        apart = square.square().sum() - variance.square().sum()
        found = found + spec.covariance * apart / len(square)
    return found


def check() -> str:
    """Gate: both losses are one."""
    spec, net, batch = recipe()
    whole = sum(linear_jepa.terms(spec, net, batch).values())
    for number in np.linspace(0, len(whole) - 1, SHOWN).astype(int):
        own = on_pairs(spec, net, number, *pairs(number))
        torch.testing.assert_close(whole[number], own, rtol=1e-3, atol=1e-3)
    return f"gate: by moments the loss of {SHOWN} networks is that on 5,000 pairs, to 0.1 %"


def stepped(loss, networks: SimpleNamespace, steps: int) -> float:
    """Seconds of the process that a step takes, Adam and all."""
    values = [v for part in vars(networks).values() for v in part.parameters() if v.requires_grad]
    optimiser = torch.optim.Adam(values, 1e-3)
    begun = time.process_time()
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    return (time.process_time() - begun) / steps


def main() -> None:
    """Time both."""
    torch.set_num_threads(1)
    print(check())
    spec, net, batch = recipe()
    count = len(net.encoder.weight)
    together = stepped(lambda: linear_jepa.loss(spec, net, batch, {})[0], net, STEPS)
    now, later = pairs(0)
    single = SimpleNamespace(**linear_jepa.networks(spec))
    for part in vars(single).values():
        part.weight = torch.nn.Parameter(part.weight[:1].detach(), part.weight.requires_grad)
    alone = stepped(lambda: on_pairs(spec, single, 0, now, later), single, ALONE)
    print(f"{count} networks at once: {together * 1e3:.2f} ms a step; one: {alone * 1e3:.2f} ms")
    print(f"10,000 steps of {count} networks: {together * 1e4:.0f} s")
    print(f"{count} networks one by one cost {count * alone / together:.0f} times as much")


if __name__ == "__main__":
    main()
