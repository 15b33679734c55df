"""The contract of recipes: a new one is a file, and what one may leave out has a default."""

import inspect
import subprocess
import sys

import pytest
import torch
from pydantic import ValidationError

import physprobe.train
from physprobe.config import kinds
from physprobe.train import _loop, section, videomae
from physprobe.train._recipe import Recipe
from physprobe.train._training import Training

CPU = torch.device("cpu")
MEAN = '''"""Mean: predict a clip's mean colour from its tokens."""

from typing import Literal

from physprobe.train._windowed import Windowed


class Spec(Windowed):
    """Mean colour."""

    kind: Literal["mean"] = "mean"


def networks(spec):
    from torch import nn

    from physprobe.train import _tokens

    head = nn.Linear(spec.hidden_size, 3)
    _tokens.initialise(head, spec.seed)
    return {"encoder": _tokens.encoder(spec), "head": head}


def loss(spec, net, batch, drawn):
    from physprobe.train import _tokens

    found = net.head(_tokens.encode(net.encoder, batch.video).mean(1))
    return (found - batch.video.mean((1, 3, 4))).square().mean(), {}
'''


@pytest.mark.parametrize("kind", kinds.names("train"))
def test_every_recipe_keeps_the_contract(kind):
    recipe = kinds.load("train", kind)
    assert recipe.Spec.model_fields["kind"].default == kind
    for name in ("networks", "draw", "loss", "after_step"):
        asked, found = (
            list(inspect.signature(getattr(each, name)).parameters)
            for each in (section.Kind, recipe)
        )
        assert found == asked, name


@pytest.mark.parametrize(
    "kind", [k for k in kinds.names("train") if issubclass(kinds.load("train", k).Spec, Training)]
)
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"hidden_size": 25}, "hidden_size has to be a multiple of 2 heads"),
        ({"crop_size": 60}, "crop_size has to be a multiple of patch_size, 8"),
        ({"crop": 20}, "crop has to be a multiple of patch_size, 8"),
    ],
)
def test_every_recipe_refuses_sizes_that_do_not_divide(kind, fields, message, tiny):
    shared = {name: getattr(tiny, name) for name in Training.model_fields}
    with pytest.raises(ValidationError, match=message):
        kinds.load("train", kind).Spec(**{**shared, **fields})


@pytest.mark.parametrize(
    ("system", "validation", "message"),
    [
        (("heat_published", "fields"), "alpha", "systems.x: heat_published has no endless clips"),
        (("wave_published", "fields"), "c", "systems.x: wave_published has no endless clips"),
        (("balls", "balls"), "speed", "systems.x: 16 frames of 256 px don.t make windows"),
        (("diffusion", "fields"), "log_alpa", "validation.x: diffusion has no 'log_alpa'.*alpha"),
        (("diffusion", "fields"), "ic_id", "validation.x: diffusion has no 'ic_id'"),
    ],
)
def test_what_no_stream_can_be_made_of_is_refused(system, validation, message, tiny):
    """Before anything is trained, not after."""
    simulate, render = system
    fields = {
        "systems": {"x": {"simulate": {"kind": simulate}, "render": {"kind": render}}},
        "validation": {"x": [validation]},
    }
    shared = {name: getattr(tiny, name) for name in Training.model_fields}
    with pytest.raises(ValidationError, match=message):
        videomae.Spec(**{**shared, **fields})


def test_what_a_recipe_leaves_out_is_as_the_contract_has_it(monkeypatch):
    assert not hasattr(videomae, "FORESEES") and not kinds.load("train", "videomae").FORESEES
    assert kinds.load("train", "vjepa").FORESEES
    assert kinds.load("train", "vjepa").KEPT == ("target", "encoder", "predictor")
    monkeypatch.delattr(videomae, "loss")
    with pytest.raises(ValueError, match=r"videomae.py can't be loaded: TypeError: .* loss"):
        kinds.load("train", "videomae")


def test_a_new_recipe_is_one_file(tiny, tmp_path, monkeypatch):
    (tmp_path / "mean.py").write_text(MEAN)
    folders = [*physprobe.train.__path__, str(tmp_path)]
    monkeypatch.setattr(physprobe.train, "__path__", folders)
    names = kinds.names
    monkeypatch.setattr(kinds, "names", lambda s: (*names(s), *(("mean",) if s == "train" else ())))
    kind = kinds.load("train", "mean")
    shared = {name: getattr(tiny, name) for name in Training.model_fields}
    spec = kind.Spec(**{**shared, "steps": 20})
    scores = iter([0.0, 0.1, 0.2])

    def judge(encoder):
        return {"heat/log_alpha": next(scores)}

    [(tensors, rows)] = _loop.run(Recipe(spec), tmp_path, judge, identity="a", device=CPU)
    assert rows[2]["loss"] < rows[1]["loss"]
    assert tensors.keys() == Recipe(spec).kept.keys()


def test_a_config_is_read_without_torch():
    """Recipes are imported wherever a config is read, and torch takes seconds."""
    program = "import sys; from physprobe.config import kinds; kinds.any_spec('train');"
    program += " sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
