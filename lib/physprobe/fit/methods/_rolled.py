"""Rolled: latents rolled on from every start of held-out clips, and the states read off them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from physprobe.fit.methods._rows import HeldOut
from physprobe.fit.section import Given
from physprobe.statistics import ridge, scores, splits, states
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from physprobe.fit.methods.rollout import Spec

OWN, STILL, SEEN = "predictor", "persistence", "encoded"
"""Models: the encoder's own predictor; no change; latents of frames that were seen."""
Step = Callable[[np.ndarray], np.ndarray]
"""From histories (row, lag, feature), the latest last, to features (row, feature) a token later."""


@dataclass(frozen=True)
class Reading:
    """What is read off latents, by maps that one fold has fitted on its training clips."""

    angle_map: np.ndarray
    """(feature, sine and cosine of each angle)"""
    angle_shift: np.ndarray
    energy_map: np.ndarray | None
    energy_shift: np.ndarray | None
    spread: float
    """Deviation of the energy between training clips."""

    def angles(self, latent: np.ndarray) -> np.ndarray:
        """Angles (..., angle) [rad]."""
        pairs = (latent @ self.angle_map + self.angle_shift).reshape(*latent.shape[:-1], -1, 2)
        return np.arctan2(pairs[..., 0], pairs[..., 1])

    def energy(self, latent: np.ndarray) -> np.ndarray:
        """Energy (...) in deviations between clips."""
        return (latent @ self.energy_map + self.energy_shift)[..., 0] / self.spread


@dataclass(frozen=True)
class Rolled:
    """One model, from every start of every held-out clip."""

    error: np.ndarray
    """(clip, start, step) [rad]; the first step is the start itself."""
    drift: np.ndarray | None
    """(clip, start, step) of the energy since the start."""

    def valid(self, threshold: float) -> np.ndarray:
        """Steps (clip, start) that are valid: those before the first whose error is too large."""
        wrong = self.error > threshold
        first = np.where(wrong.any(-1), wrong.argmax(-1), wrong.shape[-1])
        return np.maximum(first - 1, 0)


def fit(spec: "Spec", given: Given) -> tuple[list[dict], dict]:
    """Rows and blocks; see :func:`physprobe.fit.methods.rollout.fit`."""
    latent = np.asarray(given.features[len(given.layers) - 1], float)
    lacking = [name for name in spec.targets if name not in given.states]
    if lacking:
        known = ", ".join(given.states) or "none"
        raise ValueError(f"{lacking[0]}: no such state. Hint: the system's are {known}.")
    horizon = max(spec.horizons)
    starts = np.arange(spec.skip, latent.shape[1] - horizon, spec.stride)
    if not len(starts):
        raise ValueError(
            f"horizons: {latent.shape[1]} token times leave no start for {horizon} tokens ahead."
            f" Hint: at most {latent.shape[1] - 1 - spec.skip}, or longer clips."
        )
    groups = np.arange(len(latent)) if given.groups is None else given.groups
    splits.check(given.folds, groups)
    held = HeldOut.of(given.folds, groups)
    found: dict[str, list[Rolled]] = {}
    for fold in given.folds:
        for name, rolled in _of_fold(spec, given, latent, starts, horizon, fold):
            found.setdefault(name, []).append(rolled)
    order = np.argsort(np.concatenate([fold.test for fold in given.folds]))
    models = {name: _joined(parts, order) for name, parts in found.items()}
    seconds = float(np.median(np.diff(given.times)))
    return _told(spec, models, held, seconds, _paces(spec, given, held))


def _of_fold(
    spec: "Spec", given: Given, latent: np.ndarray, starts: np.ndarray, horizon: int, fold: Fold
) -> Iterator[tuple[str, Rolled]]:
    """Every model from every start of a fold's held-out clips."""
    if given.components:
        latent = ridge.principal(latent, fold.train, given.components)
    reading = _reading(spec, given, latent, fold)
    test = latent[fold.test]
    ahead = starts[:, None] + np.arange(horizon + 1)
    truth = np.stack([given.states[name][fold.test] for name in spec.angles], -1)[:, ahead]

    def told(rolled: np.ndarray) -> Rolled:
        apart = reading.angles(rolled) - truth
        apart = (apart + np.pi) % (2 * np.pi) - np.pi
        drift = None
        if spec.energy:
            level = reading.energy(rolled)
            drift = np.abs(level - level[..., :1])
        return Rolled(np.sqrt((apart**2).mean(-1)), drift)

    yield SEEN, told(test[:, ahead])
    steps: dict[str, tuple[int, Step]] = {STILL: (1, lambda past: past[:, -1])}
    steps |= {f"order_{p}": (p, _linear(latent, fold, p)) for p in spec.orders}
    if given.advance is not None:
        steps = {OWN: (1, lambda past: given.advance(past[:, -1]))} | steps
    for name, (lags, step) in steps.items():
        past = test[:, starts[:, None] + np.arange(1 - lags, 1)]
        yield name, told(_rolled(step, past, horizon))


def _rolled(step: Step, past: np.ndarray, horizon: int) -> np.ndarray:
    """Latents (clip, start, step, feature) from histories (clip, start, lag, feature)."""
    clips, count, lags, features = past.shape
    rows = past.reshape(-1, lags, features)
    found = [rows[:, -1]]
    for _ in range(horizon):
        following = np.asarray(step(rows), float)
        # a linear model may grow beyond all bounds: what is that far off is wrong either way
        following = np.clip(np.nan_to_num(following, posinf=1e6, neginf=-1e6), -1e6, 1e6)
        rows = np.concatenate([rows[:, 1:], following[:, None]], axis=1)
        found.append(following)
    return np.stack(found, 1).reshape(clips, count, horizon + 1, features)


def _reading(spec: "Spec", given: Given, latent: np.ndarray, fold: Fold) -> Reading:
    late = slice(spec.skip, None)
    pairs = [f(given.states[name][:, late]) for name in spec.angles for f in (np.sin, np.cos)]
    angles = states.fit(latent[:, late], np.stack(pairs, -1), [fold])
    if not spec.energy:
        return Reading(angles.weights[0], angles.intercept[0], None, None, 1.0)
    total = sum(given.states[name][:, late] for name in spec.energy)
    energy = states.fit(latent[:, late], total[..., None], [fold])
    spread = float(total[fold.train].mean(1).std()) or 1.0
    return Reading(
        angles.weights[0], angles.intercept[0], energy.weights[0], energy.intercept[0], spread
    )


def _linear(latent: np.ndarray, fold: Fold, lags: int) -> Step:
    """Ridge towards persistence: the change of a latent from its last ones."""
    seen = np.stack([latent[:, lag : latent.shape[1] - lags + lag] for lag in range(lags)], -2)
    change = latent[:, lags:] - latent[:, lags - 1 : -1]
    found = states.fit(seen.reshape(*seen.shape[:2], -1), change, [fold])
    weights, intercept = found.weights[0], found.intercept[0]
    return lambda past: past[:, -1] + past.reshape(len(past), -1) @ weights + intercept


def _joined(parts: Sequence[Rolled], order: np.ndarray) -> Rolled:
    error = np.concatenate([part.error for part in parts])[order]
    if parts[0].drift is None:
        return Rolled(error, None)
    return Rolled(error, np.concatenate([part.drift for part in parts])[order])


def _paces(spec: "Spec", given: Given, held: HeldOut) -> np.ndarray | None:
    """Lyapunov exponents (clip,) [1/s] of held-out clips, if all have one above 0."""
    values = given.labels.get(spec.pace)
    if values is None:
        return None
    values = np.asarray(values, float)[held.clip]
    return values if (values > 0).all() else None


def _told(
    spec: "Spec",
    models: Mapping[str, Rolled],
    held: HeldOut,
    seconds: float,
    paces: np.ndarray | None,
) -> tuple[list[dict], dict]:
    rows: list[dict] = []
    valid = {}

    def mean(values: np.ndarray) -> dict:
        sums = np.stack([values, np.ones_like(values)], -1)
        interval = scores.bootstrap(
            sums, scores.mean_of, groups=held.groups, draws=spec.bootstraps, seed=spec.seed
        )
        return {"n_clips": len(values), **interval.row()}

    for name, rolled in models.items():
        about = {"layer": "last", "model": name}
        for horizon in spec.horizons:
            error = rolled.error[..., horizon].mean(1)
            rows.append({**about, "metric": "angle_error", "horizon": horizon, **mean(error)})
            if rolled.drift is not None:
                drift = rolled.drift[..., horizon].mean(1)
                rows.append({**about, "metric": "energy_drift", "horizon": horizon, **mean(drift)})
        if name == SEEN:
            continue
        times = rolled.valid(spec.threshold).mean(1) * seconds
        valid[name] = {"valid_time": times}
        if paces is not None:
            valid[name]["valid_lyapunov_times"] = times * paces
        rows += [{**about, "metric": metric, **mean(v)} for metric, v in valid[name].items()]
    drifts = {
        name: rolled.drift.mean(1) for name, rolled in models.items() if rolled.drift is not None
    }
    block = {
        "clip": held.clip,
        "group": held.groups,
        "valid": valid,
        "drift": {name: values[:, list(spec.horizons)] for name, values in drifts.items()},
        "horizon": list(spec.horizons),
        "seconds": seconds,
        "longest": max(spec.horizons) * seconds,
    }
    return rows, {"rollouts": block}
