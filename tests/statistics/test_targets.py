"""Targets: names, closed forms, and what a raw angle can't be."""

import numpy as np
import pytest

from physprobe.statistics import targets

ANGLE = np.linspace(-np.pi, np.pi, 9)[1:]
LABELS = {"direction": ANGLE, "speed": np.arange(1.0, 9), "vx": np.cos(ANGLE), "vy": np.sin(ANGLE)}


def test_every_form_is_what_its_name_says():
    np.testing.assert_array_equal(targets.values(LABELS, "direction"), ANGLE)
    np.testing.assert_allclose(np.exp(targets.values(LABELS, "log_speed")), LABELS["speed"])
    np.testing.assert_array_equal(
        targets.values(LABELS, "vxy"), np.stack([np.cos(ANGLE), np.sin(ANGLE)], 1)
    )
    for order, name in enumerate(("sincos", "sincos2", "sincos3"), 1):
        found = targets.values(LABELS, f"{name}_direction")
        np.testing.assert_allclose(found[:, 0] + 1j * found[:, 1], 1j * np.exp(-1j * order * ANGLE))
        assert targets.harmonic(f"{name}_direction") == order
    assert targets.harmonic("direction") is None and targets.harmonic("sincos4_direction") is None


@pytest.mark.parametrize("name", ["axy", "sincos4_direction", "sin_direction", "vz", "log_vxy"])
def test_what_cannot_be_made_is_refused(name):
    assert targets.labels_of(name, LABELS) is None
    with pytest.raises(ValueError, match=r"no such label\. Hint"):
        targets.values(LABELS, name)


def test_a_label_is_itself_whatever_it_is_called():
    labels = {"log_alpha": np.array([-1.0, 2.0]), "alpha": np.array([1.0, 2.0])}
    assert targets.values(labels, "log_alpha").tolist() == [-1, 2]


def test_angles_are_compared_around_the_circle_and_whatever_their_length():
    first, second = np.radians([170, 0, 10]), np.radians([-170, 90, 10])

    def pair(angle, length=1.0):
        return length * np.stack([np.sin(angle), np.cos(angle)], -1)

    found = targets.angle_error(pair(first), pair(second, 0.1))
    np.testing.assert_allclose(found, [20, 90, 0], atol=1e-12)
    rng = np.random.default_rng(0)
    guess = targets.angle_error(
        pair(rng.uniform(-np.pi, np.pi, 20000)), rng.normal(size=(20000, 2))
    )
    assert guess.mean() == pytest.approx(90, abs=1)
