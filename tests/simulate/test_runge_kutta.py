"""Integrator: nothing follows from what memory held before."""

import numpy as np
import pytest

from physprobe.simulate import _runge_kutta


def test_a_step_does_not_follow_from_what_memory_held(monkeypatch: pytest.MonkeyPatch):
    def turn(state: np.ndarray, rate: np.ndarray) -> None:
        rate[0], rate[1] = state[1], -state[0]

    def last() -> np.ndarray:
        start = np.array([[1.0], [0.0]])
        return [found.copy() for found in _runge_kutta.frames(turn, start, 0.1, 11, 1)][-1]

    monkeypatch.setattr(np, "empty", lambda shape, *_, **__: np.full(shape, np.nan))
    np.testing.assert_allclose(last()[:, 0], [np.cos(1.0), -np.sin(1.0)], rtol=0, atol=1e-12)
