"""Order: whether there is dynamics at all, and whether it is first or second order in time.

If the frames of a clip had no order, any order of them would be as likely as theirs. So how alike
neighbouring frames are is compared with what it is after shuffling (as in von Neumann's ratio):
exact for stills with noise, for noise, and for frames out of order.

A second exponential per mode fits any course better, the more so the noisier it is. What it gains
in foretelling late frames is therefore compared with what it gains on simulated clips that are
first order: the course that one exponential per mode takes, with white noise as strong as the
misfit.
"""

from dataclasses import dataclass, replace

import numpy as np

from physprobe.discover import _evidence, _poles
from physprobe.discover._laws import LAWS
from physprobe.discover._modes import Modes
from physprobe.statistics import seeds

# A clip whose modes vary by less than this part of their energy stands still.
STILL = 1e-14
NORMAL95 = 1.645


@dataclass(frozen=True)
class Succession:
    """How alike neighbouring frames are."""

    value: np.ndarray
    """(clip) correlation of neighbouring frames about the clip's mean; 0 for a still."""
    p: np.ndarray
    """(clip) part of the shuffles that are at least as high."""
    pooled_p: float
    """The same for all clips together."""


def succession(modes: Modes, shuffles: int = 999, seed: int = 0) -> Succession:
    """Whether the order of frames matters."""
    amplitude = modes.amplitude
    clips, _, frames, _ = amplitude.shape
    energy = (np.abs(amplitude) ** 2).sum((1, 2, 3))
    centred = amplitude - amplitude.mean(2, keepdims=True)
    flat = centred.swapaxes(1, 2).reshape(clips, frames, -1)
    gram = (flat @ flat.conj().swapaxes(1, 2)).real
    whole = np.einsum("ctt->c", gram)
    moves = whole > STILL * energy
    gram = np.where(moves[:, None, None], gram / np.where(moves, whole, 1)[:, None, None], 0.0)
    rng = seeds.rng("succession", seed)
    order = rng.permuted(np.broadcast_to(np.arange(frames), (shuffles, clips, frames)), axis=-1)
    drawn = gram[np.arange(clips)[:, None], order[..., :-1], order[..., 1:]].sum(-1)
    found = np.einsum("ctt->c", gram[:, :-1, 1:])

    def share(null: np.ndarray, value: np.ndarray) -> np.ndarray:
        # rounding must not tell a still from its shuffles
        return (1 + (null >= value - 1e-12).sum(0)) / (shuffles + 1)

    return Succession(found, share(drawn, found), float(share(drawn.mean(1), found.mean())))


@dataclass(frozen=True)
class Order:
    """Evidence for second order in time."""

    gain: np.ndarray
    """(clip) nats per number foretold that two exponentials gain over one."""
    null: np.ndarray
    """(draw, clip) the same on simulated first-order clips."""
    left: np.ndarray
    """(clip, 2) part of the structure that the best explanation of either order leaves."""

    def pick(self, unexplained: float) -> list[int | None]:
        """Order of every clip; None where neither explains it."""
        return [
            _pick(gain, null, left, unexplained)
            for gain, null, left in zip(self.gain, self.null.T, self.left, strict=True)
        ]

    def pooled(self, unexplained: float) -> int | None:
        """Order of all clips together."""
        left = np.median(self.left, axis=0)
        return _pick(self.gain.mean(), self.null.mean(1), left, unexplained)


def threshold(null: np.ndarray) -> float:
    """95th percentile of the null, from its mean and spread: few draws do."""
    return float(null.mean() + NORMAL95 * null.std(ddof=1))


def _pick(gain: float, null: np.ndarray, left: np.ndarray, unexplained: float) -> int | None:
    first, second = left <= unexplained
    needs_second = gain > threshold(null) and not first
    if needs_second:
        return 2 if second else None
    return 1 if first else None


def order(modes: Modes, evidence: _evidence.Evidence, draws: int = 20, seed: int = 0) -> Order:
    """Compare one exponential per mode with two, on the clips and on simulated nulls.

    Parameters
    ----------
    modes : Modes
    evidence : Evidence
        Of the same modes.
    draws : int
        Simulated nulls.
    seed : int
    """
    frames = modes.amplitude.shape[2]
    early = slice(0, round(_evidence.EARLY * frames))
    left = evidence.unexplained()
    explained = [
        left[:, evidence.index(*(law.name for law in LAWS if law.order == number
                                 and law.name in evidence.names), f"free_{number}")].min(1)
        for number in (1, 2)
    ]  # fmt: skip
    course = _poles.free(modes, 1, slice(0, frames))
    clips, count = len(course), course[0].size
    noise = np.sqrt((np.abs(modes.amplitude - course) ** 2).reshape(clips, -1).sum(1) / count)
    rng = seeds.rng("order", seed)
    null = []
    for _ in range(draws):
        drawn = rng.standard_normal(course.shape)
        if modes.periodic:
            drawn = (drawn + 1j * rng.standard_normal(course.shape)) / np.sqrt(2)
        simulated = course + noise[:, None, None, None] * drawn
        null.append(_gain(replace(modes, amplitude=simulated), early))
    return Order(_gain(modes, early), np.stack(null), np.stack(explained, axis=-1))


def _gain(modes: Modes, early: slice) -> np.ndarray:
    """Gain (clip) of a second exponential over the first."""
    truth = modes.amplitude[:, :, early.stop :]
    least = modes.floor(truth.shape[2]).sum(1)
    one, two = (
        np.maximum(
            (np.abs(truth - _poles.free(modes, number, early)[:, :, early.stop :]) ** 2).sum(
                (1, 2, 3)
            ),
            least,
        )
        for number in (1, 2)
    )
    return np.log(one / two)
