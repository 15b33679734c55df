"""Latents: what recipes are to training whose small networks see a few frames at a time."""

from typing import Any, ClassVar

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
    def together(self) -> bool:
        """Those of a signal are: of frames, convolutions are faster one after the other."""
        return self.network not in ("cnn", "pooled")
