"""The contract of systems: every kind keeps it, and what one may leave out has a default."""

import inspect
import math

import pytest

from physprobe.config import kinds
from physprobe.simulate import advection, heat, heat_published, section

REQUIRED = ("draw", "coords", "field", "check")


@pytest.mark.parametrize("kind", kinds.names("simulate"))
def test_every_system_keeps_the_contract(kind):
    system = kinds.load("simulate", kind)
    assert isinstance(system.FIELD, str) and isinstance(system.FIELD_UNIT, str)
    assert system.Spec.model_fields["kind"].default == kind
    assert all(isinstance(unit, str) for unit in system.UNITS.values())
    assert not set(system.CLASSES) & set(system.UNITS)
    if system.RESOLUTION is not None:
        assert math.log2(system.RESOLUTION).is_integer()
    for name in (*REQUIRED, "check_labels"):
        asked, found = (
            list(inspect.signature(getattr(each, name)).parameters)
            for each in (section.Kind, system)
        )
        assert found == asked, name


@pytest.mark.parametrize("kind", kinds.names("simulate"))
def test_a_system_says_whether_its_clips_are_grouped(kind):
    system = kinds.load("simulate", kind)
    if any(field.is_required() for field in system.Spec.model_fields.values()):
        pytest.skip("it reads files")
    labels = system.draw(system.Spec())
    assert bool({"group", "split"} & set(labels)) == system.GROUPED


def test_what_a_system_leaves_out_is_as_the_contract_has_it():
    system = kinds.load("simulate", "heat_published")
    assert not hasattr(heat_published, "CLASSES") and system.CLASSES == ()
    assert not hasattr(heat_published, "check_labels")
    assert system.check_labels(system.Spec(), {}) is None
    assert system.RESOLUTION is None
    assert system.periodic(system.Spec()) == (False, False)
    assert not any(system.PERIODIC) and all(kinds.load("simulate", "advection").PERIODIC)
    assert kinds.load("simulate", "heat").RESOLUTION == heat.RESOLUTION
    assert kinds.load("simulate", "advection").check_labels is advection.check_labels


@pytest.mark.parametrize("name", REQUIRED)
def test_a_system_that_lacks_a_function_is_refused_by_name(name, monkeypatch):
    monkeypatch.delattr(heat, name)
    with pytest.raises(ValueError, match=f"heat.py can.t be loaded: TypeError: .* {name}"):
        kinds.load("simulate", "heat")
