"""Further: scores of numbers beside R2 of clips: of groups of clips, and of standardised labels.

    group_r2    1 - SSE / SST of groups:  predictions of a group's clips are averaged, then scored
    z_mse       mean of (y - prediction)^2 / s^2,   s: deviation of the training clips' labels

Windows of one trajectory share its parameters: what is asked is how well these are read off all of
them, a group at a time, where every group counts once. A target that isn't the same for all clips
of a group has no such score. ``z_mse`` is the measure that is published of parameter recovery; a
guess of the training clips' mean scores about 1.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from physprobe.fit.methods import _rows
from physprobe.fit.methods._rows import Asked, HeldOut
from physprobe.fit.methods._selection import OfNumbers, Solver, Tally, by_target
from physprobe.statistics import half_samples, nulls, resampling
from physprobe.statistics.intervals import Interval

ALIKE = "labels of all held-out groups are the same"


def rows(
    values: np.ndarray,
    widths: Mapping[str, int],
    arranged: Sequence[nulls.Arrangements],
    tally: Tally[OfNumbers],
    solver: Solver,
    asked: Asked,
) -> Iterator[dict]:
    """Rows of one sample, layer by layer: of clips if ``z_mse`` is asked for, then of groups.

    Parameters
    ----------
    values : (clip, 1 + permutation, column)
        True labels first.
    widths : mapping of str to int
        Columns of each target, in their order.
    arranged : (target,) of Arrangements
        How the labels of each target can be permuted.
    tally : Tally
    solver : Solver
        What was fitted by.
    asked : Asked
    """
    clips, groups = _On.clips(asked.held), _On.groups(asked.held)
    whole = _Labels(values, widths, arranged, asked)
    for place, layer in enumerate((*tally.names, "selected")):
        fits = tally.selected if layer == "selected" else tally.layers[place]
        if asked.standardised:
            errors = np.stack([fit.errors.mean(0) for fit in fits])
            yield from _Scored(whole, tally, fits, layer, solver, clips, errors).z_mse()
        if groups is not None and any(groups.share(part) for part in whole.true):
            errors = np.stack([fit.grouped for fit in fits])
            found = _Scored(whole, tally, fits, layer, solver, groups, errors)
            yield from found.of_groups()
            if asked.standardised:
                yield from found.z_mse()


@dataclass(frozen=True)
class _On:
    """What predictions are scored on: held-out clips, or groups of them."""

    held: HeldOut
    """Of groups their first clips."""
    member: np.ndarray | None = None
    """(clip,) group of each held-out clip."""

    @classmethod
    def clips(cls, held: HeldOut) -> Self:
        """Clips by themselves."""
        return cls(held)

    @classmethod
    def groups(cls, held: HeldOut) -> Self | None:
        """Groups; None if every clip is its own."""
        names, first, member = np.unique(held.groups, return_index=True, return_inverse=True)
        if len(names) == len(member):
            return None
        own = HeldOut(held.clip[first], held.fold[first], names, held.everyone, held.halves)
        return cls(own, member)

    @property
    def metric(self) -> str:
        """Beginning of the metrics' names."""
        return "" if self.member is None else "group_"

    @property
    def note(self) -> str | None:
        """What is to be said of scores."""
        if self.member is None:
            return None
        return f"mean predictions of {len(self.held.clip)} groups of clips"

    def share(self, values: np.ndarray) -> bool:
        """Whether clips (clip, column) of a group have the same label."""
        if self.member is None:
            return True
        _, first = np.unique(self.member, return_index=True)
        return bool((values == values[first][self.member]).all())

    def of(self, predicted: np.ndarray) -> np.ndarray:
        """Predictions (..., unit, time, column) from those of clips: of groups their mean."""
        if self.member is None:
            return predicted
        return resampling.by_group(predicted.mean(-2), self.member)[..., None, :] / np.bincount(
            self.member
        ).reshape(-1, 1, 1)


class _Labels:
    """Labels of all targets, and what they are measured in."""

    def __init__(
        self,
        values: np.ndarray,
        widths: Mapping[str, int],
        arranged: Sequence[nulls.Arrangements],
        asked: Asked,
    ):
        self.values, self.names, self.asked = values, list(widths), asked
        self.counts = list(widths.values())
        self.columns = _rows.slices(self.counts)
        self.arranged = arranged
        self.true = [self.values[asked.held.clip, 0, own] for own in self.columns]
        spread = np.stack([self.values[fold.train].var(0) for fold in asked.folds])
        self.variance = np.where(spread > 0, spread, 1.0)
        """(fold, draw, column) of the training clips' labels."""

    def together(self, some: Sequence[int]) -> nulls.Arrangements:
        """How labels of several targets can be permuted at once."""
        columns = np.concatenate([self.values[..., self.columns[t]] for t in some], axis=-1)
        held, asked = self.asked.held, self.asked
        return nulls.Arrangements.of_labels(columns, held.everyone, asked.strata, asked.used)


class _Scored:
    """What was predicted in one layer of a sample, scored on clips or on groups.

    Parameters
    ----------
    labels : _Labels
    tally, fits, layer, solver
        What was fitted, and by what.
    on : _On
    errors : (fold, draw x column)
        Squared errors, summed over units.
    """

    def __init__(
        self,
        labels: _Labels,
        tally: Tally[OfNumbers],
        fits: Sequence[OfNumbers],
        layer: str,
        solver: Solver,
        on: _On,
        errors: np.ndarray,
    ):
        self.labels, self.tally, self.fits, self.layer = labels, tally, fits, layer
        self.solver, self.on = solver, on
        self.errors = errors.reshape(len(fits), *labels.values.shape[1:])
        predicted, halved = _rows.joined(fits, labels.asked.folds)
        self.truth = labels.values[on.held.clip, 0]
        self.residual = on.of(predicted) - self.truth[:, None]
        self.missed = on.of(halved) - self.truth[:, None]
        self.targets = [t for t, part in enumerate(labels.true) if on.share(part)]

    def of_groups(self) -> Iterator[dict]:
        """R2 and mean absolute error of each target."""
        labels, spec, held = self.labels, self.labels.asked.spec, self.on.held
        counts = labels.counts
        drawn = labels.values[held.clip]
        spread = by_target(((drawn - drawn.mean(0)) ** 2).sum(0), counts)
        with np.errstate(invalid="ignore", divide="ignore"):
            null = 1.0 - by_target(self.errors.sum(0), counts) / spread
        squared = by_target(self.residual**2, counts)[:, 0].T
        absolute = (by_target(np.abs(self.residual), counts) / counts)[:, 0].T
        truth = _rows.padded(self.truth, labels.columns)
        ratios, apart = (self._ratios(part) for part in (self.missed**2, np.abs(self.missed)))
        r2 = _rows.intervals(spec, held, truth, squared, ratios)
        mae = _rows.means(spec, held, absolute, apart)
        for t in self.targets:
            nulled = labels.arranged[t].row(null[0, t], null[1:, t])
            yield self._row(t, "r2", r2.at(t), nulled)
            yield self._row(t, "mae", mae.at(t))

    def z_mse(self) -> Iterator[dict]:
        """Squared error of standardised labels: of each target, and of all of them."""
        labels, spec, held = self.labels, self.labels.asked.spec, self.on.held
        counts = np.array(labels.counts)
        scale = 1.0 / labels.variance[held.fold, 0][:, None]
        each = (by_target(self.residual**2 * scale, labels.counts) / counts).mean(1).T
        missed = self.missed**2 * scale
        null = by_target((self.errors / labels.variance).sum(0), labels.counts) / counts
        null /= len(held.clip)
        found = _rows.means(spec, held, each, self._ratios(missed))
        for t in self.targets:
            nulled = labels.arranged[t].row(null[0, t], null[1:, t], -1.0)
            yield self._row(t, "z_mse", found.at(t), nulled)
        if len(self.targets) < 2:
            return
        redone = by_target(missed, labels.counts) / counts
        ratios = half_samples.ratios(redone[..., self.targets].sum(2).mean((2, 3)))
        mean = _rows.means(spec, held, each[self.targets].mean(0), ratios)
        drawn = null[:, self.targets].mean(1)
        nulled = labels.together(self.targets).row(drawn[0], drawn[1:], -1.0)
        names = "mean over " + ", ".join(labels.names[t] for t in self.targets)
        yield self._row(None, "z_mse", mean, nulled, names)

    def _ratios(self, missed: np.ndarray) -> np.ndarray:
        """What halves say (target, split) of errors (split, half, unit, time, column)."""
        sums = by_target(missed.sum(2).mean(2), self.labels.counts)
        return half_samples.ratios(np.moveaxis(sums, 2, 0))

    def _row(
        self,
        target: int | None,
        metric: str,
        score: Interval,
        null: dict | None = None,
        note: str | None = None,
    ) -> dict:
        about = {"target": "mean", "sample": self.tally.sample, "layer": self.layer}
        clips, null = len(self.labels.asked.held.clip), null or {}
        found = {**about, "n_clips": clips}
        if target is not None:
            name, own = self.labels.names[target], self.labels.columns[target]
            chosen = _rows.choices(self.tally, self.fits, self.solver, own.start)
            found |= _rows.common(name, self.tally.sample, self.layer, clips, chosen)
        told = score.row(ALIKE)
        notes = self.on.note, note, told.get("note"), null.get("note")
        metric = self.on.metric + metric
        return {**found, **null, **told, "metric": metric, "note": nulls.noted(*notes)}
