"""Verdict: which law, or none that we could name.

A law is named only if all of these hold, else the verdict is "cannot tell":

    succession   the order of frames matters (p at most 1 % among shuffles)
    foretells    it foretells late frames of unseen modes better than what knows no dynamics
    explains     it leaves at most 5 % of the structure in what the best of those gets wrong
    suffices     no mode by itself does better, unless the law is all but exact (99.75 %)
    swings       a law of second order makes a quarter of a turn or more in the clip: slower, or
                 overdamped, it is only a way to draw a decay that is no exponential, and no
                 candidate
    no rival     no other candidate does as well; of two that contain each other, the simpler one is
                 taken unless the other gains more than 0.05 nats, and the general one is a rival
    no doubt     where two that contain each other have different names, the simpler one is named if
                 the other can't gain more than 0.1 nats, and that one if it gains 0.05 or more;
                 of a few (Klein-Gordon, telegraph, fractional) the simpler one is named as long as
                 the other isn't known to gain, with an upper limit of what it lacks
    constant     its coefficients change with neither time, place nor strength of the field, and it
                 lacks no term: nothing of the kind gains more than 0.05 nats over it, see
                 `_specification`. Of a combination of features, which may bend the field, strength
                 isn't asked, nor anything if the law is all but exact

"Better" is meant of the 95 % interval, from a bootstrap over modes and, of several clips, over both
modes and clips.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from physprobe.discover._evidence import FREE, Evidence
from physprobe.discover._laws import BY_NAME, CANNOT_TELL
from physprobe.discover._order import Succession
from physprobe.discover._specification import ALTERNATIVES
from physprobe.statistics import seeds

P, MARGIN, DOUBT, EXPLAINS, ALL_BUT_EXACT, TURNS = 0.01, 0.05, 0.1, 0.05, 6.0, 0.25


@dataclass(frozen=True)
class Verdict:
    """What can be said of a clip, or of several."""

    verdict: str
    law: str | None
    """The candidate; None if we cannot tell."""
    leading: str
    """The candidate that came out first, whether or not it was named."""
    reason: str
    """Why we cannot tell; empty if we can."""


def drawn(evidence: Evidence, draws: int, seed: int) -> np.ndarray:
    """Gains (draw, clip, candidate) when modes are drawn anew."""
    return evidence.gains(_modes_drawn(evidence, draws, seed))


def _modes_drawn(evidence: Evidence, draws: int, seed: int) -> np.ndarray:
    """How often (draw, mode) each mode is drawn."""
    count = evidence.errors.shape[1]
    rng = seeds.rng("verdict", seed)
    return rng.multinomial(count, np.full(count, 1 / count), draws).astype(float)


def _clips_drawn(clips: int, draws: int, seed: int) -> np.ndarray:
    """Weight (draw, clip) of every clip."""
    rng = seeds.rng("verdict", "clips", seed)
    return rng.multinomial(clips, np.full(clips, 1 / clips), draws) / clips


class _Beside:
    """What the alternatives to a law gain over it."""

    def __init__(self, evidence: Evidence, draws: int, seed: int):
        self.evidence, self.seed = evidence, seed
        self.counts = _modes_drawn(evidence, draws, seed)
        self.kept: dict[str, tuple] = {}

    def clip(self, law: str, clip: int) -> tuple[np.ndarray, np.ndarray]:
        """Of one clip: (alternative), and (draw, alternative) with modes drawn anew."""
        gain, draws = self._all(law)
        return gain[clip], draws[:, clip]

    def pooled(self, law: str) -> tuple[np.ndarray, np.ndarray]:
        """Of all clips together, clips drawn anew as well."""
        gain, draws = self._all(law)
        weights = _clips_drawn(len(gain), len(draws), self.seed)
        return gain.mean(0), np.einsum("dc,dca->da", weights, draws)

    def _all(self, law: str) -> tuple[np.ndarray, np.ndarray]:
        if law not in self.kept:
            scores = [
                self.evidence.scores(counts, self.evidence.beside(law))
                for counts in (None, self.counts)
            ]
            gain, draws = (score[..., 1:] - score[..., :1] for score in scores)
            self.kept[law] = gain[0], draws
        return self.kept[law]


def of_clips(
    evidence: Evidence, shuffled: Succession, *, draws: int = 200, seed: int = 0
) -> list[Verdict]:
    """Verdict on every clip by itself."""
    gains, resampled = evidence.gains()[0], drawn(evidence, draws, seed)
    left, turns = evidence.unexplained(), evidence.turns
    beside = _Beside(evidence, draws, seed)
    return [
        _judge(
            evidence.names,
            gains[clip],
            resampled[:, clip],
            left[clip],
            turns[clip],
            shuffled.p[clip],
            partial(beside.clip, clip=clip),
            evidence.bent,
        )
        for clip in range(len(gains))
    ]


def pooled(evidence: Evidence, shuffled: Succession, *, draws: int = 200, seed: int = 0) -> Verdict:
    """Verdict on all clips together: each has parameters of its own, the law is common."""
    return _judge(
        evidence.names,
        evidence.gains()[0].mean(0),
        pooled_draws(evidence, draws, seed),
        np.median(evidence.unexplained(), axis=0),
        np.median(evidence.turns, axis=0),
        shuffled.pooled_p,
        _Beside(evidence, draws, seed).pooled,
        evidence.bent,
    )


def pooled_draws(evidence: Evidence, draws: int, seed: int) -> np.ndarray:
    """Mean gains (draw, candidate) when modes and clips are drawn anew."""
    resampled = drawn(evidence, draws, seed)
    weights = _clips_drawn(resampled.shape[1], draws, seed)
    return np.einsum("dc,dcn->dn", weights, resampled)


def _judge(
    names: tuple[str, ...],
    gain: np.ndarray,
    draws: np.ndarray,
    left: np.ndarray,
    turns: np.ndarray,
    p: float,
    beside: Callable[[str], tuple[np.ndarray, np.ndarray]],
    bent: bool,
) -> Verdict:
    laws = [
        name for name, turned in zip(names, turns, strict=True)
        if name in BY_NAME and not turned < TURNS
    ]  # fmt: skip
    value = dict(zip(names, gain, strict=True))
    table = np.quantile(draws[:, :, None] - draws[:, None, :], 0.025, axis=0)
    low = {
        (one, other): table[i, j] for i, one in enumerate(names) for j, other in enumerate(names)
    }
    sure = dict(zip(names, np.quantile(draws, 0.025, axis=0), strict=True))
    leading = max(laws, key=value.__getitem__)
    # the simplest that the leading one contains and hardly surpasses
    simpler = [
        name for name in BY_NAME[leading].special
        if name in laws and not _surpasses(leading, name, value, low)
    ]  # fmt: skip
    if simpler:
        leading = min(simpler, key=lambda name: (len(BY_NAME[name].parameters), -value[name]))
    law = BY_NAME[leading]

    def cannot(reason: str) -> Verdict:
        return Verdict(CANNOT_TELL, None, leading, reason)

    if p > P:
        return cannot(f"the order of frames doesn't matter (p = {p:.2g})")
    if sure[leading] <= 0:
        return cannot("nothing foretells late frames better than what knows no dynamics")
    if law.verdict == CANNOT_TELL:
        return cannot(f"{leading} fits best, which is no law that we name")
    if left[names.index(leading)] > EXPLAINS:
        return cannot(f"{leading} leaves {left[names.index(leading)]:.0%} of the structure")
    free = max(FREE, key=value.__getitem__)
    if _surpasses(free, leading, value, low) and sure[leading] < ALL_BUT_EXACT:
        return cannot(f"modes by themselves do better than {leading}")
    for other in laws:
        related = other in law.special or leading in BY_NAME[other].special
        if other != leading and not related and low[leading, other] <= 0:
            return cannot(f"{other} does as well as {leading}")
        if BY_NAME[other].verdict in (law.verdict, CANNOT_TELL):
            continue
        doubtful = leading in BY_NAME[other].special and not BY_NAME[other].limited
        if doubtful and -low[leading, other] > DOUBT:
            return cannot(f"{other} may do better than {leading}")
        if other in law.special and low[leading, other] < MARGIN:
            return cannot(f"{other} may do as well as {leading}")
    if bent and sure[leading] >= ALL_BUT_EXACT:
        return Verdict(law.verdict, leading, leading, "")
    gained, drawn = beside(leading)
    sure_gain = np.quantile(drawn, 0.025, axis=0)
    wrong = (gained > MARGIN) & (sure_gain > 0)
    # to be bent is to look as if strength mattered
    wrong &= ~(bent & np.isin(list(ALTERNATIVES), "strength"))
    if wrong.any():
        first = np.where(wrong, gained, -np.inf).argmax()
        return cannot(f"{leading} fits best, but {tuple(ALTERNATIVES.values())[first]}")
    return Verdict(law.verdict, leading, leading, "")


def _surpasses(one: str, other: str, value: dict, low: dict) -> bool:
    return value[one] - value[other] > MARGIN and low[one, other] > 0
