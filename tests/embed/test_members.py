"""Members: several networks under one entry, embedded into one store, one after the other."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError

from physprobe.embed import huggingface, stage, twin, untrained
from physprobe.store import writing, zarrs

SMALL = {"hidden_size": 24, "num_hidden_layers": 2, "crop_size": 32, "tokens": ["final"]}
CLIPS = 20  # two blocks of clips


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    out = tmp_path / "clips.zarr" / "zarr.json"
    films = np.random.default_rng(0).integers(0, 256, (CLIPS, 8, 48, 48, 3), dtype="uint8")
    dims = ("clip", "time", "y", "x", "rgb")
    with writing.create(
        out,
        variables={"video": writing.Variable(dims, films.shape, "uint8")},
        coords={
            "clip": (("clip",), np.arange(CLIPS), {}),
            "time": (("time",), np.arange(8.0), {"units": "s"}),
        },
        attrs={},
        fingerprint={},
        block=4,
    ) as store:
        store.fill(lambda block: {"video": films[block]})
    return out


def embed(clips: Path, name: str, **spec: object) -> Path:
    out = clips.parents[1] / "embeddings" / f"{name}.zarr"
    text = json.dumps({"kind": "untrained", **SMALL, **spec})
    stage.run(clips=clips, out=out / "zarr.json", spec=text)
    return out


def test_a_store_of_members_is_those_of_each_stacked(clips: Path):
    found = xr.open_zarr(embed(clips, "several", seeds=[4, 1, 9]))
    assert found.member.values.tolist() == [4, 1, 9]
    assert found.pooled.dims == ("member", "clip", "layer", "time", "feature")
    assert found.tokens_final.dims == ("member", "clip", "time", "y", "x", "feature")
    assert found.pooled.dtype == np.float16
    hashes = []
    for place, seed in enumerate((4, 1, 9)):
        alone = xr.open_zarr(embed(clips, f"alone_{seed}", seeds=[seed]))
        assert alone.pooled.dims == ("clip", "layer", "time", "feature")
        for name in ("pooled", "tokens_final"):
            np.testing.assert_array_equal(found[name][place], alone[name])
        hashes.append(alone.attrs["weights_hash"])
    assert found.attrs["weights_hash"] == hashes
    assert found.attrs["label"].startswith("untrained") and "2 more" in found.attrs["label"]


def test_copies_are_named_by_their_place(clips: Path, checkpoint: Path, _saved: Path):
    models = {"model": [str(checkpoint), str(_saved)]}
    out = clips.parents[1] / "copies.zarr" / "zarr.json"
    spec = huggingface.Spec.strict({"kind": "huggingface", **models})
    stage.run(clips=clips, out=out, spec=spec.canonical())
    found = zarrs.read(out)
    assert found.member.values.tolist() == [0, 1]
    np.testing.assert_array_equal(found.pooled[0], found.pooled[1])  # one network, two folders
    assert found.attrs["hf_repo"] == models["model"]
    assert len(found.attrs["weights_hash"]) == 64  # they have it in common


def test_it_goes_on_where_it_was_interrupted(clips: Path, monkeypatch: pytest.MonkeyPatch):
    drawn, load = [], untrained.load

    def killed(spec: untrained.Spec, **size: object) -> object:
        encoder = load(spec, **size)
        each = encoder.each
        drawn.append(spec.seeds[0])

        def dying(blocks: list) -> object:
            for number, found in enumerate(each(blocks)):
                if spec.seeds == (2,) and number == 1:
                    raise KeyboardInterrupt
                yield found

        encoder.each = dying
        return encoder

    monkeypatch.setattr(untrained, "load", killed)
    with pytest.raises(KeyboardInterrupt):
        embed(clips, "several", seeds=[1, 2, 3])
    out = clips.parents[1] / "embeddings" / "several.zarr"
    assert not (out / "zarr.json").exists()
    unfinished = out.with_name(".several.zarr.unfinished") / "pooled"
    there = sorted(file.relative_to(unfinished) for file in unfinished.glob("c/*/*/0/0/0"))
    assert there == [Path("c", *at, "0", "0", "0") for at in ("00", "01", "10")]
    before = (unfinished / there[0]).stat().st_mtime_ns
    monkeypatch.setattr(untrained, "load", load)
    whole = zarrs.read(embed(clips, "several", seeds=[1, 2, 3]))
    assert (out / "pooled" / there[0]).stat().st_mtime_ns == before
    again = zarrs.read(embed(clips, "anew", seeds=[1, 2, 3]))
    np.testing.assert_array_equal(whole.pooled, again.pooled)


def test_members_are_of_one_architecture(clips: Path, checkpoint: Path, tmp_path: Path):
    from transformers import VJEPA2Config, VJEPA2Model

    other = tmp_path / "deeper"
    config = VJEPA2Config.from_pretrained(checkpoint)
    config.num_hidden_layers = 2
    VJEPA2Model(config).save_pretrained(other)
    file = "preprocessor_config.json"
    (other / file).write_text((checkpoint / file).read_text())
    spec = huggingface.Spec(model=(str(checkpoint), str(other)))
    with pytest.raises(ValueError, match=r"member 1 has layers .* Hint: copies of one"):
        stage.run(clips=clips, out=tmp_path / "x.zarr" / "zarr.json", spec=spec.canonical())


def test_random_weights_are_five_by_default():
    assert list(untrained.Spec().members) == [1, 2, 3, 4, 5]
    random = twin.Spec(weights="random")
    assert random.of(huggingface.Spec(model="a/b")).seeds == (1, 2, 3, 4, 5)
    assert random.of(untrained.Spec(seeds=(7,))).seeds == (1, 2, 3, 4, 5)
    shuffled = twin.Spec(frames="shuffled", seed=3)
    assert shuffled.of(untrained.Spec(seeds=(7,))).seeds == (7,)
    assert shuffled.of(huggingface.Spec(model=("a/b", "a/c"))).model == ("a/b", "a/c")


@pytest.mark.parametrize(
    ("spec", "fields", "message"),
    [
        (untrained.Spec, {"seed": 1}, r"write seeds: \[1\] for one"),
        (twin.Spec, {"weights": "random", "seed": 1}, r"write seeds: \[1\] for one"),
        (untrained.Spec, {"seeds": [1, 1]}, "each member once"),
        (untrained.Spec, {"seeds": []}, "at least 1 item"),
        (untrained.Spec, {"seeds": [-1]}, "greater than or equal to 0"),
        (huggingface.Spec, {"model": []}, "at least 1 item"),
        (huggingface.Spec, {"model": ["a/b", "a/b"]}, "each copy once"),
        (huggingface.Spec, {"model": ["a/b", "a/c"], "revision": "abc"}, "1 for 2 models"),
    ],
)
def test_members_that_can_not_be_are_errors(spec: type, fields: dict, message: str):
    with pytest.raises(ValidationError, match=message):
        spec.strict(fields)
