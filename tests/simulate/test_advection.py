"""Advection: exact shifts by any part of a cell, and what the gates refuse."""

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.simulate import _initial, _spectral, advection, advection_diffusion

SPEC = advection.Spec()
LABELS = {"vy": 0.377, "vx": -1.219, "ic_id": 3}


def shifted(place, cells=128):
    """The pattern itself, evaluated mode by mode at other places (float64)."""
    modes = _initial.series(SPEC.seed, LABELS["ic_id"])
    y, x = _spectral.waves(_initial.BAND, cells)
    rows, columns = (
        np.exp(1j * np.outer(np.arange(cells) - shift, k.ravel()))
        for k, shift in zip((y, x), place, strict=True)
    )
    twice = modes * np.where(x > 0, 2, 1)
    return (rows @ twice @ columns.T).real


@pytest.mark.parametrize("time", [0, 1, 10, 63])
def test_the_pattern_is_shifted_by_any_part_of_a_cell(time):
    place = (LABELS["vy"] * time, LABELS["vx"] * time)
    factors = _spectral.transport(15, 128, 0.0, (LABELS["vy"], LABELS["vx"]), np.array([time]))
    exact = _spectral.synthesise(_initial.series(0, 3) * factors, 128)[0]
    np.testing.assert_allclose(exact, shifted(place), atol=1e-12)
    np.testing.assert_allclose(advection.field(SPEC, LABELS)[time], shifted(place), atol=1e-6)


def test_whole_steps_roll_the_cells_in_y_and_x():
    field = advection.field(SPEC, LABELS | {"vy": 1.0, "vx": -2.0})
    for time in (1, 20, 63):
        rolled = np.roll(field[0], (time, -2 * time), axis=(0, 1))
        np.testing.assert_allclose(field[time], rolled, atol=1e-6)


def test_nothing_is_smoothed():
    field = advection.field(SPEC, LABELS).astype(float)
    np.testing.assert_allclose(field.std((1, 2)), field[0].std(), rtol=1e-6)


def test_it_is_advection_diffusion_without_diffusion():
    general = advection_diffusion.field(advection_diffusion.Spec(), LABELS | {"alpha": 0.0})
    np.testing.assert_array_equal(advection.field(SPEC, LABELS), general)


def test_forth_and_back_is_where_it_was():
    forth, back = (
        _spectral.transport(15, 128, 0.0, (v, -2 * v), np.array([41.3])) for v in (0.77, -0.77)
    )
    np.testing.assert_allclose(forth * back, 1, atol=1e-13)


def test_velocities_have_every_direction_and_no_rest():
    labels = advection.draw(advection.Spec(clips=2000))
    speed = np.hypot(labels["vy"], labels["vx"])
    assert 1.5 / 8 <= speed.min() < 0.25
    angle = np.arctan2(labels["vy"], labels["vx"])
    assert np.histogram(angle, 8, (-np.pi, np.pi))[0].min() > 200


@pytest.mark.parametrize("change", [{"vx": -1.2195}, {"vy": 0.3775}, {"vy": -1.219, "vx": 0.377}])
def test_gates_refuse_the_field_of_another_velocity(change):
    field = advection.field(SPEC, LABELS | change)
    with pytest.raises(ValueError, match=r"every mode: mode \(-?\d+, \d+\) of frame \d is"):
        advection.check(SPEC, LABELS, field)


def test_gates_refuse_a_fading_pattern():
    field = advection.field(SPEC, LABELS)
    field[30:] *= 0.9999
    with pytest.raises(ValueError, match="budget: frame 30 holds"):
        advection.check(SPEC, LABELS, field)


def test_gates_refuse_interpolation_between_cells():
    """Half a cell by the mean of two neighbours keeps the budget and blurs."""
    field = advection.field(SPEC, LABELS | {"vy": 0.5, "vx": 0.0})
    field[1::2] = (field[1::2] * 2 + np.roll(field[1::2], 1, 1) + np.roll(field[1::2], -1, 1)) / 4
    with pytest.raises(ValueError, match=r"every mode: mode .* of frame 1 is"):
        advection.check(SPEC, LABELS | {"vy": 0.5, "vx": 0.0}, field)


def test_a_clip_that_hardly_moves_is_refused():
    labels = LABELS | {"vy": 1e-4, "vx": 0.0}
    with pytest.raises(ValueError, match=r"motion: .* of the colour range"):
        advection.check(SPEC, labels, advection.field(SPEC, labels))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"speed": 4}, "4 is more than 3: clips would go around"),
        ({"speed": 0}, "greater than 0"),
        ({"vx": 1}, "Extra inputs"),
    ],
)
def test_impossible_values_are_refused(entry, expected):
    with pytest.raises(ValidationError, match=expected):
        advection.Spec(**entry)
