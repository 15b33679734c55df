"""Attentive probes: all fits in one program, against the same fits by plain modules one by one.

A layer of 8 token times and 128 features, 120 clips in 3 outer and 3 inner folds, 2 x 3 settings, a
label and 4 permuted ones, 5 steps; one core. The loop is timed on a part of the fits and scaled up
to all of them. The gate comes first: the same predictions for held-out clips.
"""

import time
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from physprobe.fit.methods import _attention, _cuts, _readout, _samples, _trained
from physprobe.fit.methods._numbers import Numbers
from physprobe.statistics import seeds, splits

CLIPS, TIMES, FEATURES, EPOCHS = 120, 8, 128, 5
RATES, DECAYS = (0.01, 0.03), (3.0, 1.0, 0.1)
SETTINGS = list(product(RATES, DECAYS))
LABELS, COMPARED = 5, 60
FOLDS = splits.nested(np.arange(CLIPS), outer=3, inner=3)


class Alone(torch.nn.Module):
    """One query over the tokens of a clip, and a line."""

    def __init__(self):
        super().__init__()
        first = _attention.Query().first(FEATURES, 1, seeds.rng("first weights", 0))
        self.query = torch.nn.Parameter(torch.tensor(first["query"]).float())
        self.readout = torch.nn.Parameter(torch.tensor(first["readout"][0]).float())

    def forward(self, tokens: Tensor) -> Tensor:
        """Outputs (clip,)."""
        pooled = torch.nn.functional.scaled_dot_product_attention(
            self.query.expand(len(tokens), 1, -1), tokens, tokens
        )
        return FEATURES**-0.5 * (pooled[:, 0] @ self.readout[:-1]) + self.readout[-1]


def alone(tokens: Tensor, asked: Tensor, held: Tensor, rate: float, decay: float) -> np.ndarray:
    """Predictions for held-out clips after all steps of one fit."""
    model = Alone()
    momentum = [torch.zeros_like(p) for p in model.parameters()]
    square = [0.0, 0.0]
    for step in range(1, EPOCHS + 1):
        loss = torch.nn.functional.mse_loss(model(tokens), asked)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for place, (p, gradient) in enumerate(zip(model.parameters(), gradients, strict=True)):
                (p[:-1] if place else p).mul_(1 - rate * decay)
                momentum[place].lerp_(gradient, 0.1)
                square[place] = 0.999 * square[place] + 0.001 * float((gradient**2).mean())
                size = (square[place] / (1 - 0.999**step)) ** 0.5 + _attention.Query.epsilon
                p -= rate / (1 - 0.9**step) / size * momentum[place]
    with torch.no_grad():
        return model(held).numpy()


def cuts() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Training and held-out clips of every fit."""
    for fold in FOLDS:
        yield fold.train, fold.test
        yield from fold.inner


def loop(tokens: np.ndarray, labels: np.ndarray, most: int) -> list[np.ndarray]:
    """Predictions of the first fits, each by itself."""
    found = []
    for train, held in cuts():
        known = tokens[train].reshape(-1, FEATURES)
        shown = torch.tensor((tokens - known.mean(0)) / known.std(0)).float()
        for rate, decay in SETTINGS:
            for column in range(labels.shape[1]):
                if len(found) == most:
                    return found
                label = labels[:, column]
                asked = (label[train] - label[train].mean()) / label[train].std()
                asked = torch.tensor(asked).float()
                found.append(alone(shown[train], asked, shown[held], rate, decay))
    return found


def together(tokens: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Outputs (clip, setting, member, output) of every part after all steps."""
    readout = _readout.of(Numbers(labels[..., None], {"a": 1}))
    plan = _trained.Trained(_attention.Query(), RATES, DECAYS, [EPOCHS], None, 0)
    (source,) = _samples.pooled(["time"], [tokens], ["0"])
    parts = _cuts.cuts(source.parts(FOLDS), readout, None)
    return [held[0] for _, held, _ in _trained._fits(parts, plan)]


def seconds(work: Callable[..., list], *given: object) -> tuple[float, list]:
    """Processor time [s] and what came out: other jobs don't count."""
    start = time.process_time()
    found = work(*given)
    return time.process_time() - start, found


def drawn(labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (clip, time, feature) and labels (clip, label)."""
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(CLIPS, TIMES, FEATURES)).astype(np.float32)
    return tokens, rng.normal(size=(CLIPS, labels))


def agree(each: list[np.ndarray], every: list[np.ndarray]) -> str:
    """Gate: fits one by one predict what those of all parts together do."""
    flat = [part[:, s, m, 0] for part in every for s, m in np.ndindex(part.shape[1:3])]
    worst = max(np.abs(a - b).max() for a, b in zip(each, flat, strict=False))
    if worst > 1e-3:
        raise SystemExit(f"gate: predictions differ by {worst:.1e}")
    return f"gate: predictions of {len(each)} fits equal to {worst:.0e}"


def check() -> str:
    """Gate on a single label."""
    tokens, labels = drawn(1)
    return agree(loop(tokens, labels, 8), together(tokens, labels))


def main() -> None:
    """Gate, timings, ratio."""
    tokens, labels = drawn(LABELS)
    loop(tokens, labels, 2)
    together(tokens, labels[:, :1])
    theirs, each = seconds(loop, tokens, labels, COMPARED)
    ours, every = seconds(together, tokens, labels)
    fits = sum(1 for _ in cuts()) * len(SETTINGS) * LABELS
    print(agree(each, every))
    print(f"one by one: {1e3 * theirs / COMPARED:.1f} ms per fit ({COMPARED} of {fits})")
    print(f"together:   {1e3 * ours / fits:.2f} ms per fit")
    print(f"ratio: {theirs / COMPARED / (ours / fits):.1f}")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
