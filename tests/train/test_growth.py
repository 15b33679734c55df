"""Growth: a grown encoder begins as the smaller one with random features beside it."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import VJEPA2Model

from physprobe.train import _tokens, _validation, future_frames, stage


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


def test_the_smaller_encoder_lives_in_the_first_features(child, parent):
    """Exactly, but for norms over all features: without norms to tell, nothing differs."""
    grown = _tokens.encoder(child()).eval()
    small = VJEPA2Model.from_pretrained(parent, dtype=torch.float32).encoder.eval()
    video = torch.randn(2, 10, 3, 16, 16)
    new, old = (_without_norms(network, video) for network in (grown, small))
    # the patch embedding, the one block, and the two that were added
    for found, expected in zip(new, [*old, old[-1], old[-1]], strict=True):
        torch.testing.assert_close(found[..., :24], expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(new[1][..., 24:], new[0][..., 24:])
    assert torch.equal(new[-1], new[1]), "blocks on top add nothing"


def _without_norms(network, video):
    hidden = network.embeddings(video)
    found = [hidden]
    for block in network.layer:
        block.norm1, block.norm2 = nn.Identity(), nn.Identity()
        hidden = block(hidden)[0]
        found.append(hidden)
    return [value.detach() for value in found]


def test_new_features_are_random_ones_of_their_own(child, tiny):
    grown = _tokens.encoder(child(hidden_size=96, num_attention_heads=4)).state_dict()
    for name, value in grown.items():
        if name.startswith("layer.0.") and value.ndim == 2:
            outputs, inputs = (side // 4 for side in value.shape)
            assert not value[:outputs, inputs:].any() and not value[outputs:, :inputs].any()
            own = value[outputs:, inputs:]
            assert own.std() * (3 * inputs) ** 0.5 == pytest.approx(1, rel=0.05), name


def test_norms_keep_what_they_learnt(child, parent):
    grown = _tokens.encoder(child()).state_dict()
    small = VJEPA2Model.from_pretrained(parent, dtype=torch.float32).encoder.state_dict()
    for name in ("layer.0.norm1.weight", "layer.0.norm2.bias", "layernorm.weight"):
        torch.testing.assert_close(grown[name][:24], small[name])
        assert torch.equal(grown[name][24:], torch.full((24,), float(name.endswith("weight"))))


def test_a_recipe_grows_and_says_so(child, parent, tmp_path):
    out = tmp_path / "grown" / "model.safetensors"
    stage.run(out=out, spec=child(frozen=1).canonical())
    card = (out.parent / "README.md").read_text()
    assert f"Grown from `{parent}`" in card and "| target | before training | trained |" in card
    first, last = (
        load_file(folder / "model.safetensors")["encoder.embeddings.patch_embeddings.proj.weight"]
        for folder in (parent, out.parent)
    )
    torch.testing.assert_close(last.float()[:24], first.float(), rtol=1e-3, atol=1e-3)


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
