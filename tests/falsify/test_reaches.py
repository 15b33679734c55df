"""Bounds on what is measured of networks: mean over members, by Student."""

import numpy as np
import pytest
from scipy import stats

from physprobe.falsify import reaches
from physprobe.fit.section import SCHEMAS
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

VALUES = np.array([-1.52, -1.53, -1.51, -1.54, -1.55])


def fitted(values, metric="contrastive_loss"):
    row = SCHEMAS["energy"].row
    rows = [[row(layer="energy", metric=metric, value=value)] for value in values]
    members = [{"member": n, "rows": own} for n, own in enumerate(rows)]
    return {"schema": "physprobe/energy/2", "spec": {}, "rows": rows[0], "members": members}


def judged(values, **fields):
    found = Evidence(("net",), (), {}, energies=Fits({"net": fitted(values)}))
    spec = reaches.Spec(statement="It does.", **{"metric": "contrastive_loss", **fields})
    return reaches.judge(spec, found, ("net",)).lines["net"]


def test_interval_and_p_are_those_of_scipy():
    line = judged(VALUES, at_most=-1.5)
    low, high = stats.t.interval(0.95, 4, (-1.5 - VALUES).mean(), stats.sem(VALUES))
    assert (line["ci_low"], line["ci_high"]) == pytest.approx((low, high))
    assert line["p"] == pytest.approx(stats.ttest_1samp(VALUES, -1.5).pvalue)
    assert line["verdict"] == "supported"
    assert "from -1.55 to -1.51; within the bound: 5 of 5 networks" in line["note"]
    assert "Student" in line["statistic"]


@pytest.mark.parametrize(
    ("fields", "verdict"),
    [
        ({"at_most": -1.6}, "refuted"),
        ({"at_most": -1.53}, "cannot tell"),
        ({"margin": -1.6}, "supported"),
        ({"margin": -1.5}, "refuted"),
        ({"metric": "mmd"}, "cannot tell"),
        ({"layer": "energy_1"}, "cannot tell"),
    ],
)
def test_verdicts(fields, verdict):
    assert judged(VALUES, **fields)["verdict"] == verdict


def test_few_networks_and_two_bounds():
    assert judged(VALUES[:2], at_most=-1.0)["verdict"] == "cannot tell"
    assert judged(np.full(5, -1.6), at_most=-1.5)["verdict"] == "supported"
    with pytest.raises(ValueError, match="no other bound"):
        reaches.Spec(statement="It does.", metric="mmd", margin=1.0, at_most=2.0)
