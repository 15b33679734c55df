"""Perceptron: networks of one hidden layer, many of them trained at once on the same rows.

    y = b2 + W2 relu(b1 + W1 x),    Adam on mean squared errors of a fold's training rows

Networks of all draws begin with the same weights and see the same batches, so that what differs
between them is what they are asked for. Width and number of epochs are those of the least error on
validation clips among the training ones (the fold's first inner block), for every draw and target.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from physprobe.statistics import ridge, seeds
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from torch import Tensor

AT_A_TIME, ROWS = 40, 4096
"""Draws whose networks are trained side by side, and rows that they are looked at on."""
BETAS = 0.9, 0.999


class Settings(Protocol):
    """How they are trained; a method's spec may say it."""

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the hidden layer to choose from."""

    @property
    def rate(self) -> float:
        """Learning rate."""

    @property
    def batch(self) -> int:
        """Rows of a step."""

    @property
    def epochs(self) -> int:
        """Most epochs."""

    @property
    def patience(self) -> int:
        """Epochs without a lower error after which it stops."""

    @property
    def seed(self) -> int:
        """Seed of weights and batches."""


class Small(NamedTuple):
    """Settings of a network that is trained beside other things."""

    widths: tuple[int, ...] = (128,)
    rate: float = 4e-3
    batch: int = 256
    epochs: int = 50
    patience: int = 6
    seed: int = 0


class Read(NamedTuple):
    """What networks of one fold make of all clips."""

    predicted: np.ndarray
    """(clip, time, draw, column) of the clips that were asked for."""
    inner: np.ndarray
    """(draw,) mean squared error of the choice on validation clips, summed over columns."""


Function = Callable[[np.ndarray], np.ndarray]


class _Scale(NamedTuple):
    """Mean and deviation of columns."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, floor: float) -> "_Scale":
        deviation = rows.std(0)
        common = np.sqrt(np.mean(deviation**2)) or 1.0
        return cls(rows.mean(0), np.maximum(deviation, floor * common))

    def taken(self, values: np.ndarray) -> "Tensor":
        import torch

        return torch.from_numpy(((values - self.mean) / self.deviation).astype(np.float32))


def read(
    settings: Settings,
    features: np.ndarray,
    states: Mapping[str, np.ndarray],
    fold: Fold,
    asked: np.ndarray,
    components: int | None = None,
    stride: int = 1,
) -> dict[str, Read]:
    """States that networks read off features.

    Parameters
    ----------
    settings : Settings
    features : (clip, time, feature)
    states : mapping of str to (clip, time, draw, column)
        Targets; a network of one draw puts out all of them.
    fold : Fold
        Trained on the clips of its first inner fold, which holds out those that choose.
    asked : (clip,)
        Clips whose states are read.
    components : int, optional
        Principal components of the training rows that take the place of the features.
    stride : int
        Every how manieth row of a clip is trained on.

    Raises
    ------
    ValueError
        If a feature or a state is not finite.
    """
    draws = next(iter(states.values())).shape[2]
    parts = [
        _read(settings, features, states, fold, asked, components, stride, slice(at, to))
        for at, to in _chunks(draws)
    ]
    return {
        name: Read(
            np.concatenate([part[name].predicted for part in parts], 2),
            np.concatenate([part[name].inner for part in parts]),
        )
        for name in states
    }


def _chunks(draws: int) -> list[tuple[int, int]]:
    """The first draw by itself: it is trained for longest."""
    starts = [0, *range(1, draws, AT_A_TIME)]
    return list(zip(starts, [*starts[1:], draws], strict=True))


def _read(
    settings: Settings,
    features: np.ndarray,
    states: Mapping[str, np.ndarray],
    fold: Fold,
    asked: np.ndarray,
    components: int | None,
    stride: int,
    draws: slice,
) -> dict[str, Read]:
    columns = {name: values[:, :, draws] for name, values in states.items()}
    count = next(iter(columns.values())).shape[2]
    wanted = np.concatenate(list(columns.values()), -1)
    for name, part in {"features": features, "states": wanted}.items():
        if not np.isfinite(part).all():
            raise ValueError(f"{name}: not finite in {(~np.isfinite(part)).sum()} places.")
    if components:
        features = ridge.principal(features, fold.train, components)
    inputs = _Scale.of(features[fold.train].reshape(-1, features.shape[-1]), ridge.FLOOR)
    level = wanted[fold.train].reshape(-1, *wanted.shape[2:])
    outputs = _Scale(level.mean(0), np.where(level.std(0) > 0, level.std(0), 1.0))
    training, validation = fold.inner[0]

    def rows(clips: np.ndarray, every: int = 1) -> tuple["Tensor", "Tensor"]:
        return (
            inputs.taken(features[clips, ::every]).flatten(0, 1),
            outputs.taken(wanted[clips, ::every]).flatten(0, 1),
        )

    own, held = rows(training, stride), rows(validation)
    shown = inputs.taken(features[asked]).flatten(0, 1)
    ends = np.cumsum([part.shape[3] for part in columns.values()])
    spans = [
        slice(end - part.shape[3], end) for end, part in zip(ends, columns.values(), strict=True)
    ]
    least = np.full((len(spans), count), np.inf)
    kept = np.zeros((len(shown), *wanted.shape[2:]), np.float32)
    for width in settings.widths:
        best, waited = np.full_like(least, np.inf), np.zeros(least.shape, int)
        trained, there = _Training(settings, width, *own), np.arange(count)
        for _ in range(settings.epochs):
            trained.epoch()
            error = np.full_like(least, np.inf)
            error[:, there] = _errors(trained.networks, held[0], held[1][:, there], spans)
            better = (waited < settings.patience) & (error < best)
            best = np.where(better, error, best)
            waited = np.where(better, 0, waited + 1)
            if (improved := better & (error < least)).any():
                found = _put_out(trained.networks, shown)
                for span, chosen in zip(spans, improved[:, there], strict=True):
                    kept[:, there[chosen], span] = found[:, chosen, span]
                least = np.where(improved, error, least)
            going = np.asarray((waited[:, there] < settings.patience).any(0))
            if not going.any():
                break
            if not going.all():
                trained.keep(going)
                there = there[going]
    predicted = kept * outputs.deviation + outputs.mean
    predicted = predicted.reshape(len(asked), -1, *wanted.shape[2:])
    variance = outputs.deviation**2
    return {
        name: Read(predicted[..., span], place * variance[:, span].mean(-1))
        for name, span, place in zip(columns, spans, least, strict=True)
    }


class _Networks(NamedTuple):
    """Weights of the networks of several draws."""

    first: "Tensor"
    """(feature, draw, width)"""
    shift: "Tensor"
    """(draw, width)"""
    second: "Tensor"
    """(draw, width, column)"""
    level: "Tensor"
    """(draw, column)"""

    def part(self, draws: np.ndarray) -> "_Networks":
        """Those of some draws (draw,)."""
        first, *others = (part.detach() for part in self)
        return _Networks(first[:, draws], *(part[draws] for part in others))

    def __call__(self, rows: "Tensor") -> "Tensor":
        """Outputs (row, draw, column) of inputs (row, feature)."""
        hidden = (rows @ self.first.flatten(1)).unflatten(1, self.shift.shape) + self.shift
        outputs = hidden.relu().transpose(0, 1) @ self.second
        return outputs.transpose(0, 1) + self.level


class _Training:
    """Networks in training by Adam, the rate falling to nothing by the last epoch."""

    def __init__(self, settings: Settings, width: int, inputs: "Tensor", outputs: "Tensor"):
        import torch

        self.settings, self.steps = settings, 0
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.inputs, self.outputs = inputs.to(self.device), outputs.to(self.device)
        begun = _begun(settings.seed, inputs.shape[1], width, *outputs.shape[1:])
        self.networks = _Networks(*(part.to(self.device) for part in begun))
        self.moments = [[torch.zeros_like(part) for part in self.networks] for _ in range(2)]
        self.rng = seeds.rng("perceptron", settings.seed)
        self.batches = -(-len(inputs) // settings.batch)

    def epoch(self) -> None:
        """See every row once."""
        import torch

        order = torch.from_numpy(self.rng.permutation(len(self.inputs))).to(self.device)
        for picked in order.chunk(self.batches):
            weights = [part.requires_grad_() for part in self.networks]
            apart = self.networks(self.inputs[picked]) - self.outputs[picked]
            slopes = torch.autograd.grad(apart.square().mean(0).sum(), weights)
            self._step(slopes)

    def _step(self, slopes: Sequence["Tensor"]) -> None:
        """Adam; Kingma, Ba, ICLR 2015."""
        whole = self.settings.epochs * self.batches
        rate = self.settings.rate * (1 + np.cos(np.pi * self.steps / whole)) / 2
        self.steps += 1
        first, second = (1 - beta**self.steps for beta in BETAS)
        moved = []
        for part, slope, mean, square in zip(self.networks, slopes, *self.moments, strict=True):
            mean.lerp_(slope, 1 - BETAS[0])
            square.lerp_(slope * slope, 1 - BETAS[1])
            change = mean / (square.div(second).sqrt_().add_(1e-8))
            moved.append(part.detach() - (rate / first) * change)
        self.networks = _Networks(*moved)

    def keep(self, draws: np.ndarray) -> None:
        """Go on with some draws (draw,) alone."""
        self.networks = self.networks.part(draws)
        self.moments = [list(_Networks(*each).part(draws)) for each in self.moments]
        self.outputs = self.outputs[:, draws]


def _begun(seed: int, features: int, width: int, draws: int, columns: int) -> _Networks:
    """The same first weights for every draw."""
    import torch

    rng = seeds.rng("perceptron weights", seed, features, width)
    first = rng.normal(size=(features, 1, width)) * np.sqrt(2 / features)
    second = rng.normal(size=(1, width, columns)) / np.sqrt(width)
    return _Networks(
        torch.from_numpy(first.astype(np.float32)).repeat(1, draws, 1),
        torch.zeros(draws, width),
        torch.from_numpy(second.astype(np.float32)).repeat(draws, 1, 1),
        torch.zeros(draws, columns),
    )


def _put_out(networks: _Networks, rows: "Tensor") -> np.ndarray:
    import torch

    with torch.no_grad():
        device = networks.first.device
        parts = [networks(part.to(device)).cpu() for part in rows.split(ROWS)]
    return torch.cat(parts).numpy()


def _errors(
    networks: _Networks, inputs: "Tensor", outputs: "Tensor", spans: Sequence[slice]
) -> np.ndarray:
    """Mean squared errors (target, draw) of scaled columns."""
    whole = ((_put_out(networks, inputs) - outputs.numpy()) ** 2).mean(0, dtype=float)
    return np.stack([whole[:, span].sum(-1) for span in spans])


def function(settings: Settings, features: np.ndarray, states: np.ndarray, fold: Fold) -> Function:
    """A network of one draw as a function, from (row, feature) to (row, column).

    Parameters
    ----------
    settings : Settings
        Its first width is taken.
    features : (clip, time, feature)
    states : (clip, time, column)
    fold : Fold
        As for :func:`read`.
    """
    inputs = _Scale.of(features[fold.train].reshape(-1, features.shape[-1]), ridge.FLOOR)
    level = states[fold.train].reshape(-1, states.shape[-1])
    outputs = _Scale(level.mean(0), np.where(level.std(0) > 0, level.std(0), 1.0))
    own, held = (
        (inputs.taken(features[clips]).flatten(0, 1), outputs.taken(states[clips]).flatten(0, 1))
        for clips in fold.inner[0]
    )
    own, held = ((part[0], part[1][:, None]) for part in (own, held))
    least, kept, waited = np.inf, None, 0
    training = _Training(settings, settings.widths[0], *own)
    for _ in range(settings.epochs):
        training.epoch()
        error = _errors(training.networks, *held, [slice(None)]).item()
        if error < least:
            least, kept, waited = error, training.networks, 0
        elif (waited := waited + 1) >= settings.patience:
            break

    def known(rows: np.ndarray) -> np.ndarray:
        assert kept is not None, "the first epoch is better than none"
        found = _put_out(kept, inputs.taken(rows))[:, 0]
        return found * outputs.deviation + outputs.mean

    return known
