"""Architecture: the sizes of a V-JEPA 2 that is drawn with random weights, or trained from them."""

from typing import Self

from pydantic import Field, model_validator

from physprobe.config.spec import Spec


class Architecture(Spec):
    """Sizes of a V-JEPA 2, by the names that its config.json has."""

    hidden_size: int = Field(128, gt=0)
    """Features per token."""
    num_hidden_layers: int = Field(4, gt=0, le=1000)
    """Blocks."""
    num_attention_heads: int = Field(2, gt=0)
    """Attention heads; they share the features."""
    mlp_ratio: float = Field(4.0, gt=0)
    """Width of a block's hidden layer over ``hidden_size``."""
    patch_size: int = Field(8, gt=0)
    """Side of a token [px]."""
    tubelet_size: int = Field(2, gt=0)
    """Frames per token."""
    crop_size: int = Field(64, gt=0)
    """Side of the input [px]; frames are resized to it."""

    @model_validator(mode="after")
    def _whole_heads_and_tokens(self) -> Self:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size has to be a multiple of {self.num_attention_heads} heads"
            )
        if self.crop_size % self.patch_size:
            raise ValueError(f"crop_size has to be a multiple of patch_size, {self.patch_size}")
        return self

    def architecture(self, crop_size: int, frames: int) -> dict:
        """Fields of ``VJEPA2Config`` for inputs of so many pixels and frames."""
        sizes = {name: getattr(self, name) for name in Architecture.model_fields}
        return sizes | {"crop_size": crop_size, "frames_per_clip": frames}
