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
from typing import Literal

import numpy as np

from physprobe.fit.methods._dynamics_settings import Settings
from physprobe.fit.section import Given
from physprobe.statistics.splits import Fold


class Spec(Settings):
    """Linear dynamics of the pooled embedding, layer by layer."""

    ROLE = "dynamics"

    kind: Literal["dmd"] = "dmd"
    """Dynamic mode decomposition of the pooled embedding."""


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
