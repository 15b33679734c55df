"""Systems that say which law they obey: exact against that law's own courses, and their gates."""

import numpy as np
import pytest

from physprobe.config import kinds
from physprobe.discover import linear
from physprobe.discover._laws import BY_NAME
from physprobe.fit.methods.linear import Spec
from physprobe.simulate import _initial, _spectral, _vibrating

NAMED = {
    kind: kinds.load("simulate", kind).LAW
    for kind in kinds.names("simulate")
    if kinds.load("simulate", kind).LAW and kind != "heat"
}
TIME = np.arange(64.0)


def clip(kind: str, number: int = 0, **fields) -> tuple:
    system = kinds.load("simulate", kind)
    spec = system.Spec(clips=number + 1, **fields)
    labels = {name: values[number] for name, values in system.draw(spec).items()}
    return system, spec, labels


def test_every_law_that_is_named_has_a_system():
    lacking = {"wave", "beam", "oscillator"}  # without damping, special cases of those with it
    named = {law.name for law in BY_NAME.values() if law.verdict != "cannot tell"}
    assert set(NAMED.values()) == named - lacking


@pytest.mark.parametrize("kind", NAMED)
def test_modes_go_the_way_of_the_candidate(kind):
    """Against ``discover``'s own courses, which know nothing of the simulators."""
    _, spec, labels = clip(kind, 2)
    law = BY_NAME[NAMED[kind]]
    y, x = np.broadcast_arrays(*_spectral.waves(_initial.BAND, spec.size))
    wavevector = np.stack([y.ravel(), x.ravel()], axis=-1)
    theta = np.array([[labels[name] for name in law.parameters]])
    basis = law.basis(theta, wavevector, TIME)[0]
    symbol = law.symbol(theta[:, None], wavevector)
    course = basis[..., 0]
    if law.order == 2:  # at rest: b = 1 and d = gamma / 2
        course = (
            course
            + np.broadcast_to(symbol[1], (1, len(wavevector)))[0, :, None] / 2 * basis[..., 1]
        )
    expected = course.T.reshape(64, *y.shape)
    apart = np.abs(spec.factors(labels, TIME) - expected)
    # a mode at exactly no frequency is the limit, in either
    np.testing.assert_allclose(apart, 0.0, atol=1e-6)


@pytest.mark.parametrize("kind", NAMED)
def test_clips_pass_their_gates_and_those_of_others_do_not(kind):
    system, spec, _ = clip(kind, size=64)
    spec = spec.model_copy(update={"clips": 30})
    drawn = system.draw(spec)
    system.check_labels(spec, drawn)
    for number in range(6):
        labels = {name: values[number] for name, values in drawn.items()}
        field = system.field(spec, labels)
        system.check(spec, labels, field)
    name = BY_NAME[NAMED[kind]].parameters[-1]
    with pytest.raises(ValueError, match=r"every mode: mode|energy: frame"):
        system.check(spec, labels | {name: 1.05 * labels[name]}, field)


def test_energy_is_kept_where_nothing_is_lost():
    system, spec, labels = clip("klein_gordon", 1)
    energy = _vibrating.energies(spec, labels, system.field(spec, labels))
    np.testing.assert_allclose(energy, energy[0], rtol=1e-4)


@pytest.mark.parametrize(("kind", "made"), [("oscillator", 0), ("diffusion", 4)])
def test_scrambled_wavevectors_are_no_control_where_none_matters(kind, made):
    """Every place swings by itself, so that modes obey the law under any name."""
    system = kinds.load("simulate", kind)
    spec = system.Spec(clips=6, size=32, frames=24)
    drawn = system.draw(spec)
    clips = [
        system.field(spec, {name: values[number] for name, values in drawn.items()})[..., None]
        for number in range(6)
    ]
    settings = Spec(controls=4, modes=12, band=4, shuffles=199, nulls=10, bootstraps=100)
    rows, blocks = linear.discover(
        settings, clips, periodic=True, scale=linear.Scale(1.0, 1.0), truth={}, system=kind
    )
    assert blocks["verdict"]["law"] == NAMED[kind]
    assert len(blocks["controls"]["scrambled"]["clips"]) == made
    assert len(blocks["controls"]["noise"]["clips"]) == 4
    decoys = {row["decoy"] for row in rows if row["metric"] == "false_verdicts"}
    assert ("scrambled" in decoys) == bool(made)


def test_a_mean_that_swings_has_no_budget_and_one_that_stays_has():
    system, spec, labels = clip("oscillator", 1)
    field = system.field(spec, labels)
    assert field.mean((1, 2)).min() < 0 < field[0].mean()
    system, spec, labels = clip("beam", 1)
    field = system.field(spec, labels)
    np.testing.assert_allclose(field.mean((1, 2)), field[0].mean(), rtol=1e-5)
