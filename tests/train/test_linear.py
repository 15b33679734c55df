"""Layers through oneDNN against torch's own: values, gradients, names."""

import pytest
import torch
from torch import nn

from physprobe.statistics import onednn
from physprobe.train import _linear

pytestmark = pytest.mark.skipif(not onednn.AVAILABLE, reason="torch has no oneDNN here")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5, 7), (3, 4, 7), (2, 3, 4, 7)])
def test_values_and_gradients_are_those_of_torch(bias, shape):
    torch.manual_seed(0)
    layer = nn.Linear(7, 11, bias=bias)
    own = nn.Linear(7, 11, bias=bias)
    own.load_state_dict(layer.state_dict())
    _linear.accelerate(own)
    assert type(own) is _linear.Linear
    results = []
    for each in (layer, own):
        value = torch.linspace(-1, 1, torch.Size(shape).numel()).reshape(shape).requires_grad_()
        out = each(value)
        (out**2).sum().backward()
        results.append([out, value.grad, *(p.grad for p in each.parameters())])
    for expected, found in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_a_gradient_is_correct_against_differences_when_the_input_is_no_block_of_memory():
    layer = nn.Linear(4, 3)
    _linear.accelerate(layer)
    value = torch.randn(6, 5, 4).transpose(0, 1).requires_grad_()
    torch.manual_seed(1)
    direction = torch.randn(5, 6, 4)
    (layer(value).sin().sum()).backward()
    with torch.no_grad():
        up, down = (layer(value + s * 1e-2 * direction).sin().double().sum() for s in (1, -1))
    slope = (value.grad * direction).sum()
    torch.testing.assert_close(slope.double(), (up - down) / 2e-2, rtol=2e-3, atol=1e-3)


def test_a_frozen_layer_gets_no_gradient_and_a_copy_keeps_its_kind():
    import copy

    layer = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2))
    _linear.accelerate(layer)
    layer[0].requires_grad_(False)
    twin = copy.deepcopy(layer)
    twin(torch.ones(1, 4)).sum().backward()
    assert twin[0].weight.grad is None
    assert twin[1].weight.grad is not None
    assert type(twin[1]) is _linear.Linear
    assert list(twin.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
