"""Networks of named fields: sizes, symmetry, and what a folder that a recipe wrote is read as."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from physprobe.config.fields import MODEL_TYPE, FieldNetwork, Shown
from physprobe.embed import fields as kind
from physprobe.embed import twin
from physprobe.embed.networks import fields, latent

SIZES = {
    "convnext": FieldNetwork.strict(
        {"frames": 4, "widths": [4, 6], "blocks": [1, 1], "kernel": 5, "head_width": 6,
         "scale": 1.0}
    ),
    "vit": FieldNetwork.strict(
        {"network": "vit", "frames": 4, "widths": [8], "blocks": [1], "patch": 4, "tubelet": 2,
         "heads": 2, "head_width": 8}
    ),
}  # fmt: skip
CLIPS = np.random.default_rng(0).normal(2.0, 3.0, (3, 8, 12, 16, 2)).astype("float32")


def shown(periodic=(True, True), channels=("u", "v"), side=(12, 16)) -> Shown:
    return Shown(
        height=side[0], width=side[1], channels=channels, periodic=periodic,
        mean=(2.0,) * len(channels), deviation=(3.0, 1.5, *(1.0,) * 20)[: len(channels)],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields_", "count"), [(11, 2_468_720), (4, 2_466_928)], ids=["active matter", "other fluids"]
)
def test_the_published_network_has_the_published_parameters(fields_, count):
    sizes = FieldNetwork(preset="published")
    seen = shown(channels=tuple("abcdefghijk"[:fields_]), side=(224, 224))
    with torch.device("meta"):
        encoder, head = fields.encoder(sizes, seen), fields.Head(sizes, seen, 128)
    assert fields.parameters([encoder]) == count
    assert fields.parameters([head]) == 801_664  # published: 0.802 M
    assert encoder.grid == (1, 14, 14) and head.enter.convolution.kernel_size == (1, 2, 2)


@pytest.mark.parametrize("preset", ["small", "published"])
def test_both_networks_of_a_preset_are_about_as_large_and_as_fine(preset):
    seen = shown(channels=tuple("abcd"), side=(224, 224))
    counts, grids = [], []
    for network in ("convnext", "vit"):
        with torch.device("meta"):
            encoder = fields.encoder(FieldNetwork(network=network, preset=preset), seen)
        counts.append(fields.parameters([encoder]))
        grids.append(encoder.grid[1:])
    assert 0.8 < counts[1] / counts[0] < 1.25 and grids[0] == grids[1]


def made(network: str, periodic=(True, True)) -> tuple:
    seen = shown(periodic)
    return latent.drawn(
        1,
        lambda: (fields.encoder(SIZES[network], seen), fields.Head(SIZES[network], seen, 3)),
    )


def test_shifted_fields_have_shifted_features_where_the_world_is_periodic():
    frames = torch.from_numpy(CLIPS[:, :4])
    for periodic in ((True, True), (False, True), (True, False)):
        encoder, head = made("convnext", periodic)
        with torch.no_grad():
            found = encoder(frames)
            painted = head(found)
            assert found.shape == (3, 2, 3, 4, 6) and painted.shape == (3, 2, 3, 4, 3)
            for axis, wraps in zip((2, 3), periodic, strict=True):
                moved = encoder(frames.roll(4, axis))
                same = torch.allclose(moved, found.roll(1, axis), atol=1e-5)
                assert same == wraps
                again = torch.allclose(head(found.roll(1, axis)), painted.roll(1, axis), atol=1e-5)
                assert again == wraps
            assert not torch.allclose(encoder(frames.roll(1, 3)), found.roll(1, 3), atol=1e-3)


def test_a_periodic_convolution_is_that_of_fields_laid_side_by_side():
    layer = fields.Convolution(1, 1, (1, 3, 3), (False, True))
    field = torch.randn(1, 1, 1, 5, 6, generator=torch.Generator().manual_seed(0))
    three = torch.nn.functional.pad(torch.cat([field] * 3, -1), (0, 0, 1, 1))
    expected = layer.convolution(three)[..., 5:11]
    torch.testing.assert_close(layer(field), expected)


def test_places_are_told_apart_and_waves_fit_a_periodic_domain():
    found = fields.positions((2, 4, 6), 48, (False, True)).double()
    gaps = torch.cdist(found, found) + 9 * torch.eye(48, dtype=torch.float64)
    assert gaps.min() > 0.1
    grid = found.unflatten(0, (2, 4, 6))
    likeness = grid[0, 0] @ grid[0, 0].T
    for row in range(6):
        torch.testing.assert_close(likeness[row].roll(-row), likeness[0])
    rows = grid[0, :, 0] @ grid[0, :, 0].T
    assert rows[0, 3] < rows[0, 1], "behind a wall the last row is no neighbour of the first"


def test_tokens_that_are_left_out_are_not_seen():
    encoder, _ = made("vit")
    frames = torch.from_numpy(CLIPS[:, :4])
    with torch.no_grad():
        tokens = encoder.tokens(frames)
        whole = encoder.seen(tokens)
        torch.testing.assert_close(encoder(frames).flatten(1, 3), whole)
        torch.testing.assert_close(encoder.each(frames)[-1].flatten(1, 3), whole)
        assert not torch.allclose(encoder.seen(tokens[:, :9]), whole[:, :9], atol=1e-4)


@pytest.fixture(params=SIZES)
def folder(request, tmp_path: Path) -> Path:
    """A folder of two members, as a recipe writes it."""
    sizes, seen = SIZES[request.param], shown((False, True))
    tensors = {}
    for seed in (4, 7):
        network = latent.drawn(seed, lambda: fields.encoder(sizes, seen))
        tensors[seed] = {f"encoder.{name}": v for name, v in network.state_dict().items()}
    latent.save(tensors, tmp_path / "model.safetensors")
    content = {"model_type": MODEL_TYPE, "recipe": "x", **sizes.dump(), **seen.dump(), "data": {}}
    (tmp_path / "config.json").write_text(json.dumps(content))
    return tmp_path


def loaded(spec: kind.Spec, video: np.ndarray = CLIPS):
    names = ("frames", "height", "width", "channels")
    return kind.load(spec, **dict(zip(names, video.shape[1:], strict=True)), threads=1)


def test_layers_are_means_of_what_each_stage_makes_of_normed_groups(folder):
    spec = kind.Spec(model=str(folder), seeds=(4, 7))
    encoder = loaded(spec.members[7])
    found = encoder.encode(CLIPS, np.arange(3)).pooled
    last = "2" if encoder.sizes.network == "convnext" else "final"
    assert encoder.layers == ("0", "1", last)
    assert found.shape == (3, 3, 4, encoder.features) and found.dtype == np.float32
    assert encoder.spans.tolist() == [[0, 2], [2, 4], [4, 6], [6, 8]]
    network = latent.drawn(7, lambda: fields.encoder(encoder.sizes, shown((False, True))))
    normed = torch.from_numpy((CLIPS - 2) / np.array([3.0, 1.5])).float()
    for clip in range(3):
        for group in range(2):
            with torch.no_grad():
                layers = network.each(normed[clip, 4 * group : 4 * group + 4][None])
            for number, layer in enumerate(layers):
                times = layer[0].mean((1, 2)).unflatten(0, (2, -1)).mean(1).numpy()
                own = found[clip, number, 2 * group : 2 * group + 2]
                np.testing.assert_allclose(own[:, : times.shape[1]], times, rtol=1e-4, atol=1e-5)
                assert not own[:, times.shape[1] :].any()
    assert encoder.provenance["architecture"]["mean"] == [2.0, 2.0]
    other = loaded(spec.members[4])
    assert other.provenance["weights_hash"] != encoder.provenance["weights_hash"]


def test_groups_do_not_see_each_other_and_orders_are_those_asked_for(folder):
    spec = kind.Spec(model=str(folder), seeds=(4,))
    found = loaded(spec).encode(CLIPS, np.arange(3)).pooled
    changed = CLIPS.copy()
    changed[:, 4:] = 0
    np.testing.assert_array_equal(
        found[:, :, :2], loaded(spec).encode(changed, np.arange(3)).pooled[:, :, :2]
    )
    for how in ("shuffled", "repeated"):
        asked = spec.model_copy(update={"frames": how})
        other = loaded(asked)
        assert not np.allclose(other.encode(CLIPS, np.arange(3)).pooled, found)
        assert f"{how} frames" in other.provenance["label"]
    still = np.repeat(CLIPS[:, 4:5], 8, 1)
    repeated = loaded(spec.model_copy(update={"frames": "repeated"}))
    np.testing.assert_array_equal(
        repeated.encode(CLIPS, np.arange(3)).pooled, loaded(spec).encode(still, np.arange(3)).pooled
    )


def test_random_twins_are_of_the_architecture_and_tokens_are_kept(folder):
    spec = kind.Spec(model=str(folder), seeds=(4, 7))
    other = twin.Spec(weights="random").of(spec)
    assert list(other.members) == [1, 2, 3, 4, 5] and other.origins == spec.origins and other.twin
    random = loaded(other.members[2])
    assert random.provenance["label"].startswith("untrained, ")
    assert random.provenance["hf_repo"] != str(folder)
    last = random.layers[-1]
    kept = loaded(spec.members[4].model_copy(update={"tokens": (last,)}))
    found = kept.encode(CLIPS, np.arange(3))
    assert found.tokens[last].shape == (3, 4, *kept.grid, kept.features)
    np.testing.assert_allclose(
        found.tokens[last].mean((2, 3)), found.pooled[:, -1], rtol=1e-4, atol=1e-5
    )
    twin_ = random.encode(CLIPS, np.arange(3)).pooled
    assert twin_.shape == found.pooled.shape and not np.allclose(twin_, found.pooled)


@pytest.mark.parametrize(
    ("change", "clips", "message"),
    [
        ({"seeds": (5,)}, CLIPS, "has no member 5. Hint: members are 4, 7"),
        ({}, CLIPS[:, :, :8], r"12 x 16 cells and 2 fields \(u, v\), but these have 8 x 16 cells"),
        ({}, CLIPS[..., :1], "these have 12 x 16 cells and 1 fields"),
        ({}, CLIPS[:, :6], "can't be cut into groups of 4"),
        ({"tokens": ("9",)}, CLIPS, "not of '9'"),
    ],
)
def test_what_does_not_fit_is_named(folder, change, clips, message):
    with pytest.raises(ValueError, match=message):
        loaded(kind.Spec(model=str(folder), **{"seeds": (4,), **change}), clips)


def test_causal_windows_mean_nothing_here():
    with pytest.raises(ValueError, match="leave it out"):
        kind.Spec(model="x", causal=True)
