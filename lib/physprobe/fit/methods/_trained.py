"""Trained: readouts of tokens by AdamW, chosen on inner folds, all of them in one program.

Every layer is fitted in every outer fold, and in the inner folds within it, under every setting, to
the true labels and to permuted ones; after some numbers of epochs the held-out clips are read. A
setting and a number of epochs are chosen by the inner folds alone. All fits start from the same
weights; those of one fold go through its clips in the same order.

References
----------
Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from physprobe.fit.methods import _readout
from physprobe.fit.methods._attention import Parameters
from physprobe.fit.methods._classes import Classes
from physprobe.fit.methods._cuts import Cut, cuts
from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.methods._readout import Readout, TrainedClasses, TrainedNumbers
from physprobe.fit.methods._selection import Part, Solver
from physprobe.statistics import seeds
from physprobe.statistics.splits import Fold

BETAS = 0.9, 0.999
ROOM = 2**26  # numbers that one program may take
PIECE = 2**26  # numbers that the clips of a step take which are shown at once


class Model(Protocol):
    """What is trained; see ``_attention``."""

    def first(self, features: int, outputs: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """First parameters of a member."""

    @property
    def even(self) -> frozenset[str]:
        """Parameters whose rows are each stepped by one scale, that of the row's mean square."""

    @property
    def epsilon(self) -> float:
        """What the scale of a step is no smaller than."""

    def intercept(self, parameters: Mapping[str, np.ndarray]) -> np.ndarray:
        """What is put out whatever the tokens are (..., output), to be set."""

    def decays(self, name: str) -> slice:
        """Which of a row's numbers are regularised."""

    def numbers(self, tokens: int, features: int, members: int, outputs: int) -> int:
        """Numbers that a clip takes in training."""

    def __call__(self, parameters: Parameters, tokens: Tensor) -> Tensor:
        """Outputs (part, clip, member, output) from tokens (part, clip, token, feature)."""


@dataclass
class _Read:
    """What a part's fits put out for its held-out clips, and for its training clips."""

    held: list[np.ndarray] = field(default_factory=list)
    train: list[np.ndarray] = field(default_factory=list)


@dataclass(frozen=True)
class Trained(Solver[Numbers | Classes, TrainedNumbers | TrainedClasses]):
    """Readouts under every setting, trained together; also how that is done."""

    model: Model
    rates: Sequence[float]
    """Learning rates to choose from."""
    decays: Sequence[float]
    """Weight decays to choose from."""
    epochs: Sequence[int]
    """Numbers of epochs to choose from, ascending."""
    batch: int | None
    """Most clips of a step; None: all training clips."""
    seed: int
    components: int | None = None
    """Principal components of a fit's training clips that stand for the features, if any."""

    @property
    def settings(self) -> list[tuple[float, float]]:
        """Learning rates and weight decays, each with each, the strongest regularised first."""
        return list(product(sorted(self.rates), sorted(self.decays, reverse=True)))

    def fits(
        self, parts: Iterable[Part], labels: Numbers | Classes
    ) -> Iterator[TrainedNumbers | TrainedClasses]:
        """Train every part and its inner folds, and choose setting and epochs by these."""
        readout = _readout.of(labels)
        errors: dict[tuple[int, int], np.ndarray] = {}
        outputs: dict[tuple[int, int], tuple[Fold, np.ndarray, np.ndarray]] = {}
        features: dict[tuple[int, int], int] = {}
        sizes: dict[tuple[int, int], int] = {}
        for part, held, train in _fits(cuts(parts, readout, self.components), self):
            here = part.layer, part.place
            if train is not None:
                outputs[here] = part.fold, held, train
                features[here] = part.tokens.shape[2]
            else:
                found = readout.errors(held, part.train, part.held)
                errors[here] = errors.get(here, 0.0) + found
        for here in sorted(outputs):
            fold, held, train = outputs.pop(here)
            fitted = readout.fitted(fold, errors[here] / readout.unit(fold), held, train)
            each = [(features[here], width) for width in readout.each]
            sizes |= {key: self._parameters(*key) for key in set(each) - sizes.keys()}
            yield replace(fitted, parameters=np.array([sizes[key] for key in each]))

    def _parameters(self, features: int, outputs: int) -> int:
        """Numbers that a readout has to be trained."""
        first = self.model.first(features, outputs, np.random.default_rng(0))
        return sum(value.size for value in first.values())

    def chosen(self, fit: TrainedNumbers | TrainedClasses, column: int) -> dict:
        """What was chosen for a column."""
        rate, decay = self.settings[fit.setting[column]]
        epochs = self.epochs[fit.epoch[column]]
        grids = (rate, self.rates), (decay, self.decays)
        return {
            "scaling": "feature",
            "learning_rate": rate,
            "weight_decay": decay,
            "epochs": epochs,
            "parameters": fit.parameters[column],
            **fit.told(column),
            "edge_hit": epochs == self.epochs[-1]
            or any(len(grid) > 1 and value in (min(grid), max(grid)) for value, grid in grids),
        }


def _fits(
    parts: Iterator[Cut], plan: Trained
) -> Iterator[tuple[Cut, np.ndarray, np.ndarray | None]]:
    """Outputs of each part, as many parts and members at a time as there is room for."""
    waiting: dict[int, list[Cut]] = {}
    for part in parts:
        together = waiting.setdefault(part.steps(plan.batch), [])
        if together and (len(together) + 1) * _size(part, plan) > ROOM:
            yield from _shared(together, plan)
            together.clear()
        together.append(part)
    for together in waiting.values():
        yield from _shared(together, plan)


def _size(part: Cut, plan: Trained, members: int | None = None) -> int:
    """Numbers that one part takes in training."""
    clips = min(plan.batch or len(part.train), len(part.train))
    fits = len(plan.settings) * (members or part.readout.members)
    tokens, features = part.tokens.shape[1:]
    return clips * plan.model.numbers(tokens, features, fits, part.readout.outputs)


def _shared(
    parts: Sequence[Cut], plan: Trained
) -> Iterator[tuple[Cut, np.ndarray, np.ndarray | None]]:
    """Outputs of parts that are trained together, members in turn if there is no room for all."""
    members = parts[0].readout.members
    shares = min(members, -(-len(parts) * _size(parts[0], plan) // ROOM))
    reads = [_train(parts, some, plan) for some in np.array_split(np.arange(members), shares)]
    for place, part in enumerate(parts):
        held = np.concatenate([np.stack(read[place].held) for read in reads], axis=3)
        if part.inner is not None:
            yield part, held, None
            continue
        kept = [np.stack(read[place].train) for read in reads if read[place].train]
        yield part, held, np.concatenate(kept, axis=3)


def _train(parts: Sequence[Cut], members: np.ndarray, plan: Trained) -> list[_Read]:
    """Train some members of all parts under all settings at once."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    readout, reads, step = parts[0].readout, [_Read() for _ in parts], 0
    parameters = _first(parts, members, plan, device)
    moments = _moments(plan.model, parameters)
    rate, decay = (
        torch.tensor(values, dtype=torch.float32, device=device).repeat_interleave(len(members))
        for values in zip(*plan.settings, strict=True)
    )
    share = torch.from_numpy(readout.share[members]).to(device)
    asked = [readout.asked(part.train)[:, None, members] for part in parts]
    longest = max(len(part.train) for part in parts)
    most = _at_once(parts[0], len(plan.settings) * len(members), plan, len(parts))
    # all clips at every step: where there is room they are made once
    keep = not plan.batch and longest <= most
    whole = [[*step] for step in _batches(parts, asked, plan, 0, device, most)] if keep else None
    for epoch in range(plan.epochs[-1] + 1):
        for pieces in whole or _batches(parts, asked, plan, epoch, device, most):
            if not epoch:
                break
            step += 1
            gradients = _gradients(plan, parameters, pieces, readout, share)
            _step(plan.model, parameters, gradients, moments, rate, decay, step)
        if epoch in plan.epochs:
            for place, part in enumerate(parts):
                own = {name: p[place : place + 1].detach() for name, p in parameters.items()}
                _read(reads[place], part, own, members, plan)
    return reads


def _at_once(part: Cut, fits: int, plan: Trained, parts: int = 1) -> int:
    """Clips of a step that are shown at once, by the room that they take in so many fits."""
    tokens, features = part.tokens.shape[1:]
    each = parts * plan.model.numbers(tokens, features, fits, part.readout.outputs)
    return max(1, PIECE // each)


def _gradients(
    plan: Trained,
    parameters: Mapping[str, Tensor],
    pieces: Iterable[tuple[Tensor, Tensor, Tensor]],
    readout: Readout,
    share: Tensor,
) -> list[Tensor]:
    """Gradient of a step's loss, the sum of those of its pieces."""
    found: list[Tensor] = []
    for shown, wanted, weight in pieces:
        outputs = plan.model(parameters, shown).unflatten(2, (len(plan.settings), -1))
        loss = (readout.loss(outputs, wanted, share) * weight).sum()
        own = torch.autograd.grad(loss, list(parameters.values()))
        found = [one + other for one, other in zip(found, own, strict=True)] if found else [*own]
    return found


def _first(
    parts: Sequence[Cut], members: np.ndarray, plan: Trained, device: str
) -> dict[str, Tensor]:
    """First parameters (part, setting x member, ...), the same but for what is put out at first."""
    readout, features = parts[0].readout, parts[0].tokens.shape[2]
    rng = seeds.rng("first weights", plan.seed)
    first = plan.model.first(features, readout.outputs, rng)
    count = len(plan.settings) * len(members)
    found = {
        name: np.broadcast_to(value, (len(parts), count, *value.shape)).astype(np.float32)
        for name, value in first.items()
    }
    offsets = np.stack([readout.offset(part.train)[members] for part in parts])
    plan.model.intercept(found)[:] += np.tile(offsets, (1, len(plan.settings), 1))
    return {
        name: torch.from_numpy(value).to(device).requires_grad_() for name, value in found.items()
    }


def _moments(model: Model, parameters: Parameters) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Mean gradients, and mean squared gradients, to start from."""
    first = {name: torch.zeros_like(p) for name, p in parameters.items()}
    second = {name: p[..., :1] if name in model.even else p for name, p in first.items()}
    return first, {name: torch.zeros_like(p) for name, p in second.items()}


def _batches(
    parts: Sequence[Cut],
    asked: Sequence[np.ndarray],
    plan: Trained,
    epoch: int,
    device: str,
    most: int,
) -> Iterator[Iterator[tuple[Tensor, Tensor, Tensor]]]:
    """Pieces of each step of an epoch, of at most so many clips."""
    for step in zip(*(part.batches(plan.batch, plan.seed, epoch) for part in parts), strict=True):
        yield _pieces(parts, asked, step, device, most)


def _pieces(
    parts: Sequence[Cut],
    asked: Sequence[np.ndarray],
    step: Sequence[np.ndarray],
    device: str,
    most: int,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Tokens, what is asked of them, and weights, (part, clip, ...), of a step's clips.

    Parts with fewer clips are filled up with clips of no weight.
    """
    longest = max(map(len, step))
    for start in range(0, longest, most):
        found = [
            np.zeros((len(parts), min(most, longest - start), *shape), np.float32)
            for shape in (parts[0].tokens.shape[1:], asked[0].shape[1:], (1, 1))
        ]
        for place, (part, all_mine) in enumerate(zip(parts, step, strict=True)):
            mine = all_mine[start : start + most]
            clips = part.train[mine]
            values = part.shown(clips), asked[place][clips], 1.0 / len(all_mine)
            for whole, value in zip(found, values, strict=True):
                whole[place, : len(clips)] = value
        first, second, third = (torch.from_numpy(whole).to(device) for whole in found)
        yield first, second, third


def _step(
    model: Model,
    parameters: Parameters,
    gradients: Sequence[Tensor],
    moments: Sequence[Parameters],
    rate: Tensor,
    decay: Tensor,
    step: int,
) -> None:
    """One step of AdamW; rate and decay (member,), and the steps so far with this one."""
    with torch.no_grad():
        for (name, values), gradient in zip(parameters.items(), gradients, strict=True):
            shape = (1, -1, *[1] * (values.ndim - 2))
            mine, first, second = rate.view(shape), moments[0][name], moments[1][name]
            values[..., model.decays(name)].mul_(1 - mine * decay.view(shape))
            first.lerp_(gradient, 1 - BETAS[0])
            squared = gradient**2
            if name in model.even:
                squared = squared.mean(-1, keepdim=True)
            second.lerp_(squared, 1 - BETAS[1])
            size = (second / (1 - BETAS[1] ** step)).sqrt_().add_(model.epsilon)
            values.sub_((first / size).mul_(mine / (1 - BETAS[0] ** step)))


def _read(
    read: _Read, part: Cut, parameters: Parameters, members: np.ndarray, plan: Trained
) -> None:
    """Outputs for the held-out clips, in an outer fold in float64: equal tokens, equal outputs.

    In an outer fold also those of the true labels for the training clips.
    """
    outer = part.inner is None
    read.held.append(_outputs(part, parameters, part.held, plan, double=outer))
    true = np.flatnonzero(members < part.readout.true)
    if outer and len(true):
        columns = np.arange(len(plan.settings))[:, None] * len(members) + true
        own = {name: p[:, columns.ravel()] for name, p in parameters.items()}
        read.train.append(_outputs(part, own, part.train, plan, double=False))


def _outputs(
    part: Cut, parameters: Parameters, clips: np.ndarray, plan: Trained, *, double: bool
) -> np.ndarray:
    """Outputs (clip, setting, member, output) of one part's fits."""
    found, like = [], next(iter(parameters.values()))
    kind = torch.float64 if double else torch.float32
    parameters = {name: p.to(kind) for name, p in parameters.items()}
    most = min(plan.batch or len(clips), _at_once(part, like.shape[1], plan))
    with torch.no_grad():
        for some in np.array_split(clips, -(-len(clips) // most)):
            shown = torch.from_numpy(part.shown(some)[None]).to(like.device, kind)
            outputs = plan.model(parameters, shown)[0].unflatten(1, (len(plan.settings), -1))
            found.append(outputs.cpu().numpy())
    return np.concatenate(found).astype(np.float64)
