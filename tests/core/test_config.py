"""Config: what a user can get wrong ends in one message that says how to put it right."""

import copy
import json
from pathlib import Path

import pytest
import yaml

from physprobe.core import config, config_files, kinds

ROOT = Path(__file__).parents[2]


@pytest.fixture
def content() -> dict:
    return yaml.safe_load((ROOT / "tests/configs/wide.yaml").read_text())


def changed(content: dict, path: str, value: object) -> dict:
    whole = copy.deepcopy(content)
    here = whole
    *way, last = path.split("/")
    for step in way:
        here = here[step]
    here[last] = value
    return whole


def test_the_configs_of_the_tests_are_valid(content: dict):
    found = config.load(content)
    assert {"heat", "heat_published"} <= set(found.systems)
    config.read(ROOT / "tests/configs/smoke.yaml")


def test_the_schema_for_editors_is_in_step():
    stored = ROOT / "workflow/config.schema.json"
    assert json.loads(stored.read_text()) == json.loads(config.schema()), (
        "Hint: python -m physprobe schema --out workflow/config.schema.json"
    )


PAIR = {
    "systems": ["heat", "heat_published"],
    "encoders": ["small"],
    "probe": "equation",
    "koopman": "dmd",
}


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
        (
            "comparisons",
            {"x": {**PAIR, "systems": ["heat", "hat"]}},
            r"x\.systems: found 'hat'\. Did you",
        ),
        ("comparisons", {"heat": PAIR}, r"heat: a comparison needs a name"),
        (
            "comparisons",
            {"x": {**PAIR, "probe": "ridge"}},
            r"x\.probe: ridge has to tell equations apart.*Hint",
        ),
        (
            "comparisons",
            {
                "x": {
                    **PAIR,
                    "claims": {"y": {"kind": "decodable", "statement": "s", "system": "hat"}},
                }
            },
            r"claims\.y\.system: found 'hat'",
        ),
        ("transfers/x", {"onto": "heat_viridi"}, r"x\.onto: found 'heat_viridi'\. Did you mean"),
        (
            "transfers/x",
            {"onto": "heat_published"},
            r"x\.onto: .* simulate different clips \(kind\)",
        ),
        ("transfers/x", {"onto": "heat"}, r"x\.onto: heat and heat are rendered alike\. Hint"),
        ("transfers/x", {"system": "haet", "onto": "heat"}, r"x\.system: found 'haet'\. Did you"),
        ("transfers/x", {}, r"transfers\.x: nothing to transfer to\. Hint"),
        ("transfers/x", {"region": {"alfa": [0, 0.5]}}, r"x\.region: found 'alfa'\. Did you mean"),
        ("transfers/x", {"region": {"alpha": [0.5, 0.5]}}, r"x\.region: .*alpha has to ascend"),
        ("transfers/x", {"region": {"alpha": [0, 1]}}, r"x\.region: .*none is left to train on"),
        (
            "transfers/x",
            {"region": {"alpha": [0.8, 1.2]}},
            r"x\.region\.alpha.*: found 1\.2; .*1\.",
        ),
        ("transfers/x", {"controls": ["pixel"], "onto": "heat"}, r"x\.controls: found 'pixel'\."),
        ("transfers/x", {"probe": "rigde", "onto": "heat"}, r"x\.probe: found 'rigde'\. Did you"),
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
        (
            "layerwise/intphys/figures/fig6/clip_accuracy/encoders",
            ["vjepa2_larg"],
            r"clip_accuracy\.encoders: found 'vjepa2_larg'\. Did you mean 'vjepa2_large'",
        ),
        ("layerwise/balls/controls", ["positon"], r"balls\.controls: found 'positon'\. Did you"),
        (
            "layerwise/balls/figures/fig2c/speed/system",
            "heat",
            r"balls asks for target 'speed', but heat has",
        ),
        (
            "layerwise/balls/figures/fig2c/speed/metric",
            "auc",
            r"fig2c\.speed\.metric: balls is of numbers, not auc\.",
        ),
        ("multiverses/balls/controls", ["positon"], r"balls\.controls: found 'positon'\. Did you"),
        ("multiverses/balls/controls", [], r"balls\.claims\.speed: no control to beat\. Hint"),
        ("multiverses/balls/system", "bals", r"balls\.system: found 'bals'\. Did you mean"),
        ("multiverses/balls/system", "heat", r"claims\.speed\.targets: it asks for target 'speed'"),
        ("multiverses/balls/layers", [1.5], r"balls\.layers"),
        ("multiverses/balls/groupings", ["sector"], r"balls\.groupings.*: found 'sector'"),
        (
            "multiverses/balls/solvers",
            {"of_classes": {"kind": "logistic"}},
            r"of_classes is of kind logistic, which decodes no numbers",
        ),
        (
            "multiverses/balls/solvers",
            {"ridge": {"kind": "ridge", "grouping": "clip"}},
            r"ridge sets grouping, an axis of the multiverse",
        ),
        ("local/balls/encoders", ["smal"], r"local\.balls\.encoders: found 'smal'\. Did you mean"),
        ("local/balls/layer", "2", r"small keeps no spatial tokens of layer '2'\. Hint"),
        (
            "local/balls/probe",
            {"kind": "logistic"},
            r"local\.balls\.probe.*kind logistic, not ridge",
        ),
        ("local/balls/probe/targets", ["sped"], r"target 'sped'.*Did you mean 'speed'"),
        ("encoders/small/preprocess", "crop", r"small cuts the image's edges off.*Hint"),
        (
            "local",
            {"heat": {"encoders": ["small"], "probe": {"kind": "ridge"}}},
            r"local\.heat: heat has no ball\. Hint",
        ),
        (
            "layerwise/intphys/figures/fig1/all_principles/metric",
            "r2",
            r"all_principles\.metric: possible is of classes, which have no r2\.",
        ),
        (
            "layerwise/balls/figures/fig2c/speed/part",
            "O1",
            r"fig2c\.speed\.part: balls scores nothing apart\. Hint: set probes\.balls\.by\.",
        ),
        ("probes/possible/by", "principal", r"probes\.possible\.by, on occlusion: found 'princip"),
        ("probes/balls/grouping", "sector", r"probes\.balls\.grouping: found 'sector'"),
        ("studies/heat/probe", None, r"studies\.heat\.probe: found None"),
    ],
)
def test_a_mistake_names_the_path_and_the_remedy(
    content: dict, path: str, value: object, expected: str
):
    if path == "transfers/x":
        value = {"system": "heat", "encoders": ["small"], "probe": "ridge", **value}
    with pytest.raises(config.ConfigError, match=expected) as caught:
        config.load(changed(content, path, value))
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value)) < 1500


def test_a_study_may_ask_for_a_systems_own_classes(content: dict):
    probed = changed(content, "probes/told", {"kind": "logistic", "targets": ["equation"]})
    published = changed(probed, "studies/pairs", copy.deepcopy(content["studies"]["heat"]))
    published["studies"]["pairs"] |= {"system": "wave_published", "probe": "told"}
    assert config.load(published).studies["pairs"].probe == "told"
    published["studies"]["pairs"]["system"] = "heat"
    with pytest.raises(config.ConfigError, match=r"target 'equation', but heat has the labels"):
        config.load(published)


def test_only_one_simulation_in_two_renderings_is_transferred(content: dict):
    entry = {"system": "heat", "onto": "heat_viridis", "encoders": ["small"], "probe": "ridge"}
    here = changed(content, "transfers", {"x": entry})
    assert config.load(here).transfers["x"].region == {}
    other = {**content["systems"]["heat"]["simulate"], "clips": 100, "seed": 1}
    here = changed(here, "systems/heat_viridis/simulate", other)
    with pytest.raises(config.ConfigError, match=r"different clips \(clips, seed\)\. Hint"):
        config.load(here)


def test_classes_are_not_transferred(content: dict):
    entry = {"system": "heat", "region": {"alpha": [0.8, 1]}, "encoders": ["small"], "probe": "law"}
    here = changed(content, "transfers", {"x": entry})
    here = changed(here, "probes/law", {"kind": "logistic", "targets": ["alpha"]})
    with pytest.raises(config.ConfigError, match="law is of kind logistic, not ridge"):
        config.load(here)


def test_a_missing_key_is_named(content: dict):
    broken = copy.deepcopy(content)
    del broken["studies"]["heat"]["koopman"]
    with pytest.raises(config.ConfigError, match=r"studies\.heat\.koopman: missing"):
        config.load(broken)


def test_params_are_the_same_text_however_they_are_written(content: dict):
    one = config.load(content).systems["heat"].simulate
    written = config_files.parse("alpha: [5e-1, 5]", "mine.yaml").values["alpha"]
    other = config.load(changed(content, "systems/heat/simulate/alpha", written)).systems["heat"]
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


@pytest.mark.parametrize(
    ("path", "draws", "where"),
    [
        ("probes", 19, r"studies\.heat\.claims\.\w+"),
        ("koopman/dmd/shuffles", 19, r"studies\.heat\.claims\.\w+"),
        ("koopman/spatial_heat_head/permutations", 5, r"studies\.heat\.claims\.\w+"),
        ("multiverses/balls/solvers/ridge/permutations", 1, r"multiverses\.balls\.claims"),
    ],
)
def test_a_claim_whose_p_can_not_get_below_the_level_is_refused(
    content: dict, path: str, draws: int, where: str
):
    if path.startswith("probes"):
        path = f"probes/{content['studies']['heat']['probe']}/permutations"
    field = path.replace("/", r"\.")
    expected = (
        rf"{where}: needs p below 0\.05, which {field}: {draws} can't bring\."
        r" Hint: set it to 20 or more\."
    )
    with pytest.raises(config.ConfigError, match=expected):
        config.load(changed(content, path, draws))
    config.load(changed(content, path, 20))


def test_every_probe_has_draws_enough_by_default_or_none():
    for name in kinds.names("probe"):
        draws = kinds.load("probe", name).Spec.model_fields["permutations"].default
        assert draws == 0 or draws >= 20, name
