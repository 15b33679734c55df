"""Twins: controls that are "the same network, but ..." follow the encoder of every study."""

import json
from pathlib import Path

import pytest

from physprobe.config import config_files, model

SMOKE = Path(__file__).parents[1] / "configs/smoke.yaml"
TWINS = {
    "untrained": {"kind": "twin", "weights": "random"},
    "shuffled": {"kind": "twin", "frames": "shuffled", "seed": 3},
}
FAMILIES = {
    "vjepa2": {"crop_size": 32, "patch_size": 8, "tubelet_size": 2, "frames_per_clip": 16},
    "videomae": {"image_size": 32, "patch_size": 8, "tubelet_size": 2, "num_frames": 16},
    "dinov2": {"image_size": 32, "patch_size": 8},
}


@pytest.fixture
def content() -> dict:
    return json.loads(json.dumps(config_files.read(SMOKE).values))


def asked(content: dict, encoders: dict, controls: dict) -> dict:
    """The study ``heat`` of these encoders beside these controls."""
    content["encoders"] |= encoders
    content["controls"] |= controls
    study = content["studies"]["heat"]
    study |= {"encoders": [*encoders, "pixels"], "controls": ["statistics", *controls]}
    study |= {"methods": ["ridge", "dmd"], "layouts": ["fit"]}
    study["claims"] = {
        "there": {
            "kind": "decodable", "statement": "It is.", "target": "alpha", "controls": [*controls],
        }
    }  # fmt: skip
    return content


@pytest.mark.parametrize("family", FAMILIES)
def test_twins_are_those_of_the_encoder_that_a_study_names(content, tmp_path, family):
    """Fault 12: they stayed those of ``small``, without a word."""
    fields = {"model_type": family, **FAMILIES[family]}
    (tmp_path / "config.json").write_text(json.dumps(fields))
    mine = {"kind": "huggingface", "model": str(tmp_path), "preprocess": "crop"}
    config = model.load(asked(content, {"mine": mine}, TWINS))
    study = config.studies["heat"]
    assert study.controls == ("statistics", "untrained_of_mine", "shuffled_of_mine")
    assert study.claims["there"].controls == ("untrained_of_mine", "shuffled_of_mine")
    assert not set(TWINS) & set(config.controls)
    random, shuffled = (config.controls[name] for name in study.controls[1:])
    assert (random.kind, random.like, random.seeds) == ("untrained", str(tmp_path), (1, 2, 3, 4, 5))
    assert (shuffled.kind, shuffled.model, shuffled.seed) == ("huggingface", str(tmp_path), 3)
    assert (random.frames, shuffled.frames) == ("ordered", "shuffled")
    assert random.preprocess == shuffled.preprocess == "crop"


def test_every_encoder_has_its_own_and_other_studies_keep_theirs(content):
    small = content["encoders"]["small"]
    both = {"small": small, "causal": {**small, "causal": True, "window": 4, "tokens": []}}
    content["studies"]["again"] = json.loads(json.dumps(content["studies"]["heat"]))
    config = model.load(asked(content, both, TWINS))
    assert config.studies["heat"].controls == (
        "statistics", "untrained_of_small", "untrained_of_causal",
        "shuffled_of_small", "shuffled_of_causal",
    )  # fmt: skip
    assert config.studies["again"].controls == ("statistics", "pixels_gray16")
    causal = config.controls["untrained_of_causal"]
    assert causal.causal and causal.window == 4 and not config.controls["untrained_of_small"].causal


def test_a_control_that_is_another_network_is_refused(content, tmp_path):
    """Fault 12: a study of another encoder than ``small`` had its twins as controls."""
    fields = {"model_type": "vjepa2", "hidden_size": 64, **FAMILIES["vjepa2"]}
    (tmp_path / "config.json").write_text(json.dumps(fields))
    mine = {"kind": "huggingface", "model": str(tmp_path)}
    of_small = {
        "untrained": {"kind": "untrained"},
        "like_small": {"kind": "untrained", "like": "physprobe/small"},
        "repeated": {"kind": "huggingface", "model": "physprobe/small", "frames": "repeated"},
    }
    with pytest.raises(config_files.ConfigError) as refused:
        model.load(asked(content, {"mine": mine}, of_small))
    for name in of_small:
        assert f"studies.heat.controls: {name} is another network than mine. Hint" in str(
            refused.value
        )
    small = content["encoders"]["small"]
    assert model.load(asked(content, {"mine": mine, "small": small}, of_small))


@pytest.mark.parametrize(
    ("encoders", "controls", "message"),
    [
        ({}, TWINS, r"untrained is the twin of a network, and no encoder here is one"),
        ({"odd": TWINS["untrained"]}, {}, r"encoders\.odd: a twin is a control"),
        ({}, {"same": {"kind": "twin"}}, r"controls\.same.*a twin like its encoder"),
        ({}, {"odd": {"kind": "twin", "frames": "back"}}, r"controls\.odd\.frames.*'back'"),
    ],
)
def test_a_twin_of_nothing_is_refused(content, encoders, controls, message):
    with pytest.raises(config_files.ConfigError, match=message):
        model.load(asked(content, encoders, controls))


@pytest.mark.parametrize("broken", [{}, {"controls": 3}, {"controls": TWINS, "studies": [1]}])
def test_what_is_no_config_is_left_to_its_validation(broken):
    with pytest.raises(config_files.ConfigError, match=r"systems: missing"):
        model.load(broken)
