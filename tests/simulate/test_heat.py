"""Heat: exact solutions, its gates, and what the gates refuse."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.fft import dctn, idctn

from physprobe.simulate import _gates, heat, heat_published

SPEC = heat.Spec()
CORNERS = [
    {"alpha": alpha, "sigma": sigma, "y0": y0, "x0": x0}
    for alpha in (0.5, 5.0)
    for sigma in (5.0, 20.0)
    for y0, x0 in ((63.5, 191.5), (127.3, 100.9))
]


def clip(spec, number):
    return {name: label[number] for name, label in heat.draw(spec).items()}


def gaussian(labels, variance):
    y, x = np.ogrid[:256, :256]
    return np.exp(-((y - labels["y0"]) ** 2 + (x - labels["x0"]) ** 2) / (2 * variance))


@pytest.mark.parametrize("labels", CORNERS)
def test_field_is_exact_against_a_fast_cosine_transform(labels):
    """The whole square in float64, without the product of profiles."""
    found = heat.field(SPEC, labels)
    assert found.shape == (64, 256, 256) and found.dtype == np.float32
    start = dctn(gaussian(labels, labels["sigma"] ** 2), norm="ortho")
    k = np.pi * np.arange(256) / 256
    for time in (0, 1, 10, 63):
        decay = np.exp(-labels["alpha"] * time * np.add.outer(k**2, k**2))
        np.testing.assert_allclose(found[time], idctn(start * decay, norm="ortho"), atol=1e-6)


def test_far_from_the_walls_it_is_the_gaussian_of_the_plane():
    labels = {"alpha": 1.0, "sigma": 6.0, "y0": 120.4, "x0": 131.7}
    found = heat.field(SPEC, labels)
    for time in range(64):
        variance = labels["sigma"] ** 2 + 2 * labels["alpha"] * time
        expected = labels["sigma"] ** 2 / variance * gaussian(labels, variance)
        np.testing.assert_allclose(found[time], expected, atol=1e-6)


def test_field_solves_the_heat_equation():
    """Central differences of a wide blob, sampled finely for its width, agree to their error."""
    labels = {"alpha": 0.5, "sigma": 16.0, "y0": 127.5, "x0": 127.5}
    u = heat.field(SPEC, labels).astype(float)
    rate = (u[2:] - u[:-2]) / 2
    lap = sum(np.roll(u, shift, axis) for axis in (1, 2) for shift in (1, -1)) - 4 * u
    residual = rate - labels["alpha"] * lap[1:-1]
    assert np.abs(residual[:, 1:-1, 1:-1]).max() < 2e-3 * np.abs(rate).max()


def test_alpha_and_time_enter_as_their_product_alone():
    slow, fast = (
        heat.field(SPEC, {"alpha": alpha, "sigma": 8.0, "y0": 90.0, "x0": 150.0})
        for alpha in (1.0, 3.0)
    )
    np.testing.assert_allclose(slow[3::3], fast[1:22], atol=1e-6)


def test_x_and_y_are_alike_and_not_mixed_up():
    labels = {"alpha": 1.0, "sigma": 8.0, "y0": 70.2, "x0": 180.6}
    found = heat.field(SPEC, labels)
    assert np.unravel_index(found[0].argmax(), (256, 256)) == (70, 181)
    swapped = heat.field(SPEC, labels | {"y0": labels["x0"], "x0": labels["y0"]})
    np.testing.assert_array_equal(swapped, found.swapaxes(1, 2))


def test_draws_are_reproducible_and_fill_their_ranges():
    labels = heat.draw(SPEC)
    assert set(labels) == set(heat.UNITS)
    assert all(label.shape == (200,) and label.dtype == float for label in labels.values())
    for name, (low, high) in {
        "alpha": (0.5, 5.0),
        "sigma": (5.0, 20.0),
        "y0": (63.5, 191.5),
        "x0": (63.5, 191.5),
    }.items():
        assert low <= labels[name].min() < low + 0.05 * (high - low)
        assert high >= labels[name].max() > high - 0.05 * (high - low)
    again, other = heat.draw(SPEC), heat.draw(heat.Spec(seed=1))
    for name, label in labels.items():
        np.testing.assert_array_equal(again[name], label)
        assert not np.isin(other[name], label).any()


@pytest.mark.parametrize(
    "spec",
    [
        heat.Spec(clips=6),
        heat.Spec(clips=3, sigma=(2.0, 2.1), alpha=(0.01, 0.02)),
        heat.Spec(clips=3, sigma=(25.0, 25.6), alpha=(4.9, 5.0)),
        heat.Spec(clips=3, size=64, frames=16, sigma=(3.0, 6.0), alpha=(0.2, 1.0)),
        heat.Spec(clips=3, size=33, frames=2, sigma=(2.0, 3.3)),
    ],
)
def test_gates_let_every_valid_spec_pass(spec):
    labels = heat.draw(spec)
    for number in range(spec.clips):
        values = {name: label[number] for name, label in labels.items()}
        heat.check(spec, values, heat.field(spec, values))


@pytest.mark.parametrize("labels", CORNERS)
def test_gates_let_the_widest_and_fastest_blobs_pass(labels):
    heat.check(SPEC, labels, heat.field(SPEC, labels))


@pytest.mark.parametrize("number", [1, 23])
def test_gates_refuse_the_published_explosion(number):
    spec = heat_published.Spec()
    labels = {name: label[number] for name, label in heat_published.draw(spec).items()}
    exploded = heat_published.field(spec, labels)
    time = heat_published.coords(spec)["time"]
    with np.errstate(over="ignore", invalid="ignore"):
        with pytest.raises(ValueError, match=r"maximum principle: frame \d+ (rises|falls) to"):
            _gates.maximum_principle(exploded)
        with pytest.raises(ValueError, match=r"budget: frame \d+ holds"):
            _gates.budget(exploded)
        with pytest.raises(ValueError, match=r"decay of every mode: mode \(\d+, \d+\) of frame"):
            heat.mode_decay(exploded, labels["alpha"], time)
        onset = (exploded.max((1, 2)) > 1).argmax()
        pair = slice(onset - 1, onset + 1)
        with pytest.raises(ValueError, match=r"mode \(2[2-5]\d, 2[2-5]\d\) of frame 1 is"):
            heat.mode_decay(exploded[pair], labels["alpha"], time[pair])
    with pytest.raises(ValueError, match="maximum principle"):
        heat.check(SPEC, labels, exploded)


def cooler(u):
    u[40:] -= 1e-5


def patch(u):
    u[9, 100:110, 100:110] += 1


def lukewarm(u):
    u[20, 200:, 200:] = u[20].max() / 2


def hole(u):
    u[30, 10, 10] = np.nan


def shifted(u):
    u[30] = np.roll(u[30], 3, axis=0)


def stopped(u):
    u[30] = u[29]


def mirrored(u):
    u[63] = u[63, ::-1].copy()


def checkered(u):
    u[50] += 1e-5 * (-1.0) ** np.add.outer(np.arange(256), np.arange(256)) * (u[50] > 0.1)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (cooler, "maximum principle: frame 40 falls"),
        (patch, "maximum principle: frame 9 rises"),
        (hole, "maximum principle: frame 30 rises to nan"),
        (lukewarm, "budget: frame 20"),
        (shifted, r"decay of every mode: mode \(\d+, \d+\) of frame 30 is"),
        (stopped, r"decay of every mode: mode \(\d+, \d+\) of frame 30 is"),
        (mirrored, r"decay of every mode: mode \(\d+, \d+\) of frame 63 is"),
        (checkered, r"decay of every mode: mode \(2\d\d, 2\d\d\) of frame 50 is"),
    ],
)
def test_each_gate_names_the_frame_that_breaks_it(spoil, expected):
    labels = {"alpha": 2.0, "sigma": 10.0, "y0": 120.0, "x0": 131.0}
    field = heat.field(SPEC, labels)
    spoil(field)
    with pytest.raises(ValueError, match=expected):
        heat.check(SPEC, labels, field)


def test_gates_refuse_the_field_of_another_alpha():
    labels = {"alpha": 2.0, "sigma": 10.0, "y0": 120.0, "x0": 131.0}
    with pytest.raises(ValueError, match=r"decay of every mode: .* of frame [12] is"):
        heat.check(SPEC, labels, heat.field(SPEC, labels | {"alpha": 2.001}))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"alpha": (-1, 2)}, "greater than 0"),
        ({"alpha": (3, 2)}, "low end 3 has to be below the high end 2"),
        ({"sigma": (1, 20)}, "between 2 px"),
        ({"sigma": (5, 26)}, "25.6 px wide"),
        ({"size": 64}, None),
        ({"clips": 0}, "greater than 0"),
        ({"frames": 1}, "greater than 1"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"viscosity": 1}, "Extra inputs"),
    ],
)
def test_impossible_values_are_refused(entry, expected):
    if expected is None:
        assert heat.Spec(sigma=(3, 6), **entry).size == 64
    else:
        with pytest.raises(ValidationError, match=expected):
            heat.Spec(**entry)
