"""Future frames: see the first tubelets, predict how the next ones will have changed.

    loss = mean (p - asinh((u[t] - u[last seen]) / scale))^2

with u the field before the colormap (so that no rendering is learnt by heart), on the pixels of the
next tubelets. The inverse sine keeps small changes in sight beside large ones.
"""

from typing import TYPE_CHECKING, Literal

from pydantic import model_validator

from physprobe.train._training import Future

if TYPE_CHECKING:
    from physprobe.train._recipe import Recipe


class Spec(Future):
    """Predict the change of the next frames."""

    kind: Literal["future_frames"] = "future_frames"
    """Recipe."""

    @model_validator(mode="after")
    def _room(self) -> "Spec":
        self.check_room()
        return self


def recipe(spec: Spec) -> "Recipe":
    """Networks and loss; torch is imported no earlier."""
    from physprobe.train import _future_frames

    return _future_frames.Recipe(spec)
