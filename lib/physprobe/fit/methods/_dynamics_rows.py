"""Rows: scores with interval and null from the errors of one layer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from physprobe.fit.methods._digits import short
from physprobe.fit.methods._dynamics_settings import Settings
from physprobe.fit.methods._held_out import BASELINES, PUBLISHED, ROLLED, Tally
from physprobe.fit.methods._pairs import FIRST
from physprobe.fit.methods._spectrum import Spectrum
from physprobe.statistics import bootstrap, half_samples, nulls, scores, seeds
from physprobe.statistics.half_samples import Halves
from physprobe.statistics.intervals import Interval

UNDEFINED = (
    "not finite: the rollout diverges",
    "undefined: a frame has no length, or the rollout diverges",
)
GROWS = "spectral radius above 1: long rollouts grow without bound"


@dataclass(frozen=True)
class Skills:
    """Skill of every order against every baseline, and of the baselines against persistence."""

    names: list[tuple[str, int | None, str]]
    """Model, order, baseline."""
    interval: Interval
    """(name, horizon)"""
    null: np.ndarray
    """(draw, name, horizon) of sign flips between model and baseline."""
    gains: np.ndarray
    """(group, name, horizon) what the model spares of the baseline's error: what is flipped."""
    halves: Halves | None
    """(name, horizon) what fits to halves of the clips say; none if fits are held fixed."""

    @classmethod
    def of(
        cls, spec: Settings, found: Tally, horizon: int, groups: np.ndarray, signs: np.ndarray
    ) -> "Skills":
        """Skills from one layer's errors; signs (split, clip) say which half a clip is in."""
        orders = [order for name, order in found.errors if name == "dmd"]
        names = [("dmd", order, baseline) for order in orders for baseline in BASELINES]
        names += [("dmd", order, "order_1") for order in orders if order != 1]
        names += [(name, None, "persistence") for name in BASELINES[1:]]
        own, other = (
            np.stack([side(found, *name) for name in names]).swapaxes(1, 2)
            for side in (_model, _baseline)
        )
        halves = _halves(names, found, signs)
        interval = bootstrap.interval(
            np.stack([own, other], axis=-1),
            scores.skill_of,
            groups=groups,
            draws=spec.bootstraps,
            seed=spec.seed,
            halves=halves,
        )
        names_of, member = np.unique(groups, return_inverse=True)
        flips = seeds.rng("sign flips", spec.seed).choice(
            (-1.0, 1.0), size=(spec.bootstraps, len(names_of))
        )[:, member]
        whole = other.sum(-1)
        null = np.moveaxis((other - own) @ flips.T, -1, 0) / np.where(whole > 0, whole, np.nan)
        gains = np.zeros((len(names_of), *whole.shape))
        np.add.at(gains, member, np.moveaxis(other - own, -1, 0))
        return cls(names, interval, null, gains, halves)

    def rows(self, spec: Settings, layer: str, found: Tally, length: int) -> Iterator[dict]:
        """One row per order, baseline and horizon."""
        clips = len(found.variance)
        scored = [ahead for ahead in spec.horizons if ahead < length - FIRST]
        for lacking in set(spec.orders) - {order for _, order, _ in self.names}:
            yield {
                "layer": layer, "order": lacking, "model": "dmd", "metric": "skill",
                "n_clips": clips, "note": "fewer components than lags",
            }  # fmt: skip
        for place, (model, order, baseline) in enumerate(self.names):
            if order is None:
                continue
            about: dict = {
                "layer": layer, "order": order, "model": model, "baseline": baseline,
                "metric": "skill", "n_clips": clips, **found.chosen(order),
            }  # fmt: skip
            for ahead in spec.horizons:
                if ahead >= length - FIRST:
                    note = f"clips of {length} times have no such horizon"
                    yield {**about, "horizon": ahead, "note": note}
                    continue
                score = self.interval.at(place, ahead - 1)
                if not np.isfinite(score.value):
                    note = f"{baseline} makes no error"
                    yield {**about, "horizon": ahead, "note": note}
                    continue
                drawn, note = self.null[:, place, ahead - 1], "null: sign flips"
                arranged = nulls.Arrangements.of_signs(self.gains[:, place, ahead - 1])
                if order == 1 and found.null is not None:
                    errors = found.null[:, scored.index(ahead)]
                    whole = _baseline(found, model, order, baseline)[:, ahead - 1].sum()
                    drawn, note = 1.0 - errors / whole, "null: time-shuffled fits"
                    fitted = len(next(iter(found.train.values())))
                    arranged = nulls.Arrangements.of_times(fitted, length)
                null = arranged.row(float(score.value), drawn)
                yield {
                    **about, "horizon": ahead, **score.row(), **null,
                    "note": nulls.noted(note, null.get("note")),
                }  # fmt: skip

    def _halves_by_order(self) -> dict:
        """Signs (split, clip), deviations (horizon, split) by order; empty of fixed fits."""
        if self.halves is None:
            return {}
        deviations = {
            str(order): short(self.halves.deviations[place, ..., 0])
            for place, (model, order, baseline) in enumerate(self.names)
            if (model, baseline) == ("dmd", "persistence")
        }
        return {"signs": self.halves.signs.astype(int), "deviations": deviations}

    def block(self, found: Tally) -> dict:
        """Curves over all horizons, and each clip's errors for comparisons between encoders."""
        unit = found.errors["mean", None][:, 0].mean()
        errors = {"model": found.errors["dmd", 1]}
        errors |= {name: _baseline(found, "dmd", 1, name) for name in BASELINES}
        higher = {
            order: value
            for (name, order), value in found.errors.items()
            if name == "dmd" and order and order > 1
        }
        curves = [
            {
                "model": model, "order": order, "baseline": baseline,
                "value": self.interval.value[place], "ci_low": self.interval.low[place],
                "ci_high": self.interval.high[place],
            }
            for place, (model, order, baseline) in enumerate(self.names)
        ]  # fmt: skip
        return {
            "horizon": list(range(1, errors["model"].shape[1] + 1)),
            "errors": {name: short(value / unit) for name, value in errors.items()},
            "higher_orders": {str(o): short(value / unit) for o, value in higher.items()},
            "halves": self._halves_by_order(),
            "curves": [
                {k: short(v) if isinstance(v, np.ndarray) else v for k, v in curve.items()}
                for curve in curves
            ],
        }


def _halves(
    names: Sequence[tuple[str, int | None, str]], found: Tally, signs: np.ndarray
) -> Halves | None:
    """What halves say (name, horizon) of models, and of order 1 as a baseline.

    Baselines that are no more than means of many frames, and the time-shuffled fit, are held fixed.
    """
    ratios = {
        order: half_samples.ratios(np.moveaxis(errors, -1, 0))
        for order, errors in found.halved.items()
    }
    none = np.zeros_like(ratios[1])
    if not none.shape[-1]:
        return None
    own = [ratios.get(order or 0, none) for _, order, _ in names]
    other = [ratios[1] if baseline == "order_1" else none for *_, baseline in names]
    return Halves(np.stack([own, other], axis=-1), np.asarray(signs, float))


def _model(found: Tally, model: str, order: int | None, baseline: str) -> np.ndarray:
    return found.errors[model, 1 if model == "time_shuffled" else order]


def _baseline(found: Tally, model: str, order: int | None, baseline: str) -> np.ndarray:
    """Errors (clip, horizon) of a baseline; the time-shuffled fit has the model's order."""
    known = {"time_shuffled": ("time_shuffled", order), "order_1": ("dmd", 1)}
    return found.errors[known.get(baseline, (baseline, None))]


def by_equation(
    spec: Settings,
    layer: str,
    found: Tally,
    length: int,
    groups: np.ndarray,
    signs: np.ndarray,
    equations: np.ndarray,
) -> Iterator[dict]:
    """Skill on the held-out clips of each equation, where there are several.

    Parameters
    ----------
    spec : Settings
    layer : str
    found : Tally
    length : int
        Times of a clip.
    groups, equations : (clip,)
        Of the held-out clips; no equations if the clips name none.
    signs : (split, clip)
        Which half a clip is in; scores of a part hold the fits fixed.
    """
    names = np.unique(equations)
    for name in names if len(names) > 1 else ():
        clips = np.flatnonzero(equations == name)
        part = found.part(clips)
        steps = part.errors["mean", None].shape[1]
        skills = Skills.of(spec, part, steps, groups[clips], signs[:, clips])
        for row in skills.rows(spec, layer, part, length):
            yield {**row, "equation": name, "metric": "skill_by_equation"}


def others(
    spec: Settings, layer: str, found: Tally, spectra: Sequence[Spectrum], groups: np.ndarray
) -> Iterator[dict]:
    """Rows of the spectral radius, the variance that is kept, and the published scores."""
    about = {"layer": layer, "n_clips": len(groups)}
    for item in spectra:
        radius = Interval(*map(np.asarray, item.radius))
        yield {
            **about, "metric": "spectral_radius", "model": "dmd", "order": item.model.order,
            "lambda": item.model.penalty, **radius.columns(),
            "note": GROWS if radius.value > 1 else None,
        }  # fmt: skip
    drawn = partial(bootstrap.interval, groups=groups, draws=spec.bootstraps, seed=spec.seed)
    kept = drawn(found.variance, scores.skill_of)
    yield {**about, "metric": "variance_kept", **kept.row()}
    values = np.stack(list(found.test.values()))
    band = drawn(np.stack([values, np.ones_like(values)], axis=-1), scores.mean_of)
    for place, (name, order, key) in enumerate(found.test):
        score = band.at(place).row(UNDEFINED[key.endswith("_cos")])
        yield {**about, "metric": key, "model": name, "order": order, **score}


def undefined(spec: Settings, layer: str, note: str, clips: int) -> Iterator[dict]:
    """Rows of a layer that has no dynamics to score."""
    about = {"layer": layer, "order": 1, "model": "dmd", "metric": "skill", "n_clips": clips}
    for baseline in BASELINES:
        for ahead in spec.horizons:
            yield {**about, "baseline": baseline, "horizon": ahead, "note": note}


def published(
    found: Tally | None, spectral: Spectrum | None, equations: np.ndarray | None = None
) -> dict:
    """Fill the published keys for order 1 and its time-shuffled fit, and those of higher orders.

    They are null if undefined.

    Where held-out clips obey several equations (clip,), there are keys for each as well.

    The spectral radius is that of the model of all clips; of the time-shuffled fits, their mean.
    """
    blocks = {}
    for model, name in (("dmd", "published"), ("time_shuffled", "published_time_shuffled")):
        block: dict = dict.fromkeys(("latent_dim", "spectral_radius"))
        if found and spectral:
            mine = [c for c in found.choices if (c["model"], c["order"]) == (model, 1)]
            block["latent_dim"] = max(choice["components"] for choice in mine)
            radii = [choice["spectral_radius"] for choice in mine]
            block["spectral_radius"] = spectral.radius[0] if model == "dmd" else np.mean(radii)
        for key in PUBLISHED:
            if key in ROLLED:
                block |= _rolled(found, model, 1, key, equations)
                continue
            for side in ("train", "test"):
                value = getattr(found, side)[model, 1, key].mean() if found else None
                block[f"{key}_{side}"] = value
        blocks[name] = block
    higher = {order for _, order, _ in found.test if order and order > 1} if found else set()
    blocks["published_orders"] = {
        str(order): {
            name: value
            for key in ROLLED
            for name, value in _rolled(found, "dmd", order, key, equations).items()
        }
        for order in sorted(higher)
    }
    return blocks


def _rolled(
    found: Tally | None, model: str, order: int, key: str, equations: np.ndarray | None
) -> dict:
    """Published keys of a score of rollouts, which start with as many true frames as the order."""
    block = {}
    for side in ("train", "test"):
        value = getattr(found, side)[model, order, key] if found else None
        block[f"{key}_{side}_mean"] = None if value is None else value.mean()
        block[f"{key}_{side}_std"] = None if value is None else value.std()
    return block | _each(key, found.test[model, order, key], equations) if found else block


def _each(key: str, values: np.ndarray, equations: np.ndarray | None) -> dict:
    """A score's mean and deviation over the clips (clip,) of each equation."""
    found: dict[str, float] = {}
    for name in np.unique(equations) if equations is not None else ():
        own = values[equations == name]
        found |= {f"{key}_test_mean_{name}": own.mean(), f"{key}_test_std_{name}": own.std()}
    return found
