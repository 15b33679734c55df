"""Every family of transformers through the interface of V-JEPA 2, with what is odd about it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from physprobe.embed import _families, huggingface, untrained

SIZE = {"height": 48, "width": 48, "threads": 1}
WIDTH, SIDE, GRID, BLOCKS, FRAMES = 24, 32, 4, 2, 4
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
SHAPE = {
    "hidden_size": WIDTH,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "patch_size": 8,
    "image_size": SIDE,
    "initializer_range": 0.3,
}
TEXT = {
    "hidden_size": 24,
    "num_hidden_layers": 5,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "vocab_size": 20,
    "projection_dim": 24,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
VIVIT = {**SHAPE, "num_frames": FRAMES, "tubelet_size": [2, 8, 8]}
XCLIP = {**SHAPE, "num_frames": FRAMES, "mit_hidden_size": 24, "mit_num_attention_heads": 2}
XCLIP |= {"mit_intermediate_size": 24, "mit_num_hidden_layers": 1}


def whole(vision: dict) -> dict:
    return {"vision_config": vision, "text_config": TEXT, "projection_dim": 24}


CHECKPOINTS: dict[str, tuple[str, dict]] = {
    "timesformer": ("TimesformerModel", {**SHAPE, "num_frames": FRAMES}),
    "timesformer, classifier": (
        "TimesformerForVideoClassification",
        {**SHAPE, "num_frames": FRAMES, "attention_type": "joint_space_time"},
    ),
    "vivit": ("VivitModel", VIVIT),
    "vivit, classifier": ("VivitForVideoClassification", VIVIT),
    "xclip, part": ("XCLIPVisionModel", XCLIP),
    "xclip": ("XCLIPModel", {**whole(XCLIP), "prompt_num_attention_heads": 2}),
    "dinov3": ("DINOv3ViTModel", {**SHAPE, "num_register_tokens": 3}),
    "siglip, part": ("SiglipVisionModel", SHAPE),
    "siglip": ("SiglipModel", whole(SHAPE)),
    "clip, part": ("CLIPVisionModel", SHAPE),
    "clip": ("CLIPModel", whole(SHAPE)),
    "vit": ("ViTModel", SHAPE),
    "vit, classifier": ("ViTForImageClassification", SHAPE),
    "vit, masked": ("ViTForMaskedImageModeling", {**SHAPE, "encoder_stride": 8}),
    "deit": ("DeiTModel", SHAPE),
    "deit, classifier": ("DeiTForImageClassificationWithTeacher", SHAPE),
}
PROCESSOR = {"crop_size": SIDE, "do_center_crop": True, "resample": 2}
PROCESSOR |= {"image_mean": MEAN, "image_std": STD, "offset": False, "rescale_factor": 1 / 255}


def save(folder: Path, name: str) -> transformers.PreTrainedModel:
    """Checkpoint in a folder, and the part of its model that sees."""
    kind, fields = CHECKPOINTS[name]
    model_class = getattr(transformers, kind)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = model_class(model_class.config_class(**fields)).eval()
        for value in model.parameters():  # biases, norms and extra tokens that do something
            value.data += 0.1 * torch.randn(value.shape)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    if hasattr(model, "vision_model"):
        return model.vision_model
    return model if name == "dinov3" else model.base_model


def load(folder: Path, length: int = 8, **fields: object) -> object:
    return huggingface.load(huggingface.Spec(model=str(folder), **fields), frames=length, **SIZE)


def embed(folder: Path, video: np.ndarray, **fields: object) -> tuple:
    encoder = load(folder, video.shape[1], **fields)
    return encoder, encoder.encode(video, np.arange(len(video)))


def shown(video: np.ndarray) -> torch.Tensor:
    """Network input: (clip, frame, rgb, y, x)."""
    frames = torch.from_numpy(video).permute(0, 1, 4, 2, 3).flatten(0, 1).float()
    frames = torch.nn.functional.interpolate(frames, (SIDE, SIDE), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return ((frames / 255 - mean) / std).unflatten(0, video.shape[:2])


def sorted_out(model: transformers.PreTrainedModel, state: torch.Tensor) -> torch.Tensor:
    """What a model's token stands for, written out token by token: (clip, time, y, x, feature)."""
    kind, config = model.config.model_type, model.config
    front = {"siglip_vision_model": 0, "deit": 2, "dinov3_vit": 4}.get(kind, 1)
    places = [(y, x) for y in range(GRID) for x in range(GRID)]
    if kind == "timesformer":
        where = {(t, y, x): front + (y * GRID + x) * FRAMES + t
                 for y, x in places for t in range(FRAMES)}  # fmt: skip
    elif kind == "vivit":
        where = {(t, y, x): front + (t * GRID + y) * GRID + x for t in range(2) for y, x in places}
    elif kind == "xclip_vision_model":
        state = state.reshape(-1, config.num_frames * state.shape[1], WIDTH)
        where = {(t, y, x): t * 17 + front + y * GRID + x for t in range(FRAMES) for y, x in places}
    else:
        where = {(0, y, x): front + y * GRID + x for y, x in places}
    times = max(t for t, _, _ in where) + 1
    found = torch.empty(len(state), times, GRID, GRID, WIDTH)
    for (t, y, x), token in where.items():
        found[:, t, y, x] = state[:, token]
    return found


def reference(model: transformers.PreTrainedModel, video: np.ndarray) -> list[np.ndarray]:
    """Hidden states as transformers returns them, cut and put together by hand."""
    kind, frames = model.config.model_type, shown(video)
    alone = _families.BY_TYPE[kind].alone
    parts = frames.unbind(1) if alone else frames.split(FRAMES, dim=1)
    states = []
    with torch.inference_mode():
        for part in parts:
            given = part.flatten(0, 1) if kind == "xclip_vision_model" else part
            found = model(given, output_hidden_states=True)
            final = found.last_hidden_state
            if "clip" in kind:  # which norms its class token alone
                assert torch.equal(final, found.hidden_states[-1])
                final = model.post_layernorm(final)
            states.append([sorted_out(model, s) for s in (*found.hidden_states, final)])
    return [torch.cat(layer, 1).numpy() for layer in zip(*states, strict=True)]


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_every_layer_equals_output_hidden_states(name: str, tmp_path: Path, video: np.ndarray):
    model = save(tmp_path, name)
    encoder, found = embed(tmp_path, video, tokens=("0", "final"))
    expected = reference(model, video)
    tubelet = 2 if name.startswith("vivit") else 1

    assert encoder.layers == ("0", "1", "2", "final")
    assert (encoder.features, encoder.grid) == (WIDTH, (GRID, GRID))
    assert huggingface.tubelet(encoder.spec) == encoder.tubelet == tubelet
    assert found.pooled.shape == (3, 4, 8 // tubelet, WIDTH)
    assert not hasattr(encoder.network, "pooler") or encoder.network.pooler is None
    for index, state in enumerate(expected):
        np.testing.assert_allclose(
            found.pooled[:, index], state.mean((2, 3)), rtol=2**-9, atol=2e-3
        )
        assert state.std() > 0.1  # else the agreement would say nothing
    for layer, index in (("0", 0), ("final", -1)):
        np.testing.assert_allclose(found.tokens[layer], expected[index], rtol=2**-9, atol=2e-3)
    assert np.abs(expected[-1] - expected[-2]).max() > 0.1


@pytest.mark.parametrize("name", ["timesformer", "vivit", "xclip, part", "dinov3", "clip, part"])
def test_what_has_seen_the_future_says_so(name: str, tmp_path: Path, video: np.ndarray):
    save(tmp_path, name)
    encoder, before = embed(tmp_path, video)
    changed = video.copy()
    changed[:, 3] = 255 - changed[:, 3]  # the last frame of the first window
    _, after = embed(tmp_path, changed)
    differs = np.abs(before.pooled - after.pooled).max((0, 3)) > 1e-3  # (layer, time)
    seen = 3 // encoder.tubelet
    assert differs[:, seen].all() and not differs[:, seen + 1 :].any()
    assert not differs[0, :seen].any(), "of layer 0 each time is its own frames'"
    assert differs[-1, :seen].any() == encoder.spec.sees_future
    assert encoder.spec.sees_future == (not _families.of(encoder.config.to_dict()).alone)


@pytest.mark.parametrize("name", ["timesformer", "vivit", "xclip, part"])
def test_causal_windows_see_nothing_later(name: str, tmp_path: Path, video: np.ndarray):
    save(tmp_path, name)
    causal = {"causal": True, "window": FRAMES}
    encoder, found = embed(tmp_path, video, **causal)
    _, window = embed(tmp_path, video[:, 2:6])
    last = 6 // encoder.tubelet - 1
    np.testing.assert_allclose(
        found.pooled[:, :, last], window.pooled[:, :, -1], rtol=2**-9, atol=2e-3
    )
    changed = video.copy()
    changed[:, 6:] = 255 - changed[:, 6:]
    _, after = embed(tmp_path, changed, **causal)
    np.testing.assert_array_equal(found.pooled[:, :, : last + 1], after.pooled[:, :, : last + 1])
    with pytest.raises(ValueError, match=r"window: found 8 frames. Hint: give 4, what a "):
        load(tmp_path, causal=True)
    with pytest.raises(ValueError, match=r"clips have 6 frames.*windows of 4"):
        load(tmp_path, 6)


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("timesformer", "encoder.layer.1.temporal_dense.weight"),
        ("clip", "vision_model.encoder.layers.1.mlp.fc1.weight"),
        ("vit, classifier", "vit.encoder.layer.1.intermediate.dense.weight"),
    ],
)
def test_tensors_that_do_not_fit_are_errors(name: str, dropped: str, tmp_path: Path):
    save(tmp_path, name)
    file = tmp_path / "model.safetensors"
    tensors = load_file(file)
    kept = tensors.pop(dropped)
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"don't fit the .*Model of.*: missing .*\. Hint"):
        load(tmp_path)
    numbers = "vision_model.embeddings.position_ids"  # older files of CLIP's like have them
    old = {numbers: torch.arange(17)[None]} if name == "clip" else {}
    more = {"more": kept.clone(), dropped: kept, **old}
    save_file({**tensors, **more}, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"don't fit the .*Model of.*: unexpected more\. Hint"):
        load(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (config.get("vision_config") or config)["num_hidden_layers"] = 3
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        ValueError, match="num_hidden_layers is 3, but the checkpoint's tensors are"
    ):
        load(tmp_path)


def test_what_can_not_be_read_is_refused_by_name(tmp_path: Path):
    model = transformers.TimesformerModel
    fields = {**SHAPE, "num_frames": FRAMES, "attention_type": "space_only"}
    model(model.config_class(**fields)).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    file = tmp_path / "config.json"
    config = json.loads(file.read_text())
    with pytest.raises(ValueError, match="attention_type is 'space_only', which isn't read here"):
        load(tmp_path)
    file.write_text(json.dumps({**config, "model_type": "siglip2"}))
    with pytest.raises(
        ValueError, match=r"model_type 'siglip2', expected .*Hint: docs/own_encoder"
    ):
        load(tmp_path)
    save(tmp_path / "vivit", "vivit")
    file = tmp_path / "vivit/config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "tubelet_size": [2, 8, 4]}))
    with pytest.raises(ValueError, match=r"twice the side of a square|don't fit"):
        load(tmp_path / "vivit")


def told(**fields: object) -> Callable:
    return lambda processor: processor | fields


@pytest.mark.parametrize(
    ("name", "fields", "black", "white"),
    [
        # x / 127.5 - 1, and only then normalised: without offset twice as bright, and other means
        ("vivit", {"image_mean": None, "image_std": None, "do_normalize": False}, -1.0, 1.0),
        ("vivit", {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}, -3.0, 1.0),
        ("siglip", {}, -1.0, 1.0),
        ("vit", {}, -1.0, 1.0),
        ("timesformer", {}, -0.485 / 0.229, 0.515 / 0.229),
        ("dinov3", {}, -0.485 / 0.229, 0.515 / 0.229),
        ("deit", {}, -1.0, 1.0),
        ("clip", {}, -0.48145466 / 0.26862954, 0.51854534 / 0.26862954),
    ],
)
def test_what_a_file_leaves_out_is_as_transformers_has_it(
    name: str, fields: dict, black: float, white: float, tmp_path: Path
):
    save(tmp_path, name)
    given = {"size": SIDE, "crop_size": SIDE, **fields}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(given))
    shown_ = load(tmp_path).preprocessing
    frames = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 48, 48, 3)
    red = shown_(frames)[:, 0, 0, 0]
    np.testing.assert_allclose(red, [black, white], rtol=1e-5)


def test_an_offset_is_of_vivit_alone(tmp_path: Path):
    save(tmp_path, "timesformer")
    (tmp_path / "preprocessor_config.json").write_text(json.dumps({**PROCESSOR, "offset": True}))
    with pytest.raises(ValueError, match="found offset True, expected false, but of a ViViT's"):
        load(tmp_path)


@pytest.mark.parametrize(
    "name", ["timesformer", "vivit", "xclip", "dinov3", "siglip", "clip", "vit"]
)
def test_a_twin_with_random_weights_differs_in_weights_alone(
    name: str, tmp_path: Path, video: np.ndarray
):
    save(tmp_path, name)
    trained, like = load(tmp_path), untrained.Spec(like=str(tmp_path))
    twin, clips = untrained.load(like, frames=8, **SIZE), np.arange(len(video))
    own = twin.encode(video, clips).pooled
    assert np.isfinite(own).all() and own[:, -1].std(axis=0).min() > 1e-3
    assert untrained.load(like, frames=8, **SIZE).provenance == twin.provenance
    norms = {n: v for n, v in twin.network.state_dict().items() if "norm" in n or "_ln." in n}
    assert norms and all((v == float(n.endswith("weight"))).all() for n, v in norms.items())
    with torch.no_grad():
        twin.network.load_state_dict(trained.network.state_dict())
    np.testing.assert_array_equal(
        twin.encode(video, clips).pooled, trained.encode(video, clips).pooled
    )


def test_positions_of_dinov3_stretch(tmp_path: Path, video: np.ndarray):
    save(tmp_path, "dinov3")
    given = {**PROCESSOR, "crop_size": 48, "size": 48}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(given))
    encoder, found = embed(tmp_path, video, tokens=("1",))
    assert encoder.grid == (6, 6) and found.tokens["1"].shape == (3, 8, 6, 6, WIDTH)


def test_each_family_has_its_file_and_reruns_with_it(tmp_path: Path):
    save(tmp_path, "clip")
    assert huggingface.Spec(model=str(tmp_path)).modules == ("embed.networks.clip",)
    assert untrained.Spec(like=str(tmp_path)).modules == ("embed.networks.clip",)
    assert untrained.Spec().modules == ("embed.networks.vjepa",)
    every = huggingface.Spec(model="owner/of_what").modules
    assert len(every) == len(
        {each.module for each in (*_families.BY_TYPE.values(), _families.LATER)}
    )
