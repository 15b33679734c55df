"""The Kalman filter against the conditional mean of all frames at once."""

import numpy as np

from physprobe.embed import kalman
from physprobe.simulate import noisy_tv


def test_is_the_conditional_mean():
    spec = noisy_tv.Spec(draws=1, frames=6, train=2, test=1)
    turn, drive, sensors, noise, start = equation = noisy_tv.equation(spec, 0, 0.8, 3.0)
    sensors = sensors[:3]  # so few that the past matters
    noise = 0.5
    equation = equation._replace(sensors=sensors, noise=noise)
    frames = np.random.default_rng(1).standard_normal((6, 3))
    # covariances of all states with each other, from the recursion
    size, variance = 8, np.diag(start)
    whole = np.zeros((6, 6, size, size))
    for t in range(6):
        if t:
            variance = turn @ variance @ turn.T + np.diag(drive)
        later = variance
        for u in range(t, 6):
            whole[u, t], whole[t, u] = later, later.T
            later = turn @ later
    for t in range(6):
        seen = np.block(
            [[sensors @ whole[a, b] @ sensors.T for b in range(t + 1)] for a in range(t + 1)]
        ) + noise * np.eye(3 * (t + 1))
        across = np.concatenate([whole[t, a] @ sensors.T for a in range(t + 1)], 1)
        expected = across @ np.linalg.solve(seen, frames[: t + 1].ravel())
        np.testing.assert_allclose(kalman.filtered(equation, frames)[t], expected, atol=1e-8)
