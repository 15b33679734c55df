"""Truth: the law that each kind of system obeys, for comparing in the end and nothing else."""

import numpy as np

from physprobe.config import kinds
from physprobe.discover._laws import BY_NAME, CANNOT_TELL, Law
from physprobe.discover._settings import Scale


def law(kind: str) -> Law | None:
    """Law that a kind of system says that it obeys; None if it is none of the candidates."""
    name = kinds.load("simulate", kind).LAW
    return BY_NAME[name] if name else None


def verdict(kind: str) -> str:
    """Right answer for a kind of system."""
    found = law(kind)
    return found.verdict if found else CANNOT_TELL


def parameters(found: Law, truth: dict[str, np.ndarray], scale: Scale) -> np.ndarray:
    """Parameters (clip, parameter) of a law in cells and frames, from labels in px and s."""
    theta = np.stack([truth[name] for name in found.parameters], axis=-1)
    return theta / found.units(theta, scale.cell, scale.frame)
