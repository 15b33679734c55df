"""Spatial head: planted diffusion of tokens, and alphas that don't matter."""

import numpy as np
import pytest

from physprobe.fit.methods import _kernels
from physprobe.fit.methods import spatial_heat_head as head
from physprobe.fit.methods._kernels import FAMILIES, LAPLACIAN, fit, laplacian_residual, sse, weigh
from physprobe.fit.methods._rollout import roll
from physprobe.fit.methods._stencil import OFFSETS, ONE, Sums, apply
from physprobe.fit.methods._whitening import whiten
from physprobe.statistics import splits
from physprobe.store import scratch

CLIPS, TIMES, GRID, FEATURES = 30, 7, 6, 5


def heat(rng, *, alpha: np.ndarray, rate: np.ndarray, noise: float = 0.01) -> np.ndarray:
    """Tokens (clip, time, y, x, feature) that diffuse at a rate of their own per clip."""
    kernels = np.zeros((FEATURES, ONE + 1))
    kernels[:, :ONE] = 0.03 * LAPLACIAN
    frames = [3 * rng.normal(size=(len(alpha), GRID, GRID, FEATURES))]
    for _ in range(TIMES - 1):
        step = rate[:, None, None, None] * apply(frames[-1], kernels)
        frames.append(frames[-1] + step + noise * rng.normal(size=step.shape))
    return np.stack(frames, axis=1)


@pytest.fixture(scope="module")
def world() -> dict:
    """A heat-driven embedding and what the head makes of it."""
    rng = np.random.default_rng(0)
    alpha = rng.uniform(0.5, 5, CLIPS)
    tokens = heat(rng, alpha=alpha, rate=alpha)
    rows, blocks = scored(tokens, alpha)
    return {"alpha": alpha, "tokens": tokens, "rows": rows, "blocks": blocks}


def scored(tokens: np.ndarray, alpha: np.ndarray, **spec) -> tuple[list[dict], dict]:
    small = {"permutations": 60, "bootstraps": 300, "refits": 100, "horizons": (1, 4)}
    folds = splits.nested(np.arange(len(alpha)), outer=3, inner=3)
    return head.head(head.Spec(**{**small, **spec}), tokens, {"alpha": alpha}, folds)


def row(rows: list[dict], **where) -> dict:
    (found,) = (r for r in rows if all(r.get(key) == value for key, value in where.items()))
    return found


def neighbours(field: np.ndarray) -> np.ndarray:
    """Nine shifted copies and a one (..., column) of a field (time, y, x, channel)."""
    padded = np.pad(field, ((0, 0), (1, 1), (1, 1), (0, 0)))
    height, width = field.shape[1:3]
    shifted = [padded[:, 1 + dy :, 1 + dx :][:, :height, :width] for dy, dx in OFFSETS]
    return np.stack([*shifted, np.ones_like(field)], axis=-1)


@pytest.mark.parametrize("shape", [(4, 5), (2, 2), (1, 3)])
def test_sums_are_those_of_all_patches(shape):
    rng = np.random.default_rng(1)
    field = rng.normal(size=(5, *shape, 3))
    sums = Sums.empty(1, 3)
    sums.add(0, field)
    patches, step = neighbours(field[:-1]), field[1:] - field[:-1]
    gram = np.einsum("tyxci,tyxcj->cij", patches, patches)
    np.testing.assert_allclose(sums.gram[0], gram, atol=1e-12)
    cross = np.einsum("tyxci,tyxc->ci", patches, step)
    np.testing.assert_allclose(sums.cross[0], cross, atol=1e-12)
    kernels = rng.normal(size=(3, ONE + 1))
    answer = np.einsum("tyxci,ci->tyxc", patches, kernels)
    np.testing.assert_allclose(apply(field[:-1], kernels), answer, atol=1e-12)
    error = ((step - 0.7 * answer) ** 2).sum()
    found = sse(sums, np.array([0]), np.array([0.7]), kernels[None])
    np.testing.assert_allclose(found, [[error]])


def test_closed_form_is_where_a_trained_conv2d_ends():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    alpha = rng.uniform(0.5, 2, 3)
    fields = rng.normal(size=(3, 5, 4, 4, 2))
    sums = Sums.empty(3, 2)
    for clip, field in enumerate(fields):
        sums.add(clip, field)
    kernels = fit(*weigh(sums, np.arange(3), alpha[None]), FAMILIES["free"], 1e-13)[0]

    torch.manual_seed(0)
    conv = torch.nn.Conv2d(2, 2, 3, padding=1, groups=2, bias=False, dtype=torch.float64)
    video = torch.tensor(fields).permute(0, 1, 4, 2, 3)
    rate = torch.tensor(alpha)[:, None, None, None, None]
    now, then = video[:, :-1], video[:, 1:]
    optimiser = torch.optim.Adam(conv.parameters(), lr=0.05)
    for epoch in range(600):
        if epoch == 400:
            optimiser.param_groups[0]["lr"] = 0.005
        optimiser.zero_grad()
        answer = conv(now.flatten(0, 1)).unflatten(0, now.shape[:2])
        loss = ((now + rate * answer - then) ** 2).sum()
        loss.backward()
        optimiser.step()
    trained = conv.weight.detach().numpy().reshape(2, ONE)
    np.testing.assert_allclose(kernels[:, :ONE], trained, atol=1e-4)
    closed = sse(sums, np.arange(3), alpha, kernels[None]).sum()
    assert closed <= loss.item() + 1e-9
    assert closed == pytest.approx(loss.item(), rel=1e-6)


def test_planted_diffusion_gives_the_laplacian(world):
    rows, kernels = world["rows"], world["blocks"]["kernels"]
    for model in ("real", "real_zero_sum"):
        np.testing.assert_allclose(np.ravel(kernels[model]["mean"]), 0.03 * LAPLACIAN, atol=1e-3)
        assert row(rows, metric="laplacian_residual", model=model)["value"] < 0.02
        assert row(rows, metric="skill", model=model, horizon=1)["value"] > 0.98
    total = row(rows, metric="kernel_sum", model="real")
    assert abs(total["value"]) < 1e-3


def test_real_alpha_beats_shuffled_and_none_where_it_drives(world):
    for family in ("", "_zero_sum"):
        for other in ("shuffled", "none", "shuffled_on_shuffled"):
            found = row(
                world["rows"],
                metric="skill_difference",
                model=f"real{family}",
                baseline=f"{other}{family}",
            )
            assert found["ci_low"] > 0.02
            assert found["p"] == pytest.approx(1 / 61)
    true, own = (
        row(world["rows"], metric=metric, model="shuffled", horizon=1)["value"]
        for metric in ("skill", "skill_on_shuffled")
    )
    # a kernel fitted under wrong alphas does better under the right ones
    assert own < true - 0.05
    published = world["blocks"]["published"]
    losses = [published[f"{model}_final_test_loss"] for model in ("real", "none")]
    assert losses[0] < 0.1 * losses[1]


def test_alpha_that_drives_nothing_adds_nothing():
    rng = np.random.default_rng(3)
    alpha = rng.uniform(0.5, 5, CLIPS)
    rows, _ = scored(heat(rng, alpha=alpha, rate=np.full(CLIPS, 2.0)), alpha)
    difference = {"metric": "skill_difference", "model": "real"}
    assert row(rows, **difference, baseline="shuffled")["p"] > 0.05
    assert row(rows, **difference, baseline="none")["ci_high"] < 0.0


def test_noise_that_stands_still_has_no_skill():
    rng = np.random.default_rng(4)
    alpha = rng.uniform(0.5, 5, CLIPS)
    tokens = np.cumsum(rng.normal(size=(CLIPS, TIMES, GRID, GRID, FEATURES)), axis=1)
    rows, _ = scored(tokens, alpha)
    assert row(rows, metric="skill", model="real", horizon=1)["value"] < 0.01


def test_published_losses_are_errors_of_whitened_tokens(world):
    alpha, tokens = world["alpha"], world["tokens"]
    folds = splits.nested(np.arange(CLIPS), outer=3, inner=3)
    total = 0.0
    for number, fold in enumerate(folds):
        (choice,) = (
            c for c in world["blocks"]["choices"] if (c["model"], c["fold"]) == ("real", number)
        )
        (whitening,) = whiten(tokens, [fold.train], None)
        channels = whitening.project(tokens).astype(float)
        grams, crosses = 0.0, 0.0
        for clip in fold.train:
            patches = alpha[clip] * neighbours(channels[clip, :-1])[..., :ONE]
            grams = grams + np.einsum("tyxci,tyxcj->cij", patches, patches)
            step = channels[clip, 1:] - channels[clip, :-1]
            crosses = crosses + np.einsum("tyxci,tyxc->ci", patches, step)
        shift = choice["lambda"] * np.trace(grams, axis1=1, axis2=2) / ONE
        lifted = grams + shift[:, None, None] * np.eye(ONE)
        kernels = np.linalg.solve(lifted, crosses[..., None])[..., 0]
        for clip in fold.test:
            patches = alpha[clip] * neighbours(channels[clip, :-1])[..., :ONE]
            answer = np.einsum("tyxci,ci->tyxc", patches, kernels)
            total += ((channels[clip, 1:] - channels[clip, :-1] - answer) ** 2).sum()
    size = CLIPS * (TIMES - 1) * GRID**2 * FEATURES
    found = world["blocks"]["published"]["real_final_test_loss"]
    assert found == pytest.approx(total / size, rel=1e-3)


def test_whitening_knows_the_training_clips_alone():
    rng = np.random.default_rng(5)
    tokens = (rng.normal(size=(20, 3, 4, 4, 6)) @ rng.normal(size=(6, 6)) + 5).astype(np.float16)
    changed = tokens.copy()
    changed[15:] *= 3
    one, same, everyone = (
        whiten(values, [part], None)[0]
        for values, part in (
            (tokens, np.arange(15)),
            (changed, np.arange(15)),
            (changed, np.arange(20)),
        )
    )
    np.testing.assert_array_equal(one.matrix, same.matrix)
    assert not np.allclose(one.matrix, everyone.matrix)
    channels = one.project(tokens[:15]).reshape(-1, 6)
    np.testing.assert_allclose(channels.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(channels.T), np.eye(6), atol=2e-3)


def test_rollout_scores_are_those_of_raw_tokens():
    rng = np.random.default_rng(6)
    tokens = rng.normal(size=(4, 5, 3, 3, 4)) + 2
    (whitening,) = whiten(tokens, [np.arange(4)], None)
    alpha, kernels = rng.uniform(0.5, 2, 4), 0.1 * rng.normal(size=(4, ONE + 1))
    found = roll(tokens, whitening, {"it": (alpha, kernels)})["it"]
    truth = whitening.project(tokens)
    state = truth[:, 0]
    back = np.linalg.inv(whitening.matrix)
    for step in range(1, 5):
        state = state + alpha[:, None, None, None] * apply(state, kernels)
        raw = (state @ back + whitening.mean).reshape(4, -1)
        seen = tokens[:, step].reshape(4, -1)
        norms = np.linalg.norm(raw, axis=1) * np.linalg.norm(seen, axis=1)
        cosine = (raw * seen).sum(1) / norms
        np.testing.assert_allclose(found.cosine[:, step - 1], cosine, atol=1e-5)
        error = ((state - truth[:, step]) ** 2).sum((1, 2, 3))
        np.testing.assert_allclose(found.sse[:, step - 1], error, rtol=1e-4)


def test_families_have_nine_parameters_each(world):
    for basis in FAMILIES.values():
        assert basis.shape == (ONE + 1, 9)
        np.testing.assert_allclose(basis.T @ basis, np.eye(9), atol=1e-12)
    np.testing.assert_allclose(FAMILIES["zero_sum"][:ONE].sum(0), 0, atol=1e-12)
    residual, scale = laplacian_residual(np.stack([-2 * LAPLACIAN, np.ones(ONE)]))
    np.testing.assert_allclose(residual, [0, 1], atol=1e-12)
    np.testing.assert_allclose(scale, [-2, 0], atol=1e-12)


def test_weights_work_in_a_conv2d(world):
    torch = pytest.importorskip("torch")
    folds = splits.nested(np.arange(CLIPS), outer=3, inner=3)
    labels = {"alpha": world["alpha"]}
    tensors = head.weights(head.Spec(permutations=5), world["tokens"], labels, folds)
    assert {value.dtype for value in tensors.values()} == {np.dtype("float32")}
    conv = torch.nn.Conv2d(FEATURES, FEATURES, 3, padding=1, groups=FEATURES, bias=False)
    conv.load_state_dict({"weight": torch.tensor(tensors["real.depthwise.weight"])})
    clip = world["tokens"][0] - tensors["whitening.mean"]
    video = torch.tensor(clip @ tensors["whitening.matrix"], dtype=torch.float32)
    video = video.permute(0, 3, 1, 2)
    with torch.no_grad():
        predicted = video[:-1] + float(world["alpha"][0]) * conv(video[:-1])
    error = ((predicted - video[1:]) ** 2).mean()
    assert float(error) < 0.02 * float(((video[1:] - video[:-1]) ** 2).mean())
    zero_sum = tensors["none_zero_sum.depthwise.weight"]
    np.testing.assert_allclose(zero_sum.sum((1, 2, 3)), 0, atol=1e-6)
    assert tensors["none_zero_sum.source"].shape == (FEATURES,)


def test_diverging_rollouts_are_null_with_a_note():
    rng = np.random.default_rng(7)
    alpha = rng.uniform(0.5, 5, CLIPS)
    tokens = heat(rng, alpha=alpha, rate=alpha)
    alpha[0] = 1e12
    rows, blocks = scored(tokens, alpha)
    diverged = row(rows, metric="rollout_skill", model="real", horizon=4)
    assert diverged.get("value") is None
    assert "diverges" in diverged["note"]
    assert row(rows, metric="rollout_skill", model="none", horizon=4)["value"] > 0
    assert blocks["rollout"]["real"]["skill"][3] is None


def test_same_seed_same_rows(world):
    rows, blocks = scored(world["tokens"], world["alpha"])
    assert rows == world["rows"]
    assert blocks["published"] == world["blocks"]["published"]


def test_sums_in_a_file_that_are_read_in_parts_give_the_same_rows(world, monkeypatch):
    monkeypatch.setattr(scratch, "LARGE", 0)
    monkeypatch.setattr(_kernels, "ROOM", 7 * FEATURES * (ONE + 1) ** 2)
    assert isinstance(Sums.empty(2, 3).gram, np.memmap)
    rows, blocks = scored(world["tokens"], world["alpha"])
    for one, other in zip(rows, world["rows"], strict=True):
        numbers = {key for key, value in other.items() if isinstance(value, float)}
        assert {key: one[key] for key in numbers} == pytest.approx(
            {key: other[key] for key in numbers}, rel=1e-7, abs=1e-10
        )
    assert blocks["choices"] == world["blocks"]["choices"]


def test_what_cannot_be_modelled_is_refused(world):
    folds = splits.nested(np.arange(CLIPS), outer=3, inner=3)
    with pytest.raises(ValueError, match=r"no label 'alpha'.*beta"):
        head.head(head.Spec(), world["tokens"], {"beta": world["alpha"]}, folds)
    with pytest.raises(ValueError, match="constant"):
        scored(np.ones((CLIPS, TIMES, 2, 2, 3)), world["alpha"])
    with pytest.raises(ValueError, match="at least 2"):
        scored(world["tokens"][:, :1], world["alpha"])
    with pytest.raises(ValueError, match="no token changes in time"):
        scored(np.repeat(world["tokens"][:, :1], TIMES, axis=1), world["alpha"])
    broken = world["tokens"].copy()
    broken[4, 2, 1, 1, 0] = np.inf
    with pytest.raises(ValueError, match="tokens are not finite in clip 4"):
        scored(broken, world["alpha"])


@pytest.mark.filterwarnings("error")
def test_weights_of_what_cannot_be_modelled_are_refused(world):
    folds, spec = splits.nested(np.arange(CLIPS), outer=3, inner=3), head.Spec()
    still = np.repeat(world["tokens"][:, :1], TIMES, axis=1)
    for tokens, message in ((still, "no token changes"), (still[:, :1], "at least 2")):
        with pytest.raises(ValueError, match=message):
            head.weights(spec, tokens, {"alpha": world["alpha"]}, folds)


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        (np.where(np.arange(CLIPS) == 5, np.nan, 1.0), "not finite in clip 5"),
        (np.array(["fast"] * CLIPS), "holds fast and the like; expected numbers"),
    ],
)
def test_a_label_that_is_no_number_is_refused(world, alpha, message):
    with pytest.raises(ValueError, match=rf"label 'alpha'.*{message}.*Hint: set `label`"):
        scored(world["tokens"], alpha)
