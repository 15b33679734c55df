"""Verdict: the right law for each world, and none for clips that have none."""

import numpy as np
import pytest

from physprobe.discover import _evidence, _modes, _order, _verdict
from physprobe.discover._laws import BY_NAME
from physprobe.simulate import wave

SAID = {
    "decay": ("damped", 1),
    "diffusion": ("diffusive", 1),
    "advection": ("advective", 1),
    "advection_diffusion": ("mixed", 1),
    "wave": ("wave-like", 2),
    "damped_wave": ("wave-like", 2),
}


def judge(field: np.ndarray | list[np.ndarray], error: np.ndarray | None = None) -> tuple:
    modes = _modes.analyse(field, error=error)
    evidence, shuffled = _evidence.gather(modes), _order.succession(modes, 499)
    return modes, evidence, shuffled


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("law", SAID)
def test_every_law_is_told_from_single_clips(law, noise, world):
    field, _ = world(law, 4 if noise else 2)
    field = field + noise * np.random.default_rng(1).normal(size=field.shape)
    modes, evidence, shuffled = judge(field)
    verdict, order = SAID[law]
    singles = _verdict.of_clips(evidence, shuffled)
    assert {single.verdict for single in singles} == {verdict}
    pooled = _verdict.pooled(evidence, shuffled)
    assert (pooled.verdict, pooled.law) == (verdict, law)
    assert _order.order(modes, evidence, 10).pooled(_verdict.EXPLAINS) == order


def test_waves_that_hardly_swing_are_named_or_left_open():
    """Between 0.1 and 0.3 1/s nearly every clip was left open, and some named with c = 0."""
    spec = wave.Spec(clips=16, size=32, gamma=(0.1, 0.3))
    truth = wave.draw(spec)
    labels = [{name: value[clip] for name, value in truth.items()} for clip in range(spec.clips)]
    modes, evidence, shuffled = judge([wave.field(spec, one)[..., None] for one in labels])
    singles = _verdict.of_clips(evidence, shuffled)
    law = BY_NAME["damped_wave"]
    theta = np.stack([truth["c"], truth["gamma"]], axis=-1)
    swings = _evidence.swung(law, theta, modes) >= _verdict.TURNS
    assert 12 <= swings.sum() < spec.clips
    assert [single.verdict == "wave-like" for single in singles] == swings.tolist()
    assert _verdict.pooled(evidence, shuffled).law == "damped_wave"


@pytest.mark.parametrize(
    "name",
    ["noise", "still", "still with noise", "shuffled", "random walk", "every mode its own way"],
)
def test_nothing_is_said_of_what_has_no_law(name, null):
    _, evidence, shuffled = judge(null(name, 8))
    singles = _verdict.of_clips(evidence, shuffled)
    assert {single.verdict for single in singles} == {_verdict.CANNOT_TELL}
    pooled = _verdict.pooled(evidence, shuffled)
    assert pooled.verdict == _verdict.CANNOT_TELL
    assert pooled.law is None
    assert pooled.reason


def test_what_no_candidate_fits_is_left_open(world):
    field, _ = world("wave", 4)
    _, evidence, shuffled = judge(np.tanh(8 * (field - 0.2)) + 0.5 * np.tanh(8 * field) ** 2)
    assert {s.verdict for s in _verdict.of_clips(evidence, shuffled)} == {_verdict.CANNOT_TELL}


def misread(shape: tuple[int, ...], seed: int) -> np.ndarray:
    """What a readout errs by: a pattern of each clip (clip, 1, y, x, feature) that stays."""
    return np.random.default_rng(seed).normal(size=(shape[0], 1, *shape[2:]))


def test_what_is_read_wrongly_is_no_evidence_against_a_law(world):
    """Where modes have decayed, what is read wrongly is most of what is left of them."""
    field, _ = world("diffusion", 6)
    wrong, other = (0.03 * field.std() * misread(field.shape, seed) for seed in (1, 2))
    power = np.abs(np.fft.fft2(other[:, 0, ..., 0], norm="forward")) ** 2
    known = np.full(field.shape[2] // 2 + 1, 1.5 * power.mean())
    said = {}
    for name, error in {"unknown": None, "known": known, "too large": 1e4 * known}.items():
        _, evidence, shuffled = judge(field + wrong, error)
        said[name] = [single.verdict for single in _verdict.of_clips(evidence, shuffled)]
    assert said["unknown"].count(_verdict.CANNOT_TELL) >= 5
    assert said["known"] == ["diffusive"] * 6
    assert said["too large"] == [_verdict.CANNOT_TELL] * 6


def test_no_law_is_named_because_something_is_read_wrongly(null):
    field = null("every mode its own way", 8)
    power = np.abs(np.fft.fft2(field[..., 0], norm="forward")) ** 2
    _, evidence, shuffled = judge(field, np.full(field.shape[2] // 2 + 1, 1e-3 * power.mean()))
    assert {s.verdict for s in _verdict.of_clips(evidence, shuffled)} == {_verdict.CANNOT_TELL}


def test_succession_is_exact_for_shuffled_frames():
    rng = np.random.default_rng(0)
    clips = rng.normal(size=(300, 12, 6, 1)) + 5.0
    modes = _modes.Modes(clips.swapaxes(1, 2).astype(complex), np.ones((6, 2)), True)
    p = _order.succession(modes, 199).p
    assert np.mean(p <= 0.05) < 0.09
    assert np.mean(p <= 0.5) == pytest.approx(0.5, abs=0.1)


def test_second_exponential_gains_nothing_on_noisy_first_order_clips(world):
    field, _ = world("diffusion", 6)
    field = field + 0.05 * np.random.default_rng(2).normal(size=field.shape)
    modes, evidence, _ = judge(field)
    found = _order.order(modes, evidence, 10)
    assert found.gain.mean() < _order.threshold(found.null.mean(1)) + 0.05
    assert set(found.pick(_verdict.EXPLAINS)) <= {1, None}
