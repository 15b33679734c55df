"""Noise: clips that obey no law, through everything that is sought and judged; for calibration."""

from collections.abc import Iterator

import numpy as np

from physprobe.discover import _controls, _evidence, _modes, _observable, _order, _verdict
from physprobe.discover._laws import BY_NAME, CANNOT_TELL

TIMES, FEATURES, SIDE = 8, 12, 4


def rejections(rng: np.random.Generator) -> Iterator[tuple[str, bool]]:
    """Order in time of noisy clips of first order; laws of clips that have none."""
    seed = int(rng.integers(2**32))
    clips = _diffusing(rng)
    for name in ("shuffled", "noise", "scrambled"):
        found = _judged(_controls.control(name, clips, seed), seed)
        for sample, verdict in zip(("clip", "system"), found, strict=True):
            yield f"law verdict, {name}, one {sample}", verdict.verdict != CANNOT_TELL
    shuffled = _controls.control("shuffled", clips, seed)
    yield "order of frames, shuffled", bool(_order.succession(shuffled, 199, seed).p[0] <= 0.05)
    noisy = _modes.Modes(clips.amplitude[..., :1], clips.wavevector, clips.periodic)
    order = _order.order(noisy, _evidence.gather(noisy), draws=20, seed=seed)
    yield "second order in time, one clip", bool(order.gain[0] > _order.threshold(order.null[:, 0]))
    together = _order.threshold(order.null.mean(1))
    yield "second order in time, system", bool(order.gain.mean() > together)


def _diffusing(rng: np.random.Generator) -> _modes.Modes:
    """Clips that diffuse, each with a rate of its own, seen by some features with noise."""
    y, x = np.meshgrid(np.arange(-2, 3), np.arange(1, SIDE), indexing="ij")
    wavevector = 2 * np.pi / 32 * np.stack([y.ravel(), x.ravel()], axis=-1)
    law = BY_NAME["diffusion"]
    theta = rng.uniform(0.05, 0.3, (SIDE, 1))
    course = law.basis(theta, wavevector, np.arange(3.0 * TIMES))
    shape = len(theta), len(wavevector), 1, 1
    start = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    clean = course * start * rng.normal(size=FEATURES // 4)
    noise = rng.normal(size=(2, *clean.shape))
    return _modes.Modes(clean + 0.05 * (noise[0] + 1j * noise[1]), wavevector, True)


def _judged(modes: _modes.Modes, seed: int) -> tuple[_verdict.Verdict, _verdict.Verdict]:
    """Verdicts on the first clip by itself and on all together, an observable sought before."""
    sought = _observable.find(modes)
    modes = sought.read(modes) if sought else modes
    evidence, shuffled = _evidence.gather(modes), _order.succession(modes, 199, seed)
    draws = {"draws": 100, "seed": seed}
    first = _verdict.of_clips(evidence, shuffled, **draws)[0]
    return first, _verdict.pooled(evidence, shuffled, **draws)
