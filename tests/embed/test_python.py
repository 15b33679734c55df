"""A function of the user's own makes an encoder, and what is wrong with it is said in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from physprobe import __main__ as door
from physprobe.config import config_files, model
from physprobe.config.pipeline import Pipeline
from physprobe.embed import python
from physprobe.embed import stage as embed
from physprobe.fit import stage as fit
from physprobe.render import stage as render
from physprobe.simulate import stage as simulate
from physprobe.store import results, zarrs

ROOT = Path(__file__).parents[2]
SIZE = {"frames": 8, "height": 48, "width": 48, "threads": 1}
SOURCE = """
import torch
from torch import nn
from parts import WIDTH

class Tokens(nn.Module):
    def __init__(self, broken):
        super().__init__()
        self.patches = nn.Conv3d(3, WIDTH, (2, 8, 8), (2, 8, 8))
        self.front = nn.Parameter(torch.full((1, 1, WIDTH), 9.0))
        self.blocks = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(2))
        self.norm = nn.LayerNorm(WIDTH)
        self.unused, self.wide, self.broken = nn.Identity(), nn.Linear(WIDTH, 3), broken

    def forward(self, video):
        tokens = self.patches(video).flatten(2).mT
        tokens = torch.cat([self.front.expand(len(tokens), -1, -1), tokens], 1)
        for block in self.blocks:
            tokens = tokens + block(tokens)
        if self.broken == "mixed":
            tokens = tokens - tokens.mean(0)
        self.wide(tokens)
        return self.norm(tokens / 0 if self.broken is True else tokens)

class Object:
    def __init__(self, spatial=False, wrong=None):
        self.spatial, self.wrong = spatial, wrong

    def encode(self, video):
        if self.wrong == "shape":
            return video.mean((2, 3))
        tubelets = video.reshape(len(video), -1, 2, *video.shape[2:]).astype("float64").mean(2)
        found = np.stack([tubelets, 2 * tubelets], 1)
        if self.wrong == "nan":
            found[:, 1, 0] = np.nan
        return found if self.spatial else found.mean((3, 4))

def build(broken=False):
    return Tokens(broken)

def embeds(**fields):
    return Object(**fields)

def nothing():
    return 3

def fails():
    return open("weights.pt")
"""
READ = {
    "read": ["blocks.*", "norm"],
    "input": "b c t h w",
    "output": "b (t h w) d",
    "prefix": 1,
    "tubelet": 2,
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "own.py"
    file.write_text("import numpy as np" + SOURCE)
    (tmp_path / "parts.py").write_text("WIDTH = 12  # features\n")
    return file


def spec(source: Path, name: str = "build", **fields: object) -> python.Spec:
    given = READ if name == "build" else {"tubelet": 2}
    content = {"kind": "python", "model": f"{source}:{name}", **given, **fields}
    found = {key: value for key, value in content.items() if value is not None}
    return python.Spec.parse(python.Spec.strict(found).canonical())  # as a rule passes it on


def run(source: Path, video: np.ndarray, name: str = "build", **fields: object) -> tuple:
    encoder = python.load(spec(source, name, **fields), **SIZE)
    return encoder, encoder.encode(video, np.arange(len(video)))


def test_modules_are_read_as_torch_gives_them(source: Path, video: np.ndarray):
    fields = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "tokens": ["0", "final"]}
    encoder, found = run(source, video, **fields)
    assert encoder.layers == ("0", "1", "final") and encoder.grid == (6, 6)
    assert encoder.provenance["modules"] == {"0": "blocks.0", "1": "blocks.1", "final": "norm"}
    network = encoder.network
    frames = torch.from_numpy(video).permute(0, 4, 1, 2, 3).float() / 255
    mean, std = (torch.tensor(v).view(3, 1, 1, 1) for v in (fields["mean"], fields["std"]))
    with torch.inference_mode():
        tokens = network.patches((frames - mean) / std).flatten(2).mT
        expected = {"0": network.blocks[0](tokens)}
        tokens = tokens + expected["0"]
        expected["1"] = network.blocks[1](tokens)
        expected["final"] = network.norm(tokens + expected["1"])
    for index, (layer, values) in enumerate(expected.items()):
        values = values.unflatten(1, (4, 6, 6)).numpy()
        np.testing.assert_allclose(
            found.pooled[:, index], values.mean((2, 3)), rtol=2**-10, atol=1e-3
        )
        if layer != "1":
            np.testing.assert_allclose(found.tokens[layer], values, rtol=2**-10, atol=1e-3)


def test_an_object_embeds_by_itself(source: Path, video: np.ndarray):
    encoder, found = run(source, video, "embeds")
    means = video.reshape(3, 4, 2, 48, 48, 3).mean((2, 3, 4))
    assert encoder.layers == ("0", "final") and encoder.dtype == "float32"
    np.testing.assert_allclose(found.pooled, np.stack([means, 2 * means], 1), rtol=1e-5)
    fields = {"arguments": {"spatial": True}, "tokens": ["final"]}
    encoder, spatial = run(source, video, "embeds", **fields)
    np.testing.assert_allclose(spatial.pooled, found.pooled, rtol=1e-5)
    assert encoder.grid == (48, 48) and spatial.tokens["final"].shape == (3, 4, 48, 48, 3)


@pytest.mark.parametrize("name", ["build", "embeds"])
def test_causal_windows_and_twins_are_those_of_any_network(
    name: str, source: Path, video: np.ndarray
):
    changed = video.copy()
    changed[:, 4:] = 255 - changed[:, 4:]
    _, before = run(source, video, name, causal=True, window=4)
    _, after = run(source, changed, name, causal=True, window=4)
    np.testing.assert_array_equal(before.pooled[:, :, :2], after.pooled[:, :, :2])
    assert np.abs(before.pooled - after.pooled)[:, :, 2:].max() > 1e-2
    _, still = run(source, video, name, frames="repeated")
    np.testing.assert_array_equal(still.pooled[:, :, 0], still.pooled[:, :, 3])
    at_once, found = run(source, video, name, at_once=2)
    assert not at_once.spec.sees_future
    assert spec(source, name, at_once=4).sees_future and spec(source, name).sees_future
    np.testing.assert_allclose(found.pooled, run(source, video, name)[1].pooled, rtol=2**-9)


def test_random_weights_are_drawn_and_say_so(source: Path, video: np.ndarray):
    own = spec(source)
    drawn = own.random((1, 2))
    one, other = (python.load(each, **SIZE) for each in drawn.members.values())
    again = python.load(drawn, **SIZE)
    assert one.provenance["weights_hash"] == again.provenance["weights_hash"]
    assert one.provenance["weights_hash"] != other.provenance["weights_hash"]
    assert one.provenance["label"].startswith("untrained") and drawn.twin and not own.twin
    state = one.network.state_dict()
    assert (state["norm.weight"] == 1).all() and (state["blocks.0.bias"] == 0).all()
    assert 0.6 < state["patches.weight"].std() * (3 * 2 * 8 * 8) ** 0.5 < 1.4
    assert not spec(source, "embeds").redrawn
    assert python.load(own, **SIZE).provenance == python.load(own, **SIZE).provenance


def test_source_and_what_lies_beside_it_count(source: Path, tmp_path: Path):
    weights = tmp_path / "weights.bin"
    weights.write_bytes(b"1" * 20000)
    own = spec(source, files=[str(weights)])
    parts = tmp_path / "parts.py"
    told = [(own.listing(), own.content())]
    parts.write_text("WIDTH = 12  # a comment\n\n")
    assert (own.listing(), own.content()) == told[0]
    for change in (
        lambda: parts.write_text("WIDTH = 16\n"),
        lambda: source.write_text(source.read_text().replace("tokens / 0", "tokens / 1")),
        lambda: weights.write_bytes(b"2" + b"1" * 19999),
    ):
        change()
        told.append((own.listing(), own.content()))
    assert len({a for a, _ in told}) == len({b for _, b in told}) == 4
    assert python.load(own, **SIZE).features == 16
    named = spec(source, arguments={"broken": str(weights)})
    told.append((named.listing(), named.content()))
    weights.write_bytes(b"3")
    assert (named.listing(), named.content()) != told.pop()
    weights.write_bytes(b"2" + b"1" * 19999)
    (tmp_path / "aside.py").write_text("WIDTH = 1\n")
    assert (own.listing(), own.content()) == told[-1]
    assert python.Spec(model="physprobe.embed.python:load").listing()


@pytest.mark.parametrize(
    ("name", "fields", "message"),
    [
        ("build", {"read": ["block.*"]}, r"own.py:build: no module 'block.\*'. Did you mean 'bl"),
        ("build", {"read": ["zzz"]}, r"no module 'zzz'. It has patches, blocks, blocks.0"),
        ("build", {"read": ["unused"]}, r"unused: it runs not at all in a forward pass"),
        ("build", {"read": ["blocks"]}, r"blocks: it runs not at all.*Did you mean 'blocks.\*'"),
        (
            "build",
            {"prefix": 0},
            r"blocks.0 gives \(1, 145, 12\) for 1 clip of 8 frames of 48 x 48",
        ),
        ("build", {"prefix": 0}, r"145 along t h w, expected 4 t x h x w; prefix: 1 would fit"),
        ("build", {"tubelet": 1}, r"18 along h w, which aren't rows and col.*tubelet 1, prefix 1"),
        ("build", {"input": "b t c h w"}, r"given \(1, 8, 3, 48, 48\), it raised RuntimeError"),
        ("build", {"read": ["norm", "wide"]}, r"norm has 12 features, wide 3. Hint: read what is"),
        ("build", {"arguments": {"broken": True}}, r"norm gives .*: holds values that aren't fin"),
        ("build", {"arguments": {"broken": "mixed"}}, r"norm: gives another value for a window"),
        ("build", {"arguments": {"brokn": 1}}, r"raised TypeError: .*unexpected keyword"),
        ("build", {"tokens": ["7"]}, r"tokens: found '7', but the layers are 0, 1, final"),
        ("fails", {}, r"own.py:fails raised FileNotFoundError"),
        ("nothing", {}, r"gives a int without encode"),
        ("nothing", READ, r"gives a int, expected a torch.nn.Module, of which blocks.\*, norm"),
        (
            "build",
            dict.fromkeys(("read", "input", "output", "prefix")),
            r"gives a Tokens without encode. Hint: name modules to read, with input and output; it",
        ),
        ("embeds", {"arguments": {"wrong": "shape"}}, r"encode gives \(1, 8, 3\) float64 for 1 c"),
        (
            "embeds",
            {"tubelet": 4},
            r"encode gives \(1, 2, 4, 3\).*, 2, \[y, x,\].*Hint: tubelet: 4",
        ),
        ("embeds", {"tokens": ["final"]}, r"encode gives no places in the frame, so no tokens"),
    ],
)
def test_what_does_not_fit_is_named(name: str, fields: dict, message: str, source: Path):
    with pytest.raises(ValueError, match=message):
        python.load(spec(source, name, **fields), **SIZE)


def test_modules_are_listed_with_what_they_give(
    source: Path, capsys: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    size = ["--frames", "8", "--height", "48", "--width", "48"]
    assert door.main(["modules", f"{source}:build", *size]) == 0
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert lines[1] == ["patches", "Conv3d", "(1, 12, 4, 6, 6)"]
    assert ["blocks.1", "Linear", "(1, 145, 12)"] in lines
    assert "given (1, 3, 8, 48, 48) (b c t h w)" in caplog.text and len(lines) == 6
    for name, more, message in (
        (f"{source}:build", ["--spec", '{"input": "b t c h w"}'], "Hint: input is 'b t c h w'"),
        (f"{source}:embeds", [], "gives a Object, which has no modules"),
        ("", [], "modules: whose?"),
    ):
        assert door.main(["modules", name, *size, *more]) == 1
        assert message in caplog.text


def test_what_is_not_finite_names_its_clip(source: Path, video: np.ndarray):
    encoder = python.load(spec(source, "embeds"), **SIZE)
    encoder.embeds.wrong = "nan"
    with pytest.raises(ValueError, match="clip 10, layer final: found nan, which float32 can't"):
        encoder.encode(video, np.arange(10, 13))


def test_a_config_names_files_and_functions_that_are_there(source: Path, tmp_path: Path):
    def told(name: str, **fields: object) -> str:
        return " ".join(python.problems(python.Spec(model=name, **fields)))

    assert not told(f"{source}:build")
    assert "own.py'" not in told(f"{source}:biuld") and "Did you mean 'build'?" in told(
        f"{source}:biuld"
    )
    assert f"Did you mean {source}?" in told(f"{tmp_path}/onw.py:build")
    assert "such module. Hint: install it" in told("no_such_package.module:build")
    assert "no function. Hint: write path/to/file.py:build" in told(str(source))
    every = source.parent / "every.py"
    every.write_text("from own import *\nnumber = 3\n")
    assert not told(f"{every}:build")  # what a star brings can't be told
    with pytest.raises(ValueError, match=r"every.py: number is no function, but 3"):
        python.load(spec(every, "number"), **SIZE)
    assert "weights.pt: no such file" in told(f"{source}:build", files=("weights.pt",))
    with pytest.raises(ValidationError, match="input: missing, where modules are read"):
        spec(source, input=None)
    with pytest.raises(ValidationError, match="prefix: belongs to a torch module"):
        spec(source, "embeds", prefix=1)
    content = config_files.read(ROOT / "tests/configs/wide.yaml").values
    content["encoders"]["own"] = {"kind": "python", "model": f"{source}:embeds", "tubelet": 2}
    content["controls"]["drawn"] = {"kind": "twin", "weights": "random"}
    content["studies"]["mine"] = {
        "system": "heat", "encoders": ["own"], "controls": ["drawn"], "methods": ["ridge"]
    }  # fmt: skip
    with pytest.raises(
        ValueError, match="drawn is the twin of a network whose weights can be drawn"
    ):
        model.load(content)
    content["controls"]["drawn"] = {"kind": "twin", "frames": "shuffled"}
    assert model.load(content).studies["mine"].controls == ("drawn_of_own",)
    source.write_text("def build(:\n")
    with pytest.raises(ValueError, match=r"encoders.own: .*own.py, line 1: no Python"):
        model.load(content)


def test_the_example_is_a_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its stages, run one after the other, on fewer clips; their rules are those of any encoder."""
    monkeypatch.chdir(ROOT)
    fewer = {"clips": 20, "frames": 8, "size": 32, "sigma": [2.0, 3.0], "alpha": [0.2, 0.5]}
    quick = {"systems": {"small_heat": {"simulate": fewer}}}
    files = [ROOT / "tests/configs/wide.yaml", ROOT / "examples/own_encoder.yaml"]
    pipeline = Pipeline(config_files.gather(files, quick))
    config = pipeline.config
    study, system = config.studies["own_encoder"], config.systems["small_heat"]
    assert study.controls[0] == "drawn_of_own" and study.encoders == ("own",)
    stores = {name: tmp_path / f"heat/{name}.zarr/zarr.json" for name in ("simulation", "clips")}
    simulate.run(out=stores["simulation"], spec=system.simulate.canonical())
    render.run(simulation=stores["simulation"], out=stores["clips"], spec=system.render.canonical())
    own = tmp_path / "heat/embeddings/own.zarr/zarr.json"
    embed.run(clips=stores["clips"], out=own, spec=config.encoders["own"].canonical())
    found = zarrs.read(own)
    assert found.pooled.shape == (20, 3, 4, 32) and found.layer.values[-1] == "final"
    method = config.methods[study.methods[0]].model_copy(
        update={"permutations": 1, "bootstraps": 100}
    )
    out = tmp_path / "heat/fits/own.ridge.json"
    fit.run(embeddings=[own], simulation=[stores["simulation"]], out=out, spec=method.canonical())
    rows = results.read(out, "probe")["rows"]
    assert any(row["target"] == "log_alpha" and row["metric"] == "r2" for row in rows)
    assert json.loads(own.read_text())["attributes"]["label"] == "examples/own_encoder.py:build"
