"""Order: a second frame of history helps what has a velocity, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from physprobe.falsify import order
from physprobe.fit.methods import dmd
from physprobe.statistics import splits
from physprobe.store import results
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS, TIMES = 60, 16


def planted(past: np.ndarray, seed: int) -> np.ndarray:
    """Latents (clip, time, feature) of an autoregression: weights (lag, state) of each's past."""
    rng = np.random.default_rng(seed)
    lags, states = past.shape
    values = list(rng.normal(size=(lags, CLIPS, states)))
    for _ in range(30 + TIMES):
        step = sum(weight * values[-lag] for lag, weight in enumerate(past, 1))
        values.append(step + 0.1 * rng.normal(size=(CLIPS, states)))
    turned = np.linalg.qr(rng.normal(size=(8, states)))[0]
    shown = np.stack(values[-TIMES:], axis=1) @ turned.T
    return shown + 1e-3 * rng.normal(size=shown.shape)


# z[t] = 2 r cos(w) z[t-1] - r^2 z[t-2] + noise, and z[t] = a z[t-1] + noise
RATE, KEPT = np.array([0.5, 0.7]), 0.97
OSCILLATOR = np.stack([2 * KEPT * np.cos(RATE), np.full(2, -(KEPT**2))])
DECAY = np.array([[0.95, 0.9]])


def modelled(latents: np.ndarray, groups: np.ndarray | None = None) -> dict:
    groups = np.arange(CLIPS) if groups is None else groups
    spec = dmd.Spec(
        shuffles=5, bootstraps=100, spectra=100, horizons=(1, 2), ranks=(4, 8), components=8
    )
    rows, blocks = dmd.dynamics(
        spec,
        latents[None],
        {},
        splits.nested(groups, outer=3, inner=3),
        layers=["final"],
        times=np.arange(TIMES),
        groups=groups,
    )
    return results.plain({"rows": rows, **blocks})


@pytest.fixture(scope="module")
def systems() -> dict[str, Evidence]:
    latents = {"wave": planted(OSCILLATOR, 0), "diffusion": planted(DECAY, 1)}
    return {name: evidence(modelled(values)) for name, values in latents.items()}


def evidence(koopman: dict, systems: Mapping[str, Evidence] = MappingProxyType({})) -> Evidence:
    """Evidence of one place, beside that of systems."""
    own = Fits(small={"schema": "physprobe/dynamics/2", **koopman})
    places = {"own": own, **{name: found.koopman for name, found in systems.items()}}
    fits = {place: {"dmd": found} for place, found in places.items()}
    return Evidence(("small",), (), {}, bootstraps=500, place="own", fits=fits).at()


def judge(found: Evidence, **spec) -> dict:
    spec = order.Spec(**{"statement": "s", "horizon": 2, **spec})
    return order.line(spec, found.at(spec.system), "small")


@pytest.mark.parametrize("baseline", ["persistence", "order_1"])
def test_second_order_gains_on_an_oscillator_and_not_on_a_decay(systems, baseline):
    gains = judge(systems["wave"], margin=0.05, baseline=baseline)
    assert gains["verdict"] == "supported" and gains["p"] < 0.01
    assert gains["null_q95"] < gains["value"]
    none = judge(systems["diffusion"], baseline=baseline)
    assert none["verdict"] != "supported" and abs(none["value"]) < 0.05
    assert judge(systems["diffusion"], margin=0.05, baseline=baseline)["verdict"] == "refuted"


def test_the_gain_is_the_difference_of_the_skills_in_the_rows(systems):
    for found in systems.values():
        koopman = found.koopman["small"]
        skill = {
            row["order"]: row["value"]
            for row in koopman["rows"]
            if (row["metric"], row.get("baseline"), row.get("horizon"))
            == ("skill", "persistence", 2)
        }
        for higher in (2, 3):
            judged = judge(found, order=higher)
            assert judged["value"] == pytest.approx(skill[higher] - skill[1], abs=1e-5)
            against = judge(found, order=higher, baseline="order_1")["value"]
            expected = (skill[higher] - skill[1]) / (1 - skill[1])
            assert against == pytest.approx(expected, abs=1e-4)


def test_orders_are_compared_at_as_many_parameters(systems):
    for found in systems.values():
        ranks = {}
        for choice in found.koopman["small"]["choices"]:
            if choice["model"] == "dmd":
                ranks.setdefault(choice["fold"], set()).add(choice["rank"])
        assert len(ranks) == 3 and all(len(chosen) == 1 for chosen in ranks.values())


def test_a_gain_in_one_system_is_put_beside_that_in_another(systems):
    both = evidence({"forecast": {}}, systems=systems)
    more = judge(both, system="wave", against="diffusion", margin=0.05)
    assert more["verdict"] == "supported"
    alone = [judge(both, system=name)["value"] for name in ("wave", "diffusion")]
    assert more["value"] == pytest.approx(alone[0] - alone[1])
    assert more["ci_low"] < more["value"] < more["ci_high"]
    assert "wave" in more["note"] and "diffusion" in more["note"] and more["p"] is None
    turned = judge(both, system="diffusion", against="wave")
    assert turned["verdict"] == "refuted"
    assert turned["value"] == pytest.approx(-more["value"])
    with pytest.raises(ValidationError, match="name two systems"):
        judge(both, system="wave", against="wave")


def made(first: np.ndarray, higher: np.ndarray, groups: np.ndarray) -> Evidence:
    """Evidence with such errors (clip,) at horizon 1, where persistence's error is 1."""
    ones = np.ones((len(first), 1))
    block = {
        "horizon": [1],
        "group": groups,
        "errors": {"model": first[:, None], "persistence": ones},
        "higher_orders": {"2": higher[:, None]},
    }
    return evidence({"rows": [], "forecast": {"final": block}})


def test_twins_are_drawn_together_and_strangers_apart():
    """Gains that go up and down together differ by little; paired draws know, others can't."""
    rng = np.random.default_rng(0)
    shared, first = rng.normal(0.3, 0.2, 80), np.ones(80)
    numbers = np.arange(80)
    wave, twin = made(first, first - shared - 0.01, numbers), made(first, first - shared, numbers)
    stranger = made(first, first - shared, numbers + 80)
    about = {"system": "wave", "against": "diffusion", "horizon": 1}
    paired = judge(evidence({}, systems={"wave": wave, "diffusion": twin}), **about)
    apart = judge(evidence({}, systems={"wave": wave, "diffusion": stranger}), **about)
    assert paired["value"] == pytest.approx(0.01) and apart["value"] == pytest.approx(0.01)
    assert paired["verdict"] == "supported" and apart["verdict"] == "cannot tell"
    # two means of 80 with deviation 0.2: the textbook's interval of their difference
    width = 2 * 1.96 * 0.2 * np.sqrt(2 / 80)
    assert apart["ci_high"] - apart["ci_low"] == pytest.approx(width, rel=0.2)


def test_clips_of_a_group_are_drawn_together():
    rng = np.random.default_rng(1)
    shared = np.repeat(rng.normal(0.1, 0.2, 20), 4)
    ones = np.ones(80)
    grouped = judge(made(ones, ones - shared, np.arange(80) // 4), horizon=1)
    single = judge(made(ones, ones - shared, np.arange(80)), horizon=1)
    wide, narrow = (found["ci_high"] - found["ci_low"] for found in (grouped, single))
    assert grouped["value"] == pytest.approx(single["value"])
    assert wide == pytest.approx(2 * narrow, rel=0.25)


def test_intervals_of_strangers_hold_the_truth_as_often_as_they_say():
    held = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        one, other = rng.normal(0.2, 0.3, 40), rng.normal(0.1, 0.1, 60)
        wave = made(np.ones(40), 1 - one, np.arange(40))
        diffusion = made(np.ones(60), 1 - other, np.arange(60))
        whole = evidence({}, systems={"wave": wave, "diffusion": diffusion})
        found = judge(whole, system="wave", against="diffusion", horizon=1)
        held += found["ci_low"] <= 0.1 <= found["ci_high"]
    assert 89 <= held <= 100


@pytest.mark.parametrize("baseline", ["persistence", "order_1"])
def test_gains_count_what_they_owe_to_the_clips_that_were_fitted_to(systems, baseline):
    """With one half's fits a tenth better at order 2 in every split, its error varies so much."""
    about = {"baseline": baseline, "horizon": 1}
    found = systems["wave"].koopman["small"]
    (block,) = found["forecast"].values()
    told = block["halves"]

    def judged(**halves) -> dict:
        return judge(evidence({**found, "forecast": {"final": block | halves}}), **about)

    fixed, none = judged(halves={}), {order: np.zeros((2, 12)) for order in "123"}
    still = judged(halves=told | {"deviations": none})
    tenth = judged(halves=told | {"deviations": none | {"2": np.full((2, 12), np.log(1.1) / 2)}})
    half = {key: (each["ci_high"] - each["ci_low"]) / 2 for key, each in
            {"fixed": fixed, "still": still, "tenth": tenth}.items()}  # fmt: skip
    assert fixed["value"] == still["value"] == tenth["value"] == judged()["value"]
    assert half["still"] == pytest.approx(half["fixed"], rel=0.05)
    sums = [np.sum(np.asarray(errors)[:, 0]) for errors in (
        block["higher_orders"]["2"],
        block["errors"]["model" if baseline == "order_1" else "persistence"],
    )]  # fmt: skip
    # the logarithm moves by sqrt(2 / 12) sum_s z_s d, Student's t with as many degrees as splits
    owed = stats.t(12).ppf(0.975) * np.sqrt(2) * np.log(1.1) / 2 * sums[0] / sums[1]
    assert half["tenth"] == pytest.approx(np.hypot(owed, half["fixed"]), rel=0.15)


def test_what_is_not_there_can_not_be_judged(systems):
    both = evidence({"forecast": {}}, systems=systems)
    for found, spec in (
        (both, {}),
        (systems["wave"], {"horizon": 99}),
        (replace(systems["wave"], fits={}), {}),
    ):
        judged = judge(found, **spec)
        assert judged["verdict"] == "cannot tell" and "no forecast of small" in judged["note"]
    none = evidence({"forecast": {}})
    found = evidence({}, systems={**systems, "advection": none})
    assert "in advection" in judge(found, system="wave", against="advection")["note"]


def test_the_null_is_that_of_no_gain():
    """Under no gain, p is as often below 0.05 as it should be."""
    rng = np.random.default_rng(2)
    errors = rng.gamma(5, 0.2, size=(200, 2, 40))
    p = [judge(made(*pair, np.arange(40)), horizon=1)["p"] for pair in errors]
    assert 2 <= np.sum(np.array(p) < 0.05) <= 20


def test_members_are_drawn_with_their_gains():
    """Oscillators that gain, and decays that don't: their mean is not sure."""
    each = [modelled(planted(OSCILLATOR if m < 2 else DECAY, m)) for m in range(4)]
    whole = {
        **each[0],
        "encoder": "small",
        "members": [{"member": m, **e} for m, e in enumerate(each)],
    }
    alone = [judge(evidence(one)) for one in each]
    found = judge(evidence(whole))
    assert found["value"] == pytest.approx(np.mean([one["value"] for one in alone]))
    low, high = stats.t.interval(
        0.95, 3, found["value"], stats.sem([one["value"] for one in alone])
    )
    assert found["ci_low"] < 0 < found["ci_high"]
    assert found["ci_high"] - found["ci_low"] == pytest.approx(high - low, rel=0.2)
    assert found["verdict"] == "cannot tell" and alone[0]["verdict"] == "supported"
