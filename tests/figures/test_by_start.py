"""Error by the start of a window: late windows that tell nothing stand out from early ones."""

import numpy as np
import xarray as xr
from figure_oracle import sound

from physprobe.config import kinds
from physprobe.figures import by_start
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS = 100


def result(late: float, members: int = 1) -> dict:
    """Predictions that miss a label of variance 1 by little early, and by so much late."""
    rng = np.random.default_rng(0)
    clip = rng.permutation(CLIPS)
    truth = rng.normal(size=CLIPS)
    truth = (truth - truth.mean()) / truth.std()
    parts = []
    for _ in range(members):
        error = np.where(clip < 50, 0.04, late) * rng.chisquare(1, CLIPS)
        block = {"target": "nu", "sample": "clip", "layer": "selected", "squared_error": error}
        held = {"clip": clip, "group": clip % 25, "truth": {"nu": truth}, "held_out": [block]}
        parts.append({"predictions": held})
    spec = {"targets": ["nu", "gone"], "samples": ["clip"], "bootstraps": 200}
    return {**parts[0], "spec": spec, **({"members": parts} if members > 1 else {})}


def test_windows_that_tell_nothing_stand_out():
    starts = xr.DataArray(np.linspace(0, 9.9, CLIPS), dims="clip")
    system = xr.Dataset({"t0": starts}).set_coords("t0")
    study = Evidence(
        ("net",), ("pixels",), {}, probes=Fits({"net": result(0.9, 3), "pixels": result(0.9)}),
        place="flow", simulations={"flow": system},
    )  # fmt: skip
    frame = by_start.frame(study)
    assert set(frame["target"]) == {"nu"} and len(frame) == 2 * by_start.PARTS
    for _, rows in frame.groupby("encoder"):
        assert rows["value"].iloc[0] < 0.1 and rows["value"].iloc[-1] > 0.5
        assert (rows["ci_low"] < rows["value"]).all() and (rows["value"] < rows["ci_high"]).all()
        np.testing.assert_allclose(rows["start"].iloc[[0, -1]], [0.95, 8.95])
    sound(by_start.figure(frame))


def test_it_is_drawn_of_fluids_alone():
    assert kinds.outline("figures", "by_start").FIELD == "fluid"
