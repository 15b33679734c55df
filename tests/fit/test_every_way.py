"""Every way: every combination of choices once, each an ordinary fit."""

import pytest

from physprobe.fit.designs import every_way
from physprobe.fit.methods import ridge, trained_sweep

DESIGN = every_way.Spec(targets=("speed", "vx"), groupings=("clip", "direction"))


def ways(spec) -> dict:
    """Specs by their choices."""
    found = DESIGN.ways(spec)
    return {tuple(about.values()): type(spec).parse(text) for text, about in found.items()}


def test_every_combination_is_fitted_once():
    by_ridge, by_sweep = ways(ridge.Spec()), ways(trained_sweep.Spec())
    # a free intercept centres: ridge has two normalisations, the sweep three
    assert (len(by_ridge), len(by_sweep)) == (2 * 2, 3 * 2)
    assert ("none", "clip") not in by_ridge and ("none", "direction") in by_sweep
    assert {spec.targets for spec in (*by_ridge.values(), *by_sweep.values())} == {("speed", "vx")}


def test_a_fit_is_the_ordinary_method_with_its_own_fields():
    by_ridge = ways(ridge.Spec(permutations=7))
    assert by_ridge["zscore", "clip"].scalings == ("feature",)
    assert by_ridge["center", "direction"].scalings == ("none",)
    assert by_ridge["center", "direction"].grouping == "direction"
    assert by_ridge["zscore", "clip"].permutations == 7
    by_sweep = ways(trained_sweep.Spec(epochs=9))
    assert by_sweep["center", "clip"].normalisation == "center"
    assert by_sweep["center", "clip"].epochs == 9


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
    assert every_way.captured(["0", "1", "2", "3", "4", "final"], capture) == deep
    assert every_way.captured(["pixels"], capture) == shallow
    assert every_way.captured(["0", "1", "2"], "final") == "2"
