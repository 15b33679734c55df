"""Targets: what a probe decodes, by name; one column per clip, or several that are scored together.

    <label>            as it is; of an angle the raw one, which jumps where the circle is cut
    log_<label>        its natural logarithm
    sincos_<label>     sine and cosine of an angle
    sincos2_<label>    those of twice the angle, and sincos3_ of three times: its harmonics
    <name>xy           the two labels <name>x and <name>y, such as vx and vy

No linear function of (sin a, cos a) is the raw angle: over eight directions it reaches R2 = 0.650,
with the second harmonic 0.841, with the third 0.952. A score of the raw angle tells how many
harmonics an embedding holds, not whether the direction is there.
"""

import re
from collections.abc import Collection, Mapping

import numpy as np

HARMONICS = {"sincos": 1, "sincos2": 2, "sincos3": 3}


def labels_of(name: str, known: Collection[str]) -> tuple[str, ...] | None:
    """Labels that a target is made from, or None if it can't be made from those known."""
    if name in known:
        return (name,)
    pair = (f"{name[:-2]}x", f"{name[:-2]}y")
    if name.endswith("xy") and set(pair) <= set(known):
        return pair
    form, _, label = name.partition("_")
    return (label,) if form in ("log", *HARMONICS) and label in known else None


def values(labels: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Values of a target.

    Parameters
    ----------
    labels : mapping of str to (clip,)
    name : str

    Returns
    -------
    (clip,) or (clip, column) float64

    Raises
    ------
    ValueError
        If there is no such label, or it has no logarithm.
    """
    found = labels_of(name, labels)
    if found is None:
        raise ValueError(f"target {name!r}: no such label. Hint: labels are {', '.join(labels)}.")
    columns = [np.asarray(labels[label]).astype(np.float64) for label in found]
    if len(columns) == 2:
        return np.stack(columns, axis=-1)
    (value,) = columns
    if name in labels:
        return value
    if order := harmonic(name):
        return np.stack([np.sin(order * value), np.cos(order * value)], axis=-1)
    if (value <= 0).any():
        raise ValueError(
            f"target {name!r}: {found[0]} is {value.min():g} in clip {value.argmin()}, which has no"
            f" logarithm. Hint: ask for {found[0]!r} itself."
        )
    return np.log(value)


def unit(name: str, units: Mapping[str, str]) -> str:
    """Unit of a target: its label's, and 1 of a logarithm, a sine or a class.

    Parameters
    ----------
    name : str
    units : mapping of str to str
        By label.
    """
    found = labels_of(name, units) or ()
    plain = name in units or len(found) > 1
    return units[found[0]] if plain else "1"


def classes(labels: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """Classes (clip,) of a target: a label's values, whatever they are.

    Raises
    ------
    ValueError
        If there is no such label.
    """
    hint = "give embeddings and simulations of several systems" if name == "equation" else None
    return label(labels, name, hint)


def label(labels: Mapping[str, np.ndarray], name: str, hint: str | None = None) -> np.ndarray:
    """Label (clip,) as it is, numbers or words.

    Raises
    ------
    ValueError
        If there is no such label.
    """
    if name in labels:
        return labels[name]
    hint = hint or f"labels are {', '.join(labels)}"
    raise ValueError(f"target {name!r}: no such label. Hint: {hint}.")


def harmonic(name: str) -> int | None:
    """How many times the angle a target of sine and cosine goes around, or None if it is none."""
    form = re.match(r"(sincos[23]?)_", name)
    return HARMONICS[form[1]] if form else None


def angle_error(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Absolute difference [deg] of two angles (...) from their sines and cosines (..., 2).

    Without knowledge of the angle it is 90 degrees on average.
    """
    (sine, cosine), (other_sine, other_cosine) = (
        np.moveaxis(part, -1, 0) for part in (truth, predicted)
    )
    across = other_sine * cosine - other_cosine * sine
    along = other_cosine * cosine + other_sine * sine
    return np.degrees(np.abs(np.arctan2(across, along)))
