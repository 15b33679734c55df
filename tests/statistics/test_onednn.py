"""A private operator of torch is used only where it computes what it should."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from physprobe.statistics import onednn


class Operator:
    """An operator that is right, with a fault in one of its forms if that is asked for."""

    def __init__(self, fault: str = "none"):
        self.fault = fault

    def __call__(self, left: Tensor, right: Tensor, bias: Tensor | None, then: str, *_: object):
        found = F.linear(left, right, bias)
        found = F.gelu(found) if then == "gelu" else found
        match self.fault:
            case "raises":
                raise RuntimeError("could not create\na primitive")
            case "differs":
                return found + 1e-3
            case "differs with gelu" if then == "gelu":
                return F.gelu(F.linear(left, right, bias), approximate="tanh") + 1e-3
            case "of another shape":
                return found[..., :1]
        return found

    @property
    def binary(self):
        if self.fault == "no binary":
            raise AttributeError("binary")
        wrong = self.fault == "binary differs"
        return lambda left, other, right, bias, _: F.linear(left, right, bias) + other + wrong


def test_an_operator_that_is_right_agrees():
    assert onednn.agrees(Operator())


@pytest.mark.parametrize(
    "fault",
    [
        "raises",
        "differs",
        "differs with gelu",
        "of another shape",
        "no binary",
        "binary differs",
    ],
)
def test_an_operator_that_is_not_is_not_used(fault: str):
    assert not onednn.agrees(Operator(fault))


def test_an_operator_that_is_absent_is_not_used():
    assert not onednn.agrees(None)
    assert not onednn.agrees(lambda left, right: left @ right.T)


def test_the_operator_of_this_torch_is_tried():
    found = getattr(torch.ops.mkldnn, onednn.NAME, None)
    assert (torch.backends.mkldnn.is_available() and onednn.agrees(found)) == onednn.AVAILABLE
