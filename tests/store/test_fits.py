"""Fits: rows are found by what they are of, and one that isn't told apart is an error."""

import numpy as np
import pytest

from physprobe.store import fits
from physprobe.store.fits import Fits

ROWS = [
    {"target": "alpha", "sample": "clip", "layer": layer, "metric": "r2", "value": value}
    for layer, value in {"0": 0.1, "selected": 0.5}.items()
]
BLOCK = {"target": "alpha", "sample": "clip", "layer": "selected", "squared_error": [0.0, 0.5]}
HELD = {"truth": {"alpha": [0.0, 1.0]}, "group": [3, 3], "held_out": [BLOCK]}
FOUND = Fits(small={"rows": ROWS, "predictions": HELD})


def test_a_row_is_found_by_what_it_is_of():
    assert FOUND.row("small", layer="0")["value"] == 0.1
    assert FOUND.probe("small", "alpha", "clip")["value"] == 0.5
    assert FOUND.row("small", layer="9") is None
    assert len(FOUND.rows("small", metric="r2")) == 2
    with pytest.raises(ValueError, match=r"2 rows agree with .*metric.*, expected one"):
        FOUND.row("small", metric="r2")
    with pytest.raises(ValueError, match="no result of 'pixels' was given, but of: small"):
        FOUND.row("pixels", metric="r2")


def test_what_is_decoded_knows_its_groups():
    found = FOUND.decoded("small", "alpha", "clip")
    assert found.value == pytest.approx(0.0) and found.metric == "r2"
    np.testing.assert_array_equal(found.groups, [3, 3])
    assert np.isnan(found.interval(100).low)  # one group alone has no interval
    assert FOUND.decoded("small", "sigma", "clip") is None
    assert fits.held_out(FOUND["small"], "alpha", "clip") is BLOCK


def test_skills_are_against_every_baseline():
    errors = {"model": [[1.0, 2.0]], "persistence": [[2.0, 8.0]], "mean": [[4.0, 4.0]]}
    block = {"horizon": [1, 2], "group": [0], "errors": errors}
    found = Fits(small={"forecast": {"0": {}, "final": block}}, still={"forecast": {}})
    skills = found.skills("small", 2)
    assert {name: float(skill.value) for name, skill in skills.items()} == {
        "persistence": 0.75, "mean": 0.5
    }  # fmt: skip
    assert found.skills("small", 3) is None and found.skills("still", 1) is None
