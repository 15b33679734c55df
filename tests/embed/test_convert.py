"""Conversion: official names to a folder that embeds, same numbers; what is amiss is named."""

import json
import re

import numpy as np
import pytest
import torch
from torch.nn import functional

from physprobe.__main__ import main
from physprobe.embed import _convert, huggingface, untrained
from physprobe.embed.networks import (
    architectures,
    checkpoint,
    foresight,
    levjepa,
    vjepa21,
    weights,
)

SIDE, FRAMES, PATCH, HEADS = 32, 4, 16, 4
SIZE = {"height": SIDE, "width": SIDE, "threads": 1}
RNG = np.random.default_rng(0)
Tensors = dict[str, torch.Tensor]


def drawn(*shape: int) -> torch.Tensor:
    return torch.from_numpy(RNG.normal(0, 0.3, shape).astype("float32"))


def blocks(start: str, count: int, width: int, inner: int) -> Tensors:
    shapes = {
        "norm1": (width,), "attn.qkv": (3 * width, width), "attn.proj": (width, width),
        "norm2": (width,), "mlp.fc1": (inner, width), "mlp.fc2": (width, inner),
    }  # fmt: skip
    return {
        f"{start}.{n}.{name}.{part}": drawn(*(shape if part == "weight" else shape[:1]))
        for n in range(count) for name, shape in shapes.items() for part in ("weight", "bias")
    }  # fmt: skip


def encoder(width: int, depth: int, tubelet: int = 2) -> Tensors:
    return {
        "patch_embed.proj.weight": drawn(width, 3, tubelet, PATCH, PATCH),
        "patch_embed.proj.bias": drawn(width),
        **blocks("blocks", depth, width, 2 * width),
        "norm.weight": drawn(width), "norm.bias": drawn(width),
    }  # fmt: skip


def predictor(width: int, own: int, tokens: int = 3) -> Tensors:
    return {
        "predictor_embed.weight": drawn(own, width), "predictor_embed.bias": drawn(own),
        **blocks("predictor_blocks", 2, own, 2 * own),
        "predictor_norm.weight": drawn(own), "predictor_norm.bias": drawn(own),
        "predictor_proj.weight": drawn(width, own), "predictor_proj.bias": drawn(width),
        **{f"mask_tokens.{k}": drawn(1, 1, own) * (k == 0) for k in range(tokens)},
    }  # fmt: skip


def later(width: int, levels: int) -> tuple[Tensors, Tensors]:
    """Encoder and predictor of a V-JEPA 2.1."""
    whole = encoder(width, 12)
    del whole["norm.weight"], whole["norm.bias"]
    whole |= {
        "patch_embed_img.proj.weight": drawn(width, 3, 1, PATCH, PATCH),
        "patch_embed_img.proj.bias": drawn(width),
        "video_mod_embed": drawn(1, 1, width), "img_mod_embed": drawn(1, 1, width),
        **{f"norms_block.{k}.{p}": drawn(width) for k in range(4) for p in ("weight", "bias")},
    }  # fmt: skip
    own, answers = 12, 4 * width if levels > 1 else 56
    beside = predictor(width, own) | {
        "predictor_proj.weight": drawn(answers, own), "predictor_proj.bias": drawn(answers),
        "predictor_proj_context.weight": drawn(answers, own),
        "predictor_proj_context.bias": drawn(answers),
        "video_mod_embed": drawn(1, 1, own), "img_mod_embed": drawn(1, 1, own),
    }  # fmt: skip
    if levels > 1:
        del beside["predictor_embed.weight"], beside["predictor_embed.bias"]
        beside |= {
            "predictor_embed.0.weight": drawn(width, 4 * width),
            "predictor_embed.0.bias": drawn(width),
            "predictor_embed.2.weight": drawn(own, width), "predictor_embed.2.bias": drawn(own),
        }  # fmt: skip
    return whole, beside


def wrapped(tensors: Tensors) -> Tensors:
    return {f"module.backbone.{name}": value for name, value in tensors.items()}


def rope(values: torch.Tensor, places: list[torch.Tensor], interleaved: bool) -> torch.Tensor:
    """Of values (token, head, m), an element at a time."""
    m = 2 * ((values.shape[-1] // 3) // 2)
    found = values.clone()
    for axis, place in enumerate(places):
        for j in range(m):
            k = j // 2 if interleaved else j % (m // 2)
            angle = place * 10000 ** (-k / (m / 2))
            at, other = axis * m + j, axis * m + (j + 1 if j % 2 == 0 else j - 1)
            sign = -1 if j % 2 == 0 else 1
            found[..., at] = (
                values[..., at] * angle.cos()[:, None]
                + sign * values[..., other] * angle.sin()[:, None]
            )
    return found


def forward(
    tensors: Tensors, hidden: torch.Tensor, places: list[torch.Tensor], *, heads: int,
    start: str = "blocks", interleaved: bool = False,
) -> list[torch.Tensor]:  # fmt: skip
    """Hidden states (token, feature) after every block, by upstream names alone."""

    def line(name: str, x: torch.Tensor) -> torch.Tensor:
        return x @ tensors[f"{name}.weight"].T + tensors[f"{name}.bias"]

    found, number = [], 0
    while f"{start}.{number}.norm1.weight" in tensors:
        here = f"{start}.{number}"
        q, k, v = (
            line(f"{here}.attn.qkv", normal(tensors, f"{here}.norm1", hidden))
            .unflatten(-1, (3, heads, -1))
            .unbind(1)
        )
        q, k = (rope(each, places, interleaved) for each in (q, k))
        scores = torch.einsum("nhd,mhd->hnm", q, k) * q.shape[-1] ** -0.5
        seen = torch.einsum("hnm,mhd->nhd", scores.softmax(-1), v).flatten(1)
        hidden = hidden + line(f"{here}.attn.proj", seen)
        inner = functional.gelu(line(f"{here}.mlp.fc1", normal(tensors, f"{here}.norm2", hidden)))
        hidden = hidden + line(f"{here}.mlp.fc2", inner)
        found.append(hidden)
        number += 1
    return found


def normal(tensors: Tensors, name: str, x: torch.Tensor) -> torch.Tensor:
    scale, shift = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
    return functional.layer_norm(x, x.shape[-1:], scale, shift, 1e-6)


def patches(tensors: Tensors, video: torch.Tensor, name: str = "patch_embed") -> torch.Tensor:
    """Tokens (token, feature) of a video (frame, rgb, y, x), and their number along each axis."""
    kernel = tensors[f"{name}.proj.weight"]
    found = functional.conv3d(
        video.transpose(0, 1)[None], kernel, tensors[f"{name}.proj.bias"], kernel.shape[2:]
    )
    return found[0].flatten(1).T


def grid(times: int, side: int, scale: float = 1.0) -> list[torch.Tensor]:
    sides = [torch.arange(times).float(), *[torch.arange(side).float() * scale] * 2]
    return [each.flatten() for each in torch.meshgrid(*sides, indexing="ij")]


@pytest.fixture(scope="module")
def video() -> torch.Tensor:
    return drawn(FRAMES, 3, SIDE, SIDE)


@pytest.fixture(scope="module")
def official() -> dict:
    """What a file of V-JEPA 2 holds, tiny."""
    width = 24
    return {
        "encoder": wrapped(encoder(width, 2)), "predictor": wrapped(predictor(width, 12)),
        "target_encoder": wrapped({**encoder(width, 2), "pos_embed": drawn(1, 4, width)}),
        "opt": {"state": {}}, "scaler": None, "epoch": 3,
    }  # fmt: skip


def saved(content: dict, folder, name: str = "x.pt"):
    torch.save(content, folder / name)
    return folder / name


def converted(content: dict, folder, name: str = "x.pt", **more: object):
    out = folder / "converted"
    _convert.run(
        str(saved(content, folder, name)),
        out=out,
        **{"crop": SIDE, "frames": FRAMES, "heads": HEADS, **more},
    )
    return out


def model_of(folder) -> tuple:
    config = json.loads((folder / "config.json").read_text())
    tensors = checkpoint.tensors(folder, ())
    return *weights.with_context(folder, config, tensors, architectures.of(config)), config


@torch.no_grad()
def test_vjepa2_gives_the_numbers_of_its_upstream_names(official, video, tmp_path, monkeypatch):
    monkeypatch.setattr(_convert, "SHARD", 20_000)
    folder = converted(official, tmp_path)
    assert len([*folder.glob("model-*.safetensors")]) > 1
    model, context, config = model_of(folder)
    assert config["converted_from"]["encoder"] == "target_encoder"
    assert re.fullmatch(r"[0-9a-f]{64}", config["converted_from"]["sha256"])
    assert (config["mlp_ratio"], config["pred_num_mask_tokens"]) == (2.0, 1)
    hidden = {}
    for key, network in (("target_encoder", model.encoder), ("encoder", context)):
        own = {n.removeprefix("module.backbone."): v for n, v in official[key].items()}
        tokens = forward(own, patches(own, video), grid(2, 2), heads=HEADS)[-1]
        hidden[key] = functional.layer_norm(
            tokens, (24,), own["norm.weight"], own["norm.bias"], 1e-6
        )
        torch.testing.assert_close(
            foresight.encode(network, video[None])[0], hidden[key], rtol=1e-4, atol=1e-4
        )
    own = {n.removeprefix("module.backbone."): v for n, v in official["predictor"].items()}
    known = hidden["encoder"][:4]
    entered = known @ own["predictor_embed.weight"].T + own["predictor_embed.bias"]
    entered = torch.cat([entered, own["mask_tokens.0"][0].expand(4, -1)])
    # heads of width 12: those of the converted config
    answers = forward(
        own, entered, grid(2, 2), heads=config["pred_num_attention_heads"], start="predictor_blocks"
    )[-1]
    answers = functional.layer_norm(
        answers, (12,), own["predictor_norm.weight"], own["predictor_norm.bias"], 1e-6
    )
    answers = (answers @ own["predictor_proj.weight"].T + own["predictor_proj.bias"])[4:]
    torch.testing.assert_close(
        foresight.ahead(model.predictor, known[None], 8)[0], answers, rtol=1e-4, atol=1e-4
    )
    # and the folder embeds
    spec = huggingface.Spec(model=str(folder))
    assert spec.foresees and huggingface.load(spec, frames=FRAMES, **SIZE).features == 24


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("target_encoder", {"blocks.0.attn.proj.bias": None}, "missing blocks.0.attn.proj.bias"),
        ("encoder", {"norm.weight": None}, "context encoder: missing norm.weight"),
        ("target_encoder", {"extra.weight": (3,)}, "encoder: unexpected extra.weight"),
        (
            "predictor", {"predictor_blocks.1.mlp.fc2.weight": (12, 5)},
            r"another shape: predictor_blocks.1.mlp.fc2.weight is \(12, 5\), expected \(12, 24\)",
        ),
        ("target_encoder", {"patch_embed.proj.weight": None}, "missing patch_embed.proj.weight"),
    ],
)  # fmt: skip
def test_what_is_dropped_extra_or_of_another_shape_is_named(
    official, part, change, message, tmp_path
):
    own = dict(official[part])
    for name, shape in change.items():
        own.pop(f"module.backbone.{name}", None)
        if shape:
            own[f"module.backbone.{name}"] = drawn(*shape)
    with pytest.raises(ValueError, match=message):
        converted({**official, part: own}, tmp_path)
    assert not (tmp_path / "converted").exists()


def test_the_encoder_that_is_asked_for_is_taken_and_what_is_not_there_is_said(official, tmp_path):
    with pytest.raises(ValueError, match=r"no encoder 'ema'.* encoder, predictor, target_encoder"):
        converted(official, tmp_path, encoder="ema")
    folder = converted({"encoder": official["encoder"]}, tmp_path)
    _, context, config = model_of(folder)
    assert context is None and config["pred_num_hidden_layers"] == 0
    assert not huggingface.Spec(model=str(folder)).foresees


def test_sizes_that_no_tensor_tells_are_asked_for(official, tmp_path, capsys):
    with pytest.raises(ValueError, match=r"Hint: give --crop 256, or 384"):
        converted(official, tmp_path, crop=None)
    with pytest.raises(ValueError, match=r"heads an encoder of width 24 has"):
        converted(official, tmp_path, heads=None)
    asked = ["--out", str(tmp_path / "y"), "--crop", "32", "--heads", "4", "--frames", "4"]
    assert main(["convert", str(tmp_path / "x.pt"), *asked]) == 0
    assert main(["convert", str(tmp_path / "x.pt"), *asked]) == 1  # is there already
    assert main(["convert", str(tmp_path / "none.pt"), "--out", str(tmp_path / "z")]) == 1


def test_what_needs_code_to_be_read_is_refused(tmp_path):
    with pytest.raises(ValueError, match="weights alone can't be read"):
        (tmp_path / "x.pt").write_bytes(b"no checkpoint")
        _convert.run(str(tmp_path / "x.pt"), out=tmp_path / "out")


@torch.no_grad()
def test_vjepa21_gives_the_numbers_of_its_upstream_names(video, tmp_path):
    width = 48
    own, beside = later(width, levels=4)
    folder = converted({"target_encoder": wrapped(own), "predictor": wrapped(beside)}, tmp_path)
    model, _, config = model_of(folder)
    assert (config["hierarchical_layers"], config["num_distillation_outputs"]) == ([2, 5, 8, 11], 4)
    # 32 px are 2 x 2 patches: the grid of 16 is 15 times as far apart
    where = grid(2, 2, 15.0)
    start = patches(own, video) + own["video_mod_embed"][0]
    states = forward(own, start, where, heads=HEADS, interleaved=True)
    normed = torch.cat([
        normal(own, f"norms_block.{k}", states[block])
        for k, block in enumerate(config["hierarchical_layers"])
    ], -1)  # fmt: skip
    found = model.encoder(video[None], hierarchical=True)[0]
    torch.testing.assert_close(found, normed, rtol=1e-3, atol=1e-3)
    assert torch.equal(found[:, -width:], model.encoder(video[None])[0])
    # neighbours turn together; tiled they would not
    tiled = forward(own, start, where, heads=HEADS, interleaved=False)
    assert (tiled[-1] - states[-1]).abs().max() > 0.01
    # one frame has an embedding of its own
    alone = patches(own, video[:1], "patch_embed_img") + own["img_mod_embed"][0]
    torch.testing.assert_close(
        model.encoder.embeddings(video[None, :1])[0], alone, rtol=1e-4, atol=1e-4
    )
    answers, context = model.predictor(normed[None, :4], (2, 2, 2))
    assert answers.shape == context.shape == (1, 4, 4 * width)
    spec = huggingface.Spec(model=str(folder))
    sees = huggingface.foresight(spec, None, **SIZE)
    films = np.random.default_rng(0).integers(0, 256, (2, FRAMES, SIDE, SIDE, 3), np.uint8)
    orders = {2: np.array([1, 0])}
    said = sees.surprise(*films, np.array([0]), FRAMES, [2], orders)
    shown = sees._shown(films[0])[None]
    goal = model.encoder(shown, hierarchical=True).unflatten(-1, (4, width))[:, 4:]
    goal = functional.layer_norm(goal, (width,)).flatten(-2)
    expected = model.predictor(model.encoder(shown[:, :2], hierarchical=True), (2, 2, 2))[0]
    assert said["predictor"].item() == pytest.approx(
        (expected - goal).abs().mean().item(), rel=1e-4
    )
    found = huggingface.load(spec, frames=FRAMES, **SIZE)
    assert found.encode(films, np.arange(2)).pooled.shape == (2, 14, 2, width)
    twin = untrained.Spec(like=str(folder), seeds=(1,))
    assert untrained.load(twin, frames=FRAMES, **SIZE).features == width


def test_a_vjepa21_of_a_wider_teacher_cannot_be_surprised_and_a_norm_is_unexpected(tmp_path):
    own, beside = later(48, levels=1)
    content = {"ema_encoder": wrapped(own), "encoder": wrapped(own), "predictor": wrapped(beside)}
    folder = converted(content, tmp_path)
    config = json.loads((folder / "config.json").read_text())
    assert config["teacher_embed_dim"] == 56
    assert config["converted_from"] | {"encoder": "ema_encoder"} == config["converted_from"]
    spec = huggingface.Spec(model=str(folder))
    assert not spec.foresees and huggingface.foresight(spec, None, **SIZE) is None
    mixed = own | {"norm.weight": drawn(48), "norm.bias": drawn(48)}
    with pytest.raises(ValueError, match=r"unexpected norm.bias, norm.weight"):
        _convert.run(
            str(saved({"ema_encoder": wrapped(mixed)}, tmp_path)),
            out=tmp_path / "mixed",
            heads=HEADS,
        )


def test_places_are_scaled_to_the_pretraining_grid_whatever_the_shape():
    t, y, x = vjepa21.places((2, 24, 16), torch.device("cpu"), 16)
    assert (t.max(), y.max(), x.max()) == (1, 15, 15)
    assert y.flatten()[16] == pytest.approx(15 / 23) and x.flatten()[1] == 1
    with pytest.raises(ValueError, match="has no grid to scale"):
        vjepa21.places((2, 1, 16), torch.device("cpu"), 16)


@torch.no_grad()
def test_levjepa_gives_the_numbers_of_its_names_and_no_patch_sees_the_future(video, tmp_path):
    width = 48
    own = {**encoder(width, 2, tubelet=1), "cls_token": drawn(1, 1, width)}
    state = {f"encoder.{name}": value for name, value in own.items()}
    content = {"state_dict": {}, "state_dict_ema": {**state, "projector.net.0.weight": drawn(3)}}
    folder = converted(content, tmp_path, name="x.ckpt")
    config = json.loads((folder / "config.json").read_text())
    assert (config["model_type"], config["attn_mode"]) == ("levjepa", "block_causal")
    model = weights.trained(folder, config, checkpoint.tensors(folder), levjepa.Model)
    # the patches of the first frame see one another alone: as in a network without class token
    states = forward(own, patches(own, video[:1]), grid(1, 2), heads=HEADS)
    first = functional.layer_norm(states[-1], (width,), own["norm.weight"], own["norm.bias"], 1e-6)
    found = model.encoder(video[None])[0]
    torch.testing.assert_close(found[1:5], first, rtol=1e-3, atol=1e-3)
    part = model.encoder(video[None, :2])[0]
    torch.testing.assert_close(found[1:9], part[1:], rtol=1e-5, atol=1e-5)
    assert not torch.allclose(found[0], part[0])  # the class token sees everything
    spec = huggingface.Spec(model=str(folder))
    assert not spec.sees_future and huggingface.tubelet(spec) == 1
    films = np.random.default_rng(0).integers(0, 256, (2, FRAMES, SIDE, SIDE, 3), np.uint8)
    pooled = huggingface.load(spec, frames=FRAMES, **SIZE).encode(films, np.arange(2)).pooled
    assert pooled.shape == (2, 4, FRAMES, width)
