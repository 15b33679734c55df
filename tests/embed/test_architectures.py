"""VideoMAE and DINOv2 through the interface of V-JEPA 2: every layer as transformers gives it."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from physprobe.embed import huggingface, untrained

SIZE = {"height": 48, "width": 48, "threads": 1}
WIDTH, SIDE, GRID = 24, 32, 4
MEAN, STD = [0.5, 0.4, 0.3], [0.2, 0.3, 0.4]
SHAPE = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "patch_size": 8,
    "image_size": SIDE,
    "initializer_range": 0.3,
}
VIDEOMAE = {
    **SHAPE,
    "num_frames": 4,
    "intermediate_size": 32,
    "decoder_hidden_size": 24,
    "decoder_num_attention_heads": 2,
    "decoder_num_hidden_layers": 1,
    "decoder_intermediate_size": 24,
}
CHECKPOINTS = {
    "videomae": ("VideoMAEModel", {**VIDEOMAE, "use_mean_pooling": False}),
    "videomae, as published": ("VideoMAEForPreTraining", {**VIDEOMAE, "use_mean_pooling": False}),
    "videomae, fine-tuned": ("VideoMAEForVideoClassification", VIDEOMAE),
    "dinov2": ("Dinov2Model", {**SHAPE, "mlp_ratio": 2}),
    "dinov2, larger inputs": ("Dinov2Model", {**SHAPE, "mlp_ratio": 2, "image_size": 56}),
    "dinov2, classifier": ("Dinov2ForImageClassification", {**SHAPE, "mlp_ratio": 2}),
    "dinov2, registers": (
        "Dinov2WithRegistersModel",
        {**SHAPE, "mlp_ratio": 2, "num_register_tokens": 3},
    ),
}


def save(folder: Path, name: str) -> transformers.PreTrainedModel:
    """Checkpoint in a folder, and the model that it was made from, without its head."""
    kind, fields = CHECKPOINTS[name]
    model_class = getattr(transformers, kind)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = model_class(model_class.config_class(**fields)).eval()
        for value in model.parameters():  # biases, norms and extra tokens that do something
            value.data += 0.1 * torch.randn(value.shape)
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"crop_size": SIDE, "resample": 2, "image_mean": MEAN, "image_std": STD})
    )
    return model.base_model


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


def reference(model: transformers.PreTrainedModel, video: np.ndarray) -> list[np.ndarray]:
    """Hidden states as transformers returns them, cut and put together by hand."""
    clips, frames, spatial = len(video), shown(video), slice(-(GRID**2), None)
    if model.config.model_type == "videomae":
        parts, spatial = frames.split(model.config.num_frames, dim=1), slice(None)
    else:
        parts = frames.unbind(1)
    states = []
    with torch.inference_mode():
        for part in parts:
            found = model(part, output_hidden_states=True)
            states.append([*found.hidden_states, found.last_hidden_state])
    return [
        torch.cat([state[:, spatial].reshape(clips, -1, GRID, GRID, WIDTH) for state in layer], 1)
        .float()
        .numpy()
        for layer in zip(*states, strict=True)
    ]


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_every_layer_equals_output_hidden_states(name: str, tmp_path: Path, video: np.ndarray):
    model = save(tmp_path, name)
    encoder, found = embed(tmp_path, video, tokens=("0", "final"))
    expected = reference(model, video)
    tubelet = 2 if name.startswith("videomae") else 1

    assert encoder.layers == ("0", "1", "2", "final")
    assert (encoder.features, encoder.grid) == (WIDTH, (GRID, GRID))
    starts = np.arange(0, 8, tubelet)
    np.testing.assert_array_equal(encoder.spans, np.stack([starts, starts + tubelet], 1))
    assert huggingface.tubelet(encoder.spec) == tubelet
    assert found.pooled.shape == (3, 4, len(starts), WIDTH)
    for index, state in enumerate(expected):
        np.testing.assert_allclose(
            found.pooled[:, index], state.mean((2, 3)), rtol=2**-10, atol=1e-5
        )
        assert state.std() > 0.1  # else the agreement would say nothing
    for layer, index in (("0", 0), ("final", -1)):
        np.testing.assert_allclose(found.tokens[layer], expected[index], rtol=2**-10, atol=1e-4)
    normed = np.abs(expected[-1] - expected[-2]).max() > 0.1
    assert normed == (name != "videomae, fine-tuned")  # which norms the mean of its tokens


@pytest.mark.parametrize("name", ["dinov2", "dinov2, registers"])
def test_dinov2_sees_every_frame_by_itself(name: str, tmp_path: Path, video: np.ndarray):
    save(tmp_path, name)
    _, whole = embed(tmp_path, video, tokens=("final",), batch=1)
    for frame in (0, 3, 7):
        _, alone = embed(tmp_path, video[:, frame : frame + 1], tokens=("final",))
        np.testing.assert_allclose(
            whole.pooled[:, :, frame], alone.pooled[:, :, 0], rtol=2**-9, atol=1e-5
        )
        np.testing.assert_allclose(
            whole.tokens["final"][:, frame], alone.tokens["final"][:, 0], rtol=2**-9, atol=1e-4
        )
    encoder, causal = embed(tmp_path, video, causal=True, window=1)
    np.testing.assert_allclose(causal.pooled, whole.pooled, rtol=2**-9, atol=1e-5)
    assert encoder.provenance["label"].endswith("causal windows of 1 frame")


def test_videomae_sees_every_window_by_itself(tmp_path: Path, video: np.ndarray):
    save(tmp_path, "videomae")
    _, whole = embed(tmp_path, video, batch=3)
    for start in (0, 4):
        _, alone = embed(tmp_path, video[:, start : start + 4])
        times = slice(start // 2, start // 2 + 2)
        np.testing.assert_allclose(whole.pooled[:, :, times], alone.pooled, rtol=2**-9, atol=1e-5)


def test_causal_videomae_sees_nothing_later_and_its_first_frame_in_front(
    tmp_path: Path, video: np.ndarray
):
    save(tmp_path, "videomae")
    causal = {"causal": True, "window": 4, "tokens": ("final",)}
    _, found = embed(tmp_path, video, **causal)
    for time, frames in enumerate(([0, 0, 0, 1], [0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7])):
        _, window = embed(tmp_path, video[:, frames], tokens=("final",))
        np.testing.assert_allclose(
            found.pooled[:, :, time], window.pooled[:, :, -1], rtol=2**-9, atol=1e-5
        )
        np.testing.assert_allclose(
            found.tokens["final"][:, time], window.tokens["final"][:, -1], rtol=2**-9, atol=1e-4
        )
    changed = video.copy()
    changed[:, 4:] = 255 - changed[:, 4:]
    _, after = embed(tmp_path, changed, **causal)
    np.testing.assert_array_equal(found.pooled[:, :, :2], after.pooled[:, :, :2])
    assert np.abs(found.pooled - after.pooled)[:, -1, 2:].max() > 1e-2


@pytest.mark.parametrize("name", ["videomae", "dinov2"])
def test_twins_rearrange_frames_first(name: str, tmp_path: Path, video: np.ndarray):
    save(tmp_path, name)
    _, repeated = embed(tmp_path, video, frames="repeated")
    _, still = embed(tmp_path, np.repeat(video[:, 4:5], 8, axis=1))
    np.testing.assert_array_equal(repeated.pooled, still.pooled)
    encoder, shuffled = embed(tmp_path, video, frames="shuffled")
    assert encoder.provenance["label"].endswith(", shuffled frames")
    _, ordered = embed(tmp_path, video)
    assert not np.allclose(shuffled.pooled, ordered.pooled, atol=1e-2)
    if name == "dinov2":  # no frame is lost, and none has seen another
        for a, b in zip(shuffled.pooled[0, -1], ordered.pooled[0, -1], strict=True):
            assert np.abs(ordered.pooled[0, -1] - a).max(1).min() < 1e-2
            assert np.abs(shuffled.pooled[0, -1] - b).max(1).min() < 1e-2


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("videomae", "encoder.layer.1.intermediate.dense.weight"),
        ("videomae, as published", "videomae.encoder.layer.1.intermediate.dense.weight"),
        ("dinov2", "encoder.layer.1.mlp.fc1.weight"),
    ],
)
def test_tensors_that_do_not_fit_are_errors(name: str, dropped: str, tmp_path: Path):
    save(tmp_path, name)
    file = tmp_path / "model.safetensors"
    tensors = load_file(file)
    kept = tensors.pop(dropped)
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=rf"missing {dropped.removeprefix('videomae.')}.*Hint"):
        load(tmp_path)
    save_file({**tensors, dropped: kept, "more": kept.clone()}, file, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=r"don't fit the .*Model of.*: unexpected more\. Hint"):
        load(tmp_path)


def test_misfits_are_errors(tmp_path: Path):
    videomae, dinov2 = tmp_path / "videomae", tmp_path / "dinov2"
    save(videomae, "videomae")
    save(dinov2, "dinov2")
    for folder, fields, message in (
        (videomae, {"length": 6}, r"6 frames.*windows of 4. Hint: 4 frames"),
        (videomae, {"length": 2}, r"2 frames.*windows of 4. Hint: 4 frames"),
        (videomae, {"causal": True}, r"window: found 8 frames. Hint: give 4, what a VideoMAEModel"),
        (dinov2, {"causal": True}, r"window: found 8 frames. Hint: give 1, what a Dinov2Model"),
        (dinov2, {"tokens": ("3",)}, r"tokens: found '3'.*0, 1, 2, final"),
    ):
        with pytest.raises(ValueError, match=message):
            load(folder, **fields)
    processor = {"image_mean": MEAN, "image_std": STD}
    for folder, fields, message in (
        (videomae, {"crop_size": 40}, "crop_size 40, config.json has 32"),
        (dinov2, {"resample": 1}, r"resample 1, expected 2 \(bilinear\) or 3 \(bicubic\)"),
    ):
        (folder / "preprocessor_config.json").write_text(json.dumps({**processor, **fields}))
        with pytest.raises(ValueError, match=message):
            load(folder)


def test_positions_of_dinov2_stretch_to_the_declared_crop(tmp_path: Path, video: np.ndarray):
    save(tmp_path, "dinov2, larger inputs")
    file = tmp_path / "preprocessor_config.json"
    file.write_text(json.dumps({"crop_size": 48, "size": {"shortest_edge": 54}, "resample": 3}))
    encoder, found = embed(tmp_path, video, tokens=("1",))
    assert encoder.grid == (6, 6)
    assert found.tokens["1"].shape == (3, 8, 6, 6, WIDTH)
    about = load(tmp_path, preprocess="crop").preprocessing
    assert (about.crop, about.short, about.resample) == (48, 54, "bicubic")


def test_tubelets_are_known_before_anything_is_loaded(tmp_path: Path):
    def tubelet(config: dict) -> int | None:
        (tmp_path / "config.json").write_text(json.dumps(config))
        return huggingface.tubelet(huggingface.Spec(model=str(tmp_path)))

    assert tubelet({"model_type": "videomae", "tubelet_size": 4}) == 4
    assert tubelet({"model_type": "dinov2"}) == 1
    assert tubelet({"model_type": "vjepa2"}) == tubelet({"model_type": "videomae"}) == 2
    assert tubelet({"model_type": "vivit", "tubelet_size": [4, 8, 8]}) == 4
    assert tubelet({"model_type": "clip", "vision_config": {}}) == 1
    assert tubelet({"model_type": "siglip2"}) is None
    assert huggingface.tubelet(huggingface.Spec(model="facebook/dinov2-base")) is None


@pytest.mark.parametrize("name", ["videomae", "dinov2", "dinov2, registers"])
def test_a_twin_with_random_weights_differs_in_weights_alone(
    name: str, tmp_path: Path, video: np.ndarray
):
    """Fault 12: only a V-JEPA 2 had one."""
    save(tmp_path, name)
    trained = load(tmp_path)
    twin = untrained.load(untrained.Spec(like=str(tmp_path)), frames=8, **SIZE)
    clips, again = np.arange(len(video)), untrained.Spec(like=str(tmp_path))
    own = twin.encode(video, clips).pooled
    assert own.shape == trained.encode(video, clips).pooled.shape and np.isfinite(own).all()
    assert own[:, -1].std(axis=0).min() > 1e-3, "it tells clips and times apart"
    assert untrained.load(again, frames=8, **SIZE).provenance == twin.provenance
    assert twin.provenance["hf_repo"] == "untrained"
    with torch.no_grad():
        twin.network.load_state_dict(trained.network.state_dict())
    np.testing.assert_array_equal(
        twin.encode(video, clips).pooled, trained.encode(video, clips).pooled
    )
