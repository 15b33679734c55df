"""The forward pass on a CPU against that of transformers, layer by layer."""

import pytest
import torch

from physprobe.embed.networks import cpu, pool, weights
from physprobe.statistics import onednn

CLOSE = 1e-6  # of a layer's largest value: a few roundings of float32

SHAPES = {
    "the default": (dict(hidden_size=128, num_attention_heads=2, crop_size=64), 2, 12),
    "one tubelet": (dict(hidden_size=128, num_attention_heads=2, crop_size=64), 5, 2),
    "rows that divide nothing": (dict(hidden_size=48, num_attention_heads=3, crop_size=40), 1, 22),
    "features that stay as they are": (dict(hidden_size=40, num_attention_heads=2), 2, 4),
    "an odd number of features": (dict(hidden_size=42, num_attention_heads=2), 2, 4),
    "another activation": (dict(hidden_size=24, num_attention_heads=1, hidden_act="relu"), 1, 4),
    "no biases": (dict(hidden_size=24, num_attention_heads=2, qkv_bias=False), 1, 4),
}


def network(fields: dict) -> torch.nn.Module:
    """Encoder with biases and norms that do something."""
    shape = {"num_hidden_layers": 3, "patch_size": 8, "tubelet_size": 2, "crop_size": 32}
    encoder = weights.random({**shape, **fields}, 0, "fan_in").encoder.eval().requires_grad_(False)
    maker = torch.Generator().manual_seed(1)
    for value in encoder.parameters():
        if value.ndim == 1:
            value += 0.2 * torch.randn(value.shape, generator=maker)
    return encoder


def hidden_states(encoder: torch.nn.Module, video: torch.Tensor) -> dict[str, torch.Tensor]:
    """Tokens of every layer."""
    modules = {f"layer {k}": layer for k, layer in enumerate(encoder.layer)}
    modules["final"] = encoder.layernorm
    side = encoder.config.crop_size // encoder.config.patch_size
    hooked = pool.hooked(modules, lambda h: h.unflatten(1, (-1, side, side)), tokens=modules)
    with torch.inference_mode(), hooked as (_, tokens):
        encoder(pixel_values_videos=video)
    return tokens


@pytest.mark.skipif(not onednn.AVAILABLE, reason="torch has no oneDNN here")
@pytest.mark.parametrize("name", SHAPES)
def test_every_layer_equals_transformers(name):
    fields, clips, frames = SHAPES[name]
    encoder = network(fields)
    side = encoder.config.crop_size
    video = torch.randn(clips, frames, 3, side, side, generator=torch.Generator().manual_seed(2))
    expected = hidden_states(encoder, video)
    own = [type(layer) for layer in encoder.layer]
    cpu.accelerate(encoder)
    found = hidden_states(encoder, video)
    assert own != [type(layer) for layer in encoder.layer]
    for layer, tokens in expected.items():
        assert (found[layer] - tokens).abs().max() <= CLOSE * tokens.abs().max(), layer


@pytest.mark.skipif(not onednn.AVAILABLE, reason="torch has no oneDNN here")
@pytest.mark.parametrize("clips", [1, 3])
def test_threads_take_clips_apart_and_change_nothing(clips):
    encoder = network(dict(hidden_size=128, num_attention_heads=2, crop_size=64))
    video = torch.randn(clips, 6, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    own, before, found = list(encoder.layer), torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            encoder.layer = torch.nn.ModuleList(own)
            cpu.accelerate(encoder)
            with cpu.apart(clips):
                assert torch.get_num_threads() == (threads if clips == 1 else 1)
                found.append(hidden_states(encoder, video))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    for layer, tokens in found[0].items():
        assert torch.equal(found[1][layer], tokens), layer


def test_without_onednn_the_layers_stay_transformers_own(monkeypatch):
    monkeypatch.setattr(onednn, "AVAILABLE", False)
    encoder = network(dict(hidden_size=24, num_attention_heads=2))
    own = list(encoder.layer)
    cpu.accelerate(encoder)
    assert list(encoder.layer) == own


def test_tables_turn_by_the_place_and_leave_what_is_not_turned():
    encoder = network(dict(hidden_size=20, num_attention_heads=1))  # three times six, and two more
    cos, sin = cpu.tables(encoder.layer[0].attention, 2 * 16)
    assert cos.shape == sin.shape == (32, 1, 20)
    torch.testing.assert_close((cos[0], sin[0]), (torch.ones(1, 20), torch.zeros(1, 20)))
    torch.testing.assert_close(
        (cos[:, 0, 18:], sin[:, 0, 18:]), (torch.ones(32, 2), 0 * cos[:, 0, 18:])
    )
    # the first feature turns by one radian per tubelet, of which each has 16 tokens
    angle = torch.tensor(1.0)
    torch.testing.assert_close((cos[16, 0, 0], sin[16, 0, 0]), (angle.cos(), -angle.sin()))
