"""Claim: what a method measures of an encoder's networks is above a bound, or below one.

The unit is the member: mean over independently trained networks, with Student's interval.
"""

from typing import ClassVar, Literal

import numpy as np
from pydantic import model_validator

from physprobe.falsify._claim import Claim, Needs, each, judged, verdict
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

FEWEST = 3
"""Members that an interval needs."""
Student = tuple[float, float | None, float | None, float | None]


class Spec(Claim):
    """The metric less ``margin``; or, ``at_most``, what is left to that bound."""

    P_BY: ClassVar = "Student's t over networks"

    kind: Literal["reaches"] = "reaches"
    """Metrics that have no clips to be drawn."""
    of: Literal["energy", "spread"] = "energy"
    """What methods the metric is of: those of energies, or of embeddings' spread."""
    metric: str
    """As the method names it."""
    layer: str = ""
    """Layer that it is of; the first that has it by default."""
    at_most: float | None = None
    """Bound that the metric is claimed to stay below, in place of above ``margin``."""

    @model_validator(mode="after")
    def _one_bound(self) -> "Spec":
        if self.at_most is not None and self.margin:
            raise ValueError("margin: with at_most there is no other bound; leave one out")
        return self

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role=self.of)


def line(spec: Spec, evidence: Evidence, encoder: str) -> dict:
    """Judge the claim for one encoder."""
    fits = {"energy": evidence.energies, "spread": evidence.spreads}[spec.of]
    found = values(fits, encoder, spec.metric, spec.layer) if encoder in fits else None
    if found is None:
        note = f"{spec.metric} is not among what was measured of {encoder}"
        return judged(spec, verdict="cannot tell", note=note)
    what = spec.metric.replace("_", " ")
    told = f"{what} from {found.min():.4g} to {found.max():.4g}"
    if spec.at_most is not None:
        found, what = spec.at_most - found, f"{spec.at_most:g} less {what}"
    mean, low, high, p = student(found, spec.margin)
    held = int((found > spec.margin).sum())
    return judged(
        spec,
        statistic=f"{what}, mean over {len(found)} networks, Student's interval",
        value=mean,
        ci_low=low,
        ci_high=high,
        p=p,
        p_margin=p,
        groups=len(found),
        verdict=verdict(low, high, spec.margin),
        note=f"{told}; within the bound: {held} of {len(found)} networks",
    )


def values(fits: Fits, encoder: str, metric: str, layer: str = "") -> np.ndarray | None:
    """A metric (member,) of each of an encoder's networks, if it has been measured."""
    result = fits[encoder]
    where = {"metric": metric, "part": None, **({"layer": layer} if layer else {})}
    found = []
    for part in result.get("members", (result,)):
        rows = [row for row in part["rows"] if all(row[k] == v for k, v in where.items())]
        if not rows or rows[0]["value"] is None:
            return None
        found.append(rows[0]["value"])
    return np.array(found)


def student(
    values: np.ndarray, bound: float
) -> tuple[float, float | None, float | None, float | None]:
    """Mean of some values with its 95 % interval, and two-sided p of a bound; None of too few."""
    from scipy.special import stdtr, stdtrit

    count, mean = len(values), float(values.mean())
    if count < FEWEST:
        return mean, None, None, None
    error = float(values.std(ddof=1)) / count**0.5
    reach = float(stdtrit(count - 1, 0.975)) * error
    if error == 0:
        return mean, mean, mean, float(mean == bound)
    return mean, mean - reach, mean + reach, float(2 * stdtr(count - 1, -abs(mean - bound) / error))


judge = each(line)
