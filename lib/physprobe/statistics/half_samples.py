"""Half-samples: how a score varies with the clips that models are fitted to.

What the score of a fitted model owes to the clips that it was fitted to, no weight of held-out
clips shows. Halves do: the fits are redone on either half of the clips, and both are scored on all
of them. The two have no clip in common to learn from, so that their difference is what training
sets of half the size bring. Relative to the error it is taken to be the same at full size:

    error = error of the drawn clips x exp(sqrt(2 / S) sum_s z_s d_s),    z standard normal
    d_s = 1/2 log(error by the first half of split s / error by the second),    S splits

A clip that is hard to predict is often a bad one to learn from too, and what is learned from a clip
of like use to others: what clips bring as held-out and as training ones hangs together. So the
deviation of the drawn clips' error is made f times as large,

    f^2 = 1 + mean_s(D_s T_s) / V

with D_s the difference of the two halves' scores, T_s that of what the halves' clips, held out,
bring to the score, and V its variance over held-out clips.

References
----------
Shao, Wu, "A general theory for jackknife variance estimation", Annals of Statistics 17 (1989): what
half-samples know of models that are no smooth function of their clips.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from physprobe.statistics import ensemble, seeds
from physprobe.statistics.ensemble import Members
from physprobe.statistics.scores import Statistic


class Halves(NamedTuple):
    """What scores owe to the clips that models are fitted to, from fits to halves of them."""

    deviations: np.ndarray
    """(..., split, part) half the logarithm of a part's total by the fits to the first half over
    that by the second; 0 of parts that no fit has to do with. The others are positive."""
    signs: np.ndarray
    """(split, clip) 1 of clips in the first half, -1 of those in the second; of a group alike."""
    wide: np.ndarray | None = None
    """(..., part) how many times as far away the draws' totals are, once that is known: it is that
    of the score which the part belongs to."""

    @classmethod
    def at(cls, place: int, parts: int, ratios: np.ndarray, signs: np.ndarray) -> "Halves | None":
        """Of sums with one part that fits have to do with, from its own deviations (..., split).

        None if fits were redone on no half: they are held fixed then.
        """
        if not np.shape(ratios)[-1]:
            return None
        found = np.zeros((*np.shape(ratios), parts))
        found[..., place] = ratios
        return cls(found, np.asarray(signs, float))

    def of(self, clips: np.ndarray) -> "Halves":
        """The same about some of the clips, or all in another order."""
        return Halves(self.deviations, self.signs[:, clips], self.wide)

    @property
    def fitted(self) -> np.ndarray:
        """Which parts (part,) fits have to do with."""
        return (self.deviations != 0).any(tuple(range(self.deviations.ndim - 1)))

    def factors(self, draws: int, seed: int) -> np.ndarray:
        """What each draw's totals (..., draw, part) are multiplied by; see above."""
        normal = _weights(len(self.signs), draws, seed)
        return np.exp(np.sqrt(2 / len(self.signs)) * (normal @ self.deviations))

    def apart(self, total: np.ndarray, statistic: Statistic, members: Members = ()) -> np.ndarray:
        """Score by the first half's fits less that by the second's (..., split)."""
        first, second = (
            statistic(
                ensemble.weighed(total[..., None, :] * np.exp(side * self.deviations), members)
            )
            for side in (1.0, -1.0)
        )
        return first - second

    def stretch(self, by_unit: np.ndarray, statistic: Statistic) -> np.ndarray:
        """How many times as far away draws of clips are, as clips are fitted to as well: f above.

        The square is at most 2: what clips do in both of their roles can't hang together any
        closer.

        Parameters
        ----------
        by_unit : (..., unit, part)
            Sums of what is drawn together; ``signs`` are those of units.
        statistic : callable

        Returns
        -------
        (..., part)
            The same for all parts.
        """
        total = by_unit.sum(-2)
        if by_unit.shape[-2] < 2:
            return np.ones_like(total)
        with np.errstate(invalid="ignore", divide="ignore"):
            left = statistic(total[..., None, :] - by_unit)
            own = left.mean(-1, keepdims=True) - left
            apart = self.apart(total, statistic)
            together = (apart * (own @ self.signs.T)).mean(-1) / (own**2).sum(-1)
        found = np.sqrt(1.0 + np.clip(np.nan_to_num(together), 0.0, 1.0))
        return np.repeat(found[..., None], by_unit.shape[-1], axis=-1)


def ratios(errors: np.ndarray, least: float = 0.0) -> np.ndarray:
    """Half the logarithm of the error by one half's fits over that by the other's.

    Parameters
    ----------
    errors : (..., split, 2)
        Totals over the same clips.
    least : float
        Added to both, where errors are counts that may be none.

    Returns
    -------
    (..., split)
    """
    errors = np.maximum(errors + least, np.finfo(float).tiny)
    return 0.5 * np.log(errors[..., 0] / errors[..., 1])


@lru_cache(4)
def _weights(splits: int, draws: int, seed: int) -> np.ndarray:
    """How far each draw goes along each split: (draw, split), of Student's t in any direction."""
    rng = seeds.rng("halves", seed, splits)
    normal = rng.normal(size=(draws, splits))
    return normal * np.sqrt(splits / rng.chisquare(splits, size=(draws, 1)))
