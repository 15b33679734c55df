"""Trained sweep: the published probe, 20 settings of Adam, chosen on the fold that is reported.

    min mean (y - b - w . x)^2,    full batches; epoch and setting are best for the held-out fold

Kept to measure what its selection adds: on noise the best of 20 settings is above any one of them,
and from a few features the luckiest labels score above 0, where nested ridge leaves them below. No
inner fold is used. R2 pools the outer folds as for ``ridge``; the published mean over folds follows
from ``held_out``.

References
----------
Solver, grid and early stopping of PEZ-Reproduction (arXiv 2602.07050), ``step3_probe.py``; written
anew. Its penalty is added to the gradient before the moments (Adam with L2, no AdamW), intercept
included. Kingma, Ba, "Adam: A method for stochastic optimization", ICLR 2015.
"""

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field

from physprobe.fit.methods._protocol import Protocol
from physprobe.fit.section import Given, Normalisation

if TYPE_CHECKING:
    from physprobe.fit.methods._selection import Solver


class Spec(Protocol):
    """Linear maps trained under many settings, the best taken on the reported fold."""

    TRAINED: ClassVar[bool] = True
    kind: Literal["trained_sweep"] = "trained_sweep"
    """The published selection, which is none: for comparison only."""
    rates: tuple[float, ...] = Field((1e-4, 3e-4, 1e-3, 3e-3, 5e-3), min_length=1)
    """Learning rates."""
    decays: tuple[float, ...] = Field((0.01, 0.1, 0.4, 0.8), min_length=1)
    """L2 penalties, added to the gradient."""
    normalisation: Normalisation = "zscore"
    """Of features and labels, by the training rows."""
    epochs: int = Field(400, ge=1)
    """Most epochs, each a step on all training rows."""
    patience: int = Field(40, ge=1)
    """Epochs without a lower error on the held-out fold after which a setting stops."""
    permutations: int = Field(0, ge=0)
    """Permutations of labels for the null, each as dear as the labels themselves."""

    def normalised(self, how: Normalisation) -> Self:
        """The same under one normalisation."""
        return self.model_copy(update={"normalisation": how})

    def solver(self, components: int | None) -> "Solver":
        """Linear maps trained under every setting.

        Raises
        ------
        ValueError
            If components are asked for.
        """
        from physprobe.fit.methods._sweep import Sweep

        if components:
            raise ValueError(
                "trained_sweep takes features as they are. Hint: probe components by ridge."
            )
        return Sweep(
            self.rates, self.decays, self.normalisation, self.epochs, self.patience, self.seed
        )


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`physprobe.fit.probe.probe`."""
    from physprobe.fit import probe

    return probe.fit(spec, given)
