"""Surprise: how much more an impossible film surprises an encoder's own predictor.

    S = mean |P(E(x[:c]), later) - LN(E'(x))_later|    of each window of a film; see ``foresight``

Films of a group (a scene) are put in pairs of one possible and one impossible that are equal, pixel
by pixel, for longest. A pair is *right* if the impossible film has the strictly larger S, over the
windows that see nothing but what both have in common and reach what they have not: a context that
differs could be told apart by itself. Ties are wrong, and so are pairs without such a window.

A network that likes the look of one ending finds the other impossible, whatever came before. In
each scene either ending is the possible one once, so both directions are told: such a liking is
right in one and wrong in the other. ``appearance_share`` is how much of the differences it is.

Windows slide by one token. Their length and that of the context are chosen on training folds for
``predictor`` and, alike, for what foresees nothing: ``copy`` of the last tubelet that was seen,
the context ``shuffled`` in time, that of a ``stranger``. The null flips which films of a scene are
called possible, and makes every choice anew.

References
----------
Garrido et al. 2025, arXiv:2502.11831: surprise by latent prediction; Riochet et al. 2021, IntPhys
2019: relative accuracy.
"""

from typing import ClassVar, Literal

from physprobe.config.spec import Spec as Base
from physprobe.embed.section import EncoderSpec
from physprobe.fit.methods._surprise_settings import Settings
from physprobe.fit.section import Given


class Spec(Settings):
    """Violation of expectation, by the encoder's predictor of masked tokens."""

    ROLE = "surprise"
    ROLLS: ClassVar[bool] = True
    FILMED: ClassVar[bool] = True
    FORESEES: ClassVar[bool] = True
    TRAINED: ClassVar[bool] = True

    kind: Literal["surprise"] = "surprise"
    """The encoder's own predictor, shown the first frames of sliding windows."""

    @property
    def scored_apart(self) -> str | None:
        """Label whose values are scored apart as well, if any."""
        return self.by

    def takes(self, encoder: Base | None) -> bool:
        """Whether an encoder may have a predictor of masked tokens."""
        return isinstance(encoder, EncoderSpec) and encoder.foresees


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Rows and the block ``surprise``.

    Returns
    -------
    rows : list of dict
        By ``model``, ``part`` and ``direction``, with lengths chosen inside the training folds:
        ``relative_accuracy``, the share of pairs that are right, with interval over groups and
        null; ``both_right``, the share of scenes that are right in both directions; ``auc`` of
        single films; ``surprise_margin``, how much more the impossible film surprises, relative to
        the possible one; ``appearance_share``. Each choice of lengths has its ``relative_accuracy``
        by ``context``, and by ``horizon``, tokens from the end of the context to the first
        difference. No rows of an encoder that has no predictor.
    blocks : dict
        ``surprise``: group, part and direction of each pair, ``right`` and ``difference`` by model;
        none without a predictor.

    Raises
    ------
    ValueError
        If films have no such label, or no pairs, or lengths don't fit films and tokens.
    """
    from physprobe.fit.methods import _surprise

    return _surprise.fit(spec, given)
