"""Transfer: what is left of a probe's score on clips unlike those that it was fitted on.

The clips that a transferred probe is scored on are held out by ordinary folds too; both scores, and
everything that compares them, are read on these clips alone. R2 is about the mean of the labels of
these very clips, which inside a narrow region is a good guess already: to do no better scores 0.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from physprobe.statistics import paired, scores
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.paired import Scored
from physprobe.store import fits, results
from physprobe.store.fits import Result, decoded, held_out, only

EQUAL = "the clips' labels are equal"


@dataclass(frozen=True)
class Predicted:
    """What was predicted of the held-out clips of one result, target and sample."""

    clip: np.ndarray
    """(clip,)"""
    truth: np.ndarray
    """(clip, column)"""
    prediction: np.ndarray
    """(clip, column)"""
    squared: np.ndarray
    """(clip,) summed over columns."""
    absolute: np.ndarray
    """(clip,) mean over columns."""
    groups: np.ndarray
    """(clip,) clips that are drawn together."""
    r2: Scored
    """R2; of several members their mean, and they are drawn too."""
    encoder: str
    signs: np.ndarray
    """(split, clip) which half of the training clips a clip is in, if it is in any."""
    ratios: Mapping[str, np.ndarray] = field(default_factory=dict)
    """(split,) what fits to halves say of ``r2`` and ``mae``; of no metric if they say nothing."""
    members: tuple["Predicted", ...] = field(default=(), repr=False)
    """What each of several members predicts; the rest is their mean."""

    @classmethod
    def of(cls, result: Result, target: str, sample: str) -> "Predicted | None":
        """What the layer that was chosen inside the training clips predicts; None if undefined."""
        predictions = result["predictions"]
        block = held_out(result, target, sample)
        score = decoded(result, target, sample)
        if block is None or score is None:
            return None
        clip = np.asarray(predictions["clip"], int)
        members = [
            cls.of(fits.member(result, each["member"]), target, sample)
            for each in result.get("members", ())
        ]
        return cls(
            clip,
            truth=np.reshape(predictions["truth"][target], (len(clip), -1)),
            prediction=np.reshape(block["prediction"], (len(clip), -1)),
            squared=np.asarray(block["squared_error"]),
            absolute=np.asarray(block["absolute_error"]),
            groups=np.asarray(predictions["group"]),
            r2=score,
            encoder=str(result.get("encoder")),
            signs=np.reshape(predictions.get("halves", ()), (-1, len(clip))),
            ratios={
                metric: told
                for metric in ("r2", "mae")
                if (told := results.half_ratios(block, metric)) is not None
            },
            members=tuple(member for member in members if member is not None),
        )

    def on(self, clip: np.ndarray) -> "Predicted":
        """The same, of some of its clips.

        What fits to halves say is about all of them: of fewer, fits are held fixed.

        Raises
        ------
        ValueError
            If ordinary folds don't hold a clip out.
        """
        order = np.argsort(self.clip)
        place = np.minimum(np.searchsorted(self.clip, clip, sorter=order), len(order) - 1)
        place = order[place]
        if not np.array_equal(self.clip[place], clip):
            lacking = np.setdiff1d(clip, self.clip)
            raise ValueError(f"Ordinary folds don't hold out clip {lacking[0]}.")
        score, whole = self.r2.of(place), len(place) == len(self.clip)
        return replace(
            self,
            clip=clip,
            truth=self.truth[place],
            prediction=self.prediction[place],
            squared=self.squared[place],
            absolute=self.absolute[place],
            groups=self.groups[place],
            r2=score if whole else replace(score, halves=None),
            signs=self.signs[:, place] if whole else self.signs[:0],
            ratios=self.ratios if whole else {},
            members=tuple(each.on(clip) for each in self.members),
        )

    def scored(
        self,
        sums: Callable[..., np.ndarray],
        statistic: scores.Statistic,
        *beside: "Predicted",
        errors: str = "",
    ) -> Scored:
        """A score of these clips; of several members their mean, and they are drawn too.

        Parameters
        ----------
        sums : callable
            From what one network predicts, here and beside, to sums (clip, part).
        statistic : callable
        *beside : Predicted
            By probes of the same networks, of the same clips.
        errors : str
            Metric whose errors the first part of the sums is, and a part of each one beside.
        """
        found = []
        for parts in zip(*(one.members or (one,) for one in (self, *beside)), strict=True):
            summed = sums(*parts)
            halves = _halves(parts, errors, summed.shape[-1])
            found.append(Scored(summed, statistic, self.groups, halves=halves))
        return paired.mean_of_members(found, self.encoder)

    def line_sums(self) -> np.ndarray:
        """Sums (clip, 6) that the correlation of a number and its prediction follows from."""
        first, second = (part[:, 0] - part.mean() for part in (self.truth, self.prediction))
        parts = (np.ones_like(first), first, second, first**2, second**2, first * second)
        return np.stack(parts, axis=-1)


def _halves(parts: Sequence[Predicted], metric: str, width: int) -> Halves | None:
    """What halves say of sums (clip, part) whose first parts are errors of so many probes."""
    told = {place: part for place, part in enumerate(parts) if metric in part.ratios}
    if not told:
        return None
    signs = next(iter(told.values())).signs
    deviations = np.zeros((len(signs), width))
    for place, part in told.items():
        deviations[:, place] = part.ratios[metric]
    return Halves(deviations, signs)


def correlation_of(totals: np.ndarray) -> np.ndarray:
    """Pearson's correlation from totals of `Predicted.line_sums`; nan if a part is constant."""
    count, first, second, squares, others, products = np.moveaxis(totals, -1, 0)
    spread = (squares - first**2 / count) * (others - second**2 / count)
    return (products - first * second / count) / np.sqrt(np.where(spread > 0, spread, np.nan))


def ratio_of(totals: np.ndarray) -> np.ndarray:
    """Ratio of two sums of squared errors; nan if the second is nothing."""
    return totals[..., 0] / np.where(totals[..., 1] > 0, totals[..., 1], np.nan)


def rows(
    transferred: Mapping[str, Result],
    ordinary: Mapping[str, Mapping[str, Result]],
    encoders: tuple[str, ...],
    controls: tuple[str, ...],
    target: str,
    sample: str,
) -> Iterator[dict]:
    """Scores of everything that was transferred, beside ordinary folds.

    Parameters
    ----------
    transferred : mapping of str to dict
        Results of transferred probes by encoder, control and ceiling.
    ordinary : mapping of str to mapping of str to dict
        Probe results by system and encoder.
    encoders, controls : tuple of str
        Which of them are compared, and with which.
    target, sample : str
        What is decoded.

    Yields
    ------
    dict
        Rows of a result; ``folds`` is ``transferred``, or the system whose own clips were decoded
        by ordinary folds; the transferred probe is compared with those ``against``, or a
        ``control``.
    """
    for name, result in transferred.items():
        own = {system: results[name] for system, results in ordinary.items()}
        about = {"encoder": name, "target": target, "sample": sample, "layer": "selected"}
        yield from ({**about, **row} for row in _one(result, own, target, sample))
    yield from _above_controls(transferred, encoders, controls, target, sample)


def _one(
    result: Result, ordinary: Mapping[str, Result], target: str, sample: str
) -> Iterator[dict]:
    """Rows of one encoder, target and sample."""
    moved = Predicted.of(result, target, sample)
    folds = {"folds": "transferred"}
    about = {"target": target, "sample": sample, "layer": "selected"}
    whole = only(result, **about, metric="r2", time=None)
    if moved is None:
        yield {**folds, "metric": "r2", "n_clips": whole["n_clips"], "note": whole["note"]}
        return
    draws = result["spec"]["bootstraps"]
    kept = ("null_mean", "null_q95", "p", "lambda", "edge_hit", "note")
    yield from (
        {**folds, **line, **({key: whole[key] for key in kept} if line["metric"] == "r2" else {})}
        for line in _scores(moved, draws)
    )
    guess = np.reshape(result["setting"]["training_mean"][target], moved.truth.shape)
    guessed = ((moved.truth - guess) ** 2).sum(1)
    skill = moved.scored(
        lambda part: np.stack([part.squared, guessed], axis=-1), scores.skill_of, errors="r2"
    )
    yield {
        **folds, "baseline": "training mean",
        **skill.row("skill", draws, "the training clips' mean is exact"),
    }  # fmt: skip
    for system, other in ordinary.items():
        near = Predicted.of(other, target, sample)
        if near is None:
            note = "ordinary folds leave the target undefined"
            yield {"folds": system, "metric": "r2", "n_clips": len(moved.clip), "note": note}
            continue
        near = near.on(moved.clip)
        yield from ({"folds": system, **line} for line in _scores(near, draws))
        yield {
            **folds, "against": system,
            **paired.above(moved.r2, near.r2).row("r2_difference", draws, EQUAL),
        }  # fmt: skip
        ratio = moved.scored(
            lambda far, near: np.stack([far.squared, near.squared], axis=-1),
            ratio_of, near, errors="r2",
        )  # fmt: skip
        yield {
            **folds, "against": system,
            **ratio.row("error_ratio", draws, "ordinary folds make no error"),
        }  # fmt: skip


def _scores(found: Predicted, draws: int) -> Iterator[dict]:
    """R2 and errors of one probe; bias and correlation too where it decodes a single number."""

    def mean(metric: str, of: Callable[[Predicted], np.ndarray], errors: str = "") -> dict:
        def sums(part: Predicted) -> np.ndarray:
            return np.stack([of(part), np.ones(len(part.clip))], axis=-1)

        return found.scored(sums, scores.mean_of, errors=errors).row(metric, draws)

    yield found.r2.row("r2", draws, EQUAL)
    yield mean("mae", lambda part: part.absolute, errors="mae")
    if found.truth.shape[1] > 1:
        return
    yield mean("bias", lambda part: (part.prediction - part.truth)[:, 0])
    line = found.scored(Predicted.line_sums, correlation_of)
    yield line.row("correlation", draws, "all predictions are equal")


def _above_controls(
    transferred: Mapping[str, Result],
    encoders: tuple[str, ...],
    controls: tuple[str, ...],
    target: str,
    sample: str,
) -> Iterator[dict]:
    """How far every transferred encoder is above each transferred control, and the best."""
    decoded = {name: Predicted.of(result, target, sample) for name, result in transferred.items()}
    defined = {name: found for name, found in decoded.items() if found is not None}
    others = {name: defined[name].r2 for name in controls if name in defined}
    for name in (name for name in encoders if name in defined and others):
        draws, own = transferred[name]["spec"]["bootstraps"], defined[name].r2
        about = {"encoder": name, "target": target, "sample": sample, "layer": "selected"}
        about |= {"folds": "transferred"}
        metric = "r2_difference"
        for control, other in others.items():
            yield {**about, "control": control, **paired.above(own, other).row(metric, draws)}
        told = paired.above(own, *others.values()).row(metric, draws)
        yield {**about, "control": "best control", **told, "note": paired.best(others)}


def spread(transferred: Result, ordinary: Result, target: str) -> dict[str, float]:
    """Standard deviation of a target over the clips that are scored, and over all clips.

    Of several columns together, the root of their summed variances.
    """
    parts = {"scored": transferred, "all": ordinary}
    return {
        name: float(np.sqrt(np.var(result["predictions"]["truth"][target], axis=0).sum()))
        for name, result in parts.items()
    }
