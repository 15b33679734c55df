"""Sweep: linear maps trained by Adam under many settings, all folds and layers in one program.

    min mean (y - b - w . x)^2,    gradient + decay (w, b) goes into the moments

Every epoch is one step on all training rows. A setting stops when its error on the held-out fold
has not fallen for some epochs, and the epoch where that was least is kept: the published selection.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product

import numpy as np
import torch

from physprobe.fit.methods._numbers import Numbers
from physprobe.fit.methods._selection import OfNumbers, Part, Solver, together
from physprobe.statistics.splits import Fold

BETAS, EPSILON = (0.9, 0.999), 1e-8
SMALL = 1e-6  # deviation below which a column is not scaled
ROOM = 2**28  # numbers that the maps, their moments and the features of one program may take


@dataclass(frozen=True, kw_only=True)
class Fitted(OfNumbers):
    """What was chosen on the held-out fold itself; ``inner`` is 1 - R2 there."""

    setting: np.ndarray
    """(column,) place among the settings."""
    epoch: np.ndarray
    """(column,) epoch that was kept."""


@dataclass(frozen=True)
class Sweep(Solver[Numbers, Fitted]):
    """Every setting in one program, the best taken on the held-out fold."""

    LATER = True
    CAVEAT = "setting and epoch chosen on the fold that is reported"

    rates: Sequence[float]
    """Learning rates."""
    decays: Sequence[float]
    normalisation: str
    """"zscore", "center" or "none": of features and labels, by the training rows."""
    epochs: int
    """Most epochs."""
    patience: int
    """Epochs without a lower held-out error after which a setting stops."""
    seed: int
    """Of the first weights, the same for all."""

    @property
    def settings(self) -> list[tuple[float, float]]:
        """Learning rates and decays, each with each."""
        return list(product(self.rates, self.decays))

    def fits(self, parts: Iterable[Part], labels: Numbers) -> Iterator[Fitted]:
        """Train every part under every setting, as many layers at once as there is room for."""
        widths = list(labels.widths.values())
        for some in _together(parts, len(self.settings) * labels.values[0].size):
            ready = [_Normalised(p.rows, labels, p.fold, self.normalisation) for p in some]
            yield from _train(ready, widths, self.settings, self.epochs, self.patience, self.seed)

    def chosen(self, fit: Fitted, column: int) -> dict:
        """What was chosen for a column."""
        rate, decay = self.settings[fit.setting[column]]
        return {
            "learning_rate": rate,
            "weight_decay": decay,
            "epoch": fit.epoch[column],
            "inner_r2": None,
            "edge_hit": rate in (min(self.rates), max(self.rates))
            or decay in (min(self.decays), max(self.decays)),
        }


def _together(parts: Iterable[Part], columns: int) -> Iterator[list[Part]]:
    """Layers that are trained in one program: all of them, if there is room."""
    waiting: list[Part] = []
    taken = 0
    for _, layer in groupby(parts, key=lambda part: part.layer):
        mine = list(layer)
        clips, times, features = mine[0].rows.shape
        size = len(mine) * features * (clips * times + 4 * columns)
        if waiting and taken + size > ROOM:
            yield waiting
            waiting, taken = [], 0
        waiting += mine
        taken += size
    yield waiting


class _Normalised:
    """One layer's rows in one outer fold, normalised by its training rows."""

    def __init__(self, rows: np.ndarray, labels: Numbers, fold: Fold, normalisation: str):
        self.times, self.labels, self.fold = rows.shape[1], labels, fold
        clips = len(labels.values)
        columns = np.repeat(labels.values.reshape(clips, -1), self.times, axis=0)
        columns = columns.reshape(clips, self.times, -1)
        self.true = labels.values.shape[2]
        (self.train, self.test), _, _ = _normalised(rows, fold, normalisation)
        (self.asked, self.held), self.mean, self.scale = _normalised(columns, fold, normalisation)

    def fitted(
        self,
        held: np.ndarray,
        train: np.ndarray,
        setting: np.ndarray,
        epoch: np.ndarray,
        widths: Sequence[int],
    ) -> Fitted:
        """What was kept, in the labels' own units, from predictions (row, column)."""
        truth, errors = self.held * self.scale, (held - self.held) * self.scale
        spread = together(((truth - truth.mean(0)) ** 2).sum(0), widths)
        residual = ((train - self.asked) * self.scale)[:, : self.true]
        missed = errors.reshape(-1, self.times, errors.shape[1])
        predicted = (held * self.scale + self.mean)[:, : self.true]
        return Fitted(
            inner=together((errors**2).sum(0), widths) / np.where(spread > 0, spread, np.inf),
            errors=(missed**2).sum(0),
            grouped=self.labels.grouped(missed, self.fold.test),
            setting=setting,
            epoch=epoch,
            predicted=predicted.reshape(-1, self.times, self.true),
            train_squared=(residual**2).mean(0),
            train_absolute=np.abs(residual).mean(0),
            halved=np.zeros((0, 2, len(truth) // self.times, self.times, self.true)),
        )


def _normalised(
    values: np.ndarray, fold: Fold, how: str
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    """Training and held-out rows (row, feature), and what was taken off and divided by."""
    train, test = (values[clips].reshape(-1, values.shape[-1]) for clips in (fold.train, fold.test))
    mean, scale = train.mean(0), train.std(0)
    mean = np.zeros_like(mean) if how == "none" else mean
    scale = np.where((how == "zscore") & (scale >= SMALL), scale, 1.0)
    return ((train - mean) / scale, (test - mean) / scale), mean, scale


def _train(
    parts: Sequence[_Normalised],
    widths: Sequence[int],
    settings: Sequence[tuple[float, float]],
    epochs: int,
    patience: int,
    seed: int,
) -> list[Fitted]:
    """Train all parts under all settings at once; columns run over (setting, draw x column)."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    train, asked, there = _padded([(p.train, p.asked) for p in parts], device)
    test, held, here = _padded([(p.test, p.held) for p in parts], device)
    columns, draws = asked.shape[2], asked.shape[2] // sum(widths)
    asked, held = (values.repeat(1, 1, len(settings)) for values in (asked, held))
    rate, decay = (
        torch.tensor(values, device=device).repeat_interleave(columns)
        for values in zip(*settings, strict=True)
    )
    # mean over rows and columns of a target, as a loss of its own
    share = torch.tensor(np.tile(np.repeat(widths, widths), draws * len(settings)), device=device)
    step = 2.0 * there / (there.sum(1, keepdim=True) * share)
    generator = torch.Generator().manual_seed(seed)
    reach = train.shape[2] ** -0.5
    first = reach * (2 * torch.rand(1, train.shape[2] + 1, sum(widths), generator=generator) - 1)
    first = first.repeat(len(parts), 1, draws * len(settings)).to(device)
    maps = first.contiguous()
    moments = [torch.zeros_like(maps) for _ in BETAS]
    ones = torch.ones_like(train[..., :1])
    train = torch.cat([train, ones], 2)
    test = torch.cat([test, torch.ones_like(test[..., :1])], 2)
    best = torch.full((len(parts), len(settings) * columns), torch.inf, device=device)
    waited = torch.zeros_like(best)
    kept = torch.zeros_like(best)
    predicted, fitted = torch.zeros_like(held), torch.zeros_like(asked)
    for epoch in range(1, epochs + 1):
        residual = (torch.bmm(train, maps) - asked) * step
        gradient = torch.bmm(train.transpose(1, 2), residual).addcmul_(maps, decay)
        moments[0].mul_(BETAS[0]).add_(gradient, alpha=1 - BETAS[0])
        moments[1].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
        size = (moments[1] / (1 - BETAS[1] ** epoch)).sqrt_().add_(EPSILON)
        maps = maps.addcdiv_(moments[0] * (-rate / (1 - BETAS[0] ** epoch)), size)
        guess = torch.bmm(test, maps)
        error = (((guess - held) * here) ** 2).sum(1)
        error = _by_target(error, widths)
        better = (error < best) & (waited < patience)
        waited = torch.where(better, 0, waited + 1)
        best, kept = torch.where(better, error, best), torch.where(better, epoch, kept)
        if better.any():
            predicted = torch.where(better[:, None], guess, predicted)
            fitted = torch.where(better[:, None], torch.bmm(train, maps), fitted)
        elif (waited >= patience).all():
            break
    found = []
    for place, part in enumerate(parts):
        of_setting = [
            values[place].reshape(*values.shape[1:-1], len(settings), columns).cpu().numpy()
            for values in (best, kept, predicted, fitted)
        ]
        errors, stops, guesses, given = of_setting
        # R2 orders settings as the error does: one fold has one spread
        least = errors.argmin(0)
        pick = least[None]
        found.append(
            part.fitted(
                np.take_along_axis(guesses[: len(part.held)], pick[None], 1)[:, 0].astype(float),
                np.take_along_axis(given[: len(part.asked)], pick[None], 1)[:, 0].astype(float),
                least,
                np.take_along_axis(stops, pick, 0)[0].astype(int),
                widths,
            )
        )
    return found


def _by_target(values: torch.Tensor, widths: Sequence[int]) -> torch.Tensor:
    """Sums over each target's columns, in the place of each: (part, setting x draw x column)."""
    if max(widths) == 1:
        return values
    member = torch.repeat_interleave(torch.arange(len(widths)), torch.tensor(widths))
    member = member.to(values.device)
    each = values.reshape(len(values), -1, sum(widths))
    sums = torch.zeros(*each.shape[:2], len(widths), device=values.device)
    return sums.index_add_(2, member, each)[..., member].reshape(values.shape)


def _padded(
    pairs: Sequence[tuple[np.ndarray, np.ndarray]], device: str
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rows and labels (part, row, ...) with zeros below the shorter ones, and where rows are."""
    most = max(len(rows) for rows, _ in pairs)
    found = []
    for values in zip(*pairs, strict=True):
        whole = np.zeros((len(values), most, values[0].shape[1]), np.float32)
        for place, part in enumerate(values):
            whole[place, : len(part)] = part
        found.append(torch.from_numpy(whole).to(device))
    there = torch.zeros(len(pairs), most, 1, device=device)
    for place, (rows, _) in enumerate(pairs):
        there[place, : len(rows)] = 1.0
    first, second = found
    return first, second, there
