"""V-JEPA: predict the hidden states of masked tokens from those of the others.

    loss = mean |P(E(x_kept), masked) - LN(sg(E'(x)))_masked|,    E' <- m E' + (1 - m) E

with encoder E, predictor P and target encoder E', which sees the whole window, gets no gradient
(sg) and follows E as a moving average; LN norms features. Two masks per clip: many small blocks and
few large ones. Blocks last all the time. One step costs a pass through E' and one through E and P
per mask, E's on the kept tokens alone.

``future_weight`` adds the loss of ``future_frames``; both losses then see the first tubelets only:

    loss + future_weight mean (P2(E(x_seen), next) - asinh((u[t] - u[last seen]) / scale))^2

References
----------
Assran et al. 2025, V-JEPA 2, arXiv:2506.09985; masks: Bardes et al. 2024, V-JEPA, arXiv:2404.08471.
"""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from physprobe.train._training import Future

if TYPE_CHECKING:
    from physprobe.train._recipe import Recipe


Part = Annotated[float, Field(gt=0, lt=1)]


class Spec(Future):
    """Masked latent prediction."""

    kind: Literal["vjepa"] = "vjepa"
    """Recipe."""
    masks: tuple[tuple[Annotated[int, Field(gt=0)], Part], ...] = Field(
        ((8, 0.15), (2, 0.7)), min_length=1
    )
    """Masks of each clip: how many blocks, and the part of the frame that each of them covers."""
    aspect: tuple[float, float] = (0.75, 1.5)
    """Range of the blocks' height over width."""
    context: Part = 0.125
    """Part of the tokens that every mask leaves to be seen, at least: on a grid of few tokens two
    large blocks would cover them all."""
    momentum: tuple[float, float] = (0.998, 1.0)
    """Of the target encoder's moving average, at the first step and at the last."""
    future_weight: float = Field(0.0, ge=0)
    """Weight of the loss of the next frames' change; if not 0, the next tubelets are masked and
    nothing else, and ``masks``, ``aspect`` and ``context`` are not used."""

    @model_validator(mode="after")
    def _consistent(self) -> "Spec":
        low, high = self.aspect
        if not 0 < low <= high:
            raise ValueError(f"aspect has to ascend from above 0, not {low:g} to {high:g}")
        if not all(0 <= end <= 1 for end in self.momentum):
            raise ValueError(f"momentum has to lie between 0 and 1, not {self.momentum}")
        if self.future_weight:
            self.check_room()
        return self


def recipe(spec: Spec) -> "Recipe":
    """Networks and loss; torch is imported no earlier."""
    from physprobe.train import _vjepa

    return _vjepa.Recipe(spec)
