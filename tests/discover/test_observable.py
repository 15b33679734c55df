"""Observable: the combination in which a law is linear is found, and not where there is no law."""

import numpy as np
import pytest

from physprobe.discover import _controls, _evidence, _modes, _observable, _order, _verdict


@pytest.fixture(scope="module")
def bent(world) -> _modes.Modes:
    """Waves seen by two features that bend them either way: only their sum is linear."""
    field, _ = world("damped_wave", 6)
    square = field**2
    return _modes.analyse(np.concatenate([field + square, field - square], axis=-1))


def test_the_linear_combination_is_found(bent):
    found = _observable.find(bent)
    assert found.laws == ("damped_wave", "damped_wave")
    assert found.weights[:, 0] / found.weights[:, 1] == pytest.approx(np.ones(2), abs=0.02)
    assert (found.carries > 0).all() and (found.carries < 1).all()


def test_clips_are_read_by_what_the_other_half_gave(bent):
    found = _observable.Observable(np.array([[1.0, 0.0], [0.0, 1.0]]), ("", ""), np.ones(2))
    one = found.read(bent).amplitude[..., 0]
    assert np.array_equal(one[0], bent.amplitude[0, :, :, 0])
    assert np.array_equal(one[1], bent.amplitude[1, :, :, 1])
    # the first half's combination doesn't follow from the first half
    rng = np.random.default_rng(0)
    changed = bent.amplitude.copy()
    changed[::2] = rng.normal(size=changed[::2].shape)
    other = _observable.find(_modes.Modes(changed, bent.wavevector, True))
    assert other.weights[1] != pytest.approx(_observable.find(bent).weights[1])


@pytest.mark.parametrize("name", _controls.NAMES)
def test_no_law_is_named_where_a_control_has_none(bent, name):
    control = _controls.control(name, bent, seed=0)
    assert control.amplitude.shape == bent.amplitude.shape
    one = _observable.find(control).read(control)
    evidence, shuffled = _evidence.gather(one), _order.succession(one, 199)
    assert _verdict.pooled(evidence, shuffled).verdict == _verdict.CANNOT_TELL
    singles = [single.verdict for single in _verdict.of_clips(evidence, shuffled)]
    assert singles.count(_verdict.CANNOT_TELL) >= len(singles) - 1


def test_one_feature_needs_no_search(bent):
    single = _modes.Modes(bent.amplitude[..., :1], bent.wavevector, True)
    assert _observable.find(single) is None
