"""Claim: a model that remembers more frames forecasts better, with no more parameters."""

from collections.abc import Mapping, Sequence
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from physprobe.falsify._claim import Claim, Needs, each, judged, measured, verdict
from physprobe.statistics import nulls, paired, scores, seeds
from physprobe.statistics.intervals import Interval
from physprobe.statistics.paired import Scored
from physprobe.store.evidence import Evidence
from physprobe.store.fits import forecast_parts

NAMES = {"persistence": "less that of order 1", "order_1": "against order 1"}


class Spec(Claim):
    """Gain in skill of a higher order over the first, in one system or beyond another's.

    Both orders have as many parameters and the same starts. The gain is what the higher order
    spares of the baseline's error, on the same held-out clips.
    """

    kind: Literal["order"] = "order"
    """Linear dynamics of the last layer, of two orders in time."""
    order: Literal[2, 3] = 2
    """Order that is compared with the first."""
    horizon: int = Field(4, ge=1)
    """Tokens ahead."""
    baseline: Literal["persistence", "order_1"] = "persistence"
    """What the gain is a part of: the error of persistence, which makes it a difference of skills,
    or the first order's own."""
    against: str = ""
    """System whose gain is taken away, if any: the order has to help more than it helps there."""

    @model_validator(mode="after")
    def _another(self) -> Self:
        if self.against and self.against == self.system:
            raise ValueError(f"system and against are both {self.system!r}: name two systems")
        return self

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="dynamics", horizon=self.horizon, order=self.order, against=self.against)


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder.

    Gains of two systems are drawn together where their clips share all groups, as those of one
    initial condition do. Otherwise each has its own draws, and the interval of the difference
    follows from both intervals.

    References
    ----------
    Zou, Donner, "Construction of confidence limits about effect measures: a general approach",
    Statistics in Medicine 27 (2008).
    """
    parts = {spec.system: evidence}
    if spec.against:
        parts[spec.against] = evidence.at(spec.against, spec.method)
    gains = {
        name: gain
        for name, part in parts.items()
        if (gain := _gains(spec, part, encoder)) is not None
    }
    lacking = [name for name in parts if name not in gains]
    if lacking:
        of = " ".join(["", "in", *filter(None, lacking)]) if any(lacking) else ""
        note = f"no forecast of {encoder} by order {spec.order} at horizon {spec.horizon}{of}"
        return judged(spec, verdict="cannot tell", note=note)
    own, *others = gains.values()
    statistic = f"skill of order {spec.order} {NAMES[spec.baseline]} at horizon {spec.horizon}"
    if others:
        found = _difference(spec, own, others[0], evidence.bootstraps)
        told = {name or encoder: float(gain.value) for name, gain in gains.items() if gain}
        more: dict = {"note": ", ".join(f"{name} {value:.3f}" for name, value in told.items())}
        statistic = f"{statistic}, less that in {spec.against}"
    else:
        found = measured(spec, own, evidence.bootstraps)
        more = _flipped(_by_member(spec, evidence, encoder), evidence.bootstraps)
    return judged(
        spec,
        statistic=statistic,
        verdict=verdict(
            found["ci_low"], found["ci_high"], spec.margin, 0.0 if others else more.get("p")
        ),
        **more | found,
    )


judge = each(line)


def _gains(spec: Spec, evidence: Evidence, encoder: str) -> Scored | None:
    """Gain of one place; of several members their mean, and they are drawn too."""
    each = _by_member(spec, evidence, encoder)
    return paired.mean_of_members(each, encoder) if each else None


def _by_member(spec: Spec, evidence: Evidence, encoder: str) -> list[Scored]:
    """Gain of each member; none if one of them has none.

    Sums (group, 3): errors of the first order, of the higher one, and of the baseline.
    """
    blocks = evidence.koopman.forecasts(encoder) if encoder in evidence.koopman else []
    found = [_one(spec, block) for block in blocks]
    there = [gain for gain in found if gain is not None]
    return there if len(there) == len(found) else []


def _one(spec: Spec, block: Mapping) -> Scored | None:
    higher = block.get("higher_orders", {}).get(str(spec.order))
    if higher is None or spec.horizon not in block["horizon"]:
        return None
    whole = "1" if spec.baseline == "order_1" else spec.baseline
    clips, halves = forecast_parts(block, spec.horizon, ("1", str(spec.order), whole))
    if not np.isfinite(clips).all():
        return None
    groups, first, member = np.unique(block["group"], return_index=True, return_inverse=True)
    sums = np.zeros((len(groups), clips.shape[1]))
    np.add.at(sums, member, clips)
    return Scored(sums, scores.gain_of, groups, halves=halves and halves.of(first))


def _difference(spec: Spec, own: Scored, other: Scored, draws: int) -> dict:
    """Columns of one system's gain less another's."""
    if _together(own, other):
        return measured(spec, paired.above(own, other), draws)
    (value, low, high), (less, least, most) = (part.interval(draws) for part in (own, other))
    found = Interval(
        value - less,
        value - less - np.hypot(value - low, most - less),
        value - less + np.hypot(high - value, less - least),
    )
    return found.columns() | {"groups": min(len(own.groups), len(other.groups))}


def _together(own: Scored, other: Scored) -> bool:
    """Whether both have the same groups, in the same halves."""
    signs = [part.halves.signs for part in (own, other) if part.halves is not None]
    same = all(np.array_equal(signs[0], each) for each in signs[1:])
    return same and np.array_equal(own.groups, other.groups)


def _flipped(members: Sequence[Scored], draws: int) -> dict:
    """95th percentile and p of the gain under sign flips: neither order is better in any group."""
    parts = np.mean(
        [(one.sums[:, 0] - one.sums[:, 1]) / one.sums[:, 2].sum() for one in members], axis=0
    )
    signs = seeds.rng("sign flips of orders", len(parts)).choice((-1.0, 1.0), (draws, len(parts)))
    found = nulls.Arrangements.of_signs(parts).columns(float(parts.sum()), signs @ parts)
    return {key: found[key] for key in ("null_q95", "p", "note") if key in found}
