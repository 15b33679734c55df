"""Axial attention over fields by name, and operators whose weights follow from a latent."""

import math
from functools import partial

import pytest
import torch

from physprobe.config.fields import FieldNetwork, Hypernetwork, Shown
from physprobe.embed.networks import avit, fields, latent, operators

AVIT = FieldNetwork.strict(
    {"network": "avit", "frames": 3, "widths": [8], "blocks": [2], "patch": 4, "heads": 2,
     "scale": 1.0}
)  # fmt: skip
NAMES = ("u", "v", "p")
FRAMES = torch.randn(2, 3, 12, 16, 3, generator=torch.Generator().manual_seed(0))


def shown(periodic=(True, True), channels=NAMES, side=(12, 16)) -> Shown:
    count = len(channels)
    return Shown(
        height=side[0], width=side[1], channels=channels, periodic=periodic, mean=(0.0,) * count,
        deviation=(1.0,) * count,
    )  # fmt: skip


def made(periodic=(True, True), channels=NAMES) -> tuple[avit.AViT, avit.Painter]:
    """Encoder and painter; tables and vectors large enough to be seen."""
    seen = shown(periodic, channels)

    def both() -> tuple[avit.AViT, avit.Painter]:
        return fields.encoder(AVIT, seen), avit.Painter(AVIT, seen, 2)

    networks = latent.drawn(1, both)
    with torch.no_grad():
        for name, value in networks[0].named_parameters():
            if "distance" in name:
                value *= 50
    return networks


def test_the_published_size_is_that_of_its_layers():
    """MPP's own, 7,285,884 of 12 fields (7.6 M as told), less 7,296 of its norms that it doesn't
    use: biases of RMS norms, 3 x 192 of each block and 288 + 96 of the patches.
    """
    width, inner, names = 192, 48, tuple("abcdefghijkl")
    attention = 4 * width**2 + 4 * width + 2 * 2 * 64 + 32 * 3
    block = 2 * attention + 8 * width**2 + 5 * width + 4 * width + 3 * width + 3 * width
    patches = 12 * inner + inner + inner * inner * (16 + 4) + inner * width * 4 + 2 * inner + width
    back = width * inner * 4 + inner * inner * 4 + 2 * inner + 12 * inner * 16 + 12
    sizes = FieldNetwork(network="avit", preset="published")
    seen = shown(channels=names, side=(128, 128))
    with torch.device("meta"):
        encoder, painter = fields.encoder(sizes, seen), avit.Painter(sizes, seen, 1)
    found = fields.parameters([encoder, painter])
    assert found == 12 * block + patches + back == 7_285_884 - 7_296
    assert found == pytest.approx(7.6e6, rel=0.05)
    assert encoder.grid == (1, 8, 8) and fields.layers(sizes)[-1] == "12"
    with torch.device("meta"):
        seen = shown(channels=tuple("abcd"), side=(96, 48))
        small = fields.encoder(FieldNetwork(network="avit"), seen)
    assert fields.parameters([small]) < 150_000


@torch.no_grad()
def test_fields_are_known_by_their_names_wherever_they_stand():
    encoder, painter = made()
    order = [2, 0, 1]
    other, another = made(channels=tuple(NAMES[place] for place in order))
    other.load_state_dict(encoder.state_dict())
    another.load_state_dict(painter.state_dict())
    found = encoder(FRAMES)
    torch.testing.assert_close(other(FRAMES[..., order]), found, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(encoder(FRAMES[..., order]), found, atol=1e-2)
    painted = painter(found)
    assert painted.shape == (2, 2, 12, 16, 3)
    torch.testing.assert_close(another(found), painted[..., order])


@torch.no_grad()
def test_each_sample_is_normed_by_itself_over_time_and_space():
    encoder, _ = made()
    scale, level = torch.tensor([3.0, 0.2, 1.0]), torch.tensor([5.0, 0.0, -9.0])
    torch.testing.assert_close(
        encoder(FRAMES * scale + level), encoder(FRAMES), rtol=1e-3, atol=1e-3
    )
    torch.testing.assert_close(
        avit.deviations(FRAMES)[:, 0, 0, 0], FRAMES.flatten(1, 3).std(1, correction=0)
    )
    assert torch.isfinite(encoder(torch.ones_like(FRAMES))).all(), "fields that are even"


@torch.no_grad()
@pytest.mark.parametrize("periodic", [(True, True), (False, True)])
def test_shifts_by_patches_pass_through_axes_that_are_periodic(periodic):
    encoder, _ = made(periodic)
    found = encoder(FRAMES)
    assert found.shape == (2, 1, 3, 4, 8)
    for axis, wraps in zip((2, 3), periodic, strict=True):
        moved = encoder(FRAMES.roll(4, axis))
        assert torch.allclose(moved, found.roll(1, axis), atol=1e-4) == wraps


def test_the_last_time_has_seen_those_before():
    encoder, _ = made()
    frames = FRAMES.clone().requires_grad_()
    layers = encoder.each(frames)
    assert len(layers) == 3 == len(fields.layers(AVIT))
    embedded = encoder.tokens(FRAMES)
    torch.testing.assert_close(layers[0].detach(), embedded[:, -1:].detach())
    layers[-1][0, 0, 1, 2, 0].backward()
    assert (frames.grad[0].abs().sum((1, 2, 3)) > 0).all() and not frames.grad[1].any()


def test_attention_along_an_axis_is_that_of_its_places_alone():
    layer = latent.drawn(3, lambda: avit.Axial(8, 2))
    tokens = torch.randn(1, 2, 3, 4, 8, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        both = layer.mixed(tokens, [(3, True), (2, False)])
        one, other = (layer.mixed(tokens, [axis]) for axis in ((3, True), (2, False)))
        torch.testing.assert_close(both, (one + other) / 2)
        row = layer.mixed(tokens[:, :1, 1:2], [(3, True)])
        torch.testing.assert_close(row, one[:, :1, 1:2])
        query, key, value = layer.three(tokens[0, 0, 1]).unflatten(-1, (3, 2, 4)).unbind(-3)
        query, key = layer.query_norm(query), layer.key_norm(key)
        for head in range(2):  # one line by hand
            apart = [[(b - a + 2) % 4 - 2 + 16 for b in range(4)] for a in range(4)]
            likeness = query[:, head] @ key[:, head].T / 2 + layer.distance[apart, head]
            expected = likeness.softmax(-1) @ value[:, head]
            torch.testing.assert_close(one[0, 0, 1, :, 4 * head : 4 * head + 4], expected)


def test_what_axial_attention_cannot_cut_is_refused():
    for wrong, message in (
        ({"patch": 6}, "has to be a multiple of 4"),
        ({"tubelet": 2}, "tubelet: 1"),
        ({"widths": [9]}, "a multiple of twice the heads"),
    ):
        with pytest.raises(ValueError, match=message):
            FieldNetwork.strict({"network": "avit", **wrong})
    with pytest.raises(ValueError, match="avit norms features over the places of a frame"):
        FieldNetwork(network="avit").places(8, 8)
    with pytest.raises(ValueError, match="operator_kernel: 4 is even"):
        Hypernetwork(operator_kernel=4)


HYPER = Hypernetwork.strict({**AVIT.dump(), "latent": 5, "operator_width": 4, "operator_kernel": 3})


def generator(periodic=(True, True)) -> operators.Generator:
    return latent.drawn(2, lambda: operators.Generator(HYPER, shown(periodic)))


def latents(count: int = 2) -> torch.Tensor:
    return torch.randn(count, 5, generator=torch.Generator().manual_seed(4))


@torch.no_grad()
def test_all_of_an_operator_follows_from_its_latent():
    made = generator()
    assert made.count == 4 * 3 * 9 + 4 + 4 * 4 * 9 + 4 + 3 * 4 + 3
    sizes, seen = Hypernetwork(), shown(channels=tuple("abcd"))
    assert operators.Generator(sizes, seen).count == 916, "of four fields, small"
    with torch.device("meta"):
        large = operators.Generator(Hypernetwork(preset="published"), seen)
    assert large.count == 16_948
    weights = made(latents())
    assert sum(value[0].numel() for value in weights.values()) == made.count
    assert all((value[0] != value[1]).all() for value in weights.values())
    again = made(latents().flip(0))
    assert all(torch.allclose(again[name], value.flip(0)) for name, value in weights.items())
    last = FRAMES[:, -1]
    whole = made.evolved(latents(), last, 3)
    assert whole.shape == (2, 3, 12, 16, 3)
    for number in range(2):  # each sample by its own operator
        own = made.evolved(latents()[number : number + 1], last[number : number + 1], 3)
        torch.testing.assert_close(own[0], whole[number])
    torch.testing.assert_close(
        made.evolved(latents(), whole[:, 1], 1)[:, 0], whole[:, 2], rtol=1e-4, atol=1e-5
    )


@torch.no_grad()
@pytest.mark.parametrize("periodic", [(True, True), (False, True)])
def test_shifted_fields_evolve_as_the_fields_do_by_any_number_of_cells(periodic):
    made, last = generator(periodic), FRAMES[:, -1]
    found = made.evolved(latents(), last, 2)
    for axis, wraps in zip((1, 2), periodic, strict=True):
        for cells in (1, 5):
            moved = made.evolved(latents(), last.roll(cells, axis), 2)
            assert torch.allclose(moved, found.roll(cells, axis + 1), atol=1e-5) == wraps


FAR = 30.0
"""Where gelu(x) is x, in float32 and beyond."""


def linear(stencil: torch.Tensor) -> dict[str, torch.Tensor]:
    """Weights (1, ...) of an operator that is a stencil (y, x) of each of three fields, exactly."""
    weights = {
        name: torch.zeros(1, *shape, dtype=torch.float64)
        for name, shape in generator().shapes.items()
    }
    for field in range(3):
        weights["first"][0, field, field] = stencil
        weights["second"][0, field, field, 1, 1] = 1.0
        weights["last"][0, field, field] = 1.0
    weights["first_bias"] += FAR
    weights["last_bias"] -= FAR
    return weights


def test_decay_and_diffusion_are_evolved_as_solved_by_hand():
    x = torch.arange(16, dtype=torch.float64)
    wave = (2 * math.pi * 3 * x / 16).sin().expand(1, 3, 12, 16)
    point, spread = torch.zeros(3, 3).double(), torch.zeros(3, 3).double()
    point[1, 1] = -0.3
    spread[1] = 0.1 * torch.tensor([1.0, -2.0, 1.0]).double()  # second difference along x
    rates = {-0.3: point, 0.2 * (math.cos(2 * math.pi * 3 / 16) - 1): spread}
    for rate, stencil in rates.items():
        weights = linear(stencil)
        change = partial(operators.change, weights=weights, periodic=(True, True))
        found = operators.step(change, wave)
        factor = 1 + rate + rate**2 / 2 + rate**3 / 6
        torch.testing.assert_close(found, factor * wave, rtol=1e-9, atol=1e-12)


def test_a_step_is_of_third_order():
    """du/dt = -u^2, u(0) = 1, is 1 / (1 + t): halved steps are eight times as exact."""
    errors = []
    for steps in (4, 8):
        found = torch.ones((), dtype=torch.float64)
        for _ in range(steps):
            found = operators.step(lambda now, steps=steps: -(now**2) / steps, found)
        errors.append(abs(found.item() - 0.5))
    assert errors[0] / errors[1] == pytest.approx(8, rel=0.25)
