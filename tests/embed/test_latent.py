"""Latents of small networks: a token for each frame, members as trained, random twins."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from physprobe.config.latent import MODEL_TYPE, Latent, Seen
from physprobe.embed import latent as kind
from physprobe.embed import twin
from physprobe.embed.networks import latent

SIZES = Latent(history=3, embedding=5, channels=(2, 3), hidden=(4,))
SHOWN = Seen(side=16)
VIDEO = np.random.default_rng(0).integers(0, 256, (2, 6, 16, 16, 3), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two members, as a recipe writes it."""
    tensors = {}
    for seed in (4, 7):
        network = latent.drawn(seed, lambda: {"encoder": latent.Encoder(SIZES, SHOWN)})["encoder"]
        start = latent.named(seed, "encoder")
        tensors |= {start + name: value for name, value in network.state_dict().items()}
    save_file(tensors, tmp_path / "model.safetensors")
    content = {"model_type": MODEL_TYPE, **SIZES.dump(), **SHOWN.dump()}
    (tmp_path / "config.json").write_text(json.dumps(content))
    return tmp_path


def embed(spec: kind.Spec, video: np.ndarray = VIDEO) -> np.ndarray:
    size = dict(zip(("frames", "height", "width"), video.shape[1:4], strict=True))
    encoder = kind.load(spec, **size, threads=1)
    found = encoder.encode(video, np.arange(len(video))).pooled
    assert found.shape == (len(video), 1, len(encoder.spans), encoder.features)
    return found[:, 0]


def test_a_token_is_the_latent_of_the_history_that_ends_with_its_frame(folder):
    spec = kind.Spec(model=str(folder), seeds=(4, 7))
    assert list(spec.members) == [4, 7]
    found = embed(spec.members[7])
    network = latent.drawn(7, lambda: {"encoder": latent.Encoder(SIZES, SHOWN)})["encoder"]
    frames = torch.from_numpy(VIDEO).float().mean(-1)[:, :, None] / 255
    for time in range(6):
        history = frames[:, [max(time - 2, 0), max(time - 1, 0), time]]
        expected = network(history).detach().numpy()
        np.testing.assert_allclose(found[:, time], expected, rtol=1e-4, atol=1e-6)


def test_later_frames_change_nothing(folder):
    spec = kind.Spec(model=str(folder), seeds=(4,)).members[4]
    changed = VIDEO.copy()
    changed[:, 4:] = 0
    np.testing.assert_array_equal(embed(spec)[:, :4], embed(spec, changed)[:, :4])
    assert not spec.sees_future and spec.model_copy(update={"frames": "shuffled"}).sees_future


def test_random_twins_have_the_architecture_and_other_weights(folder):
    spec = kind.Spec(model=str(folder), seeds=(4, 7))
    other = twin.Spec(weights="random").of(spec)
    assert list(other.members) == [1, 2, 3, 4, 5] and other.origins == spec.origins
    encoder = kind.load(other, frames=6, height=16, width=16, threads=1)
    assert encoder.provenance["label"].startswith("untrained,")
    assert embed(other.members[1]).shape == embed(spec.members[4]).shape
    assert not np.allclose(embed(other.members[1]), embed(spec.members[4]))


@pytest.mark.parametrize(
    ("change", "video", "message"),
    [
        ({"seeds": (5,)}, VIDEO, "has no member 5. Hint: members are 4, 7"),
        (
            {},
            VIDEO[:, :, :8],
            "trained on clips of height 16, width 16, but these have height 8, width 16",
        ),
    ],
)
def test_what_does_not_fit_is_named(folder, change, video, message):
    with pytest.raises(ValueError, match=message):
        embed(kind.Spec(model=str(folder), **change), video)


@pytest.mark.parametrize("more", [{"tokens": ("0",)}, {"causal": True}])
def test_options_that_mean_nothing_are_refused(folder, more):
    with pytest.raises(ValueError, match="leave it out"):
        kind.Spec(model=str(folder), **more)
