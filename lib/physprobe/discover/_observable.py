"""Observable: one linear combination of features, shared by all modes and clips, that obeys a law.

Colours and features of a network bend the field, each in its own way, and none of them may be
linear in it; but a combination of them can be. It is sought for one candidate with real rates and
one with pairs: the combination that leaves least of the late frames, foretold from the early ones,
next to a clip that stands still. Parameters of the law, amplitudes of the modes and the combination
take turns: given the first two, the last is a generalised eigenvector.

It is sought on one half of the clips and read on the other, each way round, so that no clip has a
say in the combination that it is judged by.

References
----------
Williams, Kevrekidis and Rowley, A data-driven approximation of the Koopman operator, J. Nonlinear
Sci. 25 (2015) 1307-1346: observables in which dynamics are linear. Here only such are wanted whose
propagator is a law's.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from physprobe.discover import _evidence, _poles
from physprobe.discover._fit import fit, predict, refine
from physprobe.discover._laws import BY_NAME, Law
from physprobe.discover._modes import Modes
from physprobe.discover._verdict import TURNS

# What combinations are sought for; these contain the other candidates that we name.
SOUGHT = {True: ("advection_diffusion", "damped_wave"), False: ("diffusion", "damped_wave")}
FEWEST = 4  # clips; with fewer, features stay as they are
STRONGEST = 24  # modes that it is sought on
FAINT, RIDGE = 1e-8, 1e-6  # directions with less of the energy are rounding
STARTS, SHORT, LONG = 3, 2, 15
ENOUGH, SHORTEST = 0.02, 0.05  # nats, and part of a step
REFINED = 3
FLOOR = 1e-12


@dataclass(frozen=True)
class Observable:
    """A combination for either half of the clips."""

    weights: np.ndarray
    """(half, feature)"""
    laws: tuple[str, ...]
    """Law that each was sought for."""
    carries: np.ndarray
    """(half) part of the features' energy, on average over clips, that lies along it."""

    def read(self, modes: Modes) -> Modes:
        """Modes with it as their one feature, each clip by the combination of the other half."""
        weights = self.weights[np.arange(len(modes.amplitude)) % 2]
        amplitude = np.einsum("cmtf,cf->cmt", modes.amplitude, weights)[..., None]
        return Modes(amplitude, modes.wavevector, modes.periodic)


def find(modes: Modes) -> Observable | None:
    """Seek an observable; None if there is but one feature, or there are too few clips."""
    clips, features = len(modes.amplitude), modes.amplitude.shape[3]
    if features == 1 or clips < FEWEST:
        return None
    half = np.arange(clips) % 2
    modes = _alike(modes.some(np.sort(modes.ranking[:STRONGEST])))
    found = [_sought(modes.clips(np.flatnonzero(half != read))) for read in (0, 1)]
    weights = np.stack([weight for weight, _ in found])
    along = np.einsum("cmtf,hf->hcmt", modes.amplitude, weights)
    carries = (np.abs(along) ** 2).sum((2, 3)).mean(1) / (weights**2).sum(1)
    return Observable(weights, tuple(name for _, name in found), carries)


def _alike(modes: Modes) -> Modes:
    """Clips with an energy of 1 each."""
    energy = (np.abs(modes.amplitude) ** 2).sum((1, 2, 3), keepdims=True)
    amplitude = modes.amplitude / np.sqrt(np.where(energy > 0, energy, 1))
    return Modes(amplitude, modes.wavevector, modes.periodic)


def _sought(modes: Modes) -> tuple[np.ndarray, str]:
    """Combination (feature) that obeys one of the laws best, and the law."""
    values, axes = np.linalg.eigh(_products(modes.amplitude).mean(0))
    axes = axes[:, values > FAINT * values[-1]][:, ::-1]
    rotated = Modes(modes.amplitude @ axes, modes.wavevector, modes.periodic)
    search = _Search(rotated)
    starts = [*np.eye(axes.shape[1])[:STARTS], *(search.free(order) for order in (1, 2))]
    found = {name: search.along(BY_NAME[name], starts) for name in SOUGHT[modes.periodic]}
    best = min(found, key=lambda name: found[name].left if search.swings(name, found[name]) else 0)
    return axes @ found[best].weights, best


@dataclass(frozen=True)
class _State:
    left: float
    """Logarithm of the part of the squared errors that is left, mean of clips."""
    weights: np.ndarray
    theta: np.ndarray | None
    errors: np.ndarray
    """Products (clip, feature, feature) of errors."""


class _Search:
    """Steps towards combinations that are foretold well."""

    def __init__(self, modes: Modes):
        self.modes = modes
        self.frames = modes.amplitude.shape[2]
        self.early = slice(0, round(_evidence.EARLY * self.frames))
        still = modes.amplitude[:, :, self.early].mean(2, keepdims=True)
        self.whole = self._kept(_products((modes.amplitude - still)[:, :, self.early.stop :]))
        self.scale = self.whole.mean(0)

    def along(self, law: Law, starts: list[np.ndarray]) -> _State:
        """Best combination for a law: a few steps from every start, many from the best."""
        states = [self._descend(law, self._unit(start), None, SHORT) for start in starts]
        best = min(states, key=lambda state: state.left)
        return self._descend(law, best.weights, best.theta, LONG)

    def free(self, order: int) -> np.ndarray:
        """Combination that goes on as exponentials do, whatever the law."""
        found = []
        for weights in np.eye(len(self.scale))[:STARTS]:
            weights = self._unit(weights)
            for _ in range(SHORT + 1):
                one = self._read(weights).amplitude[:, :, self.early]
                rates, _ = _poles.poles(_poles.windows(one), order, bounded=True)
                errors = self._errors(_poles.courses(rates, self.frames))
                found.append(_State(self._left(weights, errors), weights, None, errors))
                weights = self._turned(found[-1])
        return min(found, key=lambda state: state.left).weights

    def swings(self, name: str, state: "_State") -> bool:
        """Whether most clips make a turn, where a law of second order is to be more than slow."""
        law = BY_NAME[name]
        if law.order != 2 or state.theta is None:
            return True
        turns = _evidence.swung(law, state.theta, self._read(state.weights))
        return bool(np.median(turns) >= TURNS)

    def _descend(
        self, law: Law, weights: np.ndarray, theta: np.ndarray | None, steps: int
    ) -> _State:
        state, stretch = self._state(law, weights, theta), 1.0
        for _ in range(steps):
            step = self._turned(state) - state.weights
            tried = self._state(law, self._unit(state.weights + stretch * step), state.theta)
            gained = state.left - tried.left
            if gained <= 0:
                stretch = min(stretch, 4.0) / 4
                if stretch < SHORTEST:
                    break
                continue
            state, stretch = tried, min(2 * stretch, 16.0)
            if gained < ENOUGH:
                break
        return state

    def _state(self, law: Law, weights: np.ndarray, theta: np.ndarray | None) -> _State:
        one = self._read(weights)
        theta = fit(law, one)[0] if theta is None else theta
        # of the same errors as the combination: each step of either is one down
        theta = refine(law, one, theta, REFINED, self.early.stop)
        time = np.arange(self.frames, dtype=float)
        errors = self._errors(law.basis(theta, self.modes.wavevector, time))
        return _State(self._left(weights, errors), weights, theta, errors)

    def _read(self, weights: np.ndarray) -> Modes:
        amplitude = self.modes.amplitude @ weights[:, None]
        return Modes(amplitude, self.modes.wavevector, self.modes.periodic)

    def _errors(self, basis: np.ndarray) -> np.ndarray:
        amplitude = self.modes.amplitude
        errors = amplitude - predict(basis, amplitude, self.early)
        return self._kept(_products(errors[:, :, self.early.stop :]))

    def _kept(self, products: np.ndarray) -> np.ndarray:
        # what has hardly any energy is left as it is by every law
        whole = self.whole if hasattr(self, "whole") else products
        size = products.shape[-1]
        ridge = RIDGE * np.einsum("cff->c", whole) / size + FLOOR
        return products + ridge[:, None, None] * np.eye(size)

    def _left(self, weights: np.ndarray, errors: np.ndarray) -> float:
        return float(np.log(_along(errors, weights) / _along(self.whole, weights)).mean())

    def _turned(self, state: _State) -> np.ndarray:
        """Combination that the present errors would leave least of, on the side of this one."""
        errors = np.tensordot(1 / _along(state.errors, state.weights), state.errors, 1)
        whole = np.tensordot(1 / _along(self.whole, state.weights), self.whole, 1)
        turned = self._unit(linalg.eigh(errors, whole, subset_by_index=(0, 0))[1][:, 0])
        return turned if turned @ self.scale @ state.weights >= 0 else -turned

    def _unit(self, weights: np.ndarray) -> np.ndarray:
        return weights / np.sqrt(weights @ self.scale @ weights)


def _along(products: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.einsum("f,cfg,g->c", weights, products, weights)


def _products(amplitude: np.ndarray) -> np.ndarray:
    """Products (clip, feature, feature) of amplitudes (clip, mode, time, feature)."""
    flat = amplitude.reshape(len(amplitude), -1, amplitude.shape[-1])
    return (flat.conj().swapaxes(1, 2) @ flat).real
