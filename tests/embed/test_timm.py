"""Networks of timm are read as it gives them; without timm, that is said."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import save_file

from physprobe.embed import timm as kind

SIZE = {"frames": 4, "height": 48, "width": 48, "threads": 1}
TINY = {"img_size": 32, "patch_size": 8, "depth": 2, "embed_dim": 24, "num_heads": 2}
NAME = "vit_tiny_patch16_224"
needs_timm = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="needs timm")


@pytest.fixture
def weights(tmp_path: Path) -> str:
    """File of a tiny network, whose every parameter does something."""
    import timm

    torch.manual_seed(0)
    network = timm.create_model(NAME, **TINY)
    for value in network.parameters():
        value.data += 0.1 * torch.randn(value.shape)
    save_file(network.state_dict(), tmp_path / "tiny.safetensors")
    return str(tmp_path / "tiny.safetensors")


def load(weights: str | None, name: str = NAME, **fields: object) -> object:
    given = {"arguments": TINY, **fields}
    return kind.load(kind.Spec(model=name, weights=weights, **given), **SIZE)


@needs_timm
def test_layers_are_those_of_forward_intermediates(weights: str, video: np.ndarray):
    encoder = load(weights, tokens=("final",))
    found = encoder.encode(video[:, :4], np.arange(3))
    assert encoder.layers == ("0", "1", "2", "final") and encoder.grid == (4, 4)
    network, shown = encoder.network, encoder.preprocessing(torch.from_numpy(video[0, :4]))
    with torch.inference_mode():
        final, states = network.forward_intermediates(shown, output_fmt="NLC")
    for index, state in ((1, states[0]), (2, states[1]), (3, final[:, 1:])):
        np.testing.assert_allclose(found.pooled[0, index], state.mean(1), rtol=2**-9, atol=2e-3)
    np.testing.assert_allclose(
        found.tokens["final"][0], final[:, 1:].unflatten(1, (4, 4)), rtol=2**-9, atol=2e-3
    )
    assert encoder.preprocessing.mean == (0.5, 0.5, 0.5)
    assert encoder.preprocessing.resample == "bicubic" and not encoder.spec.sees_future
    assert encoder.provenance["versions"]["timm"] and encoder.provenance["weights_hash"]
    other = load(None, seeds=(3,))
    assert other.provenance["label"].startswith("untrained, timm:vit_tiny")
    assert load(weights, preprocess="crop").preprocessing.short == 36  # 32 / 0.9


@needs_timm
def test_what_timm_can_not_give_is_an_error(weights: str):
    with pytest.raises(ValueError, match="timm no_such_network: RuntimeError: Unknown model"):
        load(None, "no_such_network", seeds=(1,))
    with pytest.raises(ValueError, match=r"Missing key.*Hint: timm.list_models\(\) has all names"):
        load(weights, arguments={**TINY, "depth": 3})
    with pytest.raises(ValueError, match="resnet18: has no blocks and norm in a row, but conv1"):
        load(None, "resnet18", seeds=(1,), arguments={})


def test_what_is_known_without_timm(monkeypatch: pytest.MonkeyPatch):
    for fields, message in (
        ({"weights": "a.pth"}, "found 'a.pth', expected a file of safetensors"),
        ({"arguments": {"pretrained": True}}, "pretrained is given by model and weights"),
    ):
        with pytest.raises(ValidationError, match=message):
            kind.Spec(model=NAME, **fields)
    spec = kind.Spec(model=NAME, weights="none.safetensors")
    monkeypatch.setattr(kind, "find_spec", lambda name: None)
    told = list(kind.problems(spec))
    assert told[0].endswith("Hint: pip install 'physprobe[timm]'.")
    assert told[1].startswith("none.safetensors: no such file")
    with pytest.raises(ModuleNotFoundError, match="needs timm, which isn't installed"):
        kind.load(spec, **SIZE)
    assert list(spec.random((1, 2)).members) == [1, 2]
