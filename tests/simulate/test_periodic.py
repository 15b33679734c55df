"""What the systems on a periodic square share: draws, twins, sizes, gates that let them pass."""

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.config import kinds
from physprobe.simulate import _initial, _periodic, _spectral

LINEAR = ("advection", "diffusion", "advection_diffusion", "wave")
ALL = (*LINEAR, "reaction_diffusion")
system = pytest.mark.parametrize("name", ALL)


def clip(labels, number):
    return {name: values[number] for name, values in labels.items()}


def natural(label, values):
    """Values in the scale in which they are uniform."""
    return np.asarray(values) if label in ("vy", "vx", "feed", "kill") else np.log(values)


@system
def test_draws_are_uniform_independent_and_fill_their_ranges(name):
    module = kinds.load("simulate", name)
    spec = module.Spec(clips=3000)
    labels = module.draw(spec)
    assert set(labels) == {*module.UNITS, "ic_id", "group"}
    drawn = []
    for label in module.UNITS:
        ends = (-spec.speed, spec.speed) if label in ("vy", "vx") else getattr(spec, label)
        low, high = natural(label, ends)
        part = (natural(label, labels[label]) - low) / (high - low)
        assert part.min() >= 0 and part.max() <= 1
        deciles = np.quantile(part, np.arange(1, 10) / 10)
        np.testing.assert_allclose(deciles, np.arange(1, 10) / 10, atol=0.04)
        assert len(np.unique(part)) == spec.clips
        drawn.append(part)
    correlation = np.atleast_2d(np.corrcoef(drawn))
    np.testing.assert_allclose(correlation, np.eye(len(drawn)), atol=0.06)


@system
def test_more_clips_leave_the_first_as_they_were_and_seeds_differ(name):
    module = kinds.load("simulate", name)
    few, many = (module.draw(module.Spec(clips=clips)) for clips in (5, 50))
    other = module.draw(module.Spec(clips=50, seed=1))
    for label, values in few.items():
        np.testing.assert_array_equal(values, many[label][:5])
        if label in module.UNITS:
            assert not np.isin(other[label], many[label]).any()


@system
def test_each_clip_has_an_initial_condition_of_its_own(name):
    module = kinds.load("simulate", name)
    labels = module.draw(module.Spec(clips=7))
    for label in ("ic_id", "group"):
        assert labels[label].dtype.kind == "i"
        np.testing.assert_array_equal(labels[label], np.arange(7))


def test_linear_systems_of_one_seed_start_alike():
    starts = {}
    for name in LINEAR:
        module = kinds.load("simulate", name)
        spec = module.Spec(clips=4, size=48, frames=4, seed=5)
        labels = module.draw(spec)
        starts[name] = np.stack([module.field(spec, clip(labels, i))[0] for i in range(4)])
    expected = [_spectral.synthesise(_initial.series(5, number), 48) for number in range(4)]
    for start in starts.values():
        np.testing.assert_allclose(start, expected, atol=1e-7)


@system
@pytest.mark.parametrize(
    ("size", "frames"), [(128, 64), (64, 32), (32, 2), (33, 7), (47, 100), (256, 8)]
)
def test_gates_let_clips_of_any_size_and_length_pass(name, size, frames):
    module = kinds.load("simulate", name)
    spec = module.Spec(clips=8, size=size, frames=frames)
    labels = module.draw(spec)
    for number in range(spec.clips):
        field = module.field(spec, clip(labels, number))
        assert field.shape == (frames, size, size) and field.dtype == np.float32
        module.check(spec, clip(labels, number), field)
        stored = np.rint(field / module.RESOLUTION) * np.float32(module.RESOLUTION)
        module.check(spec, clip(labels, number), stored.astype(np.float32))


@system
def test_a_clip_looks_alike_at_half_the_size_and_length(name):
    module = kinds.load("simulate", name)
    large, small = module.Spec(clips=3), module.Spec(clips=3, size=64, frames=32)
    for number in range(3):
        fields = [module.field(s, clip(module.draw(s), number)) for s in (large, small)]
        # frames are at t = n, so that the last of both aren't quite at the same part of the clip
        np.testing.assert_allclose(fields[0][16, ::2, ::2], fields[1][8], atol=2e-3)


@system
def test_a_seed_of_a_training_stream_works(name):
    module = kinds.load("simulate", name)
    spec = module.Spec(size=32, frames=4).model_copy(update={"seed": 2**62, "clips": 2})
    labels = module.draw(spec)
    fields = [module.field(spec, clip(labels, number)) for number in range(2)]
    assert np.ptp(fields[0] - fields[1]) > 0.1
    with pytest.raises(ValidationError, match="less than 4294967296"):
        module.Spec(seed=2**32)
    assert module.Spec.model_construct(seed=2**62).size == 128


@system
def test_labels_that_collapse_are_refused(name):
    module = kinds.load("simulate", name)
    spec = module.Spec(clips=30)
    labels = module.draw(spec)
    module.check_labels(spec, labels)
    for label in module.UNITS:
        few = labels | {label: labels[label][np.arange(30) % 19]}
        with pytest.raises(ValueError, match=f"labels: {label} has 19 distinct values"):
            module.check_labels(spec, few)


@system
def test_a_still_is_refused(name):
    module = kinds.load("simulate", name)
    spec = module.Spec(clips=1, size=32, frames=8)
    labels = clip(module.draw(spec), 0)
    still = np.repeat(module.field(spec, labels)[:1], 8, axis=0)
    with pytest.raises(ValueError, match="motion: 0 of the colour range"):
        module.check(spec, labels, still)


@system
@pytest.mark.parametrize("value", [np.nan, np.inf, 3.0])
def test_what_no_colour_shows_is_refused(name, value):
    module = kinds.load("simulate", name)
    spec = module.Spec(clips=1, size=32, frames=8)
    labels = clip(module.draw(spec), 0)
    field = module.field(spec, labels)
    field[5, 7, 9] = value
    with pytest.raises(ValueError, match=f"range: frame 5 is {value:g} at y 7, x 9"):
        module.check(spec, labels, field)


def test_defaults_follow_size_and_frames():
    square = {"size": 64, "frames": 16}
    assert _periodic.scaled(1.5, size=1, frames=-1)(square) == pytest.approx(3.0)
    assert _periodic.scaled(0.2, 2.0, size=2, frames=-1)(square) == pytest.approx((0.2, 2.0))
