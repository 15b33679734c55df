"""Rollouts: a predictor that knows the dynamics is right for long, persistence is not."""

import numpy as np
import pytest

from physprobe.fit._motion import Motion
from physprobe.fit.methods import rollout
from physprobe.fit.section import Given
from physprobe.statistics import splits
from physprobe.store.fits import row

CLIPS, TIMES, DT = 40, 24, 0.1
TURN = np.linalg.qr(np.random.default_rng(0).normal(size=(6, 6)))[0]


def shown(angle: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Latents (..., 6) of an angle that turns at a speed: nonlinear, and the speed is in them."""
    parts = (np.sin(angle), np.cos(angle), speed, speed**2)
    parts += (speed * np.sin(angle), speed * np.cos(angle))
    return np.stack(np.broadcast_arrays(*parts), -1) @ TURN


def known(latent: np.ndarray) -> np.ndarray:
    """The true latent a frame later."""
    parts = latent @ TURN.T
    angle, speed = np.arctan2(parts[..., 0], parts[..., 1]), parts[..., 2]
    return shown(angle + speed * DT, speed)


def given(advance=known, **more: object) -> Given:
    rng = np.random.default_rng(1)
    speed = rng.uniform(1, 3, (CLIPS, 1)) * rng.choice([-1, 1], (CLIPS, 1))
    angle = rng.uniform(0, 2 * np.pi, (CLIPS, 1)) + speed * DT * np.arange(TIMES)
    labels = {"lyapunov": rng.uniform(0.5, 2.0, CLIPS)}
    states = {"theta1": angle, "kinetic": np.broadcast_to(speed**2, angle.shape)}
    return Given(
        [shown(angle, speed)], ["latent"], labels, splits.nested(np.arange(CLIPS)),
        times=(np.arange(TIMES) * DT).tolist(), states=states, advance=advance, **more,
    )  # fmt: skip


def spec(**more: object) -> rollout.Spec:
    asked = {
        "angles": ("theta1",),
        "energy": ("kinetic",),
        "horizons": (1, 4, 12),
        "bootstraps": 200,
    }
    return rollout.Spec(**{**asked, **more})


@pytest.fixture(scope="module")
def found() -> dict:
    rows, blocks = rollout.fit(spec(), given())
    return {"rows": rows, **blocks}


def test_the_true_dynamics_are_valid_throughout_and_persistence_is_not(found):
    whole = row(found, metric="valid_time", model="predictor")
    assert whole["value"] == pytest.approx(12 * DT) == found["rollouts"]["longest"]
    still = row(found, metric="valid_time", model="persistence")
    # an angle that turns at speed w is within .3 rad for .3 / w: whole frames of it, w from 1 to 3
    speeds = np.sqrt(given().states["kinetic"][:, 0])
    expected = np.floor(0.3 / (speeds * DT) + 1e-9).mean() * DT
    assert still["value"] == pytest.approx(expected, abs=0.02)
    assert row(found, metric="angle_error", model="predictor", horizon=12)["value"] < 0.02
    assert still["ci_low"] < still["value"] < still["ci_high"]


def test_errors_of_persistence_grow_as_the_angle_turns(found):
    speeds = np.abs(np.sqrt(given().states["kinetic"][:, 0]))
    for horizon in (1, 4):
        error = row(found, metric="angle_error", model="persistence", horizon=horizon)["value"]
        assert error == pytest.approx((speeds * DT * horizon).mean(), rel=0.05)


def test_lyapunov_times_are_each_clips_own(found):
    block = found["rollouts"]
    paces = given().labels["lyapunov"][block["clip"]]
    own = block["valid"]["persistence"]
    np.testing.assert_allclose(own["valid_lyapunov_times"], own["valid_time"] * paces)


def test_a_linear_model_of_one_token_is_no_rotation_of_every_speed(found):
    one, own = (row(found, metric="valid_time", model=m)["value"] for m in ("order_1", "predictor"))
    assert one < own


def test_energy_stays_where_dynamics_keep_it_and_drifts_where_they_do_not(found):
    def slowed(latent: np.ndarray) -> np.ndarray:
        parts = latent @ TURN.T
        angle, speed = np.arctan2(parts[..., 0], parts[..., 1]), 0.9 * parts[..., 2]
        return shown(angle + speed * DT, speed)

    rows, _ = rollout.fit(spec(), given(slowed))
    lost = {"rows": rows}
    at = {"metric": "energy_drift", "horizon": 12}
    assert row(found, model="predictor", **at)["value"] < 0.02
    assert row(lost, model="predictor", **at)["value"] > 0.5
    assert row(found, model="encoded", **at)["value"] < 0.02, "the null: what reading wanders"


def test_without_a_predictor_the_others_are_told_alone():
    rows, blocks = rollout.fit(spec(), given(None))
    assert "predictor" not in blocks["rollouts"]["valid"]
    assert {r["model"] for r in rows} == {"encoded", "persistence", "order_1", "order_2", "order_3"}


def test_a_state_that_is_not_read_well_is_valid_for_no_time():
    told = given()
    noise = np.random.default_rng(2).normal(size=told.features[0].shape)
    rows, _ = rollout.fit(spec(), Given(**{**told.__dict__, "features": [noise], "advance": None}))
    assert row({"rows": rows}, metric="valid_time", model="persistence")["value"] < 0.05


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"angles": ("thetta",)}, "thetta: no such state. Hint: the system's are theta1, kinetic"),
        (
            {"horizons": (30,)},
            "24 token times leave no start for 30 tokens ahead. Hint: at most 21",
        ),
    ],
)
def test_what_cannot_be_rolled_is_named(more, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        rollout.fit(spec(**more), given())


def moving(drift: float = 0.0) -> Motion:
    """The equation itself, whose speed grows by a part of it in every token."""

    def solve(rows: dict, frames: int) -> tuple[np.ndarray, dict]:
        times = np.arange(frames)
        speed = rows["start_omega1"][:, None] * (1 + drift) ** times
        angle = rows["start_theta1"][:, None] + speed * DT * times
        return np.empty(0), {"theta1": angle, "omega1": speed, "kinetic": speed**2}

    known = ("theta1", "omega1", "kinetic")
    return Motion(known[:2], known[:1], known, solve, {"mass": np.ones(CLIPS)}, 1)


def with_motion(motion: Motion) -> dict:
    whole = given()
    angle = whole.states["theta1"]
    speed = np.broadcast_to((angle[:, 1:2] - angle[:, :1]) / DT, angle.shape)
    states = {**whole.states, "omega1": speed}
    rows, _ = rollout.fit(spec(), Given(**{**whole.__dict__, "states": states, "motion": motion}))
    return {"rows": rows}


@pytest.fixture(scope="module")
def moved() -> dict:
    return with_motion(moving())


def test_the_true_equation_goes_on_from_what_is_read(moved):
    at = {"metric": "angle_error", "model": "equation"}
    first, last = (row(moved, horizon=h, **at)["value"] for h in (1, 12))
    assert first < 0.1 and last < 0.3, "the latent holds angle and speed"
    assert row(moved, metric="energy_drift", model="equation", horizon=12)["value"] < 1e-9
    wrong = with_motion(moving(0.2))
    assert row(wrong, horizon=12, **at)["value"] > 3 * last, "another equation leads elsewhere"


def test_a_network_of_true_states_learns_their_dynamics(moved):
    own, still = (
        row(moved, metric="angle_error", model=m, horizon=4)["value"]
        for m in ("state_mlp", "persistence")
    )
    assert own < 0.2 * still


def test_what_is_rolled_far_is_told_from_what_was_seen_only_where_it_differs(found):
    def changed(pace: float, kept: float) -> dict:
        def advance(latent: np.ndarray) -> np.ndarray:
            parts = latent @ TURN.T
            angle, speed = np.arctan2(parts[..., 0], parts[..., 1]), kept * parts[..., 2]
            return shown(angle + pace * speed * DT, speed)

        return {"rows": rollout.fit(spec(), given(advance))[0]}

    metrics = ("energy_distance", "spectrum_distance")
    same, slowed, hurried = (
        [row(each, metric=metric, model="predictor") for metric in metrics]
        for each in (found, changed(1.0, 0.9), changed(3.0, 1.0))
    )
    for told in (*same, hurried[0]):
        assert told["p"] > 0.05 and told["value"] < 1.05 * told["null_q95"]
    for told in (slowed[0], hurried[1]):
        assert told["p"] < 0.01 and told["value"] > 2 * told["null_q95"]


def test_what_stands_still_has_no_power_but_at_frequency_0(found):
    angle = given().states["theta1"][:, 2:]
    shares = []
    for column in (np.sin(angle), np.cos(angle)):
        apart = (column - column.mean(1, keepdims=True)) * np.hanning(angle.shape[1])
        power = (np.abs(np.fft.rfft(apart)) ** 2).mean(0)
        shares.append(power[0] / power.sum())
    still = row(found, metric="spectrum_distance", model="persistence")
    assert still["value"] == pytest.approx(1 - np.mean(shares), abs=0.01)


def test_horizons_that_clips_are_too_short_for_are_left_out():
    rows, blocks = rollout.fit(spec(horizons=(1, 4, 12, 30)), given())
    assert {row["horizon"] for row in rows if row["metric"] == "angle_error"} == {1, 4, 12}
    assert blocks["rollouts"]["horizon"] == [1, 4, 12]
