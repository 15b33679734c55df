"""Linear laws with constant coefficients, read off the clips of one system without labels.

    da/dt = s(k) a,    d2a/dt2 + g da/dt + q(k) a = 0

of every mode a with its wavevector k, each clip with its own parameters: whether frames have
dynamics, of which order in time, which of the candidates they obey, its parameters, its dispersion
relation. Clips are judged mode by mode, and so are controls that are made of them and have no law.
No clip is held out: an observable is sought on one half of the clips and judged on the other.
"""

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.discover import linear
from physprobe.fit.section import MethodSpec, OnGrid
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from xarray import Dataset


class Spec(MethodSpec):
    """What is read of the clips, and how often chance is asked."""

    ROLE = "law"
    SHORTEST: ClassVar[int] = linear.FEWEST
    """Times that a clip needs."""

    kind: Literal["linear"] = "linear"
    """Linear laws with constant coefficients."""
    clips: int = Field(60, ge=1)
    """Clips that are read, the first ones."""
    controls: int = Field(12, ge=1)
    """Clips of which controls without a law are made."""
    layer: str = "final"
    """Layer of an embedding whose spatial tokens are read."""
    band: int = Field(8, ge=2)
    """Most periods per side of the modes."""
    modes: int = Field(48, ge=8)
    """Modes that are kept, the strongest ones."""
    components: int = Field(16, ge=1)
    """Principal components of the features that are kept."""
    observable: bool = True
    """Seek the combination of features that obeys a law best, and judge that; else all of them."""
    centred: bool = True
    """Take off what all clips' tokens have in common at a time and place; fields and pixels have
    nothing of the kind and are left as they are."""
    shuffles: int = Field(999, ge=199)
    """Shuffles of the frames for the test that their order matters."""
    nulls: int = Field(20, ge=10)
    """Simulated first-order clips that a second order is compared with, per clip."""
    bootstraps: int = Field(200, ge=100)
    """Bootstrap draws over modes and clips."""
    shown: int = Field(8, ge=0)
    """Clips whose dispersion is kept mode by mode."""
    seed: int = Field(0, ge=0)
    """Seed of shuffles, nulls and draws."""

    def takes(self, encoder: object | None) -> bool:
        """Whether an encoder keeps the layer's spatial grid; a system's own stores have one."""
        pixels = getattr(encoder, "kind", None) == "pixels"
        flat = pixels and getattr(encoder, "tubelet_frames", None) == "mean"
        return encoder is None or flat or self.layer in getattr(encoder, "tokens", ())

    def cut(self, system: "Dataset") -> tuple[np.ndarray, tuple[Fold, ...]]:
        """Every clip by itself, and no folds."""
        return np.arange(system.sizes["clip"]), ()


def fit(spec: Spec, given: OnGrid) -> tuple[list[dict], dict]:
    """Find the law that clips obey; see :func:`physprobe.discover.linear.discover`.

    Raises
    ------
    ValueError
        If clips are too short or too small, a value is not finite, or a design has mixed or cut
        them.
    """
    if not isinstance(given, OnGrid):
        raise ValueError("linear reads whole clips of one system. Hint: take the design `plain`.")
    some = given.first(spec.clips)
    rows, blocks = linear.discover(
        spec,
        some.clips,
        periodic=not some.walls,
        scale=linear.Scale(cell=some.cell, frame=some.frame),
        centre=spec.centred and some.of_tokens,
        bent=some.bent,
        error=some.error,
        truth={name: label.astype(float) for name, label in some.labels.items()
               if label.dtype.kind == "f"},
        system=some.system,
    )  # fmt: skip
    return rows, {**blocks, "read": some.name}
