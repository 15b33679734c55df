"""Linear layer: decode labels by one layer that is trained by AdamW, chosen inside training.

    y = b + w . x,    x: a clip's pooled tokens

The probe that is published most often: a linear readout of frozen features by gradient steps, of a
number by squared error, of a class by log loss. Steps take all training clips, or batches of them;
features are z-scored by the training clips; learning rate, weight decay, number of epochs and, for
``layer: selected``, the layer are chosen by grouped inner folds, and scores are read on held-out
clips only. Trained until nothing moves it would be least squares; where it is stopped, and its
decay, regularise it. What is learned of features that vary together takes many steps: ``ridge``
solves the same in closed form, and is the one to quote; this is for comparison with what is
published.

References
----------
Alain, Bengio, "Understanding intermediate layers using linear classifier probes", arXiv 1610.01644;
Loshchilov, Hutter, "Decoupled weight decay regularization", ICLR 2019.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from physprobe.fit.methods._descent import Descent
from physprobe.fit.section import Given

if TYPE_CHECKING:
    from physprobe.fit.methods._trained import Model

Sample = Literal["clip", "temporal_last", "temporal_first", "temporal_diff"]


class Spec(Descent):
    """One linear layer on pooled tokens."""

    kind: Literal["linear_layer"] = "linear_layer"
    """A linear readout by gradient steps, with nested selection."""
    samples: tuple[Sample, ...] = Field(("clip",), min_length=1)  # type: ignore[assignment]
    """``clip``: mean over time of each clip; ``temporal_last``, ``temporal_first``: one token time;
    ``temporal_diff``: last less first."""
    rates: tuple[float, ...] = Field((1e-3, 1e-2, 3e-2), min_length=1)
    """Learning rates to choose from."""
    decays: tuple[float, ...] = Field((0.01, 0.1, 1.0), min_length=1)
    """Weight decays to choose from: each step takes rate x decay of the weights away."""
    epochs: tuple[int, ...] = Field((5, 10, 25, 50, 100, 200, 400), min_length=1)
    """Numbers of epochs to choose from, ascending; 0 predicts the training clips' mean."""
    batch: int | None = Field(None, ge=1)
    """Most clips of a step; None: all training clips."""
    permutations: int = Field(20, ge=0)
    """Permutations of labels for the null, each as dear as the labels themselves."""

    def trained(self) -> "tuple[Model, int | None]":
        """One layer."""
        from physprobe.fit.methods._attention import Line

        return Line(), self.batch


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`physprobe.fit.probe.probe`."""
    from physprobe.fit import probe

    return probe.fit(spec, given)
