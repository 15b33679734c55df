"""Advection and diffusion as published: parity with what is known of the published pairs."""

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.simulate import _published_pairs, advection, advection_published, diffusion

SPEC = advection_published.Spec()
LABELS = advection_published.draw(SPEC)
TEST_VELOCITIES = [
    (1, -1),
    (-1, 1),
    (-1, 2),
    (-2, -2),
    (2, -2),
    (2, -1),
    (-1, -2),
    (2, -1),
    (-1, -2),
    (-1, -2),
    (1, 2),
    (2, -1),
]


def clip(number):
    return {name: values[number] for name, values in LABELS.items()}


def test_velocities_are_the_published_ones():
    even = slice(0, None, 2)
    for name, counts in {"vy": [17, 12, 12, 19], "vx": [18, 13, 14, 15]}.items():
        values, found = np.unique(LABELS[name][even], return_counts=True)
        assert values.tolist() == [-2, -1, 1, 2] and found.tolist() == counts
        assert not LABELS[name][1::2].any()
    assert [(LABELS["vy"][n], LABELS["vx"][n]) for n in (0, 2)] == [(1, -1), (2, 1)]


def test_the_second_pair_starts_from_the_published_blob():
    y, x = np.ogrid[:128, :128]
    blob = np.exp(-((y - 39.615) ** 2 + (x - 39.075) ** 2) / (2 * 11.38**2))
    start = advection_published.field(SPEC, clip(2))[0]
    np.testing.assert_allclose(start, blob / blob.max(), atol=1e-3)
    np.testing.assert_array_equal(advection_published.field(SPEC, clip(3))[0], start)


def test_starts_are_between_0_and_1():
    for number in range(0, 120, 2):
        start = advection_published.field(advection_published.Spec(frames=2), clip(number))[0]
        assert start.max() == 1 and start.min() >= 0


def test_advection_is_a_roll_along_rows_by_vy():
    field = advection_published.field(SPEC, clip(2))
    for frame in (1, 40, 63):
        np.testing.assert_array_equal(field[frame], np.roll(field[0], (2 * frame, frame), (0, 1)))


def test_alpha_has_collapsed_and_the_match_says_so():
    assert set(LABELS["alpha"][1::2]) == {0.01} and not LABELS["alpha"][::2].any()
    for number in (0, 58):
        assert _published_pairs.matched(advection_published.field(SPEC, clip(number))) == 0.01


def test_diffusion_stands_still():
    """No pixel of any clip changes by more than 1.4 grey levels, and the gates refuse them all."""
    changes = []
    for number in range(1, 120, 2):
        field = advection_published.field(SPEC, clip(number))
        advection_published.check(SPEC, clip(number), field)
        changes.append(np.abs(field - field[0]).max())
        with pytest.raises(ValueError, match="motion"):
            diffusion.check(diffusion.Spec(), {"alpha": 0.0008}, field)
    assert max(changes) == pytest.approx(0.0056, abs=5e-5) and max(changes) * 255 < 1.45
    assert min(changes) == pytest.approx(0.0008, abs=1e-4)


def test_every_clip_says_its_equation():
    assert LABELS["equation"].tolist() == ["advection", "diffusion"] * 60


def test_labels_are_too_few_for_the_gate():
    moving = {name: LABELS[name][::2] for name in advection.UNITS}
    with pytest.raises(ValueError, match="vy has 4 distinct values in 60 clips"):
        advection.check_labels(advection.Spec(), moving)


def test_split_is_the_published_one_with_twins_on_both_sides():
    test = np.flatnonzero(LABELS["split"] == "test")
    moving, still = test[test % 2 == 0], test[test % 2 == 1]
    assert len(moving) == len(still) == 12
    found = [(LABELS["vy"][n], LABELS["vx"][n]) for n in moving]
    assert found == TEST_VELOCITIES
    train = LABELS["ic_id"][LABELS["split"] == "train"]
    assert np.isin(LABELS["ic_id"][test], train).sum() == 20
    assert "group" not in LABELS


def test_fewer_clips_are_the_first_ones():
    few = advection_published.draw(advection_published.Spec(clips=20))
    np.testing.assert_array_equal(few["vy"], LABELS["vy"][:20])
    assert (few["split"] == "test").sum() == 4


@pytest.mark.parametrize("clips", [8, 21, 122])
def test_half_pairs_and_pairs_that_were_not_published_are_refused(clips):
    with pytest.raises(ValidationError):
        advection_published.Spec(clips=clips)


def test_drawing_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    _published_pairs.starts.cache_clear()
    advection_published.draw(SPEC)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
