"""Recipes of images: losses by hand, targets that follow whole and see as at the end, batches."""

import gzip
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from physprobe.scenes import idx
from physprobe.train import _images, _loop, images_classes, images_jepa
from physprobe.train import stage as train

SIDE, COUNT = 12, 60
KINDS = {"images_jepa": images_jepa, "images_classes": images_classes}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty images of a bar that lies or stands, by hand."""
    place = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    classes = (np.arange(COUNT) % 2).astype(np.uint8)
    images = np.zeros((COUNT, SIDE, SIDE), np.uint8)
    for image, stands in zip(images, classes, strict=True):
        bar = image.T if stands else image
        at = rng.integers(2, SIDE - 3)
        bar[at : at + 2, 2:-2] = 255
    for part, values in ((idx.IMAGES, images), (idx.LABELS, classes)):
        head = bytes([0, 0, 8, values.ndim])
        head += b"".join(size.to_bytes(4, "big") for size in values.shape)
        (place / f"t10k-{part}.gz").write_bytes(gzip.compress(head + values.tobytes()))
    return place


def spec(folder: Path, kind: str = "images_jepa", **fields):
    simulate = {"kind": "images", "folder": str(folder), "validation": 12, "test": 12}
    entry = {
        "kind": kind, "system": {"simulate": simulate, "render": {"kind": "images"}},
        "channels": [3, 4], "embedding": 6, "hidden": [5], "batch": 8, "steps": 10,
    }  # fmt: skip
    return KINDS[kind].Spec.strict({**entry, **fields})


def rows(*values: list[float]) -> torch.Tensor:
    return torch.tensor(values)


class Told(nn.Module):
    """A network that says what it is told, and remembers whether it was in training."""

    def __init__(self, *answers: torch.Tensor):
        super().__init__()
        self.answers, self.modes = list(answers), []
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        self.modes.append(self.training)
        return self.scale * self.answers.pop(0)


SHOWN = _images.Batch(torch.zeros(2, 1), torch.zeros(2, 1), torch.tensor([0, 1]))


def test_prediction_is_scored_by_its_angle_to_a_target_in_eval_mode(folder):
    net = SimpleNamespace(
        encoder=Told(rows([0.0, 0], [0, 0])),
        predictor=Told(rows([3.0, 0], [1, 1])),
        target=Told(rows([0.5, 0], [0, 2])).train(),
    )
    total, terms = images_jepa.loss(spec(folder), net, SHOWN, {})
    # cosines 1 and 1 / sqrt 2
    assert total.item() == pytest.approx((0 + 1 - 2**-0.5) / 2)
    assert terms["apart"].item() == pytest.approx(total.item())
    assert net.target.modes == [False] and net.encoder.modes == [True]
    total.backward()
    assert net.predictor.scale.grad is not None and net.target.scale.grad is None


def test_sigreg_adds_its_distance_times_the_images_and_stops_the_goal(folder):
    found, goal = rows([1.0, 0], [0, 1]), rows([0.0, 1], [0, 1])
    net = SimpleNamespace(encoder=Told(found, goal))
    drawn = {"directions": rows([1.0], [0.0])}
    asked = spec(folder, against_collapse="sigreg", normality=0.25)
    total, terms = images_jepa.loss(asked, net, SHOWN, drawn)
    assert terms["apart"].item() == pytest.approx((1 + 0) / 2)
    points = np.linspace(-5, 5, 17)
    normal = np.exp(-0.5 * points**2)
    # along the direction the latents are 1 and 0
    real, imaginary = (np.cos(points) + 1) / 2 - normal, np.sin(points) / 2
    expected = np.trapezoid((real**2 + imaginary**2) * normal, points)
    assert terms["normality"].item() == pytest.approx(expected, rel=1e-5)
    assert total.item() == pytest.approx(0.5 + 0.25 * 2 * expected, rel=1e-5)


def test_vicreg_weighs_its_terms_of_both_views(folder):
    found, other = rows([2.0, 0], [0, 0]), rows([0.0, 1], [0, -1])
    net = SimpleNamespace(encoder=Told(found, other))
    asked = spec(folder, against_collapse="vicreg")
    total, terms = images_jepa.loss(asked, net, SHOWN, {})
    assert terms["invariance"].item() == pytest.approx((4 + 1 + 0 + 1) / 4)
    # deviations: sqrt 2 and 0 of the first, 0 and sqrt 2 of the other
    assert terms["variance"].item() == pytest.approx(2 * (1 - 1e-2) / 2)
    assert terms["covariance"].item() == pytest.approx(0, abs=1e-6)
    assert total.item() == pytest.approx(25 * 1.5 + 25 * 0.99, rel=1e-5)


def test_labels_are_scored_by_their_cross_entropy(folder):
    net = SimpleNamespace(
        encoder=Told(torch.zeros(2, 2)), readout=Told(rows([0.0, 0], [np.log(3), 0]))
    )
    total, terms = images_classes.loss(spec(folder, "images_classes"), net, SHOWN, {})
    assert total.item() == pytest.approx((np.log(2) + np.log(4)) / 2)
    assert terms["right"].item() == 0.5, "of two that are alike the first counts"


def made(asked):
    net = nn.Module()
    for name, network in KINDS[asked.kind].networks(asked).items():
        net.add_module(name, network)
    return net.train()


def test_target_follows_weights_and_statistics_of_norms(folder):
    asked = spec(folder, momentum=0.75)
    net = made(asked)
    shown = _images.batch(asked, 3)
    before = {name: value.clone() for name, value in net.target.state_dict().items()}
    images_jepa.loss(asked, net, shown, {})[0].backward()
    for name, value in net.target.state_dict().items():
        torch.testing.assert_close(value, before[name], msg=f"{name} moved by a forward pass")
    with torch.no_grad():
        for value in net.encoder.parameters():
            value += 1.0
    images_jepa.after_step(asked, net, 0.3)
    own = net.encoder.state_dict()
    statistics = [name for name in own if "running" in name]
    assert len(statistics) == 4
    for name, value in net.target.state_dict().items():
        if "num_batches" in name:
            assert value == own[name]
            continue
        expected = 0.75 * before[name] + 0.25 * own[name]
        torch.testing.assert_close(value, expected)
        assert (own[name] != before[name]).any(), name


@pytest.mark.parametrize("guard", ["average", "sigreg", "vicreg"])
def test_every_term_reaches_every_weight_that_is_trained(folder, guard):
    asked = spec(folder, against_collapse=guard)
    net = made(asked)
    shown = _images.batch(asked, 0)
    drawn = images_jepa.draw(asked, np.random.default_rng(0))
    total, _ = images_jepa.loss(asked, net, shown, drawn)
    total.backward()
    trained = {name for name, value in net.named_parameters() if value.requires_grad}
    none = {name for name, value in net.named_parameters() if value.requires_grad and
            (value.grad is None or not value.grad.any())}  # fmt: skip
    # a level that batch norm takes off again has no gradient but rounding's
    assert none <= {name for name in trained if name.endswith("bias")}, none
    assert ("predictor.change.0.weight" in trained) == (guard == "average")


def test_published_networks_have_the_published_sizes(folder):
    asked = images_jepa.Spec.strict({"kind": "images_jepa", "system": spec(folder).system.dump()})
    net = made(asked)
    count = {
        name: sum(value.numel() for value in getattr(net, name).parameters())
        for name in ("encoder", "predictor")
    }
    convolutions = sum(9 * a * b + b + 2 * b for a, b in ((1, 64), (64, 128), (128, 256)))
    assert count["encoder"] == convolutions + 256 * 128 + 128 + 2 * 2 * 128
    assert count["predictor"] == 2 * (128 * 128 + 128)
    assert (asked.batch, asked.steps, asked.momentum) == (32, 25 * 60_000 // 32, 0.999)
    rates = [_loop.learning_rate(asked, step) for step in (0, asked.steps - 1)]
    assert rates == [1e-3, 1e-3]
    falling = asked.model_copy(update={"fall": True})
    assert _loop.learning_rate(falling, asked.steps - 1) < 1.1e-5
    strengths = [_images.strength(asked, step) for step in (0, 1874, 1875, 46_874)]
    assert strengths == [0, 0, 1 / 25, 24 / 25]
    assert net.encoder(torch.zeros(2, 1, 1, 28, 28)).shape == (2, 128)


def test_each_image_comes_once_before_any_comes_again(folder):
    asked = spec(folder, images=24)
    found = torch.cat([_images.batch(asked, step).clean for step in range(3)]).flatten(1)
    assert len(torch.unique(found, dim=0)) == len(np.unique(_images.world(asked).train, axis=0))
    first, again = _images.batch(asked, 1), _images.batch(asked, 1)
    torch.testing.assert_close(first.seen, again.seen, rtol=0, atol=0)
    assert (first.seen != first.clean).any() and 0 <= first.seen.min() <= first.seen.max() <= 1
    with pytest.raises(ValueError, match=r"images: 37, but .* has 36 to train on"):
        _images.world(spec(folder, images=37))
    with pytest.raises(ValueError, match="noisy_tv has no images"):
        spec(folder, system={"simulate": {"kind": "noisy_tv"}, "render": {"kind": "sensors"}})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_trained_is_written_and_read_back(folder, kind, tmp_path):
    from physprobe.embed import latent

    asked = spec(
        folder, kind, steps=12, batch=24, epochs=2, learning_rate=0.01, curriculum=0, seeds=[1, 2],
        **({"against_collapse": "vicreg"} if kind == "images_jepa" else {}),
    )  # fmt: skip
    out = tmp_path / "bars/model.safetensors"
    train.run(out=out, spec=asked.canonical())
    card = (out.parent / "README.md").read_text()
    assert "five nearest neighbours" in card and "2 members" in card
    rows_ = (out.parent / "training.csv").read_text().splitlines()
    assert len(rows_) == 1 + 2 * 3
    embedded = latent.load(
        latent.Spec(model=str(out.parent), seeds=(2,)), frames=1, height=SIDE, width=SIDE, threads=1
    )
    video = np.repeat(_images.world(asked).train[:20, None, ..., None], 3, -1)
    assert embedded.encode(video, np.arange(20)).pooled.shape == (20, 1, 1, 6)
