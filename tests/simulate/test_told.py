"""Parameters as they are told by the equation: exact of fields, close of bytes, not of others."""

import numpy as np
import pytest

from physprobe.config import kinds
from physprobe.render import fields

# of the parameter itself, or of a twentieth where it is smaller: read off bytes of 32 x 32 cells
BYTES = {
    "advection": 2e-3, "advection_diffusion": 1e-2, "beam": 3e-2, "decay": 2e-3,
    "diffusion": 1e-2, "fractional_diffusion": 0.2, "half_diffusion": 1e-2,
    "hyperdiffusion": 5e-2, "klein_gordon": 1e-2, "oscillator": 1e-2, "telegraph": 3e-2,
    "wave": 3e-2,
}  # fmt: skip
POSITIVE = ("advection", "advection_diffusion", "decay", "diffusion", "half_diffusion")


def clip(kind: str, number: int = 0, **entry) -> tuple:
    """Kind, spec, labels and field of one clip."""
    system = kinds.load("simulate", kind)
    spec = system.Spec(**entry)
    drawn = {name: values[number] for name, values in system.draw(spec).items()}
    return system, spec, drawn, system.field(spec, drawn)


def off(system, found, drawn) -> float:
    """Largest error of a clip's parameters."""
    return max(
        abs(found[name] - drawn[name]) / max(abs(drawn[name]), 0.05)
        for name in system.TOLD
        if not name.startswith("misfit")
    )


def seen(field: np.ndarray, low: float = 0.0) -> np.ndarray:
    """What is read off the bytes of a field."""
    spec = fields.Spec(low=low)
    return fields.back(spec, fields.frames(spec, field))


@pytest.mark.parametrize("kind", BYTES)
def test_linear_equations(kind: str):
    system, spec, drawn, field = clip(kind, clips=1, size=32, frames=16)
    exact = system.told(spec, field)
    assert set(exact) == set(system.TOLD)
    assert off(system, exact, drawn) < 1e-5
    assert exact["misfit"] < 1e-4
    low = 0.0 if kind in POSITIVE else -1.0
    assert off(system, system.told(spec, seen(field, low)), drawn) < BYTES[kind]


def test_heat():
    system, spec, drawn, field = clip("heat", clips=1, size=64, frames=16, sigma=(3.0, 6.0))
    assert off(system, system.told(spec, field), drawn) < 1e-5
    assert off(system, system.told(spec, seen(field)), drawn) < 2e-3


@pytest.mark.parametrize("number", [2, 3])
def test_heat_as_published(number: int):
    system, spec, drawn, field = clip("heat_published", number, clips=5, frames=8)
    assert (field.max() > 1.01) == (drawn["alpha"] > 2.5)  # one of them explodes
    assert off(system, system.told(spec, field), drawn) < 1e-3
    assert off(system, system.told(spec, seen(field)), drawn) < 2e-3


def test_pairs_as_published():
    for kind, low in (("wave_published", -1.0), ("advection_published", 0.0)):
        system, spec, drawn, field = clip(kind, clips=10, frames=24)
        exact = system.told(spec, field)
        own = {name: value for name, value in exact.items() if drawn.get(name)}
        assert all(abs(value / drawn[name] - 1) < 1e-4 for name, value in own.items())
        assert exact["misfit"] < 1e-4 < 0.2 < exact["misfit_diffusion"]
        read = system.told(spec, seen(field, low))
        fast = "c" if "c" in own else "vx"
        assert abs(read[fast] / drawn[fast] - 1) < 0.03


def test_a_wrong_equation_is_not_read_as_right():
    found = {}
    for kind, low in (("advection", 0.0), ("wave", -1.0), ("diffusion", 0.0)):
        *_, field = clip(kind, clips=1, size=32, frames=20)
        for read in ("advection", "diffusion"):
            system = kinds.load("simulate", read)
            told = system.told(system.Spec(clips=1, size=32, frames=20), seen(field, low))
            found[kind, read] = told["misfit"]
    assert found["advection", "advection"] < 0.05 < 0.9 < found["diffusion", "advection"]
    assert found["diffusion", "diffusion"] < 0.1
    assert found["advection", "diffusion"] > 0.9
    assert min(found["wave", read] for read in ("advection", "diffusion")) > 0.2


def test_balls():
    draws = kinds.load("render", "balls")
    system, spec, drawn, field = clip("balls", clips=1, size=128, frames=10, tilt=0.0)
    found = system.told(spec, field)
    assert max(abs(found[name] - drawn[name]) for name in system.TOLD) < 1e-3
    frames = draws.frames(draws.Spec(), field)
    read = system.told(spec, draws.back(draws.Spec(), frames))
    assert max(abs(read[name] - drawn[name]) for name in ("vx", "vy", "x0", "y0")) < 0.1
    assert max(abs(read[name] - drawn[name]) for name in ("ax", "ay")) < 0.5
    # where it is at the rim it isn't seen whole, and nothing is told of it
    frames[3:, 60, 0] = (0, 0, 255)
    left = draws.back(draws.Spec(), frames)
    assert np.isnan(left[3:]).all() and np.isfinite(left[:3]).any()
    frames[:] = 0
    assert np.isnan(system.told(spec, draws.back(draws.Spec(), frames))["vx"])


def test_what_is_told_are_labels():
    able = [kind for kind in kinds.names("simulate") if kinds.load("simulate", kind).TOLD]
    assert {"heat", "balls_velocity", "shear_flow", "rayleigh_benard"} <= set(able)
    for kind in able:
        system = kinds.load("simulate", kind)
        names = {name for name in system.TOLD if not name.startswith("misfit")}
        assert names <= set(system.UNITS), kind


def test_double_pendulum():
    draws = kinds.load("render", "pendulum")
    system = kinds.load("simulate", "double_pendulum")
    spec = system.Spec(clips=2, frames=30)
    labels = system.draw(spec)
    field = system.solved(spec, labels)[0][1]
    drawn = {name: values[1] for name, values in labels.items()}
    asked = ("mass_ratio", "length_ratio", "gravity", "energy_level", "energy")

    def wrong(found) -> float:
        return max(abs(found[name] / drawn[name] - 1) for name in asked)

    assert wrong(system.told(spec, field)) < 5e-3
    signal = kinds.load("render", "signal")
    seen_ = signal.back(signal.Spec(), signal.frames(signal.Spec(), field))
    assert wrong(system.told(spec, seen_)) < 5e-3
    image = draws.Spec(size=32)
    tips = draws.back(image, draws.frames(image, field))
    np.testing.assert_allclose(tips[:, :4] * system.view(spec), field[:, :4], atol=0.002)
    found = system.told(spec, tips)
    assert wrong(found) < 0.02 and found["misfit"] < 0.05
    # a rod that changes its length was mistaken for another; of too few frames nothing is told
    tips[3, :4] = np.nan
    assert wrong(system.told(spec, tips)) < 0.05
    tips[8:, :4] = np.nan
    assert np.isnan(system.told(spec, tips)["gravity"])
