"""Forecasts that need no predictor of an encoder: a network of true states, the true equation.

    state_mlp   s[t + 1] = s[t] + f(s[t]), f a small network fitted to true states of training clips
    equation    s[t] as a small network reads it off the latent, and the true equation from there

The first is what a network of its size knows of the dynamics that is shown the state itself, though
none of the clip's parameters. The second is what a latent would be good for if its dynamics were
known without error.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from physprobe.fit.methods import _perceptron, _shared
from physprobe.fit.section import Given
from physprobe.statistics import ridge
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from physprobe.fit._motion import Motion

NETWORK, EQUATION = "state_mlp", "equation"
"""Models."""
FAR = 1e3
"""A network that is rolled on may leave all bounds; [rad], [rad/s]."""


class States:
    """Forecasts of the states of a fold's held-out clips.

    Parameters
    ----------
    given : Given
    latent : (clip, time, feature)
    fold : Fold
    skip : int
        First token whose latent is read.
    seed : int
    """

    def __init__(self, given: Given, latent: np.ndarray, fold: Fold, skip: int, seed: int):
        assert given.motion is not None, "see `of`"
        self.motion = given.motion
        self.clips, self.skip = fold.test, skip
        self.truth = np.stack([given.states[name] for name in self.motion.names], -1)
        settings = _perceptron.Small(seed=seed)
        shown = _shown(self.motion, self.truth)
        self.advance = _shared.once(
            lambda: _perceptron.function(
                settings, shown[:, :-1], np.diff(self.truth, axis=1), fold
            ),
            "states", fold, self.truth, settings,
        )  # fmt: skip
        asked = {"state": shown[:, skip:, None]}
        found = _perceptron.read(settings, latent[:, skip:], asked, fold, self.clips)["state"]
        self.read = _taken(self.motion.names, self.motion.angles, found.predicted[:, :, 0])

    @classmethod
    def of(
        cls, given: Given, latent: np.ndarray, fold: Fold, skip: int, seed: int
    ) -> "States | None":
        """The same; None where the system has no equation that can be solved from any state."""
        motion = given.motion
        if motion is None or not {*motion.names} <= {*given.states}:
            return None
        return cls(given, latent, fold, skip, seed)

    def ahead(self, starts: np.ndarray, tokens: int) -> dict[str, dict[str, np.ndarray]]:
        """States from every start (start,) on, by model and name (clip, start, token).

        Angles, velocities and all else that the equation gives; the first token is the start.
        """
        motion, rows = self.motion, np.repeat(self.clips, len(starts))
        known = self.truth[self.clips][:, starts].reshape(len(rows), -1)
        own = self.read[:, starts - self.skip].reshape(len(rows), -1)
        moved = self._rolled(known, tokens).reshape(-1, len(motion.names))
        whole = motion.ahead(np.repeat(rows, tokens + 1), moved, 0)
        shape = (len(self.clips), len(starts), tokens + 1)
        return {
            model: {name: values.reshape(shape) for name, values in each.items()}
            for model, each in {NETWORK: whole, EQUATION: motion.ahead(rows, own, tokens)}.items()
        }

    def _rolled(self, start: np.ndarray, tokens: int) -> np.ndarray:
        """States (row, token, state) that the network of true states rolls on."""
        found = [start]
        for _ in range(tokens):
            following = found[-1] + self.advance(_shown(self.motion, found[-1]))
            found.append(np.clip(following, -FAR, FAR))
        return np.stack(found, 1)


def _shown(motion: "Motion", states: np.ndarray) -> np.ndarray:
    """States (..., state) with sine and cosine in the place of angles, (..., column)."""
    parts = []
    for place, name in enumerate(motion.names):
        value = states[..., place]
        parts += [np.sin(value), np.cos(value)] if name in motion.angles else [value]
    return np.stack(parts, -1)


def _taken(names: Sequence[str], angles: Sequence[str], shown: np.ndarray) -> np.ndarray:
    """States (..., state) from (..., column) of :func:`_shown`; angles from -pi to pi."""
    parts, at = [], 0
    for name in names:
        if name in angles:
            parts.append(np.arctan2(shown[..., at], shown[..., at + 1]))
            at += 2
        else:
            parts.append(shown[..., at])
            at += 1
    return np.stack(parts, -1)


class Pixels:
    """Dynamic mode decomposition of frames: a linear map of their principal components.

    x[t + 1] = x[t] + B (x[t], x[t - 1]) + b, of components fitted on training clips; the ridge
    penalty is chosen on inner folds. Two frames, as one holds no velocity.

    Parameters
    ----------
    frames : (clip, time, y, x) uint8
    fold : Fold
    rank : int
        Components.
    """

    def __init__(self, frames: np.ndarray, fold: Fold, rank: int):
        from physprobe.statistics import states as regression
        from physprobe.statistics.dense import eigen

        self.shape = frames.shape[2:]
        flat = frames.reshape(*frames.shape[:2], -1)
        rows = flat[fold.train].reshape(-1, flat.shape[-1])
        rows = rows[:: -(-len(rows) // MOST)].astype(np.float32) / 255
        self.mean = rows.mean(0)
        rows -= self.mean
        if rows.shape[1] <= len(rows):
            self.axes = eigen((rows.T @ rows).astype(float))[1][:, ::-1][:, :rank]
        else:
            self.axes = np.linalg.svd(rows, full_matrices=False)[2][:rank].T
        self.known = np.stack([self._shortened(clip) for clip in flat])
        seen = np.concatenate([self.known[:, 1:-1], self.known[:, :-2]], -1)
        change = self.known[:, 2:] - self.known[:, 1:-1]
        found = regression.fit(seen, change, [fold], PENALTIES)
        self.weights, self.shift = found.weights[0], found.intercept[0]

    def _shortened(self, clip: np.ndarray) -> np.ndarray:
        return (clip.astype(np.float32) / 255 - self.mean) @ self.axes

    def ahead(self, clips: np.ndarray, starts: np.ndarray, tokens: int) -> np.ndarray:
        """Components (clip, start, token, component) from every start on."""
        last = self.known[clips][:, starts].astype(float)
        before = self.known[clips][:, np.maximum(starts - 1, 0)].astype(float)
        found = [last]
        for _ in range(tokens):
            both = np.concatenate([last, before], -1)
            last, before = last + both @ self.weights + self.shift, last
            found.append(np.clip(last, -1e6, 1e6))
        return np.stack(found, 2)

    def drawn(self, components: np.ndarray) -> np.ndarray:
        """Frames (..., y, x) of components (..., component), from 0 to 1."""
        found = components @ self.axes.T + self.mean
        return np.clip(found, 0, 1).reshape(*components.shape[:-1], *self.shape)


MOST = 4096
"""Frames that components are fitted to."""
PENALTIES = ridge.PENALTIES[::2]
