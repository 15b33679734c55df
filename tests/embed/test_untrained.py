"""Random weights: the same everywhere, from no one else's stream, and labelled."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from physprobe.embed import huggingface, untrained

SIZE = {"frames": 8, "height": 48, "width": 48, "threads": 1}
SMALL = {"hidden_size": 24, "num_hidden_layers": 2, "crop_size": 32}


def load(**fields: object) -> object:
    return untrained.load(untrained.Spec(**{**SMALL, **fields}), **SIZE)


def test_weights_are_the_same_on_every_machine():
    # written down once: another machine, thread count or library has to draw the same
    expected = "ac1afe5cba11dbeae1c28a5aa566aee164d85953a5debf22170645cab194aea0"
    assert load(seeds=(0,)).provenance["weights_hash"] == expected
    hashes = {load(seeds=(seed,)).provenance["weights_hash"] for seed in range(3)}
    assert len(hashes) == 3


def test_global_random_numbers_are_left_alone():
    import torch

    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    load()
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)  # noqa: NPY002


@pytest.mark.parametrize(("init", "width"), [("fan_in", 96), ("fixed", 96)])
def test_initialisation_has_the_stated_spread(init: str, width: int):
    encoder = load(hidden_size=width, init=init)
    state = encoder.network.state_dict()
    for name, value in state.items():
        if value.ndim > 1:
            std = value[0].numel() ** -0.5 if init == "fan_in" else 0.02
            assert float(value.std()) == pytest.approx(std, rel=0.05), name
        else:
            assert (value == float("norm" in name and name.endswith("weight"))).all(), name
    assert {name for name in state if name.endswith("norm1.weight")}
    assert init in encoder.provenance["label"]


def test_label_says_untrained(video: np.ndarray):
    encoder = load(frames="repeated", causal=True, window=4)
    about = encoder.provenance
    assert about["hf_repo"] == "untrained"
    assert about["label"] == (
        "untrained, 24 wide, 2 blocks, fan_in init, seed 1, repeated frames,"
        " causal windows of 4 frames"
    )
    found = encoder.encode(video, np.arange(len(video)))
    assert found.pooled.dtype == encoder.dtype == "float16"
    assert found.pooled.shape == (3, 4, 4, 24)
    np.testing.assert_array_equal(encoder.spans, [[0, 2], [2, 4], [4, 6], [6, 8]])


def test_twin_has_the_architecture_of_a_checkpoint(checkpoint: Path, video: np.ndarray):
    (checkpoint / "model.safetensors").unlink()  # its weights are not looked at
    twin = untrained.load(untrained.Spec(like=str(checkpoint)), **SIZE)
    assert twin.layers == ("0", "1", "2", "3", "final")
    assert twin.features == 24
    assert twin.preprocessing.mean == (0.5, 0.4, 0.3)
    assert f"untrained, like {checkpoint}" in twin.provenance["label"]
    assert twin.encode(video, np.arange(3)).pooled.shape == (3, 5, 4, 24)
    assert untrained.tubelet(untrained.Spec(like=str(checkpoint))) == 2


def test_twin_differs_from_its_checkpoint_in_weights_alone(checkpoint: Path, video: np.ndarray):
    import torch

    trained = huggingface.load(huggingface.Spec(model=str(checkpoint)), **SIZE)
    twin = untrained.load(untrained.Spec(like=str(checkpoint)), **SIZE)
    clips = np.arange(3)
    assert not np.allclose(
        twin.encode(video, clips).pooled, trained.encode(video, clips).pooled, atol=1e-2
    )
    with torch.no_grad():
        twin.network.load_state_dict(trained.network.state_dict())
    np.testing.assert_array_equal(
        twin.encode(video, clips).pooled, trained.encode(video, clips).pooled
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_attention_heads": 5}, "multiple of 5 heads"),
        ({"crop_size": 60}, "multiple of patch_size, 8"),
        ({"like": "a/b", "hidden_size": 64}, "hidden_size is given by a/b"),
        ({"window": 0}, "greater than or equal to 1"),
        ({"frames": "reversed"}, "'ordered', 'shuffled' or 'repeated'"),
    ],
)
def test_impossible_specs_are_errors(fields: dict, message: str):
    with pytest.raises(ValidationError, match=message):
        untrained.Spec(**fields)


def test_spec_survives_the_command_line():
    spec = untrained.Spec(like="a/b", tokens=("final",))
    assert untrained.Spec.parse(spec.canonical()) == spec
    assert untrained.tubelet(spec) is None
    assert untrained.tubelet(untrained.Spec(tubelet_size=4)) == 4
