"""Losses of linear models against all pairs themselves and by hand; which terms are inert."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from physprobe.statistics import conditions, projections
from physprobe.train import (
    _gaussian,
    _sensors,
    linear_autoregression,
    linear_bjepa,
    linear_jepa,
    linear_vae,
    linear_vjepa,
)

SYSTEM = {
    "simulate": {
        "kind": "noisy_tv", "sigma": [0, 3], "draws": 2, "train": 6, "test": 1, "frames": 60,
    },
    "render": {"kind": "sensors"},
}  # fmt: skip
KINDS = {
    kind.__name__.rpartition(".")[2]: kind
    for kind in (linear_vae, linear_autoregression, linear_jepa, linear_vjepa, linear_bjepa)
}


def made(name, **fields):
    kind = KINDS[name]
    spec = kind.Spec.strict({"kind": name, "system": SYSTEM, **fields})
    net = SimpleNamespace(**kind.networks(spec))
    return kind, spec, net, _sensors.batch(spec, 0)


def normal_pairs(seed=0, samples=400_000, channels=3):
    """Pairs whose moments are exactly those of the sample, and the sample."""
    rng = np.random.default_rng(seed)
    mix = rng.standard_normal((2 * channels, 2 * channels)) / 2
    both = (
        rng.standard_normal((samples, 2 * channels)) @ mix + rng.standard_normal(2 * channels) / 3
    )
    now, later = both[:, :channels], both[:, channels:]
    first, second = now.mean(0), later.mean(0)
    found = projections.Moments(
        *(
            (a - a.mean(0)).T @ (b - b.mean(0)) / samples
            for a, b in ((now, now), (now, later), (later, later))
        ),
        np.stack([first, second]),
        samples,
    )
    return _gaussian.Pairs.of(projections.Moments.stacked([found])), now, later


def maps(*shapes, seed=1):
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(0.5 * rng.standard_normal((1, *shape))).float() for shape in shapes]


def test_moments_are_those_of_all_pairs():
    pairs, now, later = normal_pairs()
    a, b = maps((2, 3), (2, 3))
    error = ((now @ a[0].numpy().T - later @ b[0].numpy().T) ** 2).mean(0)
    np.testing.assert_allclose(_gaussian.squared_error(a, pairs, b)[0], error, rtol=1e-4)
    (c,) = maps((3, 3))
    error = ((now @ c[0].numpy().T - later) ** 2).mean(0)
    np.testing.assert_allclose(_gaussian.squared_error(c, pairs)[0], error, rtol=1e-4)


def test_exponentials_are_those_of_a_normal():
    pairs, now, later = normal_pairs()
    a, v, b = maps((2, 3), (2, 3), (2, 3))
    told = np.exp(now @ v[0].numpy().T).mean(0)
    np.testing.assert_allclose(_gaussian.exponential(v, pairs)[0], told, rtol=0.02)
    noise = torch.tensor([[0.7, 1.3]])
    level = now @ v[0].numpy().T
    error = (later @ b[0].numpy().T - now @ a[0].numpy().T) ** 2 + noise.numpy()
    expected = (level + np.exp(-level) * error + math.log(2 * math.pi)).mean(0) / 2
    found = _gaussian.likelihood(a, v, b, noise, pairs)[0]
    np.testing.assert_allclose(found, expected, rtol=0.02)


def test_likelihood_by_hand():
    """x = x' of variance 2 and mean 0; A = 1/2, B = 1, l = v x with v = 1/2, noise 1."""
    one = torch.ones(1, 1, 1)
    pairs = _gaussian.Pairs(
        2 * one, 2 * one, 2 * one, torch.zeros(1, 2, 1), 2 * one[:, None].expand(1, 3, 1, 1), 9
    )
    # z - A x = x / 2 of variance 1/2; cov with l: 1/2; E exp(-l) = exp(1/4)
    expected = (math.exp(0.25) * (0.5 + 1 + 0.25) + math.log(2 * math.pi)) / 2
    found = _gaussian.likelihood(one / 2, one / 2, one, torch.ones(1, 1), pairs)
    assert found.item() == pytest.approx(expected)


def test_vicreg_by_hand():
    """Covariance (4, 1; 1, 1/4) / (3/4) of four samples."""
    square = torch.tensor([[[3.0, 0.75], [0.75, 0.1875]]])
    hinge, apart = _gaussian.regularised(torch.eye(2)[None], square, 4)
    # variances 4 and 1/4: shortfalls 0 and 1/2; two squared covariances of 1, over 2 features
    assert hinge.item() == pytest.approx((1 - math.sqrt(0.25 + 1e-4)) / 2)
    assert apart.item() == pytest.approx(1)


def test_divergence_by_hand():
    found = _gaussian.divergence(torch.tensor(3.0), torch.tensor(math.log(2.0)))
    assert found.item() == pytest.approx((2 + 3 - 1 - math.log(2)) / 2)


def test_vae_is_that_of_samples():
    kind, spec, net, batch = made("linear_vae")
    told = kind.terms(spec, net, batch)
    found = _sensors.world(spec)
    rng = np.random.default_rng(0)
    for number in (0, 3):
        moments = found.moments
        x = rng.multivariate_normal(moments.mean[number, 0], moments.now[number], 100_000)
        mean, level = (x @ m.weight[number].detach().numpy().T for m in (net.encoder, net.spread))
        z = mean + np.exp(level / 2) * rng.standard_normal(mean.shape)
        back = z @ net.decoder.weight[number].detach().numpy().T
        error = ((x - back) ** 2).mean()
        divergence = (np.exp(level) + mean**2 - 1 - level).sum(1).mean() / 2
        assert told["reconstruction"][number].item() == pytest.approx(error, rel=0.03)
        assert told["divergence"][number].item() == pytest.approx(divergence, rel=0.03)


def test_learned_vae_reaches_probabilistic_pca():
    """Loss at its optimum: half the mean of -2 log p, less the constant c log 2 pi."""
    _, _, _, batch = made("linear_vae", variances="learned")
    found = trained("linear_vae", variances="learned", steps=4000, learning_rate=0.01)
    square = batch.products[:, 0].double().numpy()
    for number in range(4):
        values = np.linalg.eigvalsh(square[number])[::-1]
        noise = values[4:].mean()
        expected = (np.log(values[:4]).sum() + 16 * np.log(noise) + 20) / 2
        assert found[number] == pytest.approx(expected, abs=0.3)


def trained(name, steps, learning_rate=1e-3, **fields):
    """Loss (condition,) after some steps."""
    kind, spec, net, batch = made(name, **fields)
    values = [v for n in vars(net).values() for v in n.parameters() if v.requires_grad]
    optimiser = torch.optim.Adam(values, learning_rate)
    for step in range(steps):
        optimiser.zero_grad()
        kind.loss(spec, net, batch, {})[0].backward()
        optimiser.step()
        if hasattr(kind, "after_step"):
            kind.after_step(spec, net, step / steps)
    if not hasattr(kind, "terms"):
        error = _gaussian.squared_error(net.decoder.weight @ net.encoder.weight, batch.pairs)
        return error.mean(-1).detach().numpy()
    return sum(kind.terms(spec, net, batch).values()).detach().numpy()


def test_autoregression_reaches_reduced_rank_regression():
    found = trained("linear_autoregression", steps=4000, learning_rate=0.01)
    _, _, _, batch = made("linear_autoregression")
    now, across, following = batch.products.double().numpy().transpose(1, 0, 2, 3)
    for number in range(4):
        whole = across[number].T @ np.linalg.solve(now[number], across[number])
        values = np.linalg.eigvalsh(whole)[::-1]
        expected = (np.trace(following[number]) - values[:4].sum()) / 20
        assert found[number] == pytest.approx(expected, rel=0.02)


def gradients(name, **fields):
    """Largest gradient that each term gives to each network, by term, of those above 0."""
    kind, spec, net, batch = made(name, **fields)
    found = {}
    for term, value in kind.terms(spec, net, batch).items():
        for network in vars(net).values():
            network.zero_grad()
        if value.requires_grad:
            value.sum().backward(retain_graph=True)
        found[term] = {
            known
            for known, network in vars(net).items()
            for v in network.parameters()
            if v.grad is not None and v.grad.abs().max() > 1e-7
        }
    return found


def test_inert_terms_as_published():
    """Terms of the target are constants of a step; the prior's begins at its least, alone."""
    assert gradients("linear_jepa") == {
        "invariance": {"encoder", "predictor"},
        "variance_of_predicted": {"encoder", "predictor"},
        "covariance_of_predicted": {"encoder", "predictor"},
        "variance_of_target": set(),
        "covariance_of_target": set(),
    }
    vjepa = {"likelihood": {"encoder", "predictor", "spread"}, "divergence_of_target": set()}
    assert gradients("linear_vjepa") == vjepa
    assert gradients("linear_bjepa") == {**vjepa, "divergence_of_prior": set()}


def test_no_term_is_inert_where_variances_are_learned():
    own = {"encoder", "predictor"}
    vjepa = {
        "likelihood": {*own, "spread", "target_spread"},
        # at first the target's log-variance is 0, where exp(t) - t is least
        "divergence_of_target": {"encoder"},
        "variance_of_predicted": own,
        "covariance_of_predicted": own,
    }
    assert gradients("linear_vjepa", variances="learned") == vjepa
    prior = gradients("linear_bjepa", variances="learned")["divergence_of_prior"]
    assert {*own, "prior", "prior_spread"} <= prior


def test_published_bjepa_trains_what_vjepa_does():
    for name in ("encoder", "predictor"):
        one, other = (weights(kind, name) for kind in ("linear_vjepa", "linear_bjepa"))
        assert torch.equal(one, other)
    prior = weights("linear_bjepa", "prior", "level")
    assert prior.abs().max() == 0


def weights(kind_, network, what="weight", steps=20):
    kind, spec, net, batch = made(kind_)
    values = [v for n in vars(net).values() for v in n.parameters() if v.requires_grad]
    optimiser = torch.optim.Adam(values, 1e-3)
    for step in range(steps):
        optimiser.zero_grad()
        kind.loss(spec, net, batch, {})[0].backward()
        optimiser.step()
        kind.after_step(spec, net, step / steps)
    return getattr(getattr(net, network), what).detach()


def test_log_variance_without_bias_is_best_at_nothing():
    """Both exponentials have their least value of all directions there, about the mean 0."""
    pairs, *_ = normal_pairs()
    pairs = pairs._replace(mean=pairs.mean * 0)
    a, b = maps((2, 3), (2, 3))
    noise = torch.ones(1, 2)
    least = _gaussian.likelihood(a, 0 * a, b, noise, pairs)
    for seed in range(20):
        (v,) = maps((2, 3), seed=seed)
        assert (_gaussian.exponential(v, pairs) > 1).all()
        assert (_gaussian.likelihood(a, v, b, noise, pairs) > least).all()


def test_jepa_of_two_white_channels_by_hand():
    """x' = (x1, 0) in the mean: predicted and target are x1; the loss is what is left of x2."""
    eye = torch.eye(2)[None]
    across = torch.diag(torch.tensor([1.0, 0.5]))[None]
    zero = torch.zeros(1, 2, 2)
    batch = _sensors.Batch(
        eye, across, eye, zero, torch.stack([eye, across, eye], 1), torch.tensor(1e9), eye
    )
    _, spec, _, _ = made("linear_jepa", width=2)
    whole = SimpleNamespace(weight=eye)
    net = SimpleNamespace(encoder=whole, predictor=whole, target=whole)
    found = {name: value.item() for name, value in linear_jepa.terms(spec, net, batch).items()}
    # |x1 - x1'|^2 = 0, |x2 - x2'|^2 = 1 - 2/2 + 1 = 1, mean 1/2, times 25
    assert found["invariance"] == pytest.approx(12.5)
    assert found["variance_of_predicted"] == pytest.approx(0, abs=1e-6)
    assert found["covariance_of_predicted"] == pytest.approx(0, abs=1e-6)


def test_first_weights_are_those_of_a_draw_whatever_the_loudness():
    _, spec, net, _ = made("linear_jepa")
    names = _sensors.world(spec).found
    assert names.table[:, 2].tolist() == [0, 3, 0, 3]
    weight = net.encoder.weight.detach()
    assert torch.equal(weight[0], weight[1])
    assert not torch.equal(weight[0], weight[2])
    assert weight.abs().max() <= 1 / math.sqrt(20)


def test_judge_is_least_squares():
    _, spec, net, _ = made("linear_jepa")
    found = _sensors.judge(spec, 1)(net.encoder)
    simulate = spec.system.simulate
    from physprobe.simulate import noisy_tv

    labels = noisy_tv.draw(simulate)
    sensors, states = noisy_tv.solved(simulate, labels)
    of, each = conditions.numbered(labels, noisy_tv.CONDITIONS).of, []
    for number in range(4):
        clips = (of == number) & (labels["split"] == "train")
        z = sensors[clips][:, :-1].reshape(-1, 20) @ net.encoder.weight[number].detach().numpy().T
        z = np.c_[z, np.ones(len(z))]
        s = states["signal_1"][clips][:, :-1].ravel()
        error = z @ np.linalg.lstsq(z, s, rcond=None)[0] - s
        each.append(1 - (error**2).sum() / ((s - s.mean()) ** 2).sum())
    assert found["states/signal_1"] == pytest.approx(np.mean(each), abs=1e-4)
