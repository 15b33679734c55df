"""Latents: what recipes are to training whose small networks see a few frames at a time."""

from typing import Any, ClassVar, Self

from physprobe.config.system import System
from physprobe.train._clips_settings import Settings


class Latents(Settings):
    """Recipes that learn from the clips of one system."""

    CARD: ClassVar = "latent_card.md.j2"

    @classmethod
    def family(cls) -> Any:
        """A few frames of one system's clips, seen by a small network."""
        from physprobe.train import _clips

        return _clips

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network, by its seed."""
        return {s: self.model_copy(update={"seeds": (s,), "seed": s}) for s in self.seeds}

    @property
    def together(self) -> bool:
        """Those of a signal are: of frames, convolutions are faster one after the other."""
        return self.network not in ("cnn", "pooled")

    @property
    def worlds(self) -> tuple[System, ...]:
        """The one that its clips come from."""
        return (self.system,)

    @property
    def shown(self) -> str:
        """What the training clips show."""
        return self.system.simulate.kind.replace("_", " ")
