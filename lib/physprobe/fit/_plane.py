"""Plane: what an encoder of points gives anywhere, and the mixture that the points are of."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from physprobe.config import kinds
from physprobe.store.inputs import Inputs


@dataclass(frozen=True)
class Plane:
    """A mixture in the plane, and an encoder of its points.

    Attributes
    ----------
    mixture : Mixture
        Density and score in closed form; see ``simulate/_mixture.py``.
    given : callable, optional
        From points (row, 2) that are no clips to features (layer, row, feature); of some layers
        alone if their numbers follow.
    output : str
        What its layers are: ``energy`` (with the score beside it), or ``embedding``.
    deviations : tuple of float
        Of an energy's layers: of the noise that their density is smoothed by.
    half_width : float, optional
        Of an energy that was told from uniform noise on a square: half the square's side.
    """

    mixture: Any
    given: Callable[..., np.ndarray] | None
    output: str
    deviations: tuple[float, ...] = ()
    half_width: float | None = None

    @classmethod
    def of(cls, found: Inputs) -> Self:
        """That of an embedding.

        Raises
        ------
        ValueError
            If its system is no mixture.
        """
        _, world = kinds.parse("simulate", json.dumps(found.system.attrs["spec"]))
        if not hasattr(world, "mixture"):
            raise ValueError(
                f"{found.spec.kind}: {world.kind} is no mixture. Hint: fit it to a system of kind"
                " mixture."
            )
        family, spec = kinds.parse("embed", json.dumps(found.source.attrs["spec"]))
        about = found.source.attrs.get("architecture") or {}
        return cls(
            world.mixture,
            family.anywhere(spec, found.member, found.system),
            about.get("output") or "embedding",
            tuple(about.get("deviations") or ()),
            about.get("half_width"),
        )
