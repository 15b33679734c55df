"""Attentive: decode labels from a clip's tokens by one learned query, chosen inside training.

    a_t = softmax_t(q . x_t / sqrt(d)),    y = b + w . sum_t a_t x_t / sqrt(d)

One head of cross-attention with a single query, and a linear readout: a number by squared error, a
class by log loss. Unlike ``ridge`` on a clip's mean it can seek the tokens that tell. It is trained
by AdamW on all training clips at each step, on tokens that are z-scored per channel; learning rate,
weight decay, number of epochs and, for ``layer: selected``, the layer are chosen by grouped inner
folds, and scores are read on held-out clips only.

Tokens are what the store holds. Of every layer it has the token times, averaged over space: sample
``time``. Only layers that an encoder's ``tokens`` name keep their spatial tokens: samples
``space_time`` and ``space_last`` have rows for these alone, or none with a note. The query has no
place of its own to look at: tokens carry theirs only as far as the encoder wrote it into them.

The null permutes labels as ``ridge`` and ``logistic`` do, with everything chosen anew, but 20 times
by default, the fewest with which p can be below 0.05.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from physprobe.fit.methods._attentive import Attentive
from physprobe.fit.section import Given

if TYPE_CHECKING:
    from physprobe.fit.methods._trained import Model


class Spec(Attentive):
    """One query that attends to a clip's tokens, and a linear readout."""

    kind: Literal["attentive"] = "attentive"
    """One head of cross-attention with one learned query."""
    rates: tuple[float, ...] = Field((0.03, 0.1), min_length=1)
    """Learning rates to choose from."""
    decays: tuple[float, ...] = Field((0.1, 1.0, 5.0), min_length=1)
    """Weight decays to choose from: each step takes rate x decay of the weights away."""
    epochs: tuple[int, ...] = Field((2, 5, 10, 20, 40, 80), min_length=1)
    """Numbers of epochs to choose from, ascending; 0 predicts the training clips' mean, and where
    it is chosen puts no clip before another."""
    permutations: int = Field(20, ge=0)
    """Permutations of labels for the null, each as dear as the labels themselves."""

    def trained(self) -> "tuple[Model, int | None]":
        """One query, on all training clips at each step."""
        from physprobe.fit.methods._attention import Query

        return Query(), None


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`physprobe.fit.probe.probe`."""
    from physprobe.fit import probe

    return probe.fit(spec, given)
