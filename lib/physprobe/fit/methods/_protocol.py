"""What all probes have in common: targets, samples, folds, and how sure a score has to be."""

from collections.abc import Callable
from typing import Literal

from pydantic import Field

from physprobe.fit.section import Given, MethodSpec
from physprobe.statistics import splits, targets

Sample = Literal["clip", "token", "temporal_last", "temporal_first", "temporal_diff"]
Normalisation = Literal["zscore", "center", "none"]


class Protocol(MethodSpec):
    """Fields of every probe's spec."""

    ROLE = "probe"

    targets: tuple[str, ...] = Field(("alpha", "log_alpha"), min_length=1)
    """Labels to decode; ``log_<label>`` is the logarithm of one, ``sincos_<label>`` sine and
    cosine of an angle, ``sincos2_`` and ``sincos3_`` its harmonics, ``vxy`` the pair vx and vy."""
    samples: tuple[Sample, ...] = Field(("clip", "token"), min_length=1)
    """``clip``: mean over time of each clip; ``token``: each token time as a row of its own;
    ``temporal_last``, ``temporal_first``: one token time; ``temporal_diff``: last less first."""
    grouping: Literal[tuple(splits.GROUPINGS)] = "clip"
    """Clips that are on one side of every fold, outer and inner: ``clip`` keeps the system's own
    groups together, or none; others those alike in it, such as ``direction``."""
    outer: int = Field(5, ge=2)
    """Outer folds; not used where the system declares its split."""
    inner: int = Field(4, ge=2)
    """Folds inside the training clips, on which every choice is made."""
    permutations: int = Field(200, ge=1)
    """Permutations of labels between clips for the null."""
    bootstraps: int = Field(2000, ge=100)
    """Bootstrap draws over clips for the intervals."""
    seed: int = Field(0, ge=0)
    """Seed of folds, permutations and draws."""

    @property
    def folds_by(self) -> str:
        """Clips that are on one side of every fold; see ``splits.GROUPINGS``."""
        return self.grouping


def fitted(
    probe: Callable, spec: Protocol, given: Given, **more: object
) -> tuple[list[dict], dict]:
    """Rows and ``predictions`` of a probe.

    Parameters
    ----------
    probe : callable
        Of the kind: (spec, features, layers, targets, folds) and named arguments.
    spec : Protocol
    given : Given
    **more
        Arguments that only some kinds take.

    Raises
    ------
    ValueError
        If a target is no label of the system, or the kind can't do what is asked.
    """
    values = targets.classes if spec.of_classes else targets.values
    if spec.scored_apart:
        more["parts"] = targets.label(given.labels, spec.scored_apart)
    rows, predictions = probe(
        spec,
        given.features,
        given.layers,
        {name: values(given.labels, name) for name in spec.targets},
        given.folds,
        times=given.times,
        groups=given.groups,
        components=given.components,
        **more,
    )
    return rows, {"predictions": predictions}
