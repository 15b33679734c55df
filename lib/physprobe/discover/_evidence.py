"""Evidence: how well every candidate foretells modes that it hasn't seen, at times it hasn't seen.

The modes of a clip are dealt into two hands by their energy. A law's parameters come from one hand;
each mode of the other gets its amplitudes from the early frames, and the late ones are foretold. So
a law has to hold across wavevectors and to go on in time. The score of a clip is the Gaussian
log-likelihood of what is foretold, with the candidate's own noise: minus the logarithm of its mean
squared error, in nats per number foretold. Beside the laws stand

    still    the mean of the early frames
    last     the last of them
    nothing  zero
    free_1   one exponential per mode, free of any law; free_2 two of them

and, beside each law that might be named, what it would be if something were wrong with it, see
`_specification`.
"""

from dataclasses import dataclass, field

import numpy as np

from physprobe.discover import _poles, _specification
from physprobe.discover._fit import fit, predict
from physprobe.discover._laws import BY_NAME, Law, candidates
from physprobe.discover._modes import Modes

BASELINES = ("still", "last", "nothing")
FREE = ("free_1", "free_2")
EARLY = 0.6
CLIPS = 8  # at a time, to stay in the cache
FEW = 2  # the same, where there are directions too


@dataclass(frozen=True)
class Evidence:
    """Squared errors of all candidates."""

    names: tuple[str, ...]
    errors: np.ndarray
    """(clip, mode, candidate)"""
    structured: np.ndarray
    """(clip, mode, candidate) products of errors with those one frame later: what is left of the
    squared errors without white noise, which no candidate can foretell."""
    turns: np.ndarray
    """(clip, candidate) turns that a mode of middling energy makes in the clip; nan of what is not
    a law of second order."""
    floor: np.ndarray
    """(clip, mode) what errors below it count as: rounding, and what reading errs by."""
    modes: Modes
    """What was foretold."""
    theta: dict[str, np.ndarray]
    """Parameters (hand, clip, parameter) of every law, from the modes of either hand."""
    bent: bool
    """Whether the field may be seen through what bends it."""
    kept: dict[str, np.ndarray] = field(default_factory=dict, repr=False)
    """What :meth:`beside` has found."""

    def index(self, *names: str) -> list[int]:
        """Places of some candidates."""
        return [self.names.index(name) for name in names]

    def gains(self, counts: np.ndarray | None = None) -> np.ndarray:
        """Scores (draw, clip, candidate) above the best of what knows no dynamics."""
        scores = self.scores(counts)
        return scores - scores[..., self.index(*BASELINES)].max(-1, keepdims=True)

    def unexplained(self) -> np.ndarray:
        """Part (clip, candidate) of the structure in the best baseline's errors that is left."""
        errors, structured = self.errors.sum(1), self.structured.sum(1)
        places = self.index(*BASELINES)
        best = np.asarray(places)[errors[:, places].argmin(1)]
        whole = np.take_along_axis(structured, best[:, None], 1)
        least = self.floor.sum(1, keepdims=True)
        return np.where(whole > least, np.maximum(structured, 0) / np.maximum(whole, least), 1.0)

    def beside(self, law: str) -> np.ndarray:
        """Squared errors (clip, mode, 1 + alternative) if a law is all there is, and if not.

        In the order of ``_specification.ALTERNATIVES``.
        """
        if law not in self.kept:
            dealt, theta = hands(self.modes), self.theta[law]
            early = slice(0, round(EARLY * self.modes.amplitude.shape[2]))
            parts = [slice(start, start + FEW) for start in range(0, len(dealt[0]), FEW)]
            self.kept[law] = np.concatenate([
                _specification.errors(
                    BY_NAME[law],
                    self.modes.clips(part),
                    theta[:, part],
                    dealt[:, part],
                    early,
                    self.bent,
                )
                for part in parts
            ])  # fmt: skip
        return self.kept[law]

    def scores(
        self, counts: np.ndarray | None = None, errors: np.ndarray | None = None
    ) -> np.ndarray:
        """Log-likelihood per number foretold (draw, clip, candidate), up to a constant.

        Parameters
        ----------
        counts : (draw, mode), optional
            How often each mode is drawn; once by default.
        errors : (clip, mode, candidate), optional
            Of others than the candidates.
        """
        errors = self.errors if errors is None else errors
        if counts is None:
            counts = np.ones((1, errors.shape[1]))
        error = np.tensordot(counts, errors, (1, 1))
        least = (counts @ self.floor.T)[..., None]
        return -np.log(np.maximum(error, least))


def gather(modes: Modes, bent: bool = False) -> Evidence:
    """Errors of every candidate on every clip.

    Parameters
    ----------
    modes : Modes
    bent : bool
        Whether they are of a combination of features, each of which may bend the field.
    """
    parts = [
        _gather(modes.clips(slice(start, start + CLIPS)))
        for start in range(0, len(modes.amplitude), CLIPS)
    ]
    return Evidence(
        parts[0].names,
        np.concatenate([part.errors for part in parts]),
        np.concatenate([part.structured for part in parts]),
        np.concatenate([part.turns for part in parts]),
        np.concatenate([part.floor for part in parts]),
        modes,
        {name: np.concatenate([part.theta[name] for part in parts], 1) for name in parts[0].theta},
        bent,
    )


def hands(modes: Modes) -> np.ndarray:
    """Modes (2, clip, mode) of either hand: the strongest ones of each clip alternate."""
    energy = (np.abs(modes.amplitude) ** 2).sum((2, 3))
    rank = np.argsort(np.argsort(-energy, axis=1, kind="stable"), axis=1)
    # 0 1 1 0 0 1 1 0 ...: neither hand gets the better one of each pair
    first = np.isin(rank % 4, (0, 3))
    return np.stack([first, ~first])


def swung(law: Law, theta: np.ndarray, modes: Modes) -> np.ndarray:
    """Turns (clip) that a law of second order makes in a clip, mean over what moves."""
    amplitude = modes.amplitude
    moving = (np.abs(amplitude - amplitude.mean(2, keepdims=True)) ** 2).sum((2, 3))
    turned = law.frequency(theta, modes.wavevector) * amplitude.shape[2] / (2 * np.pi)
    return (turned * moving).sum(1) / np.maximum(moving.sum(1), 1e-300)


def _gather(modes: Modes) -> Evidence:
    amplitude = modes.amplitude
    frames = amplitude.shape[2]
    early = slice(0, round(EARLY * frames))
    late = slice(early.stop, frames)
    truth = amplitude[:, :, late]
    late_frames = truth.shape[2]
    dealt = hands(modes)
    names, errors, structured, turns = [], [], [], []
    parameters = {}

    def add(name: str, guess: np.ndarray) -> None:
        names.append(name)
        error = truth - guess
        errors.append((np.abs(error) ** 2).sum((2, 3)))
        lagged = (error[:, :, 1:] * error[:, :, :-1].conj()).real.sum((2, 3))
        turns.append(np.full(len(truth), np.nan))
        structured.append(lagged * late_frames / (late_frames - 1))

    for law in candidates(modes.periodic):
        time = np.arange(frames, dtype=float)
        guess = np.zeros_like(truth)
        parameters[law.name] = fitted = fit(law, modes, dealt)
        for seen, theta in zip(dealt, fitted, strict=True):
            foretold = predict(law.basis(theta, modes.wavevector, time), amplitude, early)
            guess = np.where(seen[:, :, None, None], guess, foretold[:, :, late])
        add(law.name, guess)
        if law.order == 2:
            turns[-1] = swung(law, fitted.mean(0), modes)
    add("still", amplitude[:, :, early].mean(2, keepdims=True))
    add("last", amplitude[:, :, early.stop - 1 : early.stop])
    add("nothing", np.zeros(1))
    for name, order in zip(FREE, (1, 2), strict=True):
        add(name, _poles.free(modes, order, early)[:, :, late])
    return Evidence(
        tuple(names),
        np.stack(errors, axis=-1),
        np.stack(structured, axis=-1),
        np.stack(turns, axis=-1),
        modes.floor(late_frames),
        modes,
        parameters,
        bent=False,
    )
