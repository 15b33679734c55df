"""Growth: a grown encoder is the smaller one before its first step, and its copies part then."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import VJEPA2Model

from physprobe.train import _stream, _tokens, _validation, future_frames, stage


@pytest.fixture
def parent(tiny, tmp_path):
    """Folder of an encoder of one block and two heads, every tensor of which is told apart."""
    spec = tiny.model_copy(update={"num_attention_heads": 1, "hidden_size": 24})
    maker = torch.Generator().manual_seed(3)
    tensors = {
        name: value + 0.1 * torch.randn(value.shape, generator=maker)
        for name, value in _tokens.encoder(spec).state_dict().items()
    }
    _validation.finished(spec, tensors).save_pretrained(tmp_path / "parent")
    return tmp_path / "parent"


@pytest.fixture
def child(tiny, parent):
    """Spec of an encoder twice as wide and two blocks deeper."""

    def make(**fields):
        sizes = {"hidden_size": 48, "num_hidden_layers": 3, "num_attention_heads": 2}
        return future_frames.Spec(**{**tiny.dump(), **sizes, "grown_from": str(parent), **fields})

    return make


def test_the_function_is_that_of_the_smaller_encoder(child, parent):
    grown = _tokens.encoder(child()).eval()
    small = VJEPA2Model.from_pretrained(parent, dtype=torch.float32).encoder.eval()
    video = torch.randn(2, 10, 3, 16, 16)
    new, old = (_after_each_module(network, video) for network in (grown, small))
    *blocks, final = old
    # the patch embedding, each block, those that were added, the final norm
    for found, expected in zip(new, [*blocks, blocks[-1], blocks[-1], final], strict=True):
        torch.testing.assert_close(found, expected.repeat(1, 1, 2), rtol=1e-4, atol=1e-4)


def _after_each_module(network, video):
    hidden = network.embeddings(video)
    found = [hidden]
    for block in network.layer:
        hidden = block(hidden)[0]
        found.append(hidden)
    return [value.detach() for value in (*found, network.layernorm(hidden))]


def test_copies_part_with_the_first_step(child):
    spec = child()
    recipe = future_frames.recipe(spec)
    weight = recipe.encoder.layer[0].mlp.fc1.weight
    first, second = weight.detach().clone().chunk(2)
    assert not torch.equal(first, second)
    torch.testing.assert_close(*(half.unflatten(1, (2, 24)).sum(1) for half in (first, second)))
    recipe.loss(_stream.batch(spec, 0), np.random.default_rng(0))[0].backward()
    of_first, of_second = weight.grad.chunk(2)
    assert (of_first - of_second).norm() > 0.1 * of_first.norm()


def test_a_recipe_grows_and_says_so(child, parent, tmp_path):
    out = tmp_path / "grown" / "model.safetensors"
    stage.run(out=out, spec=child(frozen=1).canonical(), code="c0de")
    card = (out.parent / "card.md").read_text()
    assert f"Grown from `{parent}`" in card and "| target | before training | trained |" in card
    first, last = (
        load_file(folder / "model.safetensors")["encoder.embeddings.patch_embeddings.proj.weight"]
        for folder in (parent, out.parent)
    )
    torch.testing.assert_close(
        last.float(), first.float().repeat(2, 1, 1, 1, 1), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"hidden_size": 36, "num_attention_heads": 3}, "features per head is 12, and 24"),
        ({"patch_size": 4}, "patch_size is 4, and 8"),
        ({"mlp_ratio": 2.0}, "mlp_ratio is 2.0, and 4.0"),
        ({"grown_from": "physprobe/none"}, "there is no encoder physprobe/none"),
    ],
)
def test_what_cannot_be_grown_is_named(fields, what, child):
    with pytest.raises((ValueError, FileNotFoundError), match=what):
        _tokens.encoder(child(**fields))


def test_growth_never_makes_an_encoder_smaller(child, parent, tiny):
    narrow = {"hidden_size": 24, "num_hidden_layers": 1, "num_attention_heads": 1}
    wide = tiny.model_copy(update={"hidden_size": 48, "num_attention_heads": 2})
    _validation.finished(wide, _tokens.encoder(wide).state_dict()).save_pretrained(parent)
    with pytest.raises(ValueError, match="1 blocks of 24 features can't be grown from the 1 of 48"):
        _tokens.encoder(child(**narrow))
