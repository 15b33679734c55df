"""Attentive deep: decode labels by the published classifier, four blocks deep, chosen nested.

    x <- x + attention(x), x <- x + mlp(x)   three times;   one query attends to x;   a line

Pre-LN blocks of 16 heads, one learned query, AdamW with learning rate 1e-3 and weight decay 0.01 in
batches of 16 clips, at most 20 epochs, tokens z-scored per channel: as published, but for two
things. The number of epochs is chosen by grouped inner folds, never on the fold that is reported;
and all of a layer's tokens may be attended to (see ``attentive`` for the samples), of which the
published probe has those of the last token time, ``space_last``.

At the published width there are 50 million parameters for some hundred clips. ``width`` maps the
features to fewer first, which costs less and overfits less. As every permutation costs as much as
the labels themselves, there is no null unless ``permutations`` asks for one.

References
----------
PEZ-Reproduction (arXiv 2602.07050), ``step_intphys_attentive.py``, written anew; its epochs were
chosen on the held-out fold. Architecture: V-JEPA 2 (arXiv 2506.09985).
"""

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from physprobe.fit.methods._attentive import Attentive
from physprobe.fit.section import Given

if TYPE_CHECKING:
    from physprobe.fit.methods._trained import Model


class Spec(Attentive):
    """Self-attention blocks, one query that attends to what they return, and a linear readout."""

    kind: Literal["attentive_deep"] = "attentive_deep"
    """The published classifier, with nested selection."""
    depth: int = Field(4, ge=1)
    """Blocks, that of the cross-attention included."""
    heads: int = Field(16, ge=1)
    """Heads of each block's attention; they divide the width."""
    width: int | None = Field(None, ge=1)
    """Width that the features are mapped to first; None: that of the features."""
    batch: int = Field(16, ge=1)
    """Most clips of a step."""
    rates: tuple[float, ...] = Field((1e-3,), min_length=1)
    """Learning rates to choose from."""
    decays: tuple[float, ...] = Field((0.01,), min_length=1)
    """Weight decays to choose from: each step takes rate x decay of the weights away."""
    epochs: tuple[int, ...] = Field(tuple(range(1, 21)), min_length=1)
    """Numbers of epochs to choose from, ascending."""
    permutations: int = Field(0, ge=0)
    """Permutations of labels for the null, each as dear as the labels themselves."""

    @model_validator(mode="after")
    def _shared_out(self) -> Self:
        if self.width and self.width % self.heads:
            raise ValueError(f"width: {self.heads} heads can't share {self.width} features")
        return self

    def trained(self) -> "tuple[Model, int | None]":
        """Blocks, in batches."""
        from physprobe.fit.methods._attention import Deep

        return Deep(self.depth, self.heads, self.width), self.batch


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Decode every target from every layer; see :func:`physprobe.fit.probe.probe`."""
    from physprobe.fit import probe

    return probe.fit(spec, given)
