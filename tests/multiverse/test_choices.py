"""Choices: every combination once, each an ordinary probe."""

import pytest

from physprobe.config.sections import Multiverse
from physprobe.multiverse import _choices

ENTRY = Multiverse.model_validate(
    {
        "system": "balls",
        "encoders": ["mine"],
        "controls": ["twin"],
        "solvers": {
            "ridge": {"kind": "ridge", "permutations": 7},
            "sweep": {"kind": "trained_sweep", "epochs": 9},
        },
        "groupings": ["clip", "direction"],
        "claims": {
            "a": {"statement": "s", "targets": ["speed", "vx"]},
            "b": {"statement": "s", "targets": ["vx"]},
        },
    }
).dump()


def test_every_combination_is_fitted_once():
    fits = _choices.fits(ENTRY)
    names = [fit.name for fit in fits]
    # a free intercept centres: ridge has two normalisations, the sweep three
    assert len(names) == len(set(names)) == (2 + 3) * 2
    assert "ridge/none/clip" not in names and "sweep/none/direction" in names
    assert len({fit.spec.canonical() + fit.solver for fit in fits}) == len(fits)
    assert {fit.spec.targets for fit in fits} == {("speed", "vx")}


def test_a_fit_is_the_ordinary_probe_with_its_own_fields():
    fits = {fit.name: fit.spec for fit in _choices.fits(ENTRY)}
    assert fits["ridge/zscore/clip"].scalings == ("feature",)
    assert fits["ridge/center/direction"].scalings == ("none",)
    assert fits["ridge/center/direction"].grouping == "direction"
    assert fits["ridge/zscore/clip"].permutations == 7
    assert fits["sweep/center/clip"].normalisation == "center"
    assert fits["sweep/center/clip"].epochs == 9


@pytest.mark.parametrize(
    ("capture", "deep", "shallow"),
    [
        (0.0, "0", "pixels"),
        (0.5, "2", "pixels"),
        (1.0, "4", "pixels"),
        ("final", "final", "pixels"),
        ("selected", "selected", "pixels"),
    ],
)
def test_layers_are_parts_of_the_depth(capture, deep, shallow):
    assert _choices.captured(["0", "1", "2", "3", "4", "final"], capture) == deep
    assert _choices.captured(["pixels"], capture) == shallow
    assert _choices.captured(["0", "1", "2"], "final") == "2"
