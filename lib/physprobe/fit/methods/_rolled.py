"""Rolled: latents rolled on from every start of held-out clips, and the states read off them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from physprobe.fit.methods import _forecasts
from physprobe.fit.methods._rollout_settings import Settings
from physprobe.fit.methods._rows import HeldOut
from physprobe.fit.section import Given
from physprobe.statistics import bootstrap, nulls, ridge, scores, seeds, splits, states
from physprobe.statistics.splits import Fold

OWN, STILL, SEEN = "predictor", "persistence", "encoded"
"""Models: the encoder's own predictor; no change; latents of frames that were seen."""
OF_ALL = "of all clips together, so without an interval"
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
class Stretch:
    """What does not depend on when it is looked at, of some clips."""

    energy: np.ndarray | None
    """(clip, token) in deviations between clips."""
    power: np.ndarray
    """(clip, frequency, sine and cosine of each angle)"""

    @classmethod
    def of(cls, angles: np.ndarray, energy: np.ndarray | None) -> "Stretch":
        """Of angles (clip, token, angle) [rad] and energies (clip, token)."""
        shown = np.concatenate([np.sin(angles), np.cos(angles)], -1)
        shown = (shown - shown.mean(1, keepdims=True)) * np.hanning(angles.shape[1])[:, None]
        return cls(energy, np.abs(np.fft.rfft(shown, axis=1)) ** 2)


@dataclass(frozen=True)
class Rolled:
    """One model, from every start of every held-out clip."""

    error: np.ndarray
    """(clip, start, step) [rad]; the first step is the start itself."""
    drift: np.ndarray | None
    """(clip, start, step) of the energy since the start."""
    later: "Stretch | None" = None
    """What is read of a clip long after its first start."""
    truly: "Stretch | None" = None
    """The same reading of as many tokens that were seen."""

    def valid(self, threshold: float) -> np.ndarray:
        """Steps (clip, start) that are valid: those before the first whose error is too large."""
        wrong = self.error > threshold
        first = np.where(wrong.any(-1), wrong.argmax(-1), wrong.shape[-1])
        return np.maximum(first - 1, 0)


def fit(spec: Settings, given: Given) -> tuple[list[dict], dict]:
    """Rows and blocks; see :func:`physprobe.fit.methods.rollout.fit`."""
    latent = np.asarray(given.features[len(given.layers) - 1], float)
    lacking = [name for name in spec.targets if name not in given.states]
    if lacking:
        known = ", ".join(given.states) or "none"
        raise ValueError(f"{lacking[0]}: no such state. Hint: the system's are {known}.")
    # an encoder whose tokens are of several frames has fewer of them, and reaches as far with fewer
    reached = tuple(each for each in spec.horizons if each < latent.shape[1] - spec.skip)
    if not reached:
        raise ValueError(
            f"horizons: {latent.shape[1]} token times leave no start for {min(spec.horizons)}"
            f" tokens ahead. Hint: at most {latent.shape[1] - 1 - spec.skip}, or longer clips."
        )
    spec = spec.model_copy(update={"horizons": reached})
    horizon = max(reached)
    starts = np.arange(spec.skip, latent.shape[1] - horizon, spec.stride)
    groups = np.arange(len(latent)) if given.groups is None else given.groups
    splits.check(given.folds, groups)
    held = HeldOut.of(given.folds, groups)
    found: dict[str, list[Rolled]] = {}
    for fold in given.folds:
        for name, rolled in _of_fold(spec, given, latent, starts, horizon, fold):
            found.setdefault(name, []).append(rolled)
    order = np.argsort(np.concatenate([fold.test for fold in given.folds]))
    models = {name: _joined(parts, order) for name, parts in found.items()}
    assert given.times is not None, "an embedding has times"
    seconds = float(np.median(np.diff(given.times)))
    return _told(spec, models, held, seconds, _paces(spec, given, held))


def _of_fold(
    spec: Settings, given: Given, latent: np.ndarray, starts: np.ndarray, horizon: int, fold: Fold
) -> Iterator[tuple[str, Rolled]]:
    """Every model from every start of a fold's held-out clips."""
    if given.components:
        latent = ridge.principal(latent, fold.train, given.components)
    reading = _reading(spec, given, latent, fold)
    test, first = latent[fold.test], starts[:1]
    ahead = starts[:, None] + np.arange(horizon + 1)
    shown = {name: given.states[name][fold.test] for name in spec.targets}
    angles = np.stack([shown[name] for name in spec.angles], -1)
    whole = sum(shown[name] for name in spec.energy) / reading.spread if spec.energy else None
    # as long as what was seen, and beyond the longest horizon
    longest = horizon + latent.shape[1] - spec.skip

    def told(rolled: np.ndarray, later: np.ndarray | None = None) -> Rolled:
        level = reading.energy(rolled) if spec.energy else None
        found = _against(reading.angles(rolled), angles[:, ahead], level)
        if later is None:
            return found
        parts = (later[:, 0, horizon + 1 :], test[:, spec.skip :])
        read = [
            Stretch.of(reading.angles(part), reading.energy(part) if spec.energy else None)
            for part in parts
        ]
        return replace(found, later=read[0], truly=read[1])

    yield SEEN, told(test[:, ahead])
    steps: dict[str, tuple[int, Step]] = {STILL: (1, lambda past: past[:, -1])}
    steps |= {f"order_{p}": (p, _linear(latent, fold, p)) for p in spec.orders}
    if given.advance is not None:
        steps = {OWN: (1, lambda past: given.advance(past[:, -1]))} | steps
    for name, (lags, step) in steps.items():
        lag = np.arange(1 - lags, 1)
        rolled = _rolled(step, test[:, starts[:, None] + lag], horizon)
        yield name, told(rolled, _rolled(step, test[:, first[:, None] + lag], longest))
    if given.motion is None or not {*spec.targets} <= {*given.motion.known}:
        return
    networks = _forecasts.States.of(given, latent, fold, spec.skip, spec.seed)
    if networks is None:
        return
    others, later = networks.ahead(starts, horizon), networks.ahead(first, longest)
    for name, each in others.items():

        def read(states: Mapping[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
            parts = [states[name] for name in spec.energy]
            level = np.sum(parts, axis=0) / reading.spread if parts else None
            return np.stack([states[angle] for angle in spec.angles], -1), level

        (rolled, level), (turned, kept) = read(each), read(later[name])
        kept = None if kept is None else kept[:, 0, horizon + 1 :]
        seen = None if whole is None else whole[:, spec.skip :]
        yield (
            name,
            replace(
                _against(rolled, angles[:, ahead], level),
                later=Stretch.of(turned[:, 0, horizon + 1 :], kept),
                truly=Stretch.of(angles[:, spec.skip :], seen),
            ),
        )


def _against(rolled: np.ndarray, truth: np.ndarray, level: np.ndarray | None) -> Rolled:
    """Angles (clip, start, step, angle) against true ones; drift of a level (clip, start, step)."""
    apart = (rolled - truth + np.pi) % (2 * np.pi) - np.pi
    drift = None if level is None else np.abs(level - level[..., :1])
    return Rolled(np.sqrt((apart**2).mean(-1)), drift)


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


def _reading(spec: Settings, given: Given, latent: np.ndarray, fold: Fold) -> Reading:
    late = slice(spec.skip, None)
    pairs = [f(given.states[name][:, late]) for name in spec.angles for f in (np.sin, np.cos)]
    angles = states.fit(latent[:, late], np.stack(pairs, -1), [fold])
    if not spec.energy:
        return Reading(angles.weights[0], angles.intercept[0], None, None, 1.0)
    total = np.sum([given.states[name][:, late] for name in spec.energy], axis=0)
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
    """Clips of all folds, in their order."""

    def whole(values: Sequence[np.ndarray | None]) -> np.ndarray | None:
        known = [value for value in values if value is not None]
        return np.concatenate(known)[order] if known else None

    def stretch(each: Sequence[Stretch | None]) -> Stretch | None:
        known = [part for part in each if part is not None]
        if not known:
            return None
        power = np.concatenate([part.power for part in known])[order]
        return Stretch(whole([part.energy for part in known]), power)

    return Rolled(
        np.concatenate([part.error for part in parts])[order],
        whole([part.drift for part in parts]),
        stretch([part.later for part in parts]),
        stretch([part.truly for part in parts]),
    )


def _paces(spec: Settings, given: Given, held: HeldOut) -> np.ndarray | None:
    """Lyapunov exponents (clip,) [1/s] of held-out clips, if all have one above 0."""
    values = given.labels.get(spec.pace)
    if values is None:
        return None
    values = np.asarray(values, float)[held.clip]
    return values if (values > 0).all() else None


def _told(
    spec: Settings,
    models: Mapping[str, Rolled],
    held: HeldOut,
    seconds: float,
    paces: np.ndarray | None,
) -> tuple[list[dict], dict]:
    rows: list[dict] = []
    valid = {}

    def mean(values: np.ndarray) -> dict:
        sums = np.stack([values, np.ones_like(values)], -1)
        interval = bootstrap.interval(
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
        rows += [{**about, **row} for row in _invariants(spec, rolled, held)]
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


def _invariants(spec: Settings, rolled: Rolled, held: HeldOut) -> Iterator[dict]:
    """Rows of how far statistics are from those of what was seen, with their null.

    In a draw of the null some groups of clips exchange what is rolled for what was seen.
    """
    if rolled.later is None or rolled.truly is None:
        return
    known, place = np.unique(held.groups, return_inverse=True)
    rng = seeds.rng("exchange", spec.seed, len(known))
    flips = np.vstack([np.zeros(len(known)), rng.integers(0, 2, (spec.permutations, len(known)))])
    flips = flips.astype(bool)[:, place]
    measures = {"spectrum_distance": (_spectra_apart, rolled.later.power, rolled.truly.power)}
    if rolled.later.energy is not None and rolled.truly.energy is not None:
        measures["energy_distance"] = (_histograms_apart, rolled.later.energy, rolled.truly.energy)
    for metric, (apart, later, truly) in measures.items():
        moved = np.abs(later - truly).reshape(len(place), -1).sum(1)
        arranged = nulls.Arrangements.of_signs(np.bincount(place, moved))
        draws = []
        for flip in flips:
            flip = flip.reshape(-1, *[1] * (later.ndim - 1))
            draws.append(apart(np.where(flip, truly, later), np.where(flip, later, truly)))
        value, *null = draws
        about = {"metric": metric, "n_clips": len(held.clip), "value": value}
        found = arranged.row(value, np.array(null))
        yield {**about, **found, "note": nulls.noted(found.get("note"), OF_ALL)}


def _histograms_apart(later: np.ndarray, truly: np.ndarray) -> float:
    """Wasserstein distance of energies (clip, token) of all clips, in deviations between clips."""
    return float(np.abs(np.sort(later, None) - np.sort(truly, None)).mean())


def _spectra_apart(later: np.ndarray, truly: np.ndarray) -> float:
    """Total variation of mean power (clip, frequency, column), 0 to 1, mean over columns."""
    means = np.stack([part.mean(0) for part in (later, truly)])
    # what does not move has all of its power at frequency 0, not in rounding
    means[:, 0] += 1e-9 * means.sum(1).max(0)
    parts = means / means.sum(1, keepdims=True)
    return float(np.abs(parts[0] - parts[1]).sum(0).mean() / 2)
