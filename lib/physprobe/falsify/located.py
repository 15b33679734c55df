"""Claim: the token under the ball holds a label, more than a token from elsewhere does."""

from collections.abc import Iterator, Mapping
from typing import Literal

from physprobe.falsify._claim import Claim, Judgement, Needs, judged, knowing, measured, verdict
from physprobe.statistics import paired
from physprobe.statistics.paired import Scored
from physprobe.store.evidence import Evidence
from physprobe.store.fits import decoded
from physprobe.store.fits import rows as rows_of

FIGURES = ("located",)
ELSEWHERE = ("mean", "elsewhere", "far")
WORDS = {
    "elsewhere": "that of the same places in another clip",
    "far": "that of a token far from it",
    "mean": "that of the mean of all tokens",
}


class Spec(Claim):
    """R2 from the token under the ball, less that from elsewhere, on the same held-out clips."""

    kind: Literal["located"] = "located"
    """Probes of the tokens of parts of the image."""
    target: str = "speed"
    """Label that is decoded."""
    sample: Literal["clip", "token"] = "clip"
    """From the clip's mean token, or from each token time."""
    against: Literal["elsewhere", "far", "mean"] = "elsewhere"
    """The same places in another clip, which tell what the ball's path alone gives away; a token
    far from the ball; the mean of all tokens."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(role="probe", design="places", decoded=(self.target, self.sample))


def judge(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
    """Judge the claim, with scores of the parts of the image and of every patch.

    The blocks hold each encoder's patches, and in how many clips the ball touches them.
    """
    fits = {name: evidence.places[name] for name in (*encoders, *evidence.controls)}
    above = {name: list(_differences(spec, fit)) for name, fit in fits.items()}
    rows = []
    for name, fit in fits.items():
        found = rows_of(fit, target=spec.target, sample=spec.sample)
        rows += [row for row in found if "," not in row["place"]]
        rows += [{"encoder": name, **row} for row in above[name]]
        rows += [row for row in found if "," in row["place"]]
    return Judgement(
        {name: _line(spec, name, fits[name]) for name in encoders},
        rows,
        {key: {name: fit[key] for name, fit in fits.items()} for key in ("grid", "touched")},
    )


def _line(spec: Spec, encoder: str, fit: Mapping) -> dict:
    own, above = decoded(fit, spec.target, spec.sample, "under"), _above(spec, fit, spec.against)
    if own is None or above is None:
        return judged(spec, verdict="cannot tell", note=f"{spec.target} is undefined for {encoder}")
    draws, seed = fit["spec"]["bootstraps"], fit["spec"]["seed"]
    columns = measured(spec, above, draws, seed=seed)
    found = judged(
        spec,
        statistic=f"R2 of {spec.target} under the ball less {WORDS[spec.against]}",
        verdict=verdict(columns["ci_low"], columns["ci_high"], spec.margin),
        **columns,
    )
    return knowing(found, "R2", own.interval(draws, seed).columns())


def _differences(spec: Spec, fit: Mapping) -> Iterator[dict]:
    """R2 of the token under the ball less that of the others, paired by clip."""
    protocol = fit["spec"]
    for name in ELSEWHERE:
        above = _above(spec, fit, name)
        if above is None:
            continue
        yield {
            "target": spec.target,
            "sample": spec.sample,
            "layer": fit["design"]["layer"],
            "place": "under",
            "against": name,
            "metric": "r2_difference",
            "n_clips": len(above.groups),
            **above.interval(protocol["bootstraps"], protocol["seed"]).columns(),
        }


def _above(spec: Spec, fit: Mapping, against: str) -> Scored | None:
    """R2 of the token under the ball less that from elsewhere; None if one is undefined."""
    own, other = (decoded(fit, spec.target, spec.sample, place) for place in ("under", against))
    return None if own is None or other is None else paired.above(own, other)
