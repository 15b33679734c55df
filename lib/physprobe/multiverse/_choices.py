"""Choices: what is fitted for all specifications of a multiverse, and which layer each reads.

A specification is one value of every axis: solver, normalisation and grouping, which are a fit of
their own, and target, sample and layer, all of which one fit serves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from physprobe.config import kinds
from physprobe.config.spec import Spec


@dataclass(frozen=True)
class Fit:
    """One ordinary probe of a multiverse."""

    solver: str
    normalisation: str
    grouping: str
    spec: Spec
    """Of the probe: all targets and samples at once."""

    @property
    def name(self) -> str:
        """``ridge/zscore/clip``."""
        return f"{self.solver}/{self.normalisation}/{self.grouping}"


def fits(entry: Mapping) -> list[Fit]:
    """Every solver under every normalisation and grouping, each once.

    Parameters
    ----------
    entry : mapping
        Of the config's section ``multiverses``.

    Returns
    -------
    list of Fit
        Without those that are another one by another name, such as ridge without centring, whose
        free intercept centres.
    """
    common = {"targets": targets_of(entry), "samples": tuple(entry["samples"])}
    found: dict[str, Fit] = {}
    for (solver, about), normalisation, grouping in product(
        entry["solvers"].items(), entry["normalisations"], entry["groupings"]
    ):
        spec = kinds.load("probe", about["kind"]).Spec.model_validate(about)
        spec = spec.model_copy(update={**common, "grouping": grouping}).normalised(normalisation)
        found.setdefault(solver + spec.canonical(), Fit(solver, normalisation, grouping, spec))
    return list(found.values())


def targets_of(entry: Mapping) -> tuple[str, ...]:
    """Targets of all claims, each once."""
    claims = entry["claims"].values()
    return tuple(dict.fromkeys(target for claim in claims for target in claim["targets"]))


def captured(layers: Sequence[str], capture: float | str) -> str:
    """Name of the layer that a specification reads.

    Parameters
    ----------
    layers : (layer,)
        Those of an embedding; of a single one every specification reads that.
    capture : float or str
        Part of the blocks applied, from 0 to 1; ``final``, or the last layer where there is none of
        that name; ``selected``, the layer that the fit itself chooses.
    """
    if len(layers) == 1:
        return layers[0]
    if capture == "selected":
        return capture
    if capture == "final":
        return layers[-1]
    blocks = [layer for layer in layers if layer != "final"]
    return blocks[round(capture * (len(blocks) - 1))]
