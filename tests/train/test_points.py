"""Losses on points against cases that are solved by hand, and what a short training reaches."""

import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from physprobe.config import kinds
from physprobe.embed.networks import points
from physprobe.train import _losses, _points, stage
from physprobe.train._points_models import Points

SYSTEM = {"simulate": {"kind": "mixture", "clips": 10}, "render": {"kind": "points"}}
KINDS = [k for k in kinds.names("train") if issubclass(kinds.load("train", k).Spec, Points)]


def made(name, seen, drawn, **fields):
    """Loss of some points, with networks that are given in place of its own."""
    networks = {n: fields.pop(n) for n in ("encoder", "target", "predictor") if n in fields}
    kind = kinds.load("train", name)
    spec = kind.Spec.strict({"kind": name, "system": SYSTEM, **fields})
    batch = _points.Batch(torch.tensor(seen))
    drawn = {key: torch.tensor(value) for key, value in drawn.items()}
    return kind.loss(spec, SimpleNamespace(**networks), batch, drawn)[0].item()


def linear(*rows, bias=None):
    """Map with these rows."""
    layer = nn.Linear(len(rows[0]), len(rows), bias=bias is not None)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(rows))
        if bias is not None:
            layer.bias.copy_(torch.tensor(bias))
    return layer


class Bowl(nn.Module):
    """Energy a |x|^2 / 2."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, seen):
        return self.size * seen.square().sum(1, keepdim=True) / 2


def test_contrastive_by_hand():
    """E = x + 1: on points of x 1 and 3, mean 3; on noise of x -1 and 1, mean of 1 and exp(-2)."""
    found = made(
        "contrastive", [[1.0, 5], [3, 7]], {"noise": [[-1.0, 2], [1, 2]]},
        encoder=linear([1.0, 0.0], bias=[1.0]),
    )  # fmt: skip
    assert found == pytest.approx(3 + (1 + math.exp(-2)) / 2)


def test_dsm_by_hand():
    """E = a |x|^2 / 2 at x = (1, 0), e = s (1, -1), s = 2: s -grad E + e / s, halved for s^2."""
    found = made(
        "dsm", [[1.0, 0.0]], {"noise": [[1.0, -1.0]], "deviation": 2.0}, encoder=Bowl(0.25)
    )
    # noisy point (3, -2), grad E (.75, -.5); 1 - 2 * .75 and -1 + 2 * .5
    assert found == pytest.approx((0.25 + 0) / 2)


def test_right_sign_of_dsm_is_least():
    """Of points N(0, I) with noise of 1 the best a of E = a |x|^2 / 2 is 1/2, not -1/2."""
    rng = np.random.default_rng(0)
    seen, noise = (rng.standard_normal((20_000, 2), np.float32) for _ in range(2))
    loss = {
        size: made("dsm", seen, {"noise": noise, "deviation": 1.0}, encoder=Bowl(size))
        for size in (-0.5, 0.4, 0.5, 0.6)
    }
    assert min(loss, key=loss.get) == 0.5
    assert loss[0.5] == pytest.approx(0.5, abs=0.02)  # 1 - E |x|^2 / 4 / 2, |x|^2 of mean 4
    assert loss[-0.5] > 2


def test_energies_and_scores_of_a_bowl():
    energy, gradient = points.energies(Bowl(3.0), torch.tensor([[1.0, -2.0]]))
    assert energy.tolist() == [7.5]
    assert gradient.tolist() == [[3.0, -6.0]]
    features = points.function([Bowl(3.0), Bowl(1.0)], True)
    np.testing.assert_allclose(
        features(np.array([[1.0, -2.0]]))[:, 0], [[7.5, -3, 6], [2.5, -1, 2]]
    )
    np.testing.assert_allclose(features(np.array([[1.0, -2.0]]), 1)[:, 0], [[2.5, -1, 2]])


HALF = math.sqrt(0.5)


@pytest.mark.parametrize(
    ("name", "drawn", "fields", "expected"),
    [
        # directions (1, 0) and (0, 1) of a point and its noisy copy; and equal ones of another
        ("jepa_basic", {"noise": [[-1.0, 1.0], [0, 2]]}, {}, (2 + 0) / 4),
        ("jepa_ema", {"noise": [[-1.0, 1.0], [0, 2]]}, {}, (2 + 0) / 4),
        # (1, 0), (0, 1) with (0, 1), (0, 1): squared distances 2, 2, 0, 0
        ("jepa_pairwise", {"noise": [[-1.0, 1.0], [0, 2]]}, {}, 1.0),
        # context (1, 0) and 0; target (0, 0) and (0, 1)
        ("jepa_masked", {"seen": [1.0, 0.0]}, {}, (1 + 1) / 4),
        # whole targets (1, 0), (0, 1); contexts (1, 0), 0; squared distances 0, 2, 1, 1
        ("jepa_masked", {"seen": [1.0, 0.0]}, {"goal": "whole", "pairs": "all"}, 1.0),
        # half of all pairs, 1 as above, and half of masked ones
        ("jepa_ema", {"noise": [[-1.0, 1.0], [0, 2]], "seen": [1.0, 0.0]}, {"mixed": True}, 0.75),
    ],
)  # fmt: skip
def test_directions_by_hand(name, drawn, fields, expected):
    """Points (1, 0) and (0, 1), whose networks leave them as they are."""
    own = {"encoder": nn.Identity(), "target": nn.Identity()}
    found = made(name, [[1.0, 0.0], [0, 1]], drawn, **own, **fields)
    assert found == pytest.approx(expected, abs=1e-6)


def test_predictor_stands_before_the_target():
    """A predictor that turns by a right angle meets a target that does."""
    turn = linear([0.0, -1.0], [1, 0])
    seen = [[1.0, 0.0], [2.0, 0.0]]
    own = {"encoder": nn.Identity(), "predictor": turn, "target": turn}
    drawn = {"seen": [1.0, 0.0]}
    shared = {"predictor": True, "goal": "whole"}
    kind = kinds.load("train", "jepa_masked")
    spec = kind.Spec.strict({"kind": "jepa_masked", "system": SYSTEM, **shared})
    batch, drawn = _points.Batch(torch.tensor(seen)), {k: torch.tensor(v) for k, v in drawn.items()}
    assert kind.loss(spec, SimpleNamespace(**own), batch, drawn)[0].item() == pytest.approx(0)
    own["predictor"] = nn.Identity()
    assert kind.loss(spec, SimpleNamespace(**own), batch, drawn)[0].item() == pytest.approx(1)


def test_pairwise_is_the_mean_over_pairs():
    rng = torch.Generator().manual_seed(0)
    first, second = (torch.randn(n, 3, generator=rng) for n in (5, 7))
    expected = torch.cdist(first, second).square().mean()
    torch.testing.assert_close(_losses.pairwise(first, second), expected)
    same = first[:1].expand(4, 3)
    assert _losses.pairwise(same, same).item() == pytest.approx(0, abs=1e-5)


def test_redundancy_by_hand():
    """Features +-1 and their copy: C = ((1, 1), (1, 1)) times n - 1 over n; apart, the identity."""
    four = torch.tensor([[1.0, 1], [-1, -1], [1, 1], [-1, -1]])
    assert _losses.redundancy(four, four, 0.1).item() == pytest.approx(
        2 * (0.75 - 1) ** 2 + 0.1 * 2 * 0.75**2, rel=1e-4
    )
    apart = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    assert _losses.redundancy(3 * apart + 5, apart, 0.1).item() == pytest.approx(
        2 * (0.75 - 1) ** 2, rel=1e-3
    )


def test_views_by_hand():
    """Points (0, 0) and (2, 2), second views (1, 0) further; both features vary by 2, together."""
    drawn = {"first": [[0.0, 0], [0, 0]], "second": [[1.0, 0], [1, 0]]}
    own = {"encoder": nn.Identity()}
    seen = [[0.0, 0], [2, 2]]
    # difference 1/2; no shortfall; covariance 2: 2 * 4 / 2 of either view
    found = made("vicreg", seen, drawn, **own)
    assert found == pytest.approx(25 * 0.5 + 2 * 4.0)
    small = made("vicreg", [[0.0, 0], [0, 0]], drawn, **own)
    assert small == pytest.approx(25 * 0.5 + 10 * 2 * (1 - 0.01), rel=1e-5)
    # C = ((1, 1), (1, 1)) / 2 of two samples
    twins = made("barlow_twins", seen, drawn, **own, off_diagonal=0.2)
    assert twins == pytest.approx(2 * 0.25 + 0.2 * 2 * 0.25, rel=1e-3)
    along = {**drawn, "directions": [[0.0], [1.0]]}
    phase = np.linspace(-5, 5, 17)
    normal = np.exp(-(phase**2) / 2)
    apart = ((1 + np.cos(2 * phase)) / 2 - normal) ** 2 + (np.sin(2 * phase) / 2) ** 2
    normality = np.trapezoid(apart * normal, phase)
    normal_one = made("sigreg", seen, along, **own, weight=0.25)
    assert normal_one == pytest.approx(0.75 * 0.5 + 0.25 * normality, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_members_are_trained_together_and_kept(kind, tmp_path):
    """Two members of every recipe, a few steps; a resumed folder is what the encoder reads."""
    entry = {"kind": kind, "system": SYSTEM, "seeds": [3, 5], "steps": 3, "points": 50, "batch": 8}
    more = {"noises": [2.0, 0.5]} if kind == "dsm" else {}
    out = tmp_path / "one/model.safetensors"
    stage.run(out=out, spec=json.dumps({**entry, **more}))
    content, tensors = points.read(out.parent)
    assert len(content["deviations"]) == 1 + (kind == "dsm")
    assert {name.split("/")[0] for name in tensors} == {"3", "5"}
    first, second = (points.restored(content, tensors, seed, out.parent) for seed in (3, 5))
    seen = torch.ones(1, 2)
    given = [network(seen) for network in (*first, *second)]
    assert len({tuple(each[0].tolist()) for each in given}) == len(given), "all of them differ"
    with pytest.raises(ValueError, match="no member 4"):
        points.restored(content, tensors, 4, out.parent)


def test_masked_and_mixed_variants_train_together(tmp_path):
    shared = {"system": SYSTEM, "seeds": [1, 2], "steps": 2, "points": 50, "batch": 8}
    variants = [
        {"kind": "jepa_masked", "predictor": True, "goal": "whole", "pairs": "all"},
        {"kind": "jepa_ema", "mixed": True},
    ]
    for number, entry in enumerate(variants):
        stage.run(out=tmp_path / f"{number}/model.safetensors", spec=json.dumps(shared | entry))
        assert (tmp_path / f"{number}/README.md").exists()


def test_faults_are_named():
    kind = kinds.load("train", "contrastive")
    heat = {"simulate": {"kind": "heat"}, "render": {"kind": "fields"}}
    with pytest.raises(ValueError, match="no points in a plane"):
        kind.Spec.strict({"kind": "contrastive", "system": heat})
    with pytest.raises(ValueError, match="4096"):
        kind.Spec.strict({"kind": "contrastive", "system": SYSTEM, "seeds": [5000]})
