"""Image models: what recipes are to training whose network sees an image and perturbed ones."""

from typing import Any, ClassVar

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
