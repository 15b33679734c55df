"""Checkpoints are read whole or not at all, and every layer comes out as the model gives it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from physprobe.embed import huggingface

SIZE = {"frames": 8, "height": 48, "width": 48, "threads": 1}


def embed(checkpoint: Path, video: np.ndarray, **fields: object) -> tuple:
    size = SIZE | {"frames": video.shape[1]}
    encoder = huggingface.load(huggingface.Spec(model=str(checkpoint), **fields), **size)
    return encoder, encoder.encode(video, np.arange(len(video)))


def reference(checkpoint: Path, video: np.ndarray) -> list[np.ndarray]:
    """Hidden states as transformers returns them, layer by layer: (clip, time, y, x, feature)."""
    import torch
    from transformers import VJEPA2Model

    model = VJEPA2Model.from_pretrained(checkpoint, dtype=torch.float32).eval()
    frames = torch.from_numpy(video).permute(0, 1, 4, 2, 3).flatten(0, 1).float()
    frames = torch.nn.functional.interpolate(frames, (32, 32), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in ([0.5, 0.4, 0.3], [0.2, 0.3, 0.4]))
    frames = ((frames / 255 - mean) / std).unflatten(0, video.shape[:2])
    with torch.inference_mode():
        found = model(frames, skip_predictor=True, output_hidden_states=True)
        states = [*found.hidden_states, found.last_hidden_state]
        normed = model.encoder.layernorm(found.hidden_states[-1])
    assert torch.equal(normed, found.last_hidden_state)
    return [state.unflatten(1, (-1, 4, 4)).numpy() for state in states]


def test_every_layer_equals_output_hidden_states(checkpoint: Path, video: np.ndarray):
    encoder, found = embed(checkpoint, video, tokens=("1", "final"), batch=2)
    expected = reference(checkpoint, video)

    assert encoder.layers == ("0", "1", "2", "3", "final")
    assert found.pooled.shape == (len(video), 5, 4, 24)
    for index, state in enumerate(expected):
        half = np.abs(state.mean((2, 3))) * 2**-11 + 1e-6  # half a step of float16, and 1e-6
        assert (np.abs(found.pooled[:, index] - state.mean((2, 3))) <= half).all()
    assert set(found.tokens) == {"1", "final"}
    for layer, index in (("1", 1), ("final", 4)):
        np.testing.assert_allclose(found.tokens[layer], expected[index], rtol=2**-10, atol=1e-5)
    assert expected[1].std() > 0.1  # else the agreement above would say nothing


def test_hooks_pool_in_float32_to_1e_6(checkpoint: Path):
    import torch
    from transformers import VJEPA2Model

    from physprobe.embed.networks import pool

    model = VJEPA2Model.from_pretrained(checkpoint, dtype=torch.float32).eval()
    frames = torch.randn(2, 8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    encoder = model.encoder
    modules = dict(enumerate([encoder.embeddings, *encoder.layer, encoder.layernorm]))
    with torch.inference_mode():
        with pool.hooked(modules, lambda h: h.unflatten(1, (-1, 4, 4))) as (pooled, spatial):
            encoder(pixel_values_videos=frames)
        assert not any(module._forward_hooks for module in model.modules())
        found = model(frames, skip_predictor=True, output_hidden_states=True)
    expected = [*found.hidden_states, found.last_hidden_state]
    assert len(pooled) == len(expected) == 5
    assert not spatial
    for index, state in enumerate(expected):
        means = state.unflatten(1, (-1, 4, 4)).mean((2, 3))
        torch.testing.assert_close(pooled[index], means, rtol=0, atol=1e-6)


def test_clips_are_independent_of_batch_and_company(checkpoint: Path, video: np.ndarray):
    _, alone = embed(checkpoint, video[1:2])
    for batch in (1, 2, 5):
        _, together = embed(checkpoint, video, batch=batch)
        np.testing.assert_allclose(together.pooled[1], alone.pooled[0], rtol=2**-9, atol=1e-5)


def test_causal_windows_see_nothing_later(checkpoint: Path, video: np.ndarray):
    changed = video.copy()
    changed[:, 5:] = 255 - changed[:, 5:]  # inside the third token's tubelet
    spec = {"causal": True, "window": 4, "tokens": ("final",)}
    _, before = embed(checkpoint, video, **spec)
    _, after = embed(checkpoint, changed, **spec)
    np.testing.assert_array_equal(before.pooled[:, :, :2], after.pooled[:, :, :2])
    np.testing.assert_array_equal(before.tokens["final"][:, :2], after.tokens["final"][:, :2])
    assert (np.abs(before.pooled[:, -1, 2:] - after.pooled[:, -1, 2:]).max(-1) > 1e-2).all()

    _, whole = embed(checkpoint, video)
    _, whole_changed = embed(checkpoint, changed)
    assert np.abs(whole.pooled - whole_changed.pooled)[:, -1, :2].max() > 1e-2  # without windows


def test_causal_window_is_the_clip_cut_there(checkpoint: Path, video: np.ndarray):
    _, found = embed(checkpoint, video, causal=True, window=4, batch=1)
    spec = huggingface.Spec(model=str(checkpoint))
    for time, frames in enumerate((slice(0, 2), slice(0, 4), slice(2, 6), slice(4, 8))):
        cut = video[:, frames]
        encoder = huggingface.load(spec, **{**SIZE, "frames": cut.shape[1]})
        last = encoder.encode(cut, np.arange(len(video))).pooled[:, :, -1]
        np.testing.assert_allclose(found.pooled[:, :, time], last, rtol=2**-9, atol=1e-5)


def test_repeated_frame_is_a_still_clip(checkpoint: Path, video: np.ndarray):
    _, found = embed(checkpoint, video, frames="repeated")
    still = np.repeat(video[:, 4:5], 8, axis=1)
    _, expected = embed(checkpoint, still)
    np.testing.assert_array_equal(found.pooled, expected.pooled)


def test_shuffled_frames_follow_seed_and_clip(checkpoint: Path, video: np.ndarray):
    _, ordered = embed(checkpoint, video)
    encoder, shuffled = embed(checkpoint, video, frames="shuffled")
    assert "shuffled frames" in encoder.provenance["label"]
    assert not np.allclose(shuffled.pooled, ordered.pooled, atol=1e-2)
    later = encoder.encode(video[2:], np.array([2]))  # as after a resume
    np.testing.assert_allclose(later.pooled[0], shuffled.pooled[2], rtol=2**-9, atol=1e-5)
    other = encoder.encode(video[2:], np.array([7]))
    assert not np.allclose(other.pooled[0], shuffled.pooled[2], atol=1e-2)


def test_crop_drops_the_border(checkpoint: Path, video: np.ndarray):
    border = video.copy()
    border[:, :, :2] = border[:, :, -2:] = 0  # 48 px become 36, of which 2 go on each side
    _, cropped = embed(checkpoint, video, preprocess="crop")
    _, cropped_border = embed(checkpoint, border, preprocess="crop")
    np.testing.assert_array_equal(cropped.pooled[:, 0], cropped_border.pooled[:, 0])
    _, resized = embed(checkpoint, video)
    _, resized_border = embed(checkpoint, border)
    assert np.abs(resized.pooled - resized_border.pooled).max() > 1e-2


def test_provenance_names_the_weights(checkpoint: Path, video: np.ndarray):
    encoder, _ = embed(checkpoint, video)
    about = encoder.provenance
    assert about["hf_repo"] == about["label"] == str(checkpoint)
    assert (about["device"], about["dtype"]) in {("cpu", "float32"), ("cuda", "bfloat16")}
    json.dumps(about)

    def nudge(tensors: dict) -> None:
        tensors["encoder.layer.1.mlp.fc1.weight"][0, 0] += 1e-3

    damage(checkpoint, nudge)
    again, _ = embed(checkpoint, video)
    assert len(about["weights_hash"]) == 64
    assert again.provenance["weights_hash"] != about["weights_hash"]


def write_hashes(folder: Path) -> None:
    """Table of what ships."""
    from physprobe.config import shipped

    (folder / shipped.TABLE).write_text(
        "".join(
            f"{hashlib.sha256((folder / 'tiny' / name).read_bytes()).hexdigest()}  tiny/{name}\n"
            for name in shipped.FILES
        )
    )


def damage(checkpoint: Path, change: Callable[[dict], object]) -> None:
    file = checkpoint / "model.safetensors"
    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file, metadata={"format": "pt"})


def test_weights_hash_is_of_tensors_not_of_files(checkpoint: Path, video: np.ndarray):
    before = embed(checkpoint, video)[0].provenance["weights_hash"]
    file = checkpoint / "model.safetensors"
    size = file.stat().st_size
    save_file(load_file(file), file, metadata={"format": "pt", "note": "saved again"})
    assert file.stat().st_size != size
    assert embed(checkpoint, video)[0].provenance["weights_hash"] == before


LAYER = "encoder.layer.1.mlp.fc1.weight"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop(LAYER), f"missing {LAYER}"),
        (lambda t: t.pop("predictor.layernorm.weight"), "missing predictor.layernorm.weight"),
        (lambda t: t.update(extra=t[LAYER].clone()), "unexpected extra"),
        (lambda t: t.update({LAYER: t[LAYER][:-1].clone()}), f"of another shape {LAYER}"),
    ],
)
def test_tensors_that_do_not_fit_are_errors(checkpoint: Path, change: Callable, message: str):
    damage(checkpoint, change)
    with pytest.raises(ValueError, match=message):
        huggingface.load(huggingface.Spec(model=str(checkpoint)), **SIZE)


def test_overflow_names_clip_and_layer(checkpoint: Path, video: np.ndarray):
    def burst(tensors: dict) -> None:
        tensors["encoder.layer.1.mlp.fc2.bias"].fill_(1e6)

    damage(checkpoint, burst)
    encoder = huggingface.load(huggingface.Spec(model=str(checkpoint)), **SIZE)
    with pytest.raises(ValueError, match=r"clip 11, layer 2: found 1e\+06"):
        encoder.encode(video, np.array([11, 12, 13]))


def test_missing_checkpoints_say_what_to_do(checkpoint: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    for model, message in (
        (str(tmp_path / "nowhere"), "no such folder. Hint"),
        ("nobody/no-such-model", "local cache.*HF_HUB_OFFLINE is set.*Hint.*hf download nobody"),
    ):
        with pytest.raises(FileNotFoundError, match=message):
            huggingface.load(huggingface.Spec(model=model), **SIZE)
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no model.safetensors. Hint"):
        huggingface.load(huggingface.Spec(model=str(checkpoint)), **SIZE)


def test_cached_hub_checkpoint_needs_no_network(
    checkpoint: Path, tmp_path: Path, video: np.ndarray, monkeypatch
):
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "cache" / "models--somebody--tiny"
    (repository / "snapshots").mkdir(parents=True)
    checkpoint.rename(repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("socket.socket", None)  # any connection would fail here

    for revision in (None, commit):
        spec = huggingface.Spec(model="somebody/tiny", revision=revision)
        assert huggingface.tubelet(spec) is None
        encoder = huggingface.load(spec, **SIZE)
        assert encoder.provenance["hf_repo"] == "somebody/tiny"
        assert encoder.provenance["revision"] == commit
        assert encoder.encode(video, np.arange(len(video))).pooled.any()


def test_other_architectures_are_errors(checkpoint: Path):
    config = checkpoint / "config.json"
    config.write_text(config.read_text().replace('"vjepa2"', '"siglip2"'))
    with pytest.raises(ValueError, match=r"type 'siglip2', expected 'vjepa2' or 'videomae' or"):
        huggingface.load(huggingface.Spec(model=str(checkpoint)), **SIZE)


def test_misfits_are_errors(checkpoint: Path):
    def load(frames: int = 8, **fields: object) -> None:
        spec = huggingface.Spec(model=str(checkpoint), **fields)
        huggingface.load(spec, **{**SIZE, "frames": frames})

    assert huggingface.tubelet(huggingface.Spec(model=str(checkpoint))) == 2
    with pytest.raises(ValueError, match=r"7 frames.*tubelets of 2. Hint: 6"):
        load(frames=7)
    with pytest.raises(ValueError, match=r"window: found 5 frames.*multiple of the tubelet, 2"):
        load(causal=True, window=5)
    with pytest.raises(ValueError, match=r"tokens: found '4'.*0, 1, 2, 3, final"):
        load(tokens=("4",))
    processor = checkpoint / "preprocessor_config.json"
    processor.write_text(processor.read_text().replace(": 32", ": 64"))
    with pytest.raises(ValueError, match=r"crop_size 64, config.json has 32"):
        load()
    processor.unlink()
    with pytest.raises(FileNotFoundError, match=r"no preprocessor_config.json. Hint"):
        load()


def test_longer_clips_are_embedded_piece_by_piece(checkpoint: Path, video: np.ndarray):
    longer = np.concatenate([video, video[:, ::-1], video[:, :4]], axis=1)
    _, found = embed(checkpoint, longer, tokens=("final",))
    pieces = [embed(checkpoint, longer[:, part])[1] for part in (slice(8), slice(8, 16))]
    rest = embed(checkpoint, longer[:, 16:])[1]
    for first, part in zip((0, 4, 8), (*pieces, rest), strict=True):
        times = slice(first, first + part.pooled.shape[2])
        np.testing.assert_allclose(found.pooled[:, :, times], part.pooled, rtol=2**-10, atol=1e-5)
    assert found.pooled.shape[2] == found.tokens["final"].shape[1] == 10


def test_what_ships_with_the_package_is_found_by_its_name(
    checkpoint: Path, video: np.ndarray, tmp_path: Path, monkeypatch
):
    from physprobe.config import shipped

    (tmp_path / "tiny").symlink_to(checkpoint)
    monkeypatch.setattr(shipped, "ENCODERS", tmp_path)
    write_hashes(tmp_path)
    encoder, found = embed("physprobe/tiny", video)
    assert encoder.provenance["label"] == "physprobe/tiny"
    assert huggingface.tubelet(huggingface.Spec(model="physprobe/tiny")) == 2
    np.testing.assert_array_equal(found.pooled, embed(checkpoint, video)[1].pooled)
    assert shipped.folder("physprobe/none") is None
    assert shipped.folder("someone/tiny") is None
