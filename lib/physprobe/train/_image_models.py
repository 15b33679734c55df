"""Image models: what recipes are to training whose network sees an image and perturbed ones."""

from typing import Any, ClassVar, Self

from physprobe.config.system import System
from physprobe.train._images_settings import Settings


class ImageModels(Settings):
    """Recipes that learn from images."""

    CARD: ClassVar = "image_card.md.j2"
    BETAS: ClassVar = (0.9, 0.999)

    @property
    def decays(self) -> bool:
        """Whether the learning rate falls."""
        return self.fall

    @classmethod
    def family(cls) -> Any:
        """Images of one system, perturbed anew at every step."""
        from physprobe.train import _images

        return _images

    @property
    def members(self) -> dict[int, Self]:
        """Spec of each network, by its seed."""
        return {s: self.model_copy(update={"seeds": (s,), "seed": s}) for s in self.seeds}

    @property
    def worlds(self) -> tuple[System, ...]:
        """The one that its images come from."""
        return (self.system,)

    @property
    def shown(self) -> str:
        """What the training images are."""
        return self.system.simulate.kind
