"""Device, tried on a processor with tiny sizes: the same code as on a GPU."""

from dataclasses import replace

import pytest
import torch

from physprobe import __main__ as door
from physprobe.embed import untrained
from physprobe.embed.networks import attention
from physprobe.store import results
from physprobe.train.device import _bounds, _forward, _training, stage

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The whole result; no training, which has a test of its own."""
    out = tmp_path_factory.mktemp("device") / "device.json"
    stage.run(out=out, device="cpu", small=True, seconds=0.0, budget=1.0)
    return results.read(out, "device")


def values(found: dict, metric: str) -> list[float]:
    return [row["value"] for row in found["rows"] if row["metric"] == metric]


def test_rounding_to_bf16_is_seen_and_small(found):
    layers = values(found, "bf16_difference")
    assert len(layers) == stage.SMALL.blocks + 2
    # half the last of eight bits is 1/512: more than nothing, and each layer adds to it
    assert 1e-4 < layers[0] < layers[-1] < _forward.TOLERANCE
    apart = values(found, "bf16_difference_between_clips")
    assert all(one < other for one, other in zip(layers, apart, strict=True))
    target = found["targets"][0]
    assert (target["value"], target["met"]) == (max(layers), True)


def test_speed_is_told_against_the_backend_that_is_in_use(found):
    for frames in (stage.SMALL.frames, stage.LONGER * stage.SMALL.frames):
        rows = {r["metric"]: r for r in found["rows"] if r["frames"] == frames}
        used = [
            row
            for row in found["rows"]
            if (row["metric"], row["frames"]) == ("attention_teraflops", frames)
            and row["note"] == "in use"
        ]
        assert [row["backend"] for row in used] == [rows["clips_per_second"]["backend"]]
        size = replace(stage.SMALL, frames=frames)
        seconds = size.products / rows["product_teraflops"]["value"]
        seconds += size.attention / used[0]["value"]
        bound = rows["clips_per_second_bound"]["value"]
        assert bound == pytest.approx(1 / seconds, rel=1e-6)
        rate, share = rows["clips_per_second"]["value"], rows["share_of_bound"]["value"]
        assert share == pytest.approx(rate / bound, rel=1e-6)
        assert rows["clips_per_second_from_bytes"]["value"] > 0
    assert [target["met"] for target in found["targets"][1:]] == [
        target["value"] >= target["at_least"] for target in found["targets"][1:]
    ]


def test_without_time_left_nothing_is_trained_and_the_result_says_so(found):
    (row,) = [row for row in found["rows"] if row["metric"] == "steps"]
    assert row["value"] is None and "no time" in row["note"]
    assert set(found["seconds"]) == {"peak", "bf16", "4 frames", "16 frames", "training", "all"}
    assert found["provenance"]["device"] == "CPU"


def test_training_ends_with_the_time_after_a_step_at_least():
    found = _training.train(CPU, 0.0, small=True)
    assert len(found.losses) == 1 and found.losses[0] > 0
    assert len(found.scores) == 2 and found.computing > 0


def test_operations_of_vit_l_are_those_that_are_known():
    longer = replace(stage.LARGE, frames=64)
    assert (stage.LARGE.tokens, longer.tokens) == (2048, 8192)
    assert stage.LARGE.operations == pytest.approx(1.66, abs=0.01)
    assert longer.operations == pytest.approx(11.6, abs=0.05)
    # every parameter of a product is multiplied with every token
    network = _forward.model(stage.SMALL).get_submodule("encoder")
    numbers = sum(value.numel() for value in network.parameters() if value.ndim > 1)
    assert stage.SMALL.products == pytest.approx(2e-12 * stage.SMALL.tokens * numbers)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989.0),
        ("NVIDIA H100 PCIe", 756.0),
        ("NVIDIA H200", 989.0),
        ("NVIDIA A100-SXM4-80GB", 312.0),
        ("NVIDIA L4", 121.0),
        ("NVIDIA L40S", 362.0),
        ("NVIDIA A4000", None),
        ("CPU", None),
    ],
)
def test_peaks_are_found_by_whole_words(name, peak):
    assert _bounds.peak(name) == peak


def test_backends_agree_and_what_one_cannot_run_goes_to_the_next():
    names = attention.runnable(CPU, torch.float32, heads=2, tokens=6, width=8)
    assert "cudnn" not in names and names[-1] == "math" and "flash" in names
    query, key, value = torch.randn(3, 1, 2, 6, 8, generator=torch.Generator().manual_seed(0))
    expected = torch.softmax(query @ key.transpose(-1, -2) / 8**0.5, -1) @ value
    attend = torch.nn.functional.scaled_dot_product_attention
    for name in (*names, "cudnn", None):
        with attention.using(name):
            torch.testing.assert_close(attend(query, key, value), expected)
    with attention.using("flash"):  # as it is, flash has no mask of numbers on a GPU
        attend(query, key, value, attn_mask=torch.zeros(6, 6))


def test_provenance_of_an_encoder_names_how_it_attends():
    spec = untrained.Spec(hidden_size=16, num_hidden_layers=1, crop_size=16, seeds=(1,))
    own = untrained.load(spec, frames=4, height=16, width=16, threads=1)
    expected = "oneDNN" if own.provenance["products"] == "oneDNN" else "sdpa"
    assert own.provenance["attention"] == expected


def test_a_machine_without_a_gpu_is_told_in_one_line(tmp_path, caplog):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    out = tmp_path / "device.json"
    assert door.main(["device", "--out", str(out)]) == door.REFUSED
    assert not out.exists()
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "no such device" in record.message and "Hint: --device cpu" in record.message
    assert door.main(["device", "--out", str(out), "--device", "gpu"]) == door.REFUSED
