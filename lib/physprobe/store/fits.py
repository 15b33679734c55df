"""Fits: find rows and held-out predictions in results.

Of an encoder with several members they are of the mean over members, unless a member is named.
What is to be compared, clip by clip, holds each member's own: see ``statistics.paired``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from physprobe.statistics import paired, scores
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.paired import Scored
from physprobe.store import results

Result = Mapping[str, Any]
"""Content of a result, as JSON has it."""


def member(result: Result, which: int | None = None) -> Result:
    """Rows and blocks of one of an encoder's members; the result itself if none is named.

    Raises
    ------
    ValueError
        If there is no such member.
    """
    if which is None:
        return result
    known = {each["member"]: each for each in result.get("members", ())}
    if which not in known:
        there = ", ".join(map(str, known)) or "none"
        raise ValueError(f"no member {which}. Hint: members are {there}.")
    whole = {name: block for name, block in result.items() if name != "members"}
    return {**whole, **known[which]}


def rows(result: Result, **where: Any) -> list[dict]:
    """Rows of a result that agree with what is given."""
    which = where.pop("member", None)
    return [
        row
        for row in member(result, which)["rows"]
        if all(row.get(column) == value for column, value in where.items())
    ]


def row(result: Result, **where: object) -> dict | None:
    """The row of a result that agrees with what is given, if there is one.

    Raises
    ------
    ValueError
        If several do.
    """
    found = rows(result, **where)
    if len(found) > 1:
        raise ValueError(f"{len(found)} rows agree with {where}, expected one.")
    return found[0] if found else None


def only(result: Result, **where: Any) -> dict:
    """The row of a result that agrees with what is given.

    Raises
    ------
    ValueError
        If there is none, or there are several.
    """
    found = row(result, **where)
    if found is None:
        raise ValueError(f"no row agrees with {where}.")
    return found


@dataclass(frozen=True)
class Decoded(Scored):
    """How well a probe decodes a target from held-out clips."""

    name: str = "R2"
    """Name of the score, for people."""
    metric: str = "r2"
    """Its name in rows."""
    chance: float = 0.0
    """Score of the best guess that knows no clip: 0 of R2, about the held-out mean; of accuracy the
    share of the most frequent class."""


class Fits(results.Found):
    """Results of one method by encoder and control."""

    @classmethod
    def read(cls, paths: Iterable[Path], schema: str | None = None) -> "Fits":
        """Contents of results ``{encoder}.{method}.json``.

        Raises
        ------
        ValueError
            If two are of one encoder, or one isn't of the schema, or isn't what was written.
        """
        return cls(results.by_name(paths, schema))

    def rows(self, encoder: str, **where: object) -> list[dict]:
        """Rows of an encoder that agree with what is given."""
        return rows(self[encoder], **where)

    def row(self, encoder: str, **where: object) -> dict | None:
        """The row of an encoder that agrees with what is given, if there is one.

        Raises
        ------
        ValueError
            If several do.
        """
        return row(self[encoder], **where)

    def probe(self, encoder: str, target: str, sample: str, metric: str = "r2") -> dict | None:
        """Row of a probe over all clips and times, layer chosen inside the training clips."""
        return self.row(encoder, **_chosen(target, sample, metric))

    def defined(self, encoder: str, target: str, sample: str, metric: str = "r2") -> dict:
        """The same, of a target that is known to be defined.

        Raises
        ------
        ValueError
            If there is no such row.
        """
        return only(self[encoder], **_chosen(target, sample, metric))

    def held_out(
        self, encoder: str, target: str, sample: str, layer: str = "selected"
    ) -> Result | None:
        """What a probe predicts of held-out clips; None if the target is undefined."""
        return held_out(self[encoder], target, sample, layer)

    def decoded(
        self, encoder: str, target: str, sample: str, fixed: bool = False
    ) -> Decoded | None:
        """How well an encoder's probe decodes a target, if it is defined."""
        return decoded(self[encoder], target, sample, fixed=fixed)

    def forecast(self, encoder: str) -> Result:
        """Errors and curves of the layer that a dynamics model reports; empty if it has none."""
        return _forecast(self[encoder])

    def forecasts(self, encoder: str) -> list[Result]:
        """The same of each of an encoder's members."""
        result = self[encoder]
        return [_forecast(part) for part in result.get("members", (result,))]

    def rolled(self, encoder: str, model: str, what: str) -> Scored | None:
        """Mean over clips of what a model does when it is rolled on, if it is there.

        Parameters
        ----------
        encoder, model : str
        what : str
            ``valid_time`` [s], ``valid_lyapunov_times``, or ``drift_{horizon}`` of the energy.
        """
        result = self[encoder]
        parts = [part["rollouts"] for part in result.get("members", (result,))]
        each = [_rolled(part, model, what) for part in parts]
        found = [one for one in each if one is not None]
        return paired.mean_of_members(found, encoder) if len(found) == len(each) else None

    def surprised(
        self, encoder: str, model: str, part: str | None = None, direction: str | None = None
    ) -> Scored | None:
        """Share of pairs whose impossible film surprises more, if there are any.

        Parameters
        ----------
        encoder, model : str
            ``predictor``, or what foresees nothing.
        part : str, optional
            Value of the label that is scored apart.
        direction : str, optional
            ``first`` or ``second``: which of a scene's two pairs; both if not given.
        """
        result = self[encoder]
        parts = [each["surprise"] for each in result.get("members", (result,))]
        each = [_surprised(block, model, part, direction) for block in parts]
        found = [one for one in each if one is not None]
        return paired.mean_of_members(found, encoder) if len(found) == len(each) else None

    def drawn(self, encoder: str, baseline: str, horizon: int | None) -> Scored | None:
        """Skill of what is drawn from an encoder's latents against other frames, if both are there.

        Parameters
        ----------
        encoder, baseline : str
        horizon : int, optional
            Tokens ahead that its own predictor forecasts; none: frames that were seen.
        """
        result = self[encoder]
        own = "reconstruction" if horizon is None else "predictor"
        parts = [part["decoder"] for part in result.get("members", (result,))]
        each = [_drawn(part, own, baseline, horizon) for part in parts]
        found = [one for one in each if one is not None]
        return paired.mean_of_members(found, encoder) if len(found) == len(each) else None

    def recovered(
        self, encoder: str, target: str, part: float, *, layer: str = "", lead: int = 0
    ) -> Scored | None:
        """Mean over draws of R2 of a target under one condition, if it was read.

        Parameters
        ----------
        encoder, target : str
        part : float
            Value of the label that tells conditions apart.
        layer : str
            Of the embedding; by default the first.
        lead : int
            Steps from the latent to what is read.
        """
        result = self[encoder]
        parts = [each["recovery"] for each in result.get("members", (result,))]
        found = [_recovered(each, target, part, layer, lead) for each in parts]
        known = [one for one in found if one is not None]
        return paired.mean_of_members(known, encoder) if len(known) == len(found) else None

    def skills(self, encoder: str, horizon: int) -> dict[str, Scored] | None:
        """Skill of the first order at a horizon against every baseline, if it is defined."""
        result = self[encoder]
        each = [forecast_skills(part, horizon) for part in result.get("members", (result,))]
        found = [skills for skills in each if skills is not None]
        if len(found) < len(each):
            return None
        return {
            name: paired.mean_of_members([skills[name] for skills in found], encoder)
            for name in found[0]
        }


def _chosen(target: str, sample: str, metric: str) -> dict:
    about = {"target": target, "sample": sample, "layer": "selected", "metric": metric}
    return {**about, "time": None, "part": None}


def _forecast(result: Result) -> Result:
    blocks = result["forecast"]
    return list(blocks.values())[-1] if blocks else {}


def _rolled(block: Result, model: str, what: str) -> Scored | None:
    kind, _, horizon = what.partition("drift_")
    if kind:
        values = block["valid"].get(model, {}).get(what)
    else:
        place = block["horizon"].index(int(horizon)) if int(horizon) in block["horizon"] else None
        drifts = block["drift"].get(model)
        values = None if drifts is None or place is None else np.asarray(drifts)[:, place]
    if values is None:
        return None
    values = np.asarray(values, float)
    sums = np.stack([values, np.ones_like(values)], axis=-1)
    return Scored(sums, scores.mean_of, np.asarray(block["group"]))


def _surprised(
    block: Result | None, model: str, part: str | None, direction: str | None
) -> Scored | None:
    if not block or model not in block["right"]:
        return None
    mine = np.ones(len(block["group"]), bool)
    for name, value in (("part", part), ("direction", direction)):
        if value is not None:
            mine &= np.asarray(block[name]) == value
    if not mine.any():
        return None
    wrong = 1.0 - np.asarray(block["right"][model], float)[mine]
    sums = np.stack([wrong, np.ones_like(wrong)], axis=-1)
    return Scored(sums, scores.accuracy_of, np.asarray(block["group"])[mine])


def _drawn(block: Result, own: str, baseline: str, horizon: int | None) -> Scored | None:
    errors = {
        each["model"]: np.asarray(each["squares"], float)
        for each in block["scores"]
        if each["horizon"] == horizon
    }
    if own not in errors or baseline not in errors:
        return None
    sums = np.stack([errors[own], errors[baseline]], axis=-1)
    return Scored(sums, scores.skill_of, np.asarray(block["group"]))


def _recovered(block: Result, target: str, part: float, layer: str, lead: int) -> Scored | None:
    for one in block["scores"]:
        about = one["target"], one["lead"], one["metric"]
        if about == (target, lead, "r2") and (not layer or one["layer"] == layer):
            if part not in block["part"]:
                return None
            values = np.asarray(one["value"], float)[list(block["part"]).index(part)]
            sums = np.stack([values, np.ones_like(values)], axis=-1)
            return Scored(sums, scores.mean_of, np.asarray(block["draw"]))
    return None


def forecast_skills(result: Result, horizon: int) -> dict[str, Scored] | None:
    """Skill of order 1 against each baseline; None if no forecast goes so far.

    It counts what the score owes to the clips that models were fitted to, where it is known.
    """
    block = _forecast(result)
    if horizon not in block.get("horizon", ()):
        return None
    groups, found = np.asarray(block["group"]), {}
    for name in (each for each in block["errors"] if each != "model"):
        sums, halves = forecast_parts(block, horizon, ("1", name))
        found[name] = Scored(sums, scores.skill_of, groups, halves=halves)
    return found


def forecast_parts(
    block: Result, horizon: int, names: Sequence[str]
) -> tuple[np.ndarray, Halves | None]:
    """Errors (clip, name) of orders and baselines by name, and what halves say of orders."""
    place = block["horizon"].index(horizon)
    errors = {
        **block["errors"],
        **block.get("higher_orders", {}),
        "1": block["errors"]["model"],
    }
    sums = np.stack([np.asarray(errors[name], float)[:, place] for name in names], axis=-1)
    known = block.get("halves")
    if not known:
        return sums, None
    signs = np.asarray(known["signs"], float)
    told = {order: np.asarray(each, float)[place] for order, each in known["deviations"].items()}
    none = np.zeros(len(signs))
    return sums, Halves(np.stack([told.get(name, none) for name in names], axis=-1), signs)


def held_out(result: Result, target: str, sample: str, layer: str = "selected") -> Result | None:
    """What a probe predicts of held-out clips; None if the target is undefined."""
    about = {"target": target, "sample": sample, "layer": layer}
    blocks = result["predictions"]["held_out"]
    return next((block for block in blocks if about.items() <= block.items()), None)


def decoded(
    result: Result, target: str, sample: str, layer: str = "selected", fixed: bool = False
) -> Decoded | None:
    """How well a probe decodes a target; by default, layer chosen inside the training clips.

    R2 of a number, or of several columns together, accuracy of a class; None if the target is
    undefined. The score counts what it owes to the clips that it was fitted to, unless the fits are
    to be taken as fixed: as they have to be where some clips are scored by themselves.
    """

    def read(part: Result) -> Decoded | None:
        return _decoded(part, target, sample, layer, fixed)

    if "members" not in result:
        return read(result)
    each = [read(part) for part in result["members"]]
    found = [score for score in each if score is not None]
    if len(found) < len(each):
        return None
    whole = paired.mean_of_members(found, str(result["encoder"]))
    about = {f.name: getattr(found[0], f.name) for f in fields(Decoded)}
    return Decoded(**about | {f.name: getattr(whole, f.name) for f in fields(Scored)})


def _decoded(result: Result, target: str, sample: str, layer: str, fixed: bool) -> Decoded | None:
    block = held_out(result, target, sample, layer)
    if block is None:
        return None
    truth = result["predictions"]["truth"][target]
    groups, classes = np.asarray(result["predictions"]["group"]), "correct" in block
    ratios = None if fixed else results.half_ratios(block, "accuracy" if classes else "r2")

    def halves(place: int, sums: np.ndarray) -> Halves | None:
        if ratios is None:
            return None
        return Halves.at(place, sums.shape[-1], ratios, result["predictions"]["halves"])

    if classes:
        wrong = 1.0 - np.asarray(block["correct"], float)
        sums = np.stack([wrong, np.ones_like(wrong)], axis=-1)
        _, counts = np.unique(truth, return_counts=True)
        chance = float(counts.max() / counts.sum())
        return Decoded(
            sums, scores.accuracy_of, groups, halves=halves(0, sums),
            name="accuracy", metric="accuracy", chance=chance,
        )  # fmt: skip
    error = np.asarray(block["squared_error"], float)
    sums = scores.pooled_r2_sums(np.asarray(truth, float).reshape(len(error), -1), error)
    return Decoded(sums, scores.r2_of, groups, halves=halves(scores.ERROR, sums))
