"""Network: what the specs of all encoders that are neural networks share."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from physprobe.embed._frames import Order
from physprobe.embed.section import EncoderSpec


def _unique(members: tuple) -> tuple:
    if len(set(members)) < len(members):
        raise ValueError("each member once")
    return members


Seeds = Annotated[
    tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), AfterValidator(_unique)
]
"""Seeds of random weights: one network each."""
FIVE = (1, 2, 3, 4, 5)
"""By default as many as it takes for their spread to be part of an interval."""


def check_seed(given: set[str], seed: int) -> None:
    """Refuse ``seed`` of random weights that was meant to be the seed of one network.

    Parameters
    ----------
    given : set of str
        Fields that the entry gives.
    seed : int

    Raises
    ------
    ValueError
        If ``seed`` is given without ``seeds``.
    """
    if "seed" in given and "seeds" not in given:
        raise ValueError(
            f"seed: {seed} doesn't say how many networks; write seeds: [{seed}] for one,"
            " or leave it out for five"
        )


class Network(EncoderSpec):
    """How a network is shown a clip, and what of it is kept."""

    GPUS: ClassVar[int] = 1

    tokens: tuple[str, ...] = ()
    """Layers that also keep spatial tokens: "0" (patch embedding) to "L", and "final" (normed)."""
    preprocess: Literal["resize", "crop"] = "resize"
    """resize: straight to the input size; crop: short side as the checkpoint says, then centre."""
    frames: Order = "ordered"
    """Control twins: frames permuted within each clip, or the middle frame over and over."""
    causal: bool = False
    """Embed windows that end at each time, and keep their last tokens: nothing later is seen."""
    window: int = Field(8, ge=1)
    """Frames per causal window [frames]; near the start, the frames that there are.

    VideoMAE sees 16, neither more nor less: near the start its first frame is repeated in front.
    DINOv2 sees 1, so windows change nothing."""
    batch: int = Field(2, ge=1)
    """Clips per forward pass (causal: as many windows as make so many clips' frames)."""
    seed: int = Field(0, ge=0)
    """Seed of the shuffled frames."""

    @property
    def origins(self) -> set[tuple[str, str | None]]:
        """Checkpoints that give its architecture, with their commits; none if it is declared.

        Of copies of one architecture each one does.
        """
        return set()

    @property
    def redrawn(self) -> bool:
        """Whether its weights can be drawn anew, for a twin with random ones."""
        return True

    @property
    def twin(self) -> bool:
        """Whether it is a network that another one is compared with, but for weights or frames."""
        return self.frames != "ordered"

    def random(self, seeds: Seeds) -> "Network":
        """The same network with random weights."""
        return self.model_copy(update={"seeds": seeds})

    @property
    def sees_future(self) -> bool:
        """Whether an embedding at one time follows from frames of later ones."""
        return not (self.causal and self.frames == "ordered")

    def manner(self) -> str:
        """How frames are shown, for labels: empty for whole clips in order."""
        parts = [] if self.frames == "ordered" else [f"{self.frames} frames"]
        if self.causal:
            parts.append(f"causal windows of {self.window} frame{'s' if self.window > 1 else ''}")
        return "".join(f", {part}" for part in parts)
