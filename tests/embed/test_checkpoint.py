"""A checkpoint's files: what is read, hashed and refused (faults 2 and 17)."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from safetensors.torch import load_file, save_file

from physprobe.config import checkpoints
from physprobe.embed import huggingface, untrained
from physprobe.store import writing

SIZE = {"frames": 8, "height": 48, "width": 48, "threads": 1}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


def load(folder: Path, **fields: object) -> object:
    return huggingface.load(huggingface.Spec(model=str(folder), **fields), **SIZE)


def edit(file: Path, **fields: object) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **fields}))


def split(checkpoint: Path, prefix: str = "") -> dict[str, str]:
    """Save a checkpoint's tensors as two shards and an index."""
    tensors = load_file(checkpoint / "model.safetensors")
    (checkpoint / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {
        f"model-0000{k + 1}-of-00002.safetensors": {name: tensors[name] for name in names[k::2]}
        for k in range(2)
    }
    for file, part in shards.items():
        (checkpoint / prefix / file).parent.mkdir(exist_ok=True)
        save_file(part, checkpoint / prefix / file, metadata={"format": "pt"})
    where = {name: prefix + file for file, part in shards.items() for name in part}
    index = {"metadata": {}, "weight_map": where}
    (checkpoint / "model.safetensors.index.json").write_text(json.dumps(index))
    return where


@pytest.mark.parametrize(
    ("file", "fields"),
    [
        ("preprocessor_config.json", {"image_mean": [0.1, 0.2, 0.3]}),
        ("preprocessor_config.json", {"do_normalize": False}),
        ("config.json", {"layer_norm_eps": 1e-3}),
        ("config.json", {"hidden_act": "relu"}),
    ],
)
def test_an_edited_file_is_another_encoder_fault_2(checkpoint: Path, file: str, fields: dict):
    twin = untrained.Spec(like=str(checkpoint))
    before = load(checkpoint).provenance, untrained.load(twin, **SIZE).provenance
    # nothing of it is a time
    assert (load(checkpoint).provenance, untrained.load(twin, **SIZE).provenance) == before
    edit(checkpoint / file, **fields)
    assert load(checkpoint).provenance != before[0]
    assert untrained.load(twin, **SIZE).provenance != before[1]


def test_versions_device_and_type_are_part_of_an_encoder_fault_2(checkpoint: Path):
    about = load(checkpoint).provenance
    assert set(about["versions"]) == {"torch", "transformers", "numpy", "scipy"}
    assert {"device", "dtype", "products", "architecture", "processor"} <= set(about)
    json.dumps(about)


def test_an_edited_processor_starts_a_store_anew_fault_2(
    checkpoint: Path, video: np.ndarray, tmp_path: Path
):
    from physprobe.embed import stage
    from physprobe.store import zarrs

    count, frames = video.shape[:2]
    clips = tmp_path / "results" / "heat" / "clips.zarr" / "zarr.json"
    with writing.create(
        clips,
        variables={
            "video": writing.Variable(("clip", "time", "y", "x", "rgb"), video.shape, "uint8")
        },
        coords={
            "clip": (("clip",), np.arange(count), {}),
            "time": (("time",), np.arange(frames) * 0.1, {}),
        },
        attrs={},
        fingerprint={"code": "test"},
        block=count,
    ) as store:
        store.fill(lambda block: {"video": video[block]})
    out = tmp_path / "results" / "heat" / "embeddings" / "mine.zarr" / "zarr.json"
    spec = huggingface.Spec(model=str(checkpoint)).model_dump_json()

    def embed() -> np.ndarray:
        stage.run(clips=clips, out=out, spec=spec)
        return zarrs.read(out)["pooled"].values

    before = embed()
    out.unlink()  # as Snakemake does before it runs a rule again
    edit(checkpoint / "preprocessor_config.json", image_mean=[0.1, 0.2, 0.3])
    after = embed()
    assert np.abs(after - before).max() > 1e-2
    expected = load(checkpoint).encode(video, np.arange(count)).pooled
    np.testing.assert_array_equal(after, expected)


def test_shards_are_read_and_hashed_like_one_file_fault_17(checkpoint: Path, video: np.ndarray):
    whole = load(checkpoint)
    where = split(checkpoint)
    parts = load(checkpoint)
    assert parts.provenance["weights_hash"] == whole.provenance["weights_hash"]
    clips = np.arange(len(video))
    np.testing.assert_array_equal(
        parts.encode(video, clips).pooled, whole.encode(video, clips).pooled
    )
    save_file(
        {"other": load_file(checkpoint / min(where.values()))[min(where)]},
        checkpoint / "other.safetensors",
        metadata={"format": "pt"},
    )
    assert load(checkpoint).provenance == parts.provenance  # it is not loaded
    assert checkpoint / "other.safetensors" not in checkpoints.files(checkpoint)

    shard = checkpoint / where["encoder.layer.1.mlp.fc1.weight"]
    tensors = load_file(shard)
    tensors["encoder.layer.1.mlp.fc1.weight"][0, 0] += 1e-3
    save_file(tensors, shard, metadata={"format": "pt"})
    assert load(checkpoint).provenance["weights_hash"] != parts.provenance["weights_hash"]


@pytest.mark.parametrize("prefix", ["sub/", "../elsewhere/"])
def test_shards_elsewhere_are_refused_fault_17(checkpoint: Path, prefix: str):
    split(checkpoint, prefix)
    with pytest.raises(ValueError, match=r"index.json: found the shard '.*expected a file of the"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("{", "found no JSON"),
        ("[]", "found a list, expected a JSON object"),
        ("{}", "found no weight_map"),
        ('{"weight_map": {"a": 1}}', "found the shard 1, expected"),
        ('{"weight_map": {"a": "/etc/passwd.safetensors"}}', "expected a file of the same folder"),
        ('{"weight_map": {"a": "weights.bin"}}', r"only \*.safetensors are read"),
    ],
)
def test_a_broken_index_is_named_fault_17(checkpoint: Path, index: str, message: str):
    (checkpoint / "model.safetensors").unlink()
    (checkpoint / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ValueError, match=rf"model.safetensors.index.json: .*{message}"):
        load(checkpoint)
    assert checkpoint / "model.safetensors.index.json" in checkpoints.files(checkpoint)


def test_a_tensor_in_two_shards_is_refused(checkpoint: Path):
    where = split(checkpoint)
    first, second = sorted(set(where.values()))
    tensors = load_file(checkpoint / first)
    more = {**load_file(checkpoint / second), min(tensors): tensors[min(tensors)]}
    save_file(more, checkpoint / second, metadata={"format": "pt"})
    with pytest.raises(ValueError, match=rf"found {min(tensors)}, which another file"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", POINTER, "found a git-lfs pointer.*git lfs pull"),
        ("model.safetensors", b"", "the file is empty. Hint"),
        ("model.safetensors", b"abc", "cut or damaged, 3 bytes"),
        ("model.safetensors", b"\xff" * 100, "cut or damaged, 100 bytes"),
        ("config.json", b"", "found an empty file, expected a JSON object. Hint"),
        ("config.json", b'{"model_type": "vjepa2",', "found no JSON .*Hint"),
        ("config.json", b"[1]", "found a list, expected a JSON object"),
        ("config.json", b"\xff\xfe", "found no JSON"),
        ("config.json", b"[" * 100_000, "found no JSON"),
        ("config.json", POINTER, "found a git-lfs pointer.*git lfs pull"),
        ("config.json", b'{"model_type": ["vjepa2"]}', r"found model_type \['vjepa2'\]"),
        ("preprocessor_config.json", b"", "found an empty file"),
        ("preprocessor_config.json", b"{]", "found no JSON"),
        ("preprocessor_config.json", b"3", "found a int, expected a JSON object"),
        ("preprocessor_config.json", POINTER, "found a git-lfs pointer"),
    ],
)
def test_broken_files_are_named_in_one_line(
    checkpoint: Path, name: str, content: bytes, message: str
):
    (checkpoint / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{checkpoint / name}: .*{message}") as error:
        load(checkpoint)
    assert "\n" not in str(error.value)


def test_a_cut_file_of_tensors_is_named(checkpoint: Path):
    file = checkpoint / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=rf"{file}: cut or damaged.*Hint: fetch it again"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_hidden_layers": 100_000}, "num_hidden_layers is 100000, .*tensors are of 3"),
        ({"num_hidden_layers": 2}, "num_hidden_layers is 2, .*tensors are of 3"),
        ({"pred_num_hidden_layers": 100_000}, "pred_num_hidden_layers is 100000, .* are of 1"),
        ({"num_hidden_layers": "three"}, "num_hidden_layers.*expected int"),
        ({"hidden_size": 2**15, "num_attention_heads": 2**10}, r"of [\d,]+ parameters, but"),
        ({"num_attention_heads": 0}, "num_attention_heads is 0, expected 1 to 4096"),
        ({"hidden_size": 10**7}, "hidden_size is 10000000, expected 1 to 65536"),
        ({"frames_per_clip": 0}, "frames_per_clip is 0, expected 1 to 4096"),
        ({"frames_per_clip": 7}, "frames_per_clip is 7, no multiple of tubelet_size, 2"),
        ({"hidden_act": "x"}, "no VJEPA2Model can be made of it"),
        ({"dtype": 3}, "is_floating_point"),
        ({"patch_size": 64}, "of another shape encoder.embeddings"),
        ({"in_chans": 1}, "in_chans is 1, and frames have 3 colours"),
        ({"quantization_config": {"bits": 4}}, "found quantization_config"),
        ({"transformers_weights": "../other.safetensors"}, "found transformers_weights"),
    ],
    ids=str,
)
def test_a_config_that_does_not_fit_its_tensors_is_refused_before_they_are_made(
    checkpoint: Path, fields: dict, message: str
):
    edit(checkpoint / "config.json", **fields)
    with pytest.raises(ValueError, match=rf"config.json: .*{message}") as error:
        load(checkpoint)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_hidden_layers": 100_000}, "num_hidden_layers is 100000, expected 1 to 1000"),
        ({"hidden_size": 2**15, "num_attention_heads": 2**10}, "GB of memory. Hint"),
    ],
    ids=str,
)
def test_twins_of_a_monstrous_config_are_refused(checkpoint: Path, fields: dict, message: str):
    edit(checkpoint / "config.json", **fields)
    with pytest.raises(ValueError, match=rf"config.json: .*{message}"):
        untrained.load(untrained.Spec(like=str(checkpoint)), **SIZE)


def test_a_local_folder_has_no_revision(checkpoint: Path):
    with pytest.raises(ValueError, match="found revision 'abc', but it is a folder"):
        load(checkpoint, revision="abc")


def test_what_does_not_ship_is_refused_when_the_config_is_read():
    for make in (
        lambda: huggingface.Spec(model="physprobe/none"),
        lambda: untrained.Spec(like="physprobe/none"),
    ):
        with pytest.raises(ValueError, match=r"no such encoder ships.*physprobe/small"):
            make()


def test_a_broken_config_json_is_one_line_of_the_config_too(checkpoint: Path):
    from physprobe.config import model as configs

    content = yaml.safe_load((Path(__file__).parents[1] / "configs" / "smoke.yaml").read_text())
    content["encoders"]["small"]["model"] = str(checkpoint)
    configs.load(content)
    (checkpoint / "config.json").write_text("{")
    with pytest.raises(configs.ConfigError, match=r"config.json: found no JSON .*Hint") as error:
        configs.load(content)
    assert "Traceback" not in str(error.value)


def processor_files(checkpoint: Path, **files: dict) -> Callable:
    for name, fields in files.items():
        (checkpoint / f"{name}.json").write_text(json.dumps(fields))
    return lambda: load(checkpoint).preprocessing.mean[0]


def test_the_processor_file_that_counts_is_that_of_transformers_fault_5(checkpoint: Path):
    own = json.loads((checkpoint / "preprocessor_config.json").read_text())
    found = processor_files(checkpoint)
    assert found() == 0.5
    processor_files(checkpoint, video_preprocessor_config={**own, "image_mean": [0.2] * 3})
    assert found() == 0.2
    processor_files(checkpoint, processor_config={"processor_class": "Other"})
    assert found() == 0.2
    nested = {"image_processor": own, "video_processor": {**own, "image_mean": [0.3] * 3}}
    processor_files(checkpoint, processor_config=nested)
    assert found() == 0.3
    processor_files(checkpoint, processor_config={"video_processor": {**own, "do_pad": True}})
    with pytest.raises(ValueError, match=r"processor_config.json, video_processor: found do_pad"):
        found()


def test_v_jepa_with_a_classifier_is_read_without_it(tmp_path: Path, video: np.ndarray):
    import torch
    from transformers import VJEPA2Config, VJEPA2ForVideoClassification

    config = VJEPA2Config(
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        patch_size=8,
        crop_size=32,
        frames_per_clip=8,
        pred_hidden_size=24,
        pred_num_attention_heads=2,
        pred_num_hidden_layers=1,
        num_pooler_layers=1,
        initializer_range=0.3,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = VJEPA2ForVideoClassification(config).eval()
    for folder, saved in (("head", model), ("bare", model.vjepa2)):
        saved.save_pretrained(tmp_path / folder)
        processor = {"crop_size": 32, "image_mean": 0.5, "image_std": 0.5}
        (tmp_path / folder / "preprocessor_config.json").write_text(json.dumps(processor))
    assert any(
        name.startswith("pooler.") for name in load_file(tmp_path / "head/model.safetensors")
    )
    clips = np.arange(len(video))
    found, expected = (
        load(tmp_path / folder).encode(video, clips).pooled for folder in ("head", "bare")
    )
    np.testing.assert_array_equal(found, expected)


def test_every_file_that_is_read_is_an_input_of_the_rule_fault_2(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
):
    from physprobe.embed.commands import STAGE

    def inputs(entry: object) -> set[str]:
        config = SimpleNamespace(recipes=[], embedding=lambda _: entry)
        asked = SimpleNamespace(system="heat", encoder="mine")
        paths = STAGE.commands["embed"].inputs(config, asked)["weights"]
        return {Path(path).name for path in paths}

    small = {"config.json", "preprocessor_config.json"}
    trained = huggingface.Spec(model=str(checkpoint))
    assert inputs(trained) == {*small, "model.safetensors"}
    for name in ("video_preprocessor_config.json", "processor_config.json"):
        (checkpoint / name).write_text("{}")
        small |= {name}
    (checkpoint / "extra.safetensors").write_bytes(b"")
    where = split(checkpoint)
    assert inputs(trained) == {*small, "model.safetensors.index.json", *where.values()}
    assert inputs(untrained.Spec(like=str(checkpoint))) == small
    assert inputs(untrained.Spec()) == set()
    (checkpoint / "model.safetensors.index.json").write_text("{")  # the job says what is wrong
    assert inputs(trained) == {*small, "model.safetensors.index.json"}
