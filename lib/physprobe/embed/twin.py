"""Twin: the network of whichever encoder is under test, but for its weights or its frames.

    controls:
      untrained: {kind: twin, weights: random}
      shuffled_frames: {kind: twin, frames: shuffled}

Where a study asks about ``mine`` beside the control ``untrained``, its control is
``untrained_of_mine``; see ``_twins``. Nothing is ever embedded as a twin.
"""

from typing import Literal, NoReturn, Self

from pydantic import Field, model_validator

from physprobe.embed._frames import Order
from physprobe.embed.networks.network import FIVE, Network, Seeds, check_seed
from physprobe.embed.section import EncoderSpec


class Spec(EncoderSpec):
    """What sets a twin apart from its encoder."""

    kind: Literal["twin"] = "twin"
    """Family."""
    weights: Literal["trained", "random"] = "trained"
    """The encoder's own, or random ones in its architecture."""
    frames: Order = "ordered"
    """Frames in order, permuted within each clip, or the middle frame over and over."""
    seeds: Seeds = FIVE
    """Seeds of random weights: one network each, whose spread is part of every interval."""
    seed: int = Field(1, ge=0)
    """Seed of the shuffled frames."""

    @model_validator(mode="after")
    def _differs(self) -> Self:
        if (self.weights, self.frames) == ("trained", "ordered"):
            raise ValueError("a twin like its encoder; set weights: random, or frames")
        if self.weights == "random":
            check_seed(self.model_fields_set, self.seed)
        return self

    def of(self, encoder: Network) -> Network:
        """The twin of an encoder, which is a network."""
        changed: dict = {"frames": self.frames}
        if self.frames == "shuffled":
            changed["seed"] = self.seed
        kept = encoder.tokens if self.frames == "ordered" else ()
        made = encoder.random(self.seeds) if self.weights == "random" else encoder
        return made.model_copy(update={**changed, "tokens": kept})


def tubelet(spec: Spec) -> None:
    """Frames per token: those of the encoder, which is not known here."""


def load(spec: Spec, *, frames: int, height: int, width: int, threads: int) -> NoReturn:
    """Refuse: a twin is one of an encoder.

    Raises
    ------
    ValueError
        Always.
    """
    raise ValueError("kind twin: whose? Hint: give the spec that a study's control has.")
