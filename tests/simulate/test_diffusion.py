"""Diffusion: exact solutions, the walls of ``heat`` taken away, and what the gates refuse."""

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.simulate import _spectral, advection_diffusion, diffusion, heat

SPEC = diffusion.Spec()
LABELS = {"alpha": 0.7, "ic_id": 1}
TIME = np.arange(64.0)


def test_a_gaussian_widens_to_1e_10():
    axis = np.arange(128)[:, None] + 128 * np.arange(-3, 4)

    def gaussian(variance):
        rows, columns = (
            np.exp(-((axis - place) ** 2) / (2 * variance)).sum(1) for place in (30.2, 101.7)
        )
        return np.outer(rows, columns) * 64 / variance

    factors = _spectral.transport(63, 128, 1.3, (0, 0), TIME)
    found = _spectral.synthesise(_spectral.analyse(gaussian(64.0), 63) * factors, 128)
    for time in (0, 1, 30, 63):
        np.testing.assert_allclose(found[time], gaussian(64 + 2.6 * time), atol=1e-10)


def test_far_from_walls_it_is_heat():
    """The same blob in the middle of both squares."""
    spec = heat.Spec(size=128, sigma=(5, 10), frames=40)
    insulated = heat.field(spec, {"alpha": 0.8, "sigma": 6.0, "y0": 63.5, "x0": 63.5})
    modes = _spectral.analyse(insulated[0].astype(float), 40)
    factors = _spectral.transport(40, 128, 0.8, (0, 0), np.arange(40.0))
    np.testing.assert_allclose(_spectral.film(modes * factors, 128), insulated, atol=2e-6)


def test_it_is_advection_diffusion_at_rest():
    general = advection_diffusion.field(advection_diffusion.Spec(), LABELS | {"vy": 0.0, "vx": 0.0})
    np.testing.assert_allclose(diffusion.field(SPEC, LABELS), general, atol=1e-7)


def test_alpha_and_time_enter_as_their_product_alone():
    slow, fast = (diffusion.field(SPEC, LABELS | {"alpha": alpha}) for alpha in (0.5, 1.5))
    np.testing.assert_allclose(slow[3::3], fast[1:22], atol=1e-6)


def test_even_the_slowest_and_the_fastest_are_identifiable():
    """What three waves to a side lose, as the module says."""
    factors = [_spectral.transport(3, 128, a, (0, 0), np.array([63.0])) for a in (0.2, 2.0)]
    lost = [1 - factor[0, 3, 3].real for factor in factors]
    np.testing.assert_allclose(lost, [0.24, 0.93], atol=0.01)


def cooler(u):
    u[40:] -= 1e-5


def patch(u):
    u[9, 100:110, 100:110] = 1


def lukewarm(u):
    u[20] = np.minimum(u[20], 0.9 * u[20].max())


def stopped(u):
    u[30] = u[29]


def mirrored(u):
    u[63] = u[63, ::-1].copy()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (cooler, "maximum principle: frame 40 falls"),
        (patch, "maximum principle: frame 9 rises"),
        (lukewarm, "maximum principle: frame 21 rises|budget: frame 20 holds"),
        (stopped, r"every mode: mode \(-?\d, \d\) of frame 30 is"),
        (mirrored, r"every mode: mode \(-?\d, \d\) of frame 63 is"),
    ],
)
def test_each_gate_names_the_frame_that_breaks_it(spoil, expected):
    field = diffusion.field(SPEC, LABELS)
    spoil(field)
    with pytest.raises(ValueError, match=expected):
        diffusion.check(SPEC, LABELS, field)


def test_gates_refuse_the_field_of_another_alpha():
    with pytest.raises(ValueError, match=r"every mode: mode \(-?\d, \d\) of frame \d+ is"):
        diffusion.check(SPEC, LABELS, diffusion.field(SPEC, LABELS | {"alpha": 0.7007}))


def test_gates_refuse_the_published_stillness():
    """The published match gave every clip 0.01 x 0.08 px^2 per frame."""
    labels = LABELS | {"alpha": 0.0008}
    with pytest.raises(ValueError, match=r"motion: .* of the colour range over the clip"):
        diffusion.check(SPEC, labels, diffusion.field(SPEC, labels))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"alpha": (2, 1)}, "low end 2 has to be below"),
        ({"alpha": (1, 20)}, "20 is more than 12.8: nothing would be left"),
        ({"alpha": (0, 1)}, "greater than 0"),
        ({"sigma": (1, 2)}, "Extra inputs"),
    ],
)
def test_impossible_values_are_refused(entry, expected):
    with pytest.raises(ValidationError, match=expected):
        diffusion.Spec(**entry)
