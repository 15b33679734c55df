"""Losses and averages against what they are by hand."""

import math

import pytest
import torch
from torch import nn

from physprobe.train import _average, _losses, _tokens


def test_variance_is_the_shortfall_below_one():
    # variances 2 and 0.02 with n - 1; only the second lacks something
    embeddings = torch.tensor([[0.0, 0.0], [2.0, 0.2]])
    expected = (0 + 1 - math.sqrt(0.02 + 1e-4)) / 2
    assert _losses.variance(embeddings).item() == pytest.approx(expected, rel=1e-5)
    assert _losses.variance(10 * embeddings).item() == 0
    assert _losses.variance(0 * embeddings).item() == pytest.approx(1 - 0.01)


def test_covariance_counts_pairs_of_different_features():
    # centred columns (0, 2, -2) and (2, -2, 0): C12 = C21 = -4 / 2, twice their squares over 2
    embeddings = torch.tensor([[1.0, 2.0], [3.0, -2.0], [-1.0, 0.0]])
    assert _losses.covariance(embeddings).item() == pytest.approx(4.0)
    assert _losses.covariance(embeddings + 100).item() == pytest.approx(4.0, rel=1e-4)
    assert _losses.covariance(torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])).item() == 0


def test_covariance_equals_numpy():
    embeddings = torch.randn(20, 7, generator=torch.Generator().manual_seed(0))
    matrix = torch.cov(embeddings.double().T)
    expected = sum(matrix[i, j] ** 2 for i in range(7) for j in range(7) if i != j) / 7
    assert _losses.covariance(embeddings).item() == pytest.approx(expected.item(), rel=1e-5)


def test_latent_is_the_distance_to_normed_states():
    # (1, 3) is (-1, 1) once normed
    hidden = torch.tensor([[1.0, 3.0]], requires_grad=True)
    predicted = torch.tensor([[-0.5, 3.0]], requires_grad=True)
    loss = _losses.latent(predicted, hidden)
    assert loss.item() == pytest.approx((0.5 + 2) / 2, rel=1e-4)
    again = _losses.latent(predicted, 50 * hidden + 7)
    assert again.item() == pytest.approx(loss.item(), rel=1e-4)
    loss.backward()
    torch.testing.assert_close(predicted.grad, torch.tensor([[0.5, 0.5]]))
    assert hidden.grad is None, "the target gets no gradient"


def test_pixels_are_normed_by_patch_and_colour():
    # one tubelet of two frames, two colours, patches of 2 pixels in a row; values run frame, colour
    patch = torch.tensor([[[0.0, 2.0, 5.0, 5.0, 4.0, 6.0, 5.0, 5.0]]])
    found = _losses.normalised_pixels(patch, tubelet=2, colours=2)
    # first colour 0 2 4 6: mean 3, variance 20 / 3; the second is flat
    side = 1 / math.sqrt(20 / 3)
    expected = torch.tensor([-3 * side, -side, 0, 0, side, 3 * side, 0, 0]).expand(1, 1, -1)
    torch.testing.assert_close(found, expected)
    moved = _losses.normalised_pixels(30 * patch + 4, tubelet=2, colours=2)
    torch.testing.assert_close(moved, expected, atol=1e-5, rtol=0)


def test_normed_pixels_are_those_of_the_video():
    video = torch.rand(2, 4, 3, 16, 8, generator=torch.Generator().manual_seed(0))
    found = _losses.normalised_pixels(_tokens.patches(video, 2, 8), 2, 3)
    # second token in time, second in y
    tubelet = video[1, 2:4, :, 8:]
    for colour in range(3):
        values = tubelet[:, colour]
        expected = (values - values.mean()) / values.std()
        got = found[1, 3].unflatten(0, (2, 3, 8, 8))[:, colour]
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_change_is_scaled_by_the_inverse_sine_since_the_last_frame():
    steps = torch.tensor([7.0, 0.0, -3.0, 1.0, 40.0])
    field = 0.1 + 0.02 * torch.sinh(torch.tensor([9.0, 0.0, -3.0, 1.0, 5.0]))
    field[4] = 0.1  # not asked for
    clip = field[None, :, None, None].expand(2, -1, 3, 3)
    found = _losses.change(clip, first=2, frames=2, scale=0.02)
    torch.testing.assert_close(found, steps[None, 2:4, None, None].expand(2, -1, 3, 3))
    # small changes stay in proportion
    assert _losses.change(clip * 1e-6, 2, 2, 0.02)[0, 1, 0, 0] == pytest.approx(
        1e-6 * math.sinh(1), rel=1e-3
    )


def test_a_follower_moves_by_its_part_of_the_distance():
    network = nn.Linear(2, 2)
    slow = _average.follower(network)
    assert not any(value.requires_grad for value in slow.parameters())
    with torch.no_grad():
        slow.weight.fill_(1.0), network.weight.fill_(3.0)
    _average.follow(slow, network, 0.75)
    assert torch.equal(slow.weight, torch.full((2, 2), 1.5))
    assert torch.equal(network.weight, torch.full((2, 2), 3.0)) and network.weight.requires_grad
    _average.follow(slow, network, 1.0)
    assert torch.equal(slow.weight, torch.full((2, 2), 1.5))
    _average.follow(slow, network, 0.0)
    assert torch.equal(slow.weight, network.weight)


def test_momentum_goes_straight_from_end_to_end():
    found = [_average.momentum((0.998, 1.0), progress) for progress in (0, 0.5, 1)]
    assert found == pytest.approx([0.998, 0.999, 1.0])
