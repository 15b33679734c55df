"""Linear equations: a new one is one short file."""

import numpy as np
import pytest

import physprobe.simulate
from physprobe.config import kinds
from physprobe.simulate import stage
from physprobe.store import zarrs

AIRY = '''"""Airy: long waves run ahead of short ones, on a periodic square.

    du/dt + b d3u/dx3 = 0
"""

from typing import Literal

import numpy as np

from physprobe.simulate import _draws, _gates, _initial, _linear, _spectral

FIELD, FIELD_UNIT, RESOLUTION = "height", "1", _linear.RESOLUTION
UNITS = {"b": "px^3/s"}

draw, coords, field = _linear.draw, _linear.coords, _linear.field
check, check_labels = _linear.check, _linear.check_labels


class Spec(_linear.Equation):
    """Dispersion along x."""

    kind: Literal["airy"] = "airy"
    b: _draws.Range = (1.0, 4.0)

    RANGE, SLACK = (-1.0, 1.0), _gates.POINTWISE

    def propose(self, rng):
        return {"b": _draws.log_uniform(rng, self.b)}

    def factors(self, labels, time):
        y, x = _spectral.waves(_initial.BAND, self.size)
        return np.exp(1j * labels["b"] * np.multiply.outer(time, 0 * y + x**3))
'''


@pytest.fixture
def airy(tmp_path, monkeypatch):
    """A user's file in the folder of systems, and nothing else."""
    (tmp_path / "airy.py").write_text(AIRY)
    monkeypatch.setattr(
        physprobe.simulate, "__path__", [*physprobe.simulate.__path__, str(tmp_path)]
    )
    monkeypatch.setattr(kinds, "names", lambda stage: ("airy",))
    return kinds.load("simulate", "airy")


def test_a_new_equation_is_one_file(airy, tmp_path):
    spec = airy.Spec(clips=25, size=32, frames=8)
    out = tmp_path / "airy" / "simulation.zarr" / "zarr.json"
    stage.run(out=out, spec=spec.canonical())
    found = zarrs.read(out)
    assert found.height.shape == (25, 8, 32, 32) and found.b.attrs["units"] == "px^3/s"
    low, high = spec.b
    assert low <= found.b.min() and found.b.max() <= high and len(np.unique(found.b)) == 25


def test_a_new_equation_has_its_gates(airy):
    spec = airy.Spec(clips=1, size=32, frames=8)
    labels = {name: values[0] for name, values in airy.draw(spec).items()}
    field = airy.field(spec, labels)
    k = 2 * np.pi * np.fft.rfftfreq(32)
    exact = np.fft.irfft(np.fft.rfft(field[0]) * np.exp(1j * labels["b"] * k**3 * 5), 32)
    np.testing.assert_allclose(field[5], exact, atol=1e-6)
    airy.check(spec, labels, field)
    with pytest.raises(ValueError, match="every mode: mode"):
        airy.check(spec, labels | {"b": 1.01 * labels["b"]}, field)
    with pytest.raises(ValueError, match="labels: b has 1 distinct values in 30 clips"):
        airy.check_labels(spec, {"b": np.ones(30), "ic_id": np.arange(30)})


def test_a_new_equation_can_be_balanced(airy):
    spec = airy.Spec(clips=3, motion=(0.4, 0.6), b=(1.0, 100.0))
    assert len(np.unique(airy.draw(spec)["b"])) == 3
    with pytest.raises(ValueError, match="none of 1000 draws suits"):
        airy.draw(spec.model_copy(update={"motion": (90.0, 91.0)}))
