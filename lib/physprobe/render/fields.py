"""Fields."""

from typing import Literal

import numpy as np

from physprobe.core.spec import Spec as Base


class Spec(Base):
    kind: Literal["fields"] = "fields"
    colormap: str = "inferno"
    low: float = 0.0
    high: float = 1.0


def frames(spec, field):
    import matplotlib

    lut = (matplotlib.colormaps[spec.colormap](np.arange(256))[:, :3] * 255).astype("uint8")
    index = np.clip((field - spec.low) / (spec.high - spec.low) * 256, 0, 255).astype("uint8")
    return lut[index]
