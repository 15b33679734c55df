"""Own settings: how what a user's function gives is shown clips, and what is read of it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from physprobe.embed import _axes
from physprobe.embed._built import Built

OF_MODULES = (
    *("input", "output", "prefix", "size", "short", "mean", "std", "resample", "init", "seeds"),
)
"""Fields that say how a torch module is read."""
Colours = tuple[float, float, float]
Positive = Annotated[float, Field(gt=0)]


class Settings(Built):
    """Fields of what embeds clips by a torch module whose modules are read, or by itself."""

    tubelet: int = Field(1, gt=0)
    """Frames per token [frames]."""
    at_once: int | None = Field(None, gt=0)
    """Frames per forward pass, neither more nor less [frames]; by default the whole clip."""
    read: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Modules of a torch module whose outputs are layers, by name or pattern (``blocks.*``), in
    order: 0, 1, ... and the last one ``final``. None of what embeds by itself."""
    input: str | None = None
    """Dimensions of what a torch module is given, such as b c t h w, b t c h w or (b t) c h w."""
    output: str | None = None
    """Dimensions of what its modules give, such as b (t h w) d, b d t h w or (b t) d."""
    prefix: int = Field(0, ge=0)
    """Tokens in front of those of places, such as a class token; they are left out."""
    size: int | None = Field(None, gt=0)
    """Side of the input [px]; by default frames stay as they were rendered."""
    short: int | None = Field(None, gt=0)
    """Length of the short side before the centre is cut out, with preprocess: crop [px]; by default
    that of the input."""
    resample: Literal["bilinear", "bicubic"] = "bilinear"
    """How frames are resized."""
    mean: Colours = (0.0, 0.0, 0.0)
    """Mean of the input (rgb), of frames in 0..1."""
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)
    """Standard deviation of the input (rgb), of frames in 0..1."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.read:
            for name, letters, needed in (("input", "btchw", "btchw"), ("output", "bthwd", "bd")):
                axes = getattr(self, name)
                if axes is None:
                    example = "b c t h w" if name == "input" else "b (t h w) d"
                    raise ValueError(f"{name}: missing, where modules are read; such as {example}")
                try:
                    _axes.parsed(axes, letters, needed)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
            return self
        for name in OF_MODULES:
            if getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(
                    f"{name}: belongs to a torch module; name the modules to read, or leave it out"
                )
        return self
