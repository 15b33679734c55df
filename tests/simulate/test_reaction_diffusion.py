"""Reaction-diffusion: order and size of the errors, and solutions known in closed form."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.integrate import solve_ivp

from physprobe.simulate import _spectral, reaction_diffusion

CORNERS = [
    {"alpha": alpha, "feed": feed, "kill": kill, "ic_id": ic_id}
    for alpha, feed, kill, ic_id in (
        (5.0, 0.03, 0.055, 0),
        (13.0, 0.05, 0.055, 3),
        (5.0, 0.05, 0.06, 4),
        (13.0, 0.03, 0.06, 5),
        (8.0, 0.04, 0.0575, 2),
    )
]


def clip(labels, monkeypatch, step=reaction_diffusion.STEP, grid=reaction_diffusion.GRID):
    """Field with other steps or cells of the solver than it has by default."""
    sound = reaction_diffusion.solve
    with monkeypatch.context() as patch:
        patch.setattr(reaction_diffusion, "GRID", grid)
        patch.setattr(reaction_diffusion, "solve", lambda *all_of: sound(*all_of, step=step))
        return reaction_diffusion.field(reaction_diffusion.Spec(size=96), labels)


@pytest.mark.parametrize("labels", CORNERS)
def test_half_the_step_changes_less_than_1e_3(labels, monkeypatch):
    labels = labels | {"alpha": labels["alpha"] * (96 / 128) ** 2}
    found, finer = (clip(labels, monkeypatch, step=2 / n) for n in (1, 2))
    assert np.ptp(finer) > 0.6
    np.testing.assert_allclose(found, finer, atol=1e-3)


@pytest.mark.parametrize("labels", CORNERS)
def test_twice_the_cells_change_less_than_2e_3(labels, monkeypatch):
    labels = labels | {"alpha": labels["alpha"] * (96 / 128) ** 2}
    found, finer = (clip(labels, monkeypatch, grid=grid) for grid in (48, 96))
    np.testing.assert_allclose(found, finer, atol=2e-3)


def test_steps_are_of_fourth_order():
    y, x = np.ogrid[:48, :48]
    blob = np.exp(-((y - 24.0) ** 2 + (x - 20.0) ** 2) / 40)
    start = np.stack([0.6 * blob, 0.4 * blob])
    last = {
        step: reaction_diffusion.solve(start, 0.2, 0.04, 0.058, 120, 2, step=step)[1]
        for step in (0.5, 2.5, 5.0)
    }
    coarse, fine = (np.abs(last[step] - last[0.5]).max() for step in (5.0, 2.5))
    assert 2**3.3 < coarse / fine < 2**5


def test_without_a_pattern_it_is_the_reaction_alone():
    start = np.broadcast_to(np.array([0.5, 0.3])[:, None, None], (2, 8, 8))
    feed, kill = 0.04, 0.056
    found = reaction_diffusion.solve(start, 0.5, feed, kill, 5.0, 20)

    def rate(_, values):
        a, v = values
        used = (1 - a) * v * v
        return used - feed * a, used - (feed + kill) * v

    path = solve_ivp(rate, (0, 95), (0.5, 0.3), "DOP853", np.arange(0, 100, 5), rtol=1e-10).y
    assert np.ptp(found, axis=(2, 3)).max() < 1e-5
    np.testing.assert_allclose(found[:, :, 3, 5], path.T, atol=1e-3)


def test_without_an_activator_it_is_linear_and_exact():
    y = np.arange(32)
    start = np.zeros((2, 32, 32))
    start[0] = 0.3 * (1 + np.cos(2 * np.pi * 3 * y / 32))[:, None]
    found = reaction_diffusion.solve(start, 0.4, 0.03, 0.06, 5.0, 10)
    decay = np.exp(-0.4 * (2 * np.pi * 3 / 32) ** 2 * 5 * np.arange(10))
    for frame in range(10):
        wave = 0.3 * (1 + decay[frame] * np.cos(2 * np.pi * 3 * y / 32))
        np.testing.assert_allclose(
            found[frame, 0, :, 7], np.exp(-0.03 * 5 * frame) * wave, atol=1e-6
        )
    assert not found[:, 1].any()


def test_substrate_balance_closes():
    """What is used up is what the reaction turns over, less what the feed brings back."""
    labels = CORNERS[4]
    pattern = np.exp(-sum((np.ogrid[:48, :48][i] - 24.0) ** 2 for i in (0, 1)) / 40)
    start = np.stack([0.6 * pattern, 0.4 * pattern])
    a, v = np.moveaxis(
        reaction_diffusion.solve(start, 0.3, labels["feed"], labels["kill"], 0.5, 101), 1, 0
    ).astype(float)
    turned = ((1 - a) * v**2).mean((1, 2))
    change = np.trapezoid(turned - labels["feed"] * a.mean((1, 2)), dx=0.5)
    assert a[-1].mean() - a[0].mean() == pytest.approx(change, abs=1e-5)


def test_no_direction_and_no_place_is_special():
    rng = np.random.default_rng(0)
    pattern = _spectral.synthesise(_spectral.analyse(rng.random((40, 40)), 4), 40)
    start = np.stack([0.6 * pattern, 0.4 * pattern])
    found = reaction_diffusion.solve(start, 0.2, 0.04, 0.058, 5.0, 30)
    turned = reaction_diffusion.solve(
        np.roll(np.rot90(start, axes=(1, 2)), 7, axis=1), 0.2, 0.04, 0.058, 5.0, 30
    )
    expected = np.roll(np.rot90(found, axes=(2, 3)), 7, axis=2)
    np.testing.assert_allclose(turned, expected, atol=2e-4)


def test_most_patterns_are_still_there_at_the_end():
    spec = reaction_diffusion.Spec(clips=40, size=32)
    labels = reaction_diffusion.draw(spec)
    last = np.stack(
        [
            reaction_diffusion.field(spec, {name: v[n] for name, v in labels.items()})[-1]
            for n in range(spec.clips)
        ]
    )
    assert np.mean(np.ptp(last, axis=(1, 2)) > 0.1) > 0.8


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"alpha": (3, 16)}, "3 is less than 4.55111: structures would be too fine"),
        ({"feed": (0.03, 0.3)}, "0.3 is more than 0.1: no pattern"),
        ({"kill": (0.06, 0.05)}, "low end 0.06 has to be below"),
        ({"rate": 0}, "greater than 0"),
        ({"speed": 1}, "Extra inputs"),
    ],
)
def test_impossible_values_are_refused(entry, expected):
    with pytest.raises(ValidationError, match=expected):
        reaction_diffusion.Spec(**entry)
