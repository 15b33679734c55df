"""Claim: a label becomes readable at some layer of an encoder."""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from pydantic import Field

from physprobe.config.system import Name
from physprobe.falsify import _curve, _table
from physprobe.falsify._claim import Claim, Judgement, Needs, judged, verdict
from physprobe.falsify._curve import Curve
from physprobe.falsify._measure import WORDS
from physprobe.statistics import nulls
from physprobe.store.evidence import Evidence

FIGURES = ("onset",)


class Spec(Claim):
    """Score of the best layer; the first one that reaches the margin is where the label sets in.

    The interval is that of a band that holds all layers at once, so that choosing the best costs
    nothing.
    """

    kind: Literal["onset"] = "onset"
    """Probes of every layer."""
    target: str
    """One of the probe's targets."""
    sample: str = "clip"
    """One of the probe's samples."""
    metric: Literal["r2", "accuracy", "auc", "relative_accuracy"] = "r2"
    """R2 of a number; of classes accuracy, AUC, or the share of groups in the right order."""
    margin: float = Field(0.8, gt=0, lt=1)
    """Score that counts as readable."""
    part: str | None = None
    """Value of the probe's ``by`` that is scored apart; all clips if not given."""
    published: Name | None = None
    """Curve of ``published_layers.yaml``, drawn beside ours if the encoder is the same."""

    def needs(self) -> Needs:
        """What it is judged from."""
        return Needs(
            ordinary=True,
            decoded=(self.target, self.sample),
            metric=self.metric,
            part=self.part,
            published=self.published,
        )


def judge(spec: Spec, evidence: Evidence, encoders: tuple[str, ...]) -> Judgement:
    """Judge the claim, with scores, bands and onsets of all layers beside the controls.

    The blocks hold every layer as a line of the published table, and what the embeddings are.
    """
    curves = {
        name: Curve(name, evidence.probes[name], spec.target, spec.sample, spec.metric, spec.part)
        for name in (*encoders, *evidence.controls, *evidence.ceilings)
    }
    rows = list(_curve.scored(curves, evidence.controls, spec.margin, evidence.ceilings))
    about = {name: _about(evidence, name) for name in curves}
    table = list(_table.lines(evidence.study, curves, about, rows))
    return Judgement(
        {name: _line(spec, name, curves[name], rows) for name in encoders},
        rows,
        {"table": table, "encoders": about},
    )


def _line(spec: Spec, encoder: str, curve: Curve, rows: list[dict]) -> dict:
    if not curve.defined or len(curve.layers) == 1:
        why = "has one layer only" if curve.defined else f"leaves {spec.target} undefined"
        return judged(spec, verdict="cannot tell", note=f"{encoder} {why}")
    band = curve.band
    found = {row["metric"]: row.get("note") for row in rows if row["encoder"] == encoder}
    above = found.get("onset_above_controls")
    return judged(
        spec,
        statistic=f"{WORDS[spec.metric]} of {spec.target}, best layer",
        value=float(band.value.max()),
        ci_low=float(band.low.max()),
        ci_high=float(band.high.max()),
        groups=len(np.unique(curve.groups)),
        verdict=verdict(float(band.low.max()), float(band.high.max()), spec.margin),
        note=nulls.noted(
            f"first at the margin: {found['onset']}",
            above and f"first above the best control: {above}",
        ),
    )


def _about(evidence: Evidence, name: str) -> Mapping[str, object]:
    store = evidence.embeddings[evidence.place, name]
    return {
        "role": evidence.role(name),
        "label": store.attrs["label"],
        "hf_repo": store.attrs.get("hf_repo"),
        "weights_hash": store.attrs.get("weights_hash"),
        "preprocessing": store.attrs["spec"].get("preprocess"),
        "feature_root": f"results/{evidence.place}/embeddings/{name}.zarr",
    }
