"""Candidates: their courses solve their equations, and their parameters are found again."""

import numpy as np
import pytest

from physprobe.discover import _dispersion, _evidence, _fit, _modes, _poles
from physprobe.discover._laws import BY_NAME, LAWS
from physprobe.simulate import _spectral, wave

TIME = np.arange(40.0)
LAWFUL = ["decay", "diffusion", "advection", "advection_diffusion", "wave", "damped_wave"]


@pytest.mark.parametrize("law", [law for law in LAWS if law.order == 2], ids=lambda law: law.name)
@pytest.mark.parametrize("gamma", [0.0, 0.1, 2.0])
def test_second_order_courses_solve_their_equation(law, gamma):
    theta = np.array([[0.7, gamma, 0.02][: len(law.parameters)]])
    k, step = np.array([[0.1, 0.3], [0.5, -0.2]]), 1e-3
    stiffness, damping = np.broadcast_arrays(*law.symbol(theta[:, None, :], k))
    before, now, after = (law.basis(theta, k, TIME + shift) for shift in (-step, 0, step))
    left = (after - 2 * now + before) / step**2 + damping[..., None, None] * (after - before) / (
        2 * step
    )
    assert left == pytest.approx(-stiffness[..., None, None] * now, abs=1e-4)


def test_courses_are_those_of_the_simulator():
    y, x = _spectral.waves(3, 32)
    k = np.stack(np.broadcast_arrays(y, x), axis=-1).reshape(-1, 2)
    found = BY_NAME["advection_diffusion"].basis(np.array([[0.2, -0.3, 0.4]]), k, TIME)[0, ..., 0]
    expected = _spectral.transport(3, 32, 0.4, (0.2, -0.3), TIME).reshape(len(TIME), -1).T
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("name", LAWFUL)
def test_parameters_are_found_to_a_thousandth(name, world):
    field, truth = world(name)
    modes = _modes.analyse(field)
    theta = _fit.fit(BY_NAME[name], modes)[0]
    for place, parameter in enumerate(BY_NAME[name].parameters):
        assert theta[:, place] == pytest.approx(truth[parameter], rel=1e-3), parameter


@pytest.mark.parametrize("band", [(0.005, 0.05), (0.05, 0.1), (0.1, 0.3), (0.3, 1.0)])
def test_damping_is_found_however_strong(band):
    """A step to c = 0, where the slope along c vanishes, was the last of a damped wave's fit."""
    spec = wave.Spec(clips=16, size=32, frames=20 if band[1] == 1 else 64, gamma=band)
    truth = wave.draw(spec)
    labels = [{name: value[clip] for name, value in truth.items()} for clip in range(spec.clips)]
    modes = _modes.analyse([wave.field(spec, one)[..., None] for one in labels])
    for theta in _fit.fit(BY_NAME["damped_wave"], modes, _evidence.hands(modes)):
        assert theta[:, 0] == pytest.approx(truth["c"], rel=1e-6)
        assert theta[:, 1] == pytest.approx(truth["gamma"], rel=1e-6)


@pytest.mark.parametrize("law", [law for law in LAWS if law.squared], ids=lambda law: law.name)
def test_a_search_leaves_zero(law):
    rng = np.random.default_rng(0)
    k = rng.uniform(0.2, 0.9, (12, 2))
    theta = np.array([[0.06, 0.02, 0.0][: len(law.parameters)]])
    amplitude = law.basis(theta, k, TIME) @ rng.normal(size=(1, 12, 2, 1))
    modes = _modes.Modes(amplitude.astype(complex), k, True)
    found = _fit.refine(law, modes, 0.0 * theta, 40)
    assert found == pytest.approx(theta, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_slopes_vanish_at_no_bound(law):
    """Brothers of c = 0: along every coordinate of a search the misfit changes to first order."""
    rng = np.random.default_rng(1)
    k = rng.uniform(0.2, 0.9, (12, 2))
    amplitude = (rng.normal(size=(1, 12, 40, 1)) + 1j * rng.normal(size=(1, 12, 40, 1))).cumsum(2)
    modes = _modes.Modes(amplitude, k, True)
    for place, name in enumerate(law.parameters):
        zero = np.zeros((1, len(law.parameters)))
        # an exponent says nothing of a rate that is zero
        zero[:, 0] = 0.1 if name == "exponent" else 0.0
        step = np.zeros_like(zero)
        changes = []
        for size in (1e-5, 2e-5):
            step[0, place] = size
            changes.append(
                _fit._cost(law, modes, law.at(zero + step)) - _fit._cost(law, modes, zero)
            )
        ratio = changes[1].sum() / changes[0].sum()
        assert ratio == pytest.approx(2, rel=0.05), law.parameters[place]


def test_nothing_is_known_of_a_speed_at_zero(world):
    modes = _modes.analyse(world("decay")[0])
    law = BY_NAME["damped_wave"]
    error = _fit.covariance(law, modes, np.array([[0.0, 0.03]] * len(modes.amplitude)))
    assert np.isnan(error[:, 0]).all() and np.isnan(error[:, :, 0]).all()
    assert np.isfinite(error[:, 1, 1]).all()


def test_standard_errors_are_those_of_noise(world):
    field, truth = world("diffusion", 40)
    field = field + 0.02 * np.random.default_rng(1).normal(size=field.shape)
    modes = _modes.analyse(field)
    theta = _fit.fit(BY_NAME["diffusion"], modes)[0]
    error = np.sqrt(_fit.covariance(BY_NAME["diffusion"], modes, theta)[:, 0, 0])
    assert 0.7 < np.std((theta[:, 0] - truth["alpha"]) / error) < 1.3


def test_features_share_the_law_whatever_mixes_them(world):
    field, truth = world("advection", 3)
    mixed = field * np.array([1.0, -2.0, 0.5]) + np.random.default_rng(0).normal(
        scale=0.01, size=(*field.shape[:-1], 3)
    )
    theta = _fit.fit(BY_NAME["advection"], _modes.analyse(mixed, components=2))[0]
    assert theta == pytest.approx(np.stack([truth["vy"], truth["vx"]], axis=-1), abs=5e-3)


def test_cosines_diffuse_between_walls():
    start = np.exp(-((np.arange(32.0) - 12) ** 2) / 18)
    profile = _spectral.diffuse(start, 0.2, TIME)
    field = (profile[:, :, None] * profile[:, None, :])[None, ..., None]
    modes = _modes.analyse(field, periodic=False)
    assert not np.iscomplexobj(modes.amplitude)
    assert _fit.fit(BY_NAME["diffusion"], modes)[0, 0, 0] == pytest.approx(0.2, rel=1e-6)


def test_poles_are_those_of_planted_exponentials():
    z = np.array([0.95 * np.exp(0.3j), 0.9 * np.exp(-0.2j)])
    course = (z[:, None] ** np.arange(40)).T @ np.array([[1.0, 0.5], [0.3, 2.0]])
    found, _ = _poles.poles(_poles.windows(course[None, None]), 2)
    assert np.sort_complex(found[0, 0]) == pytest.approx(np.sort_complex(z))


@pytest.mark.parametrize(
    ("law", "quantity", "exponent"),
    [("diffusion", "decay", 2), ("advection", "frequency", 1), ("damped_wave", "frequency", 1),
     ("damped_wave", "decay", 0), ("advection_diffusion", "decay", 2)],
)  # fmt: skip
def test_exponents_are_those_of_theory(law, quantity, exponent, world):
    found = _dispersion.disperse(_modes.analyse(world(law)[0]), BY_NAME[law].order)
    scaling = _dispersion.scale(found, quantity)
    assert scaling.exponent == pytest.approx(np.full(4, exponent), abs=0.05)
    assert (scaling.anisotropy < 0.05).all()
    if law == "advection":
        assert (found.velocity()[1] > 0.999).all()
        assert np.isnan(_dispersion.scale(found, "decay").exponent).all()


def test_what_is_no_field_is_refused():
    with pytest.raises(ValueError, match="8 frames or more"):
        _modes.analyse(np.zeros((2, 4, 8, 8, 1)))
    with pytest.raises(ValueError, match="clip 1 is not finite"):
        _modes.analyse(np.stack([np.zeros((8, 8, 8, 1)), np.full((8, 8, 8, 1), np.nan)]))
