"""Fields: the sizes of networks that see some frames of named fields at once, and what they see."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from physprobe.config.spec import Spec

MODEL_TYPE = "physprobe_fields"
"""What config.json calls them."""
PRESETS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("convnext", "small"): {
        "frames": 8, "widths": (16, 32, 64), "blocks": (1, 1, 3), "kernel": 3, "patch": 2,
        "tubelet": 1, "heads": 1, "head_width": 64, "scale": 0.1,
    },
    ("convnext", "published"): {
        "frames": 16, "widths": (16, 32, 64, 128, 128), "blocks": (3, 3, 3, 9, 3), "kernel": 7,
        "patch": 1, "tubelet": 1, "heads": 1, "head_width": 256, "scale": 1e-6,
    },
    ("vit", "small"): {
        "frames": 8, "widths": (64,), "blocks": (2,), "kernel": 1, "patch": 8, "tubelet": 4,
        "heads": 4, "head_width": 64, "scale": 1.0,
    },
    ("vit", "published"): {
        "frames": 16, "widths": (192,), "blocks": (4,), "kernel": 1, "patch": 16, "tubelet": 2,
        "heads": 3, "head_width": 256, "scale": 1.0,
    },
    ("avit", "small"): {
        "frames": 8, "widths": (48,), "blocks": (3,), "kernel": 1, "patch": 8, "tubelet": 1,
        "heads": 4, "head_width": 64, "scale": 0.1,
    },
    ("avit", "published"): {
        "frames": 16, "widths": (192,), "blocks": (12,), "kernel": 1, "patch": 16, "tubelet": 1,
        "heads": 3, "head_width": 256, "scale": 1e-6,
    },
}  # fmt: skip
"""Sizes by network and preset; networks of a preset have the same places along y and x."""
OPERATORS: Mapping[str, Mapping[str, int]] = {
    "small": {"latent": 64, "operator_width": 8, "operator_kernel": 3},
    "published": {"latent": 384, "operator_width": 24, "operator_kernel": 5},
}
"""Sizes of latents and operators by preset."""


def _of_preset(name: str) -> Callable[[dict[str, Any]], Any]:
    """Default of a field: what the preset says, of the fields that stand before it."""
    return lambda before: PRESETS[before["network"], before["preset"]][name]


def _of_operators(name: str) -> Callable[[dict[str, Any]], Any]:
    """The same of an operator's size."""
    return lambda before: OPERATORS[before["preset"]][name]


class FieldNetwork(Spec):
    """Sizes of an encoder, and of the light network behind it; a preset's unless they are given."""

    network: Literal["convnext", "vit", "avit"] = "convnext"
    """Convolutions of space and time in residual blocks, a transformer of tubelets, or one whose
    attention runs along one axis after the other and whose fields are told apart by name."""
    preset: Literal["small", "published"] = "small"
    """``published``: 2.47 M parameters of convolutions, a transformer of about as many, and
    AViT-Ti, 7.2 M; ``small``: about 0.14 M each, for a CPU."""
    frames: int = Field(default_factory=_of_preset("frames"), gt=0)
    """Frames that are seen at once."""
    widths: tuple[int, ...] = Field(default_factory=_of_preset("widths"), min_length=1)
    """Features of each stage of convolutions, between which time, y and x are halved; of a
    transformer one."""
    blocks: tuple[int, ...] = Field(default_factory=_of_preset("blocks"), min_length=1)
    """Blocks of each stage."""
    kernel: int = Field(default_factory=_of_preset("kernel"), gt=0)
    """Side of the convolutions' kernels, odd; a transformer has none."""
    patch: int = Field(default_factory=_of_preset("patch"), gt=0)
    """Cells along y and x that the first layer makes one place of."""
    tubelet: int = Field(default_factory=_of_preset("tubelet"), gt=0)
    """Frames that it makes one time of."""
    heads: int = Field(default_factory=_of_preset("heads"), gt=0)
    """Attention heads of a transformer."""
    head_width: int = Field(default_factory=_of_preset("head_width"), gt=0)
    """Features of the light network that predicts or paints, in its one block."""
    scale: float = Field(default_factory=_of_preset("scale"), gt=0)
    """First factor of what a block of convolutions adds."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.widths) != len(self.blocks):
            raise ValueError(
                f"blocks: {len(self.blocks)} stages, but widths are of {len(self.widths)}"
            )
        one = self.network != "convnext"
        if one and (len(self.widths) > 1 or self.widths[0] % (2 * self.heads)):
            raise ValueError(
                f"widths: {list(self.widths)} of a transformer with {self.heads} heads; one width"
                " is needed, a multiple of twice the heads"
            )
        if not self.kernel % 2:
            raise ValueError(f"kernel: {self.kernel} is even")
        if self.network == "avit" and (self.patch % 4 or self.tubelet > 1):
            raise ValueError(
                f"patch: {self.patch}, tubelet: {self.tubelet}; avit halves a patch twice, so that"
                " has to be a multiple of 4, and takes frames one by one, tubelet: 1"
            )
        if self.frames % self.strides[0]:
            raise ValueError(
                f"frames: {self.frames} are no multiple of {self.strides[0]}, frames per feature"
            )
        return self

    @property
    def strides(self) -> tuple[int, int, int]:
        """Frames, and cells along y and x, per place of the last stage; avit has its last time."""
        if self.network == "avit":
            return self.frames, self.patch, self.patch
        halved = 2 ** (len(self.widths) - 1)
        return self.tubelet * halved, self.patch * halved, self.patch * halved

    def places(self, height: int, width: int) -> tuple[int, int, int]:
        """Places of the last stage along time, y and x.

        Raises
        ------
        ValueError
            If the grid can't be cut so.
        """
        stride = self.strides[1]
        if height % stride or width % stride:
            raise ValueError(
                f"a grid of {height} x {width} cells isn't cut into places of {stride} x {stride};"
                " choose patch and widths for it"
            )
        if self.network == "avit" and height * width == stride**2:
            raise ValueError(
                f"a grid of {height} x {width} cells is one place, and avit norms features over the"
                " places of a frame; choose a smaller patch"
            )
        return self.frames // self.strides[0], height // stride, width // stride


class Hypernetwork(FieldNetwork):
    """Sizes of an encoder that gives one latent for all of a window, and of its operator."""

    network: Literal["convnext", "vit", "avit"] = "avit"
    """What reads the window, as of the other recipes; published: one with axial attention."""
    latent: int = Field(default_factory=_of_operators("latent"), gt=1)
    """Numbers of which all of an operator's weights follow, and no others."""
    operator_width: int = Field(default_factory=_of_operators("operator_width"), gt=0)
    """Features of the operator, a network of two convolutions and a pointwise map."""
    operator_kernel: int = Field(default_factory=_of_operators("operator_kernel"), gt=0)
    """Side of its kernels, odd; those of the second are dilated by two."""

    @model_validator(mode="after")
    def _centred(self) -> Self:
        if not self.operator_kernel % 2:
            raise ValueError(f"operator_kernel: {self.operator_kernel} is even")
        return self


class Shown(Spec):
    """What the networks are shown: fields on a grid, less their means, over their deviations."""

    height: int = Field(gt=0)
    """Cells along y."""
    width: int = Field(gt=0)
    """Cells along x."""
    channels: tuple[str, ...] = Field(min_length=1)
    """Names of the fields."""
    periodic: tuple[bool, bool] = (True, True)
    """Whether what leaves along y, and along x, comes back."""
    mean: tuple[float, ...]
    """Of each field, over the training clips."""
    deviation: tuple[float, ...]
    """Of each field, over the training clips; 1 of one that is constant."""
