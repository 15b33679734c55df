"""Dynamic mode decomposition: linear dynamics of an embedding, scored by skill on held-out clips.

    z[t+1] = z[t] + B h[t] + b

with z the leading principal components of the pooled features (fitted on training clips), and h
their history of one, two or three frames; see `_transition` for the fit. Rank and penalty are
chosen inside the training clips. Orders are compared at equal parameter count, from equal starts.

    skill(h) = 1 - SSE(model, h) / SSE(baseline, h)

over every start and all components, h frames ahead. An encoder that attends over the whole clip has
seen the future: with one, this is a statement about its trajectory and not a forecast.

References
----------
Tu et al., "On dynamic mode decomposition: theory and applications", J. Comput. Dyn. 1 (2014).
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from physprobe.fit.methods._choices import Horizons, Penalties
from physprobe.fit.methods._pairs import FIRST
from physprobe.fit.section import Given, MethodSpec
from physprobe.statistics.splits import Fold

PENALTIES = tuple(10.0**power for power in range(-6, 7))


class Spec(MethodSpec):
    """Linear dynamics of the pooled embedding, layer by layer."""

    ROLE = "dynamics"
    SHORTEST: ClassVar[int] = FIRST + 3
    """Token times that a clip needs."""

    kind: Literal["dmd"] = "dmd"
    """Dynamic mode decomposition of the pooled embedding."""
    components: int = Field(32, ge=1)
    """Principal components that make up the latent space."""
    ranks: tuple[Annotated[int, Field(ge=3)], ...] = Field((4, 8, 16, 32), min_length=1)
    """Numbers of leading components with dynamics, to choose from; the others persist."""
    orders: tuple[Literal[1, 2, 3], ...] = (1, 2, 3)
    """Frames of history, at equal parameter count; order 1 is always fitted."""
    horizons: Horizons = (1, 2, 4, 8, 16)
    """Tokens ahead that are scored; ascending."""
    penalties: Penalties = PENALTIES
    """Ridge penalties to choose from, relative to the inputs' mean eigenvalue; ascending."""
    report: tuple[str, ...] = ("final",)
    """Layers whose curves, clips and clouds are kept; the last one if the encoder lacks them."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which every choice is made."""
    shuffles: int = Field(200, ge=1)
    """Fits to time-shuffled training clips for the null."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals of scores."""
    spectra: int = Field(1000, ge=100)
    """Bootstrap draws over clips for the eigenvalues."""
    seed: int = Field(0, ge=0)
    """Seed of folds, shuffles and draws."""

    def scored(self, times: int) -> list[int]:
        """Horizons that clips of so many token times allow."""
        return [ahead for ahead in self.horizons if ahead < times - FIRST]


def dynamics(
    spec: Spec,
    pooled: Sequence[np.ndarray],
    labels: Mapping[str, np.ndarray],
    folds: Sequence[Fold],
    *,
    layers: Sequence[str],
    times: Sequence[float],
    groups: np.ndarray | None = None,
) -> tuple[list[dict], dict]:
    """Score linear dynamics of every layer.

    Parameters
    ----------
    spec : Spec
    pooled : (layer, clip, time, feature), or a sequence over layers
    labels : mapping of str to (clip,)
        Dynamics need none; ``equation``, where clips obey several, tells apart what one model of
        all of them gets wrong.
    folds : sequence of Fold
    layers : (layer,)
        Their names.
    times : (time,)
        Mean time of each token [s].
    groups : (clip,), optional
        Declared groups of clips; intervals are over groups.

    Returns
    -------
    rows : list of dict
        ``skill`` by layer, order, baseline and horizon; ``skill_by_equation``, the same on the
        clips of each equation, where there are several; ``spectral_radius``; ``variance_kept``; and
        the published ``one_step_mse``, ``one_step_cos``, ``rollout_mse``, ``rollout_cos``.
    blocks : dict
        ``settings``, ``choices``, ``spectra``, and for the report's layers ``forecast``; for the
        last of these ``published``, ``published_time_shuffled`` and ``published_orders``, by order.

    Raises
    ------
    ValueError
        If clips are too short, or a feature is not finite.
    """
    # linear algebra waits until it is needed: config parsing imports this module
    from physprobe.fit.methods import _layers

    equations = labels.get("equation")
    return _layers.fit(
        spec, pooled, folds, layers=layers, times=times, groups=groups, equations=equations
    )


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Score linear dynamics of every layer; see :func:`dynamics`."""
    assert given.times is not None, "an embedding has times"
    return dynamics(
        spec,
        given.features,
        given.labels,
        given.folds,
        layers=given.layers,
        times=given.times,
        groups=given.groups,
    )
