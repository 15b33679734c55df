"""Koopman: planted linear systems, their controls, and what must not leak."""

from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.fit.methods import dmd, spatial_heat_head
from physprobe.fit.methods._dynamics_null import shuffled_sse
from physprobe.fit.methods._latent import Published, principal
from physprobe.fit.methods._pairs import FIRST, Layout, histories, moments, shuffled, shuffles
from physprobe.fit.methods._spectrum import spectrum
from physprobe.fit.methods._transition import (
    Choice,
    effective_rank,
    fit,
    halved,
    matrix,
    select,
    sse,
    sse_of_all,
)
from physprobe.statistics import splits
from physprobe.store import results

CLIPS, TIMES = 60, 16
EIGENVALUES = np.array(
    [0.95 * np.exp(0.4j), 0.95 * np.exp(-0.4j), 0.8, 0.7 * np.exp(1j), 0.7 * np.exp(-1j), -0.5]
)


def block_diagonal(eigenvalues: np.ndarray) -> np.ndarray:
    """Real matrix with given eigenvalues, conjugate pairs side by side."""
    found = np.zeros((len(eigenvalues),) * 2)
    at = 0
    while at < len(eigenvalues):
        value = eigenvalues[at]
        if value.imag:
            found[at : at + 2, at : at + 2] = [
                [value.real, -value.imag],
                [value.imag, value.real],
            ]
        else:
            found[at, at] = value.real
        at += 2 if value.imag else 1
    return found


def linear(rng, operator: np.ndarray, *, clips=CLIPS, times=TIMES, noise=0.0) -> np.ndarray:
    """Trajectories (clip, time, state) of a linear system with driving noise."""
    states = [rng.normal(size=(clips, len(operator)))]
    for _ in range(times - 1):
        states.append(states[-1] @ operator.T + noise * rng.normal(size=states[0].shape))
    return np.stack(states, axis=1)


def oscillators(rng, clips=CLIPS, times=TIMES) -> np.ndarray:
    """Positions of damped standing waves: velocities are hidden, so one frame can't tell them."""
    rate, amplitude = np.array([0.5, 0.9]), np.array([2.0, 1.0])
    phase = rng.uniform(0, 2 * np.pi, size=(clips, 1, 2))
    time = np.arange(times)[:, None]
    return amplitude * np.exp(-0.03 * time) * np.cos(rate * time + phase)


def seen(rng, states: np.ndarray, features: int) -> np.ndarray:
    """States as an encoder may show them: turned, shifted, a little noisy."""
    basis = np.linalg.qr(rng.normal(size=(features, states.shape[-1])))[0]
    shown = states @ basis.T + rng.normal(size=features)
    return shown + 1e-3 * rng.normal(size=shown.shape)


def scored(features: np.ndarray, **spec) -> tuple[list[dict], dict]:
    """Rows and blocks of one layer, with few draws."""
    small = {"shuffles": 40, "bootstraps": 300, "spectra": 100, "horizons": (1, 4)}
    folds = splits.nested(np.arange(len(features)), outer=3, inner=3)
    return dmd.dynamics(
        dmd.Spec(**{**small, **spec}),
        features[None],
        {},
        folds,
        layers=["final"],
        times=2.0 * np.arange(features.shape[1]),
    )


def row(rows: list[dict], **where) -> dict:
    """The one row that agrees with what is given."""
    (found,) = (r for r in rows if all(r.get(key) == value for key, value in where.items()))
    return found


def skill(rows: list[dict], baseline: str, order: int = 1, horizon: int = 4) -> dict:
    """Row of one skill."""
    return row(rows, metric="skill", baseline=baseline, order=order, horizon=horizon)


def test_planted_eigenvalues_are_recovered():
    rng = np.random.default_rng(0)
    features = seen(rng, linear(rng, block_diagonal(EIGENVALUES)), 10)
    rows, blocks = scored(features, components=6, ranks=(6,))
    found = np.array([complex(*pair) for pair in blocks["spectra"][0]["eigenvalues"]])
    distance = np.abs(found[:, None] - EIGENVALUES)
    np.testing.assert_allclose(distance.min(0), 0.0, atol=0.02)
    radius = row(rows, metric="spectral_radius", order=1)
    assert radius["ci_low"] <= 0.95 <= radius["ci_high"]
    assert skill(rows, "persistence")["value"] > 0.99
    assert skill(rows, "time_shuffled")["ci_low"] > 0.9
    assert row(rows, metric="variance_kept")["value"] > 0.99


def test_weak_ridge_is_pydmd():
    pydmd = pytest.importorskip("pydmd")
    rng = np.random.default_rng(1)
    latent = linear(rng, block_diagonal(EIGENVALUES), noise=0.3)
    layout = Layout.of(6)
    sums = moments(latent, layout, [np.arange(CLIPS)])
    model = fit(sums, layout, 6, 1, 1e-13)
    now, then = latent[:, FIRST:-1].reshape(-1, 6).T, latent[:, FIRST + 1 :].reshape(-1, 6).T
    # pairs about their means: least squares with a constant
    peer = pydmd.DMD(svd_rank=-1)
    peer.fit(now - now.mean(1, keepdims=True), then - then.mean(1, keepdims=True))
    mine = np.sort_complex(np.linalg.eigvals(model.companion))
    np.testing.assert_allclose(mine, np.sort_complex(peer.eigs), atol=1e-8)


def test_hidden_velocity_needs_the_second_order():
    rng = np.random.default_rng(2)
    rows, blocks = scored(seen(rng, oscillators(rng), 8), components=4, ranks=(4,))
    second = skill(rows, "order_1", order=2)
    assert second["ci_low"] > 0.9
    assert second["p"] < 0.05
    frequencies = [
        np.angle(complex(*pair))
        for item in blocks["spectra"]
        if item["order"] == 2
        for pair in item["eigenvalues"]
    ]
    assert min(abs(np.array(frequencies) - 0.5)) < 0.02


def test_a_first_order_system_does_not():
    rng = np.random.default_rng(3)
    operator = block_diagonal(EIGENVALUES[:3])
    rows, _ = scored(seen(rng, linear(rng, operator, noise=0.2), 8), components=3, ranks=(3,))
    assert skill(rows, "order_1", order=2)["ci_high"] < 0.0


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("rank", [4, 8, 16, 32])
def test_every_order_has_the_same_number_of_parameters(order, rank):
    layout = Layout.of(32)
    inputs = layout.inputs(rank, order)
    assert len(set(inputs)) == rank
    assert layout.state(rank, order)[-1] == layout.one
    empty = matrix(np.zeros((rank + 1, rank)), rank, order)
    state = np.random.default_rng(0).normal(size=len(empty))
    np.testing.assert_array_equal((empty @ state)[:rank], state[:rank])


def test_order_three_is_the_recurrence_that_it_says():
    rng = np.random.default_rng(4)
    latent, layout = rng.normal(size=(5, 9, 6)), Layout.of(6)
    model = fit(moments(latent, layout, [np.arange(5)]), layout, 6, 3, 1e-13)
    now, step = latent[:, FIRST:-1], latent[:, FIRST + 1 :] - latent[:, FIRST:-1]
    inputs = [latent[:, 2:-1, :2], latent[:, 1:-2, :2], latent[:, :-3, :2]]
    rows = np.concatenate([*inputs, np.ones((*now.shape[:2], 1))], -1).reshape(-1, 7)
    weights = np.linalg.lstsq(rows, step.reshape(-1, 6), rcond=None)[0]
    expected = now + (rows @ weights).reshape(now.shape)
    np.testing.assert_allclose(next(model.forecast(latent, layout, 1)), expected, atol=1e-8)


def test_without_dynamics_there_is_no_skill():
    rng = np.random.default_rng(5)
    rows, _ = scored(rng.normal(size=(CLIPS, TIMES, 5)))
    assert skill(rows, "mean")["value"] < 0.02
    assert skill(rows, "time_shuffled")["value"] < 0.05
    # frames without order beat persistence by regression to the mean: the null knows
    against = skill(rows, "persistence")
    assert against["value"] > 0.4
    assert against["p"] > 0.05


def test_a_still_embedding_has_no_skill_over_persistence():
    rng = np.random.default_rng(6)
    still = np.repeat(rng.normal(size=(CLIPS, 1, 5)), TIMES, axis=1)
    noisy, _ = scored(still + 0.01 * rng.normal(size=still.shape))
    assert skill(noisy, "persistence", horizon=1)["p"] > 0.05
    rows, _ = scored(still)
    exact = skill(rows, "persistence")
    assert exact.get("value") is None
    assert "no error" in exact["note"]


def test_constant_features_are_undefined_with_a_note():
    rows, blocks = scored(np.ones((CLIPS, TIMES, 3)))
    assert all(r.get("value") is None and "constant" in r["note"] for r in rows)
    assert blocks["published"]["rollout_cos_test_mean"] is None


@pytest.mark.parametrize("field", ["horizons", "penalties"])
def test_choices_that_do_not_ascend_are_refused(field):
    """The null of a horizon was looked up at its place in the list: of another one, or of none."""
    for values in ((2, 1), (1, 1)):
        with pytest.raises(ValidationError, match="expected to ascend"):
            dmd.Spec(**{field: values})
        with pytest.raises(ValidationError, match="expected to ascend"):
            spatial_heat_head.Spec(**{field: values})


@pytest.mark.filterwarnings("error")
def test_a_cosine_of_nothing_is_undefined_with_a_note():
    rng = np.random.default_rng(21)
    half = rng.normal(size=(CLIPS // 2, TIMES, 3))
    rows, _ = scored(np.concatenate([half, -half]) * (np.arange(TIMES) != 3)[:, None])
    cosine = row(rows, metric="one_step_cos", model="dmd")
    assert cosine["value"] is None
    assert "a frame has no length" in cosine["note"]
    assert row(rows, metric="one_step_mse", model="dmd").get("note") is None
    # predictions next to nothing: the square of their length is rounding, of either sign
    states = 10 ** (2 * rng.normal(size=(CLIPS, 1, 3)) + 1.3 * np.arange(TIMES)[:, None])
    scored(states)


def test_infinite_penalty_is_persistence_exactly():
    rng = np.random.default_rng(7)
    latent, layout = rng.normal(size=(6, 10, 5)), Layout.of(5)
    sums = moments(latent, layout, [np.arange(6)])
    for order in (1, 2, 3):
        found = sse(fit(sums, layout, 5, order, np.inf), latent, layout, 3)
        expected = [
            ((latent[:, FIRST + h :] - latent[:, FIRST:-h]) ** 2).sum((1, 2)) for h in (1, 2, 3)
        ]
        np.testing.assert_allclose(found, np.stack(expected, -1), rtol=1e-14)


def test_pairs_never_cross_clips():
    rng = np.random.default_rng(8)
    latent, layout = rng.normal(size=(4, 7, 3)), Layout.of(3)
    # far apart, so that a pair across clips could not hide
    latent += 1e3 * np.arange(4)[:, None, None]
    together = moments(latent, layout, [np.arange(4)])
    cross, energy = 0.0, 0.0
    for clip in latent:
        for t in range(FIRST, 6):
            past = np.concatenate([clip[t], clip[t - 1, :2], clip[t - 2, :1], [1.0]])
            cross = cross + np.outer(past, clip[t + 1] - clip[t])
            energy = energy + ((clip[t + 1] - clip[t]) ** 2).sum()
    np.testing.assert_allclose(together.cross[0], cross)
    np.testing.assert_allclose(together.energy[0], energy)


def test_forecasts_do_not_see_the_future():
    rng = np.random.default_rng(9)
    latent, layout = rng.normal(size=(6, 12, 4)), Layout.of(4)
    sums = moments(latent, layout, [np.arange(6)])
    changed = latent.copy()
    changed[:, 6:] += 5.0
    for order in (1, 2, 3):
        model = fit(sums, layout, 4, order, 1e-3)
        for before, after in zip(
            model.forecast(latent, layout, 5), model.forecast(changed, layout, 5), strict=True
        ):
            # starts FIRST..5 have seen frames up to 5 only
            np.testing.assert_array_equal(before[:, : 6 - FIRST], after[:, : 6 - FIRST])
    assert histories(latent, layout).shape[1] == 12 - FIRST


def test_held_out_clips_decide_nothing():
    rng = np.random.default_rng(10)
    features = seen(rng, linear(rng, block_diagonal(EIGENVALUES), noise=0.5), 8)
    fold = splits.nested(np.arange(CLIPS), outer=3, inner=3)[0]
    other = features.copy()
    other[fold.test] = rng.normal(size=other[fold.test].shape)
    choices = [
        [c for c in scored(values)[1]["choices"] if c["fold"] == 0] for values in (features, other)
    ]
    assert choices[0] == choices[1]


def test_selection_prefers_what_the_inner_folds_can_predict():
    rng = np.random.default_rng(11)
    latent = np.concatenate(
        [
            3 * linear(rng, block_diagonal(EIGENVALUES[[0, 1, 3, 4]])),
            np.cumsum(rng.normal(size=(CLIPS, TIMES, 8)), 1),
        ],
        axis=-1,
    )
    layout = Layout.of(12)
    blocks = np.split(np.arange(CLIPS), 4)
    grid = [10.0**power for power in range(-6, 7)]
    choice = select(moments(latent, layout, blocks), layout, (4, 12), (1,), grid)
    assert choice.rank == 4
    assert not choice.edges[1] or choice.penalties[1] == grid[0]
    random_walk = moments(latent[..., 4:], Layout.of(8), blocks)
    assert select(random_walk, Layout.of(8), (8,), (1,), grid).penalties[1] >= 0.1


def test_null_without_rollouts_is_the_null_with_them():
    rng = np.random.default_rng(12)
    latent = rng.normal(size=(20, 12, 6)).cumsum(1)
    train, test, layout = latent[:14], latent[14:], Layout.of(6)
    orders = shuffles(4, 14, 12, seed=0)
    found = shuffled_sse(train, test, layout, Choice(4, {1: 1e-2}, {}, {}), orders, [1, 2, 5])
    for draw, order in enumerate(orders):
        sums = moments(shuffled(train, order), layout, [np.arange(14)])
        expected = sse(fit(sums, layout, 4, 1, 1e-2), test, layout, 5).sum(0)
        np.testing.assert_allclose(found[draw], expected[[0, 1, 4]])


@pytest.mark.parametrize("order", [1, 2, 3])
def test_halves_are_fits_to_either_half_with_the_whole_ones_penalty(order: int):
    rng = np.random.default_rng(13)
    latent = rng.normal(size=(20, 12, 6)).cumsum(1)
    train, test, layout, rank = latent[:14], latent[14:], Layout.of(6), 4
    signs = splits.halves(np.arange(14), count=3)
    each = moments(train, layout, list(np.arange(14)[:, None]))
    matrices = halved(each, layout, rank, order, 1e-1, signs)
    found = sse_of_all(matrices, rank, order, test, layout, range(1, 7))
    inputs = layout.inputs(rank, order)
    powers = np.diagonal(each.gram, axis1=1, axis2=2)[:, inputs].sum(1)
    for split, sides in enumerate(signs):
        for half, side in enumerate((1, -1)):
            mine = np.flatnonzero(sides == side)
            penalty = 1e-1 * powers.sum() / powers[mine].sum()
            sums = moments(train, layout, [mine])
            expected = sse(fit(sums, layout, rank, order, penalty), test, layout, 6).sum(0)
            np.testing.assert_allclose(found[split, half], expected, rtol=1e-9)


def test_skill_is_about_data_sets_unless_some_clips_are_never_held_out():
    latent = np.random.default_rng(14).normal(size=(30, 8, 4)).cumsum(1)
    spec = dmd.Spec(shuffles=1, bootstraps=100, spectra=100, horizons=(1, 2), orders=(1, 2))
    about = {"layers": ["final"], "times": list(map(float, range(8)))}
    folds = splits.nested(np.arange(30))
    for chosen, estimand, count in (
        (folds, "data sets", splits.HALVES),
        (folds[:1], "these fits", 0),
    ):
        rows, blocks = dmd.dynamics(spec, [latent], {}, chosen, **about)
        assert {row["estimand"] for row in rows if row["metric"] == "skill"} == {estimand}
        known = blocks["forecast"]["final"]["halves"]
        assert len(known.get("signs", ())) == count


def test_published_scores_are_those_of_feature_space():
    rng = np.random.default_rng(13)
    features = rng.normal(size=(10, 8, 6)) + 3.0
    space = principal(features, np.arange(7), 3)
    latent = space.project(features)
    predicted = latent[:, 1:] + 0.3 * rng.normal(size=latent[:, 1:].shape)
    error, cosine = Published.of(space, features, latent).scores(predicted)
    shown, truth = space.mean + predicted @ space.axes.T, features[:, 1:]
    np.testing.assert_allclose(error, ((shown - truth) ** 2).mean((1, 2)))
    norms = np.linalg.norm(shown, axis=-1) * np.linalg.norm(truth, axis=-1)
    np.testing.assert_allclose(cosine, ((shown * truth).sum(-1) / norms).mean(1))


def test_interval_of_the_spectral_radius_covers_the_truth():
    operator, layout = block_diagonal(np.array([0.9, 0.6])), Layout.of(2)
    covered = 0
    for seed in range(30):
        latent = linear(np.random.default_rng(seed), operator, noise=0.5)
        each = moments(latent, layout, np.arange(CLIPS)[:, None])
        found = spectrum(each, layout, 2, 1, 1e-9, groups=np.arange(CLIPS), draws=300, seed=seed)
        _, low, high = found.radius
        covered += low <= 0.9 <= high
        assert high - low < 0.2
    assert covered >= 25


def test_the_spectral_radius_lies_inside_its_interval_though_draws_are_biased():
    """Many weak directions: the largest modulus of what is drawn is above that of the data."""
    layout, inside, above = Layout.of(8), [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        latent = rng.normal(size=(30, 12, 8))
        each = moments(latent, layout, np.arange(30)[:, None])
        found = spectrum(each, layout, 8, 1, 1e-9, groups=np.arange(30), draws=300, seed=seed)
        radius, low, high = found.radius
        drawn = np.abs(found.draws).max(-1)
        above.append(np.median(drawn) > radius)
        inside.append(low < radius < high)
        assert high / low == pytest.approx(np.divide(*np.quantile(drawn, (0.975, 0.025))))
    assert np.mean(above) > 0.8 and all(inside)


def test_effective_rank_counts_what_the_data_decide():
    variances = np.array([100.0, 1.0, 1e-4])
    gram = np.diag([*variances, 10.0])
    unit = variances.mean()
    shares = [v / (v + 1e-2 * unit) for v in (*variances, unit)]
    assert effective_rank(gram, 1e-2) == pytest.approx(sum(shares))
    assert effective_rank(gram, np.inf) == 0.0


def test_groups_of_clips_widen_the_interval():
    rng = np.random.default_rng(14)
    operator, layout = block_diagonal(np.array([0.9, 0.6])), Layout.of(2)
    latent = np.repeat(linear(rng, operator, clips=15, noise=0.5), 4, axis=0)
    each = moments(latent, layout, np.arange(60)[:, None])
    widths = []
    for groups in (np.arange(60), np.repeat(np.arange(15), 4)):
        found = spectrum(each, layout, 2, 1, 1e-9, groups=groups, draws=500, seed=0).radius
        widths.append(found[2] - found[1])
    assert widths[1] > 1.5 * widths[0]


def test_growth_is_reported_and_not_clipped():
    rng = np.random.default_rng(15)
    rows, _ = scored(seen(rng, linear(rng, block_diagonal(np.array([1.2, 0.9, 0.5]))), 6))
    radius = row(rows, metric="spectral_radius", order=1)
    assert radius["value"] == pytest.approx(1.2, abs=0.02)
    assert "grow" in radius["note"]


@pytest.mark.parametrize("features", [1, 2])
def test_few_features_leave_no_order_out_silently(features):
    rng = np.random.default_rng(16)
    states = linear(rng, np.diag([0.8] * features), noise=0.1)
    rows, _ = scored(states + 2.0)
    assert skill(rows, "persistence", horizon=1)["ci_low"] > 0
    for order in range(features + 1, 4):
        assert "fewer components" in row(rows, metric="skill", order=order)["note"]


def test_horizons_beyond_the_clip_are_null():
    rng = np.random.default_rng(17)
    rows, blocks = scored(seen(rng, oscillators(rng), 4), horizons=(1, 4, 16))
    assert "no such horizon" in skill(rows, "persistence", horizon=16)["note"]
    assert blocks["forecast"]["final"]["horizon"] == [1, 2, 3, 4]


def test_clips_keep_what_a_paired_comparison_needs():
    rng = np.random.default_rng(18)
    rows, blocks = scored(seen(rng, oscillators(rng), 6))
    errors = blocks["forecast"]["final"]["errors"]
    own, still = np.array(errors["model"]), np.array(errors["persistence"])
    assert own.shape == (CLIPS, 4)
    for horizon in (1, 4):
        expected = 1 - own[:, horizon - 1].sum() / still[:, horizon - 1].sum()
        found = skill(rows, "persistence", horizon=horizon)["value"]
        assert found == pytest.approx(expected, abs=1e-5)
    moduli = [abs(complex(*pair)) for pair in blocks["spectra"][0]["eigenvalues"]]
    assert all(a >= b - 1e-6 for a, b in pairwise(moduli))


def test_higher_orders_keep_each_clips_errors_too():
    rng = np.random.default_rng(18)
    rows, blocks = scored(seen(rng, oscillators(rng), 6))
    block = blocks["forecast"]["final"]
    still = np.array(block["errors"]["persistence"])
    assert list(block["higher_orders"]) == ["2", "3"]
    assert list(block["clip"]) == list(block["group"]) == list(range(CLIPS))
    for order, errors in block["higher_orders"].items():
        assert np.shape(errors) == (CLIPS, 4)
        for horizon in (1, 4):
            expected = 1 - np.array(errors)[:, horizon - 1].sum() / still[:, horizon - 1].sum()
            found = skill(rows, "persistence", order=int(order), horizon=horizon)["value"]
            assert found == pytest.approx(expected, abs=1e-5)
    first = np.array(block["errors"]["model"])
    assert (np.array(block["higher_orders"]["2"])[:, 0] < first[:, 0]).mean() > 0.9


def together(rng) -> tuple[np.ndarray, np.ndarray, list[dict], dict]:
    """Waves and decays under one model: features, equations, rows, blocks."""
    decays = linear(rng, np.diag([0.9, 0.6]), noise=0.05)
    both = seen(rng, np.concatenate([oscillators(rng), decays]), 6)
    equations = np.repeat(["wave", "diffusion"], CLIPS)
    groups = np.tile(np.arange(CLIPS), 2)
    spec = dmd.Spec(shuffles=10, bootstraps=300, spectra=100, horizons=(1, 4))
    folds = splits.nested(groups, outer=3, inner=3)
    about = {"layers": ["final"], "times": np.arange(TIMES), "groups": groups}
    return both, equations, *dmd.dynamics(spec, both[None], {"equation": equations}, folds, **about)


def test_one_model_of_several_equations_is_scored_on_each():
    _, equations, rows, blocks = together(np.random.default_rng(21))
    block = blocks["forecast"]["final"]
    assert list(block["equation"]) == list(equations)
    assert list(block["group"]) == [*range(CLIPS), *range(CLIPS)]
    parts = {"wave": slice(0, CLIPS), "diffusion": slice(CLIPS, None)}
    for name, clips in parts.items():
        own = [r for r in rows if r["metric"] == "skill_by_equation" and r["equation"] == name]
        assert {r["n_clips"] for r in own} == {CLIPS}
        for order, errors in {"1": block["errors"]["model"], **block["higher_orders"]}.items():
            found = row(own, baseline="persistence", order=int(order), horizon=4)
            still = np.array(block["errors"]["persistence"])[clips, 3].sum()
            expected = 1 - np.array(errors)[clips, 3].sum() / still
            assert found["value"] == pytest.approx(expected, abs=1e-5)
            assert found["ci_low"] < found["value"] < found["ci_high"]
            assert found["note"] == "null: sign flips"
    # folds keep twins on one side, and the whole's skill is between that of its parts
    whole = skill(rows, "persistence")["value"]
    each = [row(rows, metric="skill_by_equation", equation=n, baseline="persistence", order=1,
                horizon=4)["value"] for n in parts]  # fmt: skip
    assert min(each) < whole < max(each)


def test_clips_of_one_equation_have_no_rows_of_parts():
    rng = np.random.default_rng(22)
    rows, blocks = scored(seen(rng, oscillators(rng), 6))
    assert not [r for r in rows if r["metric"] == "skill_by_equation"]
    assert "equation" not in blocks["forecast"]["final"]


def test_same_seed_same_rows():
    rng = np.random.default_rng(19)
    features = seen(rng, oscillators(rng), 6)
    assert results.plain(scored(features)) == results.plain(scored(features))


def test_short_clips_and_broken_features_are_refused():
    with pytest.raises(ValueError, match="at least 5"):
        scored(np.zeros((CLIPS, 4, 3)))
    broken = np.random.default_rng(20).normal(size=(CLIPS, TIMES, 3))
    broken[7, 0, 0] = np.nan
    with pytest.raises(ValueError, match="layer final is not finite in clip 7"):
        scored(broken)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_rollouts_start_with_as_many_true_frames_as_they_look_at(order):
    rng = np.random.default_rng(9)
    latent, rank = rng.normal(size=(7, 12, 5)), 4
    layout = Layout.of(5)
    model = fit(moments(latent, layout, [np.arange(7)]), layout, rank, order, 1e-3)
    found = model.rollout(latent[:, :order], 6)
    state = list(latent[:, :order].swapaxes(0, 1))
    counts = [rank // order + (lag < rank % order) for lag in range(order)]
    weights = model.matrix[:rank]
    for step in range(6):
        seen = [state[-1 - lag][:, :count] for lag, count in enumerate(counts)]
        # what the matrix moves are the leading components, the older inputs after them
        inputs = np.concatenate([state[-1][:, :rank], *seen[1:], np.ones((7, 1))], axis=1)
        ahead = state[-1].copy()
        ahead[:, :rank] = inputs @ weights.T
        np.testing.assert_allclose(found[:, step], ahead, atol=1e-12)
        state.append(ahead)


def test_two_frames_tell_the_velocity_that_a_rollout_needs():
    rng = np.random.default_rng(10)
    features = seen(rng, oscillators(rng), 12)
    spec = dmd.Spec(
        components=4, ranks=(4,), orders=(1, 2), shuffles=1, bootstraps=100, spectra=100
    )
    _, blocks = dmd.dynamics(
        spec, [features], {}, splits.nested(np.arange(CLIPS)), layers=["final"],
        times=np.arange(TIMES, dtype=float),
    )  # fmt: skip
    first, second = blocks["published"], blocks["published_orders"]["2"]
    for side in ("train", "test"):
        assert second[f"rollout_mse_{side}_mean"] < 0.5 * first[f"rollout_mse_{side}_mean"]
        assert second[f"rollout_cos_{side}_mean"] > first[f"rollout_cos_{side}_mean"]
