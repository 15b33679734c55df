"""Families of p values: by hand, as SciPy has them, and what one claim more would need."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from physprobe.statistics import families

LEVEL = 0.05
P = np.array([0.01, 0.04, np.nan, 0.03, 0.005])


def test_holm_by_hand():
    """4 x .005, 3 x .01, 2 x .03, and .04 can't be below what is smaller than it."""
    found = families.holm(P, LEVEL)
    np.testing.assert_allclose(found.p, [0.03, 0.06, np.nan, 0.06, 0.02])
    assert found.members == 4
    assert found.required == pytest.approx(LEVEL / 2), "two are told"
    np.testing.assert_allclose(families.holm([0.5, 0.6, 0.9], LEVEL).p, 1.0)


def test_benjamini_and_hochberg_as_scipy_has_it(rng: np.random.Generator):
    p = rng.uniform(size=30) ** 3
    found = families.benjamini_hochberg(p, LEVEL)
    np.testing.assert_allclose(found.p, false_discovery_control(p))
    there = np.isfinite(P)
    with_gap = families.benjamini_hochberg(P, LEVEL)
    np.testing.assert_allclose(with_gap.p[there], false_discovery_control(P[there]))
    assert np.isnan(with_gap.p[~there]).all() and with_gap.members == 4


@pytest.mark.parametrize("adjust", [families.holm, families.benjamini_hochberg])
def test_one_claim_more_is_told_just_below_what_is_required(adjust, rng: np.random.Generator):
    for _ in range(20):
        p = rng.uniform(size=6) ** 4
        found = adjust(p, LEVEL)
        unknown = np.flatnonzero(found.p >= LEVEL)
        if not len(unknown):
            continue
        for near, told in ((1 - 1e-6, True), (1 + 1e-6, False)):
            tried = p.copy()
            tried[unknown] = 1.0
            tried[unknown[0]] = found.required * near
            assert bool(adjust(tried, LEVEL).p[unknown[0]] < LEVEL) is told


@pytest.mark.parametrize("adjust", [families.holm, families.benjamini_hochberg])
def test_a_family_of_one_or_none_is_as_it_was(adjust):
    one = adjust([0.03, np.nan], LEVEL)
    assert (one.p[0], one.members, one.required) == (0.03, 1, LEVEL)
    nothing = adjust([np.nan], LEVEL)
    assert np.isnan(nothing.p).all() and nothing.members == 0
    assert len(adjust([], LEVEL).p) == 0
