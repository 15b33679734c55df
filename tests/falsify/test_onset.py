"""Onset: the first layer at a level, and an interval that holds the true one."""

import numpy as np
import pytest

from physprobe.falsify._onset import Onset, depths
from physprobe.statistics import bootstrap, scores
from physprobe.statistics.intervals import Interval

LAYERS = ["0", "1", "2", "3", "final"]


def curve(value, reach=0.1):
    value = np.array(value)
    return Interval(value, value - reach, value + reach)


@pytest.mark.parametrize(
    ("value", "expected", "told"),
    [
        ([0.1, 0.75, 0.85, 0.95, 0.95], (2, 1, 3), "layer 2 [1, 3]"),
        ([0.1, 0.2, 0.72, 0.79, 0.75], (None, 2, None), "not reached [2, not certain]"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], (None, None, None), "not reached"),
        ([0.95, 0.2, 0.3, 0.4, 0.95], (0, 0, 0), "layer 0 [0, 0]"),
        ([0.1, 0.2, 0.3, 0.4, 0.85], (4, 4, None), "layer final [final, not certain]"),
    ],
)
def test_onset_is_the_first_layer_at_the_level(value, expected, told):
    onset = Onset.of(curve(value), 0.8)
    assert (onset.place, onset.earliest, onset.latest) == expected
    assert onset.rows(LAYERS)[""]["note"] == told


def test_undefined_edges_reach_nothing():
    onset = Onset.of(curve([0.5, 0.9, 0.9], np.nan), 0.8)
    assert (onset.place, onset.earliest, onset.latest) == (1, None, None)
    assert onset.rows(["0", "1", "final"])[""]["note"] == "layer 1 [no band]"


def test_depth_is_the_part_of_the_blocks_that_are_applied():
    assert depths(["0", "1", "2", "3", "4", "final"]) == [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert depths([*map(str, range(25)), "final"])[8] == 8 / 24
    assert depths(["0", "1"]) == [0.0, 1.0], "without a last LayerNorm"
    assert depths(["pixels"]) == [None]


def test_onset_by_depth():
    onset = Onset.of(curve([0.1, 0.75, 0.75, 0.95, 0.95]), 0.8)
    row = onset.rows(LAYERS)["_depth"]
    assert [row[key] for key in ("value", "ci_low", "ci_high")] == [1.0, 1 / 3, 1.0]
    assert row["note"] == "depth 1.00 [0.33, 1.00]"
    late = Onset.of(curve([0.1, 0.2, 0.72, 0.79, 0.75]), 0.8).rows(LAYERS)["_depth"]
    assert late["value"] is late["ci_high"] is None and late["ci_low"] == 2 / 3
    assert late["note"] == "not reached [0.67, not certain]"


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_onsets_at_one_depth_are_equal_in_encoders_of_any_size(place):
    """Four blocks and eight, the same curve over the depth: by layer they differ."""
    found = []
    for blocks in (4, 8):
        layers = [*map(str, range(blocks + 1)), "final"]
        level = np.array([*np.arange(blocks + 1) / blocks, 1.0])
        rising = curve(0.9 * (level >= place / 4) + 0.0 * level, reach=0.05)
        found.append(Onset.of(rising, 0.8).rows(layers))
    depth = [{key: row["_depth"][key] for key in ("value", "ci_low", "ci_high")} for row in found]
    assert depth[0] == depth[1] == dict.fromkeys(("value", "ci_low", "ci_high"), place / 4)
    assert [row[""]["value"] for row in found] == [place, 2 * place]


def test_the_interval_holds_the_true_onset():
    """A true curve through 0.8 between places 5 and 6: 200 experiments of 100 clips."""
    rng = np.random.default_rng(0)
    truth = np.array([0.2, 0.35, 0.5, 0.65, 0.72, 0.78, 0.82, 0.86, 0.9, 0.93])
    held, width = 0, []
    for _ in range(200):
        label, shared = rng.normal(size=100), rng.normal(size=100)
        noise = 0.6 * shared + 0.8 * rng.normal(size=(10, 100))
        sums = scores.r2_sums(label, (1 - truth)[:, None] * noise**2)
        value, low, high = bootstrap.band(sums, scores.log_error_of, draws=400)
        band = Interval(1 - np.exp(value), 1 - np.exp(high), 1 - np.exp(low))
        onset = Onset.of(band, 0.8)
        latest = len(truth) if onset.latest is None else onset.latest
        held += onset.earliest <= 6 <= latest
        width.append(latest - onset.earliest)
    assert held / 200 > 0.94
    assert 1 < np.mean(width) < 5
