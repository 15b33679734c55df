"""Heat as published: parity with what is known of the published clips, explosions included."""

import numpy as np
import pytest

from physprobe.simulate import heat, heat_published

SPEC = heat_published.Spec()
LABELS = heat_published.draw(SPEC)
TEST_IDS = [13, 17, 19, 25, 26, 30, 32, 39, 45, 48]


def clip(number):
    return {name: label[number] for name, label in LABELS.items()}


@pytest.fixture(scope="module")
def onsets():
    """First frame beyond 0 to 1 by a grey level (-1: none), and the largest value of the last."""
    found, largest = np.full(50, -1), np.empty(50)
    for number in range(50):
        field = heat_published.field(SPEC, clip(number))
        heat_published.check(SPEC, clip(number), field)
        high, low = field.max((1, 2)), field.min((1, 2))
        outside = (high > 1 + 1 / 256) | (low < -1 / 256)
        found[number] = outside.argmax() if outside.any() else -1
        largest[number] = max(high[-1], -low[-1])
    return found, largest


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, (2.185431, 19.260715, 170, 135)),
        (1, (3.193963, 7.340280, 146, 150)),
        (2, (0.761376, 17.992642, 163, 167)),
    ],
)
def test_draws_are_the_published_ones(number, expected):
    found = [LABELS[name][number] for name in ("alpha", "sigma", "y0", "x0")]
    np.testing.assert_allclose(found, expected, atol=5e-7)


def test_alpha_covers_the_published_range():
    alpha = LABELS["alpha"]
    np.testing.assert_allclose(
        [alpha.min(), alpha.max(), alpha.mean()], [0.525, 4.941, 2.401], atol=5e-4
    )
    assert (alpha > 2.5).sum() == 22
    np.testing.assert_array_equal(LABELS["stable"], alpha <= 2.5)


def test_split_is_the_published_one():
    assert np.flatnonzero(LABELS["split"] == "test").tolist() == TEST_IDS
    assert np.flatnonzero(LABELS["split"] == "train").tolist() == sorted(
        set(range(50)) - set(TEST_IDS)
    )
    np.testing.assert_allclose(
        LABELS["alpha"][TEST_IDS],
        [2.481, 3.988, 1.382, 3.781, 2.113, 1.038, 2.852, 1.340, 1.954, 1.782],
        atol=5e-4,
    )
    assert (LABELS["stable"][LABELS["split"] == "test"] == 0).sum() == 3
    assert (LABELS["stable"][LABELS["split"] == "train"] == 0).sum() == 19


def test_drawing_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    heat_published.draw(SPEC)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_21_clips_visibly_explode_and_only_unstable_ones(onsets):
    onset, largest = onsets
    exploded = onset >= 0
    assert exploded.sum() == 21
    assert not (exploded & (LABELS["stable"] == 1)).any()
    np.testing.assert_array_equal(np.flatnonzero((LABELS["stable"] == 0) & ~exploded), [8])
    assert LABELS["alpha"][8] == pytest.approx(2.552, abs=5e-4)
    assert largest[exploded].min() > 1e34 and largest[~exploded].max() <= 1


def test_explosions_set_in_at_the_published_frames(onsets):
    onset, alpha = onsets[0], LABELS["alpha"]
    for around, expected in ((4.9, {2}), (4.2, {4}), (3.2, {8}), (2.8, {17, 18, 20})):
        assert set(onset[np.abs(alpha - around) < 0.05]) == expected
    exploded = onset >= 0
    ranks = [np.argsort(np.argsort(values[exploded])) for values in (alpha, -onset)]
    assert np.corrcoef(*ranks)[0, 1] > 0.95


def test_the_first_frame_is_taken_after_ten_steps():
    np.testing.assert_array_equal(heat_published.coords(SPEC)["time"], np.arange(1, 65))
    labels = {"alpha": 0.5, "sigma": 15.0, "y0": 128, "x0": 120}
    field = heat_published.field(heat_published.Spec(frames=2), labels)
    np.testing.assert_allclose(field[:, 128, 120], [225 / 226, 225 / 227], atol=1e-5)


def test_stable_steps_come_close_to_the_exact_solution():
    labels = {"alpha": 1.0, "sigma": 12.0, "y0": 128.0, "x0": 120.0}
    exact = heat.field(heat.Spec(frames=65), labels)[1:]
    np.testing.assert_allclose(heat_published.field(SPEC, labels), exact, atol=1e-3)


def test_the_outer_ring_is_frozen():
    labels = {"alpha": 2.0, "sigma": 20.0, "y0": 64.0, "x0": 64.0}
    field = heat_published.field(heat_published.Spec(frames=30), labels)
    y, x = np.ogrid[:256, :256]
    start = np.exp(-((y - 64.0) ** 2 + (x - 64.0) ** 2) / 800).astype(np.float32)
    ring = np.ones((256, 256), bool)
    ring[1:-1, 1:-1] = False
    np.testing.assert_array_equal(field[:, ring], np.broadcast_to(start[ring], (30, ring.sum())))
    assert start[ring].max() > 1e-3


def test_exploded_fields_are_finite_and_clipped_to_float32():
    field = heat_published.field(SPEC, clip(23))
    assert field.dtype == np.float32 and np.isfinite(field).all()
    assert field[-1].max() == np.finfo(np.float32).max


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(value):
    field = np.zeros((4, 8, 8), np.float32)
    field[2, 3, 3] = value
    with pytest.raises(ValueError, match=r"finite values: frame 2 .*alpha 3\.19396"):
        heat_published.check(SPEC, clip(1), field)


def test_fewer_clips_are_the_first_ones_with_a_fifth_for_the_test():
    few = heat_published.draw(heat_published.Spec(clips=10))
    np.testing.assert_array_equal(few["alpha"], LABELS["alpha"][:10])
    assert (few["split"] == "test").sum() == 2
