"""Config: what a user can get wrong ends in one message that says how to put it right."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from physprobe.core import config, kinds

ROOT = Path(__file__).parents[2]


@pytest.fixture
def content() -> dict:
    return yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(content: dict, path: str, value: object) -> dict:
    whole = copy.deepcopy(content)
    here = whole
    *way, last = path.split("/")
    for step in way:
        here = here[step]
    here[last] = value
    return whole


def test_the_shipped_config_and_the_small_one_are_valid(content: dict):
    found = config.load(content)
    assert {"heat", "heat_published"} <= set(found.systems)
    config.read(ROOT / "tests/configs/smoke.yaml")


def test_the_schema_for_editors_is_in_step():
    stored = ROOT / "workflow/config.schema.json"
    assert json.loads(stored.read_text()) == json.loads(config.schema()), (
        "Hint: python -m physprobe schema --out workflow/config.schema.json"
    )


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("sytems", {}, r"sytems: unknown key\. Did you mean 'systems'\?"),
        (
            "systems/heat/simulate/alhpa",
            [1, 2],
            r"systems\.heat\.simulate\.alhpa: unknown key\. Did you mean 'alpha'\?",
        ),
        (
            "systems/heat/simulate/kind",
            "haet",
            r"systems\.heat\.simulate\.kind: found 'haet'\. Did you mean 'heat'\?",
        ),
        (
            "encoders/small/kind",
            "untrianed",
            r"encoders\.small\.kind: .*Did you mean 'untrained'\?",
        ),
        (
            "encoders/small/batsh",
            3,
            r"encoders\.small\.batsh: unknown key\. Did you mean 'batch'\?",
        ),
        ("systems/heat/simulate/alpha", [-1, 2], r"systems\.heat\.simulate\.alpha.*: found .*-1"),
        ("systems/heat/simulate/alpha", [3, 2], r"systems\.heat\.simulate\.alpha.*: found"),
        ("systems/heat/simulate/clips", 0, r"systems\.heat\.simulate\.clips: found 0; .*greater"),
        ("systems/heat/render/colormap", "infreno", r"colormap: found 'infreno'.*'inferno'"),
        ("systems/heat/simulate/frames", 63, r"heat has 63 frames.*tubelets of 2.*Hint"),
        (
            "studies/heat/encoders",
            ["smal"],
            r"studies\.heat\.encoders: found 'smal'\. Did you mean",
        ),
        (
            "studies/heat/system",
            "heet",
            r"studies\.heat\.system: found 'heet'\. Did you mean 'heat'",
        ),
        (
            "studies/heat/probe",
            "rigde",
            r"studies\.heat\.probe: found 'rigde'\. Did you mean 'ridge'",
        ),
        ("probes/ridge/targets", ["alfa"], r"target 'alfa'.*Did you mean 'alpha'"),
        ("encoders/small/tokens", [], r"needs the spatial tokens of layer 'final'.*Hint"),
        ("studies/heat/claims/x", {"kind": "decodeable"}, r"claims\.x\.kind: .*'decodable'"),
        ("comparisons", {"x": {"systems": ["heat", "hat"]}}, r"x\.systems: found 'hat'\. Did you"),
        (
            "comparisons",
            {"heat": {"systems": ["heat", "heat"]}},
            r"heat: a comparison and a system",
        ),
        ("controls/small", {"kind": "pixels"}, r"small: an encoder and a control need different"),
        ("systems/heat/simulate", {"kind": "wave", "size": 3}, r"size: found 3; [^\n]*32\.$"),
        (
            "layerwise/balls/figures/fig2c/speed/target",
            "sped",
            r"layerwise\.balls\.figures\.fig2c\.speed\.target: found 'sped'\. Did you mean 'speed'",
        ),
        (
            "layerwise/balls/figures/fig2c/speed/sample",
            "token",
            r"fig2c\.speed\.sample: found 'token'\.",
        ),
        ("layerwise/balls/controls", ["positon"], r"balls\.controls: found 'positon'\. Did you"),
        (
            "layerwise/balls/figures/fig2c/speed/system",
            "heat",
            r"balls asks for target 'speed', but heat has",
        ),
        ("probes/balls/grouping", "sector", r"probes\.balls\.grouping: found 'sector'"),
        ("studies/heat/probe", None, r"studies\.heat\.probe: found None"),
    ],
)
def test_a_mistake_names_the_path_and_the_remedy(
    content: dict, path: str, value: object, expected: str
):
    with pytest.raises(config.ConfigError, match=expected) as caught:
        config.load(changed(content, path, value))
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value)) < 1500


def test_a_missing_key_is_named(content: dict):
    broken = copy.deepcopy(content)
    del broken["studies"]["heat"]["koopman"]
    with pytest.raises(config.ConfigError, match=r"studies\.heat\.koopman: missing"):
        config.load(broken)


def test_params_are_the_same_text_however_they_are_written(content: dict):
    one = config.load(content).systems["heat"].simulate
    other = config.load(changed(content, "systems/heat/simulate/alpha", ["5e-1", 5])).systems[
        "heat"
    ]
    assert one.canonical() == other.simulate.canonical()
    assert type(one).parse(one.canonical()) == one


@pytest.mark.parametrize(
    "stage", ["simulate", "render", "embed", "probe", "koopman", "discover", "falsify"]
)
def test_every_kind_says_what_its_fields_mean(stage: str):
    for name in kinds.names(stage):
        spec = kinds.load(stage, name).Spec
        assert spec.model_fields["kind"].default == name
        for field, about in spec.model_fields.items():
            assert about.description, f"{stage}/{name}.py: {field} has no docstring"


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"simulate has no kind 'water'; it has .*heat"):
        kinds.load("simulate", "water")
