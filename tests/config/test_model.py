"""Config: what a user can get wrong ends in one message that says how to put it right."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from physprobe.config import config_files, kinds, layout
from physprobe.config import model as config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wide() -> dict:
    return yaml.safe_load((ROOT / "tests/configs/wide.yaml").read_text())


@pytest.fixture
def content(wide: dict) -> dict:
    """The wide config, to be changed."""
    return copy.deepcopy(wide)


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


def test_what_a_stage_is_handed_is_an_entry_of_the_config(content: dict):
    """All fields of an entry, defaults too, are read back as that very entry."""
    found = config.load(content)
    sections = [value for _, value in found if isinstance(value, dict)]
    entries = [entry for section in sections for entry in section.values()]
    for entry in (*entries, found.calibration):
        assert type(entry).model_validate_json(entry.canonical()) == entry


def test_the_schema_for_editors_is_in_step():
    stored = ROOT / "workflow/config.schema.json"
    assert json.loads(stored.read_text()) == json.loads(config.schema()), (
        "Hint: python -m physprobe schema --out workflow/config.schema.json"
    )


PLAIN = {"system": "heat", "encoders": ["small"], "methods": ["ridge"]}
PAIR = {
    "systems": ["wave", "heat_published"],
    "design": {"kind": "together"},
    "encoders": ["small"],
    "methods": ["equation", "dmd"],
}
LAWS = {"systems": ["wave"], "encoders": ["field"], "methods": ["laws"]}
MANY = "studies/balls_multiverse"
ELSEWHERE = "studies/x/design"
"""Design of a study that transfers ``ridge`` from ``heat``."""


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
            "studies/heat/methods",
            ["rigde"],
            r"studies\.heat\.methods: found 'rigde'\. Did you mean 'ridge'",
        ),
        ("methods/ridge/targets", ["alfa"], r"target 'alfa'.*Did you mean 'alpha'"),
        ("encoders/small/tokens", [], r"needs the spatial tokens of layer 'final'.*Hint"),
        ("studies/heat/claims/x", {"kind": "decodeable"}, r"claims\.x\.kind: .*'decodable'"),
        (
            "methods/surprised/windows",
            [32],
            r"no length for foresees among films of 16 frames.*Hint",
        ),
        ("methods/surprised/by", None, r"surprised\.part: surprised scores nothing apart"),
        ("methods/surprised/targets", ["posible"], r"target 'posible'.*Did you mean 'possible'"),
        (
            "studies/surprise/encoders",
            ["small_causal"],
            r"surprised runs an encoder's own predictor, and none of small_causal has one",
        ),
        (
            "encoders/foresees/model",
            "results/checkpoints/none",
            r"foresees is read from results/checkpoints/none, and there is no such folder.*convert",
        ),
        (
            "studies/x",
            {**PAIR, "systems": ["heat", "hat"]},
            r"x\.systems: found 'hat'\. Did you",
        ),
        ("studies/heat", PAIR, r"studies\.heat: heat is a system\. Hint"),
        (
            "studies/x",
            {**PAIR, "methods": ["ridge"]},
            r"x\.methods: ridge has to tell equations apart.*Hint",
        ),
        (
            "studies/x",
            {
                **PAIR,
                "claims": {"y": {"kind": "decodable", "statement": "s", "system": "hat"}},
            },
            r"claims\.y\.system: found 'hat'",
        ),
        (
            ELSEWHERE,
            {"onto": "heat_viridi"},
            r"x\.design\.onto: found 'heat_viridi'\. Did you mean",
        ),
        (
            ELSEWHERE,
            {"onto": "heat_published"},
            r"x\.design\.onto: .* simulate different clips \(kind\)",
        ),
        (ELSEWHERE, {"onto": "heat"}, r"x\.design\.onto: heat and heat are rendered alike\. Hint"),
        (ELSEWHERE, {}, r"studies\.x\.design: nothing to transfer to\. Hint"),
        (
            ELSEWHERE,
            {"region": {"alfa": [0, 0.5]}},
            r"x\.design\.region: found 'alfa'\. Did you mean",
        ),
        (ELSEWHERE, {"region": {"alpha": [0.5, 0.5]}}, r"design\.region: .*alpha has to ascend"),
        (ELSEWHERE, {"region": {"alpha": [0, 1]}}, r"design\.region: .*none is left to train on"),
        (
            ELSEWHERE,
            {"region": {"alpha": [0.8, 1.2]}},
            r"x\.design\.region\.alpha.*: found 1\.2; .*1\.",
        ),
        ("studies/heat_colours/system", "haet", r"colours\.system: found 'haet'\. Did you"),
        ("studies/heat_colours/controls", ["pixel"], r"colours\.controls: found 'pixel'\."),
        ("studies/heat_colours/methods", ["rigde"], r"colours\.methods: found 'rigde'\. Did you"),
        ("controls/small", {"kind": "pixels"}, r"small: an encoder and a control need different"),
        ("systems/heat/simulate", {"kind": "wave", "size": 3}, r"size: found 3; [^\n]*32\.$"),
        (
            "studies/balls/claims/speed/target",
            "sped",
            r"studies\.balls\.claims\.speed\.target: found 'sped'.* Did you mean 'speed'",
        ),
        (
            "studies/balls/claims/speed/sample",
            "token",
            r"claims\.speed\.sample: found 'token'.* Hint: it reads clip",
        ),
        (
            "studies/intphys/claims/clip_accuracy/encoders",
            ["bas"],
            r"clip_accuracy\.encoders: found 'bas'\. Did you mean 'base'",
        ),
        ("studies/balls/controls", ["positon"], r"balls\.controls: found 'positon'\. Did you"),
        (
            "studies/balls_velocity/ordinary/heat",
            ["balls"],
            r"balls asks for target 'speed', but heat has",
        ),
        (
            "studies/balls_velocity/ordinary",
            {"balls": ["dmd"]},
            r"claims\.speed\.system: found 'balls_velocity'\. .*Known: balls\.",
        ),
        (
            "studies/balls/claims/speed/metric",
            "auc",
            r"claims\.speed\.metric: balls is of numbers, not auc\.",
        ),
        (
            "studies/balls_velocity/claims/speed/published",
            "speed_by_sectors",
            r"speed\.published: found 'speed_by_sectors'\. Did you mean 'speed_by_sector'",
        ),
        (f"{MANY}/controls", ["positon"], r"multiverse\.controls: found 'positon'\. Did you"),
        (f"{MANY}/controls", [], r"multiverse\.claims\.speed: no control to beat\. Hint"),
        (f"{MANY}/system", "bals", r"multiverse\.system: found 'bals'\. Did you mean"),
        (f"{MANY}/system", "heat", r"claims\.speed\.targets: it asks for target 'speed'"),
        (f"{MANY}/design/layers", [1.5], r"multiverse\.design\.layers"),
        (f"{MANY}/design/groupings", ["sector"], r"design\.groupings.*: found 'sector'"),
        (
            f"{MANY}/design/targets",
            ["speed", "log_speed", "sped"],
            r"design\.targets: found 'sped', but balls has the labels.*Did you mean 'speed'",
        ),
        (
            f"{MANY}/design/targets",
            ["speed", "log_speed"],
            r"claims\.direction\.targets: found 'sincos_direction'\. .*Known: speed, log_speed\.",
        ),
        (f"{MANY}/claims", {}, r"multiverse\.design\.targets: nothing is decoded\. Hint"),
        (
            f"{MANY}/methods",
            ["possible"],
            r"methods: possible: logistic has one normalisation only\. Hint: ridge",
        ),
        (f"{MANY}/methods", ["dmd"], r"methods: dmd: dmd has one normalisation only\. Hint: ridge"),
        (
            "studies/balls_places/encoders",
            ["smal"],
            r"places\.encoders: found 'smal'\. Did you mean",
        ),
        (
            "studies/balls_places/design/layer",
            "2",
            r"small keeps no spatial tokens of layer '2'\. Hint",
        ),
        (
            "studies/balls_places/methods",
            ["possible"],
            r"possible is of kind logistic, not ridge\. Hint",
        ),
        ("methods/local_ridge/targets", ["sped"], r"target 'sped'.*Did you mean 'speed'"),
        ("encoders/small/preprocess", "crop", r"small cuts the image's edges off.*Hint"),
        ("studies/balls_places/system", "heat", r"studies\.balls_places: heat has no ball\. Hint"),
        (
            "studies/intphys/claims/all_principles/metric",
            "r2",
            r"all_principles\.metric: possible is of classes, which have no r2\.",
        ),
        (
            "studies/balls/claims/speed/part",
            "O1",
            r"claims\.speed\.part: balls scores nothing apart\. Hint: set methods\.balls\.by\.",
        ),
        (
            "methods/possible/by",
            "principal",
            r"possible\.by: on occlusion, found 'princip",
        ),
        ("methods/balls/grouping", "sector", r"methods\.balls\.grouping: found 'sector'"),
        ("studies/heat/methods", None, r"studies\.heat\.methods: found None; a list is needed"),
        ("studies/laws/methods", ["lawes"], r"laws\.methods: found 'lawes'\. Did you mean 'laws'"),
        ("studies/laws/methods", ["dmd"], r"laws\.encoders: field is no embedding.* Hint"),
        ("studies/laws/systems", ["wav"], r"laws\.systems: found 'wav'\. Did you mean 'wave'"),
        ("studies/laws/systems", ["balls"], r"balls has no field on a grid\. Hint"),
        ("studies/laws/encoders", ["fields"], r"laws\.encoders: found 'fields'\. Did you mean"),
        (
            "studies/laws/controls",
            ["statistics"],
            r"statistics keeps no spatial tokens of layer 'final'\. Hint: take one of field, v",
        ),
        (
            "encoders/small/tokens",
            ["2"],
            r"small keeps no spatial tokens of layer 'final'\. Hint: set encoders\.small\.tokens:",
        ),
        (
            "systems/transport/simulate/frames",
            14,
            r"transport gives small 7 times, expected 8 at least\. Hint: simulate more frames",
        ),
    ],
)
def test_a_mistake_names_the_path_and_the_remedy(
    content: dict, path: str, value: object, expected: str
):
    if path == ELSEWHERE:
        path, value = "studies/x", {**PLAIN, "design": {"kind": "elsewhere", **value}}
    with pytest.raises(config.ConfigError, match=expected) as caught:
        config.load(changed(content, path, value))
    assert "Traceback" not in str(caught.value)
    assert len(str(caught.value)) < 1500


CLAIM = {"statement": "It is there."}
FORECAST = {**CLAIM, "kind": "forecast", "encoders": ["small_causal"]}
ALPHA = {**CLAIM, "kind": "decodable", "target": "alpha"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # a horizon beyond what clips, tubelets and the model give
        (
            {**FORECAST, "horizon": 99},
            r"x\.horizon: found 99; heat gives .* 32 times; dmd scores 1",
        ),
        ({**FORECAST, "horizon": 3}, r"x\.horizon: found 3; .*scores 1, 2, 4, 8, 16\. Hint"),
        ({**FORECAST, "kind": "order", "horizon": 17}, r"x\.horizon: found 17; .* Hint"),
        ({**FORECAST, "horizon": 0}, r"x\.horizon: found 0; .*greater than or equal to 1"),
        # what the probe doesn't read
        ({**ALPHA, "target": "alhpa"}, r"x\.target: found 'alhpa', .*Did you mean 'alpha'"),
        ({**ALPHA, "target": "equation"}, r"x\.target: found 'equation', which ridge doesn't read"),
        # controls that the study doesn't run
        (
            {**ALPHA, "controls": ["position"]},
            r"x\.controls: found 'position'\..*Known: brightness",
        ),
        # encoders that have seen the future
        ({**FORECAST, "encoders": ["small"]}, r"x: small has seen the frames .*causal: true"),
        ({**FORECAST, "kind": "order", "encoders": []}, r"x: small has seen the frames"),
        # no spatial tokens; another system
        ({**CLAIM, "kind": "conditioned"}, r"x: small_causal keeps no spatial tokens.* Hint"),
        ({**ALPHA, "system": "balls"}, r"x\.system: found 'balls'\. .*Known: heat\."),
        ({**ALPHA, "method": "dmd"}, r"x\.method: found 'dmd'\. .*Known: ridge\."),
        ({**FORECAST, "kind": "order", "against": "hat"}, r"x\.against: found 'hat'\. Did you"),
        # another design; kinds of the whole study
        (
            {**ALPHA, "kind": "holds_elsewhere"},
            r"x: holds_elsewhere is judged under the design elsewhere, not plain\. Hint",
        ),
        (
            {**CLAIM, "kind": "robust", "targets": ["alpha"]},
            r"x: robust is judged under the design every_way, not plain\. Hint",
        ),
        ({**CLAIM, "kind": "located"}, r"x: located is judged under the design places, not plain"),
        (
            {**CLAIM, "kind": "right_law"},
            r"x: no law is fitted to heat, which right_law needs\. Hint",
        ),
        (
            {**CLAIM, "kind": "right_law", "system": "heat"},
            r"x: right_law is of the whole study\. Hint: leave system out",
        ),
    ],
)
def test_a_claim_whose_evidence_will_not_be_there_is_refused(
    content: dict, value: dict, expected: str
):
    """Fault 8: said when the config is read, not after all the work."""
    with pytest.raises(config.ConfigError, match=rf"studies\.heat\.claims\.{expected}"):
        config.load(changed(content, "studies/heat/claims/x", value))


def test_a_law_is_read_off_one_network(content: dict):
    content["controls"]["untrained_grid"]["seeds"] = [1, 2]
    with pytest.raises(config.ConfigError, match=r"untrained_grid has 2 members, .* Hint"):
        config.load(content)


def test_a_mean_of_random_weights_needs_five_of_them(content: dict):
    asked = changed(content, "studies/heat/claims/x", {**CLAIM, "kind": "above_random"})
    config.load(asked)
    asked["controls"]["untrained"]["seeds"] = [1]
    with pytest.raises(config.ConfigError, match=r"found 1 of 5 controls of kind untrained"):
        config.load(asked)


@pytest.mark.parametrize("controls", [[], ["statistics"]])
def test_a_claim_against_controls_needs_some(content: dict, controls: list[str]):
    """Fault 8: without one, "beyond controls" came out as supported."""
    study = {**content["studies"]["heat"], "controls": controls}
    with pytest.raises(config.ConfigError) as caught:
        config.load(changed(content, "studies", {"heat": study}))
    lines = str(caught.value)
    none = (
        "claims.alpha_beyond_controls: no control to beat. Hint: name some in studies.heat.controls"
    )
    assert (none in lines) == (not controls)
    assert ("claims.dynamics_beyond_controls: no control to beat" in lines) == (not controls)
    assert "claims.beyond_pixels: no control of kind pixels to beat" in lines
    assert "alpha_decodable" not in lines


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ({**FORECAST, "horizon": 99}, r"x\.horizon: found 99; pair_advection gives"),
        ({**FORECAST, "system": "wave", "horizon": 2}, r"x\.system: found 'wave'\."),
        ({**FORECAST, "system": "diffusion"}, r"x: no dynamics is fitted to diffusion, .* Hint"),
        ({**FORECAST, "kind": "order", "system": "pair_advection", "against": "diffusion"},
         r"x: no dynamics is fitted to diffusion, .*\.ordinary"),
        ({**FORECAST, "encoders": ["small"]}, r"x: small has seen the frames"),
        ({**CLAIM, "kind": "decodable", "target": "alpha"}, r"x\.target: found 'alpha', which"),
        ({**CLAIM, "kind": "decodable", "system": "pair_diffusion", "target": "alpha"},
         r"x: no probe is fitted to pair_diffusion, which decodable needs"),
        ({**CLAIM, "kind": "conditioned"}, r"x: no head is fitted to advection_diffusion, which"),
        ({**CLAIM, "kind": "beyond_pixels"}, r"x: beyond_pixels is judged from ordinary folds"),
        ({**CLAIM, "kind": "beyond_pixels", "system": "pair_diffusion"},
         r"x: no probe is fitted to pair_diffusion, which beyond_pixels needs"),
        ({**CLAIM, "kind": "onset", "target": "equation"}, r"x: onset is judged from ordinary"),
    ],
)  # fmt: skip
def test_claims_of_systems_side_by_side_are_checked_alike(
    content: dict, claim: dict, expected: str
):
    """Fault 8."""
    path = "studies/advection_diffusion/claims/x"
    with pytest.raises(config.ConfigError, match=expected):
        config.load(changed(content, path, claim))


BALLS = {**PLAIN, "system": "balls", "methods": ["of_balls"]}
TWO = {**BALLS, "system": None, "systems": ["balls", "balls_velocity"]}
EVERY = {**BALLS, "design": {"kind": "every_way", "targets": ["speed"]}, "methods": ["quick_ridge"]}
SPEED = {**CLAIM, "kind": "decodable", "target": "speed", "beyond": "chance"}
LAYOUT = {**PLAIN, "methods": ["ridge", "dmd"], "layouts": ["fit"]}


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        ({**PLAIN, "system": None}, r"studies\.x: .*system or systems is needed, found neither"),
        ({**PLAIN, "systems": ["heat"]}, r"x: .*system or systems is needed, found both"),
        ({**PLAIN, "methods": []}, r"studies\.x\.methods: nothing is fitted\. Hint"),
        ({**PLAIN, "encoders": ["field"]}, r"encoders: field is no embedding; .*no probe\. Hint"),
        ({**LAWS, "methods": ["laws", "dmd"]}, r"x\.encoders: field is no emb.*no dynamics\. Hint"),
        (
            {**LAWS, "encoders": ["video"], "methods": [], "ordinary": {"wave": ["of_wave"]}},
            r"x\.encoders: video is no embedding; .*no probe\. Hint",
        ),
        # methods that a design can't fit
        (
            {**PAIR, "methods": ["equation", "spatial_heat_head"]},
            r"x\.methods: spatial_heat_head takes one system\. Hint",
        ),
        ({**PAIR, "methods": ["equation", "laws"]}, r"x\.methods: laws takes one system\. Hint"),
        (
            {**PLAIN, "design": {"kind": "elsewhere", "region": {"alpha": [0, 0.5]}},
             "methods": ["ridge", "dmd"]},
            r"x\.methods: dmd is of kind dmd, not ridge\. Hint",
        ),
        ({**PAIR, "systems": ["wave"]}, r"studies\.x: one system, expected several"),
        *(
            (
                {**TWO, "design": design},
                r"studies\.x: several systems, expected one\. Hint",
            )
            for design in (
                {"kind": "places"},
                {"kind": "every_way", "targets": ["speed"]},
                {"kind": "elsewhere", "region": {"speed": [0, 0.5]}},
            )
        ),
        # claims that could be of several things, or of none
        (
            {**BALLS, "methods": ["of_balls", "balls"], "claims": {"y": SPEED}},
            r"claims\.y: by which method\? Hint: set method to one of of_balls, balls\.",
        ),
        (
            {**TWO, "claims": {"y": SPEED}},
            r"claims\.y: of which system\? Hint: set system to one of balls, balls_velocity\.",
        ),
        (
            {**EVERY, "claims": {"y": SPEED}},
            r"claims\.y: decodable isn't judged under the design every_way\. Hint",
        ),
        (
            {**BALLS, "design": {"kind": "places"}, "claims": {"y": SPEED}},
            r"claims\.y: decodable isn't judged under the design places\. Hint",
        ),
        (
            {**PAIR, "systems": ["heat", "wave"]},
            r"x: clips of heat, of kind heat, have no group, so no counterparts in other systems",
        ),
        # layouts and figures
        ({**LAYOUT, "layouts": ["comparison"]}, r"layouts: comparison is of design together, not"),
        ({**LAYOUT, "layouts": ["fits"]}, r"x\.layouts\.0: found 'fits'; .*Did you mean 'fit'"),
        ({**LAYOUT, "methods": ["ridge"]}, r"x\.layouts: fit needs a dynamics\. Hint: name one in"),
        (
            {**LAYOUT, "system": None, "systems": ["heat", "heat_viridis"]},
            r"x\.layouts: fit is of one system\. Hint",
        ),
        ({**LAYOUT, "figures": {"a": []}}, r"figures\.a: found \[\]; at least 1 entry is needed"),
        ({**LAYOUT, "figures": {"a": ["y"]}}, r"figures\.a: found 'y'\. Known: none"),
        (
            {**BALLS, "claims": {"y": SPEED}, "figures": {"a": ["y"]}},
            r"figures\.a: no figure shows claims of kind decodable\. Hint",
        ),
        (
            {**BALLS, "claims": {"y": SPEED, "z": {**CLAIM, "kind": "onset", "target": "speed"}},
             "figures": {"a": ["y", "z"]}},
            r"figures\.a: claims of kinds decodable, onset\. Hint: take one\.",
        ),
    ],
)  # fmt: skip
def test_a_study_that_can_not_be_made_is_refused(content: dict, study: dict, expected: str):
    with pytest.raises(config.ConfigError, match=expected) as caught:
        config.load(changed(content, "studies/x", study))
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("comparisons", "design: {kind: together}"),
        ("transfers", "claims of kind holds_elsewhere"),
        ("layerwise", "claims of kind onset"),
        ("multiverses", "claims of kind robust"),
        ("local", "claims of kind located"),
        ("gates", "claims of kind above_random"),
        ("discovery", "claims of kind right_law"),
        ("studies/heat/probe", "an entry of the study's methods now"),
        ("studies/heat/koopman", "an entry of the study's methods now"),
        ("studies/heat/head", "an entry of the study's methods now"),
    ],
)
def test_what_an_earlier_version_had_is_told_where_it_went(content: dict, path: str, expected: str):
    with pytest.raises(config.ConfigError) as caught:
        config.load(changed(content, path, {}))
    _, line = str(caught.value).splitlines()
    assert line.strip().startswith(f"{path.replace('/', '.')}: no key any more: ")
    assert expected in line and line.endswith("Hint: CHANGELOG.md has all old and new names.")


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("methods/dmd/orders", [1, 2], None),
        ("methods/dmd/horizons", [1, 2], r"dynamics_forecast\.horizon: found 4; .*scores 1, 2\."),
        ("systems/heat/simulate/frames", 8, r"heat\.methods: heat gives .* 4 times; dmd needs 5"),
        ("studies/heat/methods", ["ridge", "dmd"], r"no head is fitted to heat, which conditioned"),
        ("studies/heat/methods", ["ridge"], r"no dynamics is fitted to heat, which forecast needs"),
        ("controls/pixels_gray8/tubelet", 4, r"pixels_gray8 has tokens of 4 frames, small.* of 2"),
        (
            "studies/heat/controls",
            ["position"],
            r"position reads where a ball is; heat has none",
        ),
    ],
)
def test_what_passes_runs_to_its_end(content: dict, path: str, value: object, expected: str | None):
    if expected is None:
        config.load(changed(content, path, value))
        return
    with pytest.raises(config.ConfigError, match=expected):
        config.load(changed(content, path, value))


@pytest.mark.parametrize(
    ("place", "source", "method", "expected"),
    [
        ("heat", "field", "laws", None),
        ("heat", "video", "laws", None),
        ("heat", "pixels_gray8", "laws", None),
        ("heat", "small", "ridge", None),
        ("heat", "statistics", "laws", r"statistics keeps no spatial tokens of layer 'final'"),
        ("heat", "field", "ridge", r"heat/fits/field\.ridge\.json: ridge is a probe, .* Hint"),
        ("balls", "video", "laws", r"balls has no field on a grid"),
        (
            "advection_diffusion",
            "small",
            "laws",
            r"not together\. Hint: results/\w+/fits/small\.laws\.json",
        ),
    ],
)
def test_a_fit_that_can_not_be_made_is_refused_before_it_is_run(
    content: dict, place: str, source: str, method: str, expected: str | None
):
    found = config.load(content)
    if expected is None:
        found.check_fit(place, source, method)
        return
    with pytest.raises(ValueError, match=expected):
        found.check_fit(place, source, method)


def test_every_problem_is_told_once(content: dict):
    broken = changed(content, "studies/heat/methods", ["rigde", "rigde"])
    broken = changed(broken, "studies/balls_right/system", "bals")
    broken = changed(broken, "studies/balls_multiverse/controls", [])
    with pytest.raises(config.ConfigError) as caught:
        config.load(broken)
    header, *lines = str(caught.value).splitlines()
    assert "can't be used" in header
    assert len(lines) == len(set(lines)) == 4, lines


@pytest.mark.parametrize(
    ("section", "name"),
    [
        *((section, name) for section in ("systems", "studies") for name in layout.FOLDERS),
        *((section, name) for section in ("encoders", "controls") for name in layout.STORES),
        *(("studies/balls/figures", name) for name in layout.reserved()["figures"]),
    ],
)
def test_a_name_that_means_something_else_is_refused(content: dict, section: str, name: str):
    """Faults 9 and 20: such a name read another store, or matched two rules."""
    here = content
    for step in section.split("/"):
        here = here[step]
    entry = copy.deepcopy(next(iter(here.values())))
    with pytest.raises(config.ConfigError, match=rf"\.{name}: {name} is .*name it otherwise"):
        config.load(changed(content, f"{section}/{name}", entry))


def test_reserved_names_are_those_of_the_rules():
    """Faults 9 and 20: every literal name in an output or a log stands in the one table."""
    text = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    paths = set(re.findall(r'"results/([^"]+)"', text))
    folders = {path.split("/")[0] for path in paths if "/" in path}
    assert {name for name in folders if "{" not in name} == set(layout.FOLDERS)
    files = {re.fullmatch(r"\{\w+\}/(\w+)\.(\w+)", path) for path in paths} - {None}
    named = {*layout.reserved()["figures"]}
    assert {file[1] for file in files if file[2] not in ("zarr", "json")} <= named
    for form in kinds.names("layouts"):
        assert {Path(file).stem for file in kinds.outline("layouts", form).FILES} <= named
    assert {*kinds.names("figures"), *layout.FILES} <= named


STRICT = {
    # fault 6
    "studies/heat/claims/alpha_decodable/margin": (["yes", True, "1"], "a number is needed"),
    "systems/heat/simulate/clips": (["yes", True, "12", 3.0, None], "a whole number is needed"),
    "methods/ridge/permutations": (["on", True, 200.0], "a whole number is needed"),
    "encoders/small_causal/causal": (["yes", 1, "true"], "true or false is needed"),
    "encoders/small/model": ([12, True], r"text is needed \(in quotes\)"),
    "systems/heat/simulate/alpha": ([3, "ab"], r"a list is needed, such as \[a, b\]"),
    # fault 7
    "studies/balls/claims/speed/margin": (
        [float("nan"), float("inf")],
        "a finite number is needed",
    ),
    "systems/heat/simulate/sigma/0": ([float("nan"), -float("inf")], "a finite number is needed"),
}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [(path, value, text) for path, (values, text) in STRICT.items() for value in values],
)
def test_nothing_is_taken_for_what_it_is_not(
    content: dict, path: str, value: object, expected: str
):
    """Faults 6 and 7."""
    where = re.escape(path.replace("/", "."))
    way = [int(step) if step.isdigit() else step for step in path.split("/")]
    whole = copy.deepcopy(content)
    here = whole
    for step in way[:-1]:
        here = here[step]
    here[way[-1]] = value
    with pytest.raises(config.ConfigError, match=rf"{where}: found .*; {expected}"):
        config.load(whole)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("calibration/noises", 3, r"calibration\.noises: unknown key\. Did you mean 'noise'\?"),
        ("systems/heat/simulate/kind", "wave",
         r"simulate\.alpha: no key of kind wave, but of .*heat.*Hint: keys that are merged"),
        ("studies/balls_multiverse/design/layers", ["finl"],
         r"layers\.0: found 'finl'; .*'selected' or 'final'.*, or a number is needed\."),
        ("studies/heat/encoders", [], r"heat\.encoders: found \[\]; at least 1 entry is needed"),
        ("systems/heat/simulate/alpha", [1.0], r"alpha: found \[1\.0\]; the list is too short"),
        ("systems/heat/simulate/alpha", [1, 2, 3], r"alpha: found .*; at most 2 entries are taken"),
        ("systems/heat", 3, r"systems\.heat: found 3; keys with values are needed"),
        ("systems/heat/simulate", {"clips": 3}, r"simulate\.kind: missing\. Known kinds: act"),
        ("systems/Heat", {}, r"systems\.Heat: found 'Heat'; a name has small letters"),
        ("encoders/small/preprocess", "crops", r"preprocess: found 'crops'; .*Did you mean 'crop'"),
    ],
)  # fmt: skip
def test_messages_are_in_the_words_of_the_config(
    content: dict, path: str, value: object, expected: str
):
    with pytest.raises(config.ConfigError, match=expected) as caught:
        config.load(changed(content, path, value))
    for word in ("tuple", "literal[", "validation", "discriminator", "[key]"):
        assert word not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "found '', which is not JSON"),
        ("{", "found '{', which is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1]", r"a JSON object is needed"),
        ("{}", r"found no kind; simulate has active_matter, .*heat"),
        ('{"kind": "haet"}', r"found kind 'haet'; simulate has active_matter, .*heat"),
        ('{"kind": ["heat"]}', r"found kind \['heat'\]; simulate has"),
        ('{"kind": "heat", "clips": 1, "clips": 2}', "the key 'clips' stands twice"),
        ('{"kind": "heat", "clips": "2", "alhpa": 1}',
         r"alhpa: unknown key\. Did you mean 'alpha'.* clips: found '2'; a whole number is needed"),
        ('{"kind": "heat", "alpha": [NaN, 1]}', "a finite number is needed"),
    ],
)  # fmt: skip
def test_a_spec_by_hand_is_told_in_one_line(text: str, expected: str):
    with pytest.raises(ValueError, match=expected) as caught:
        kinds.parse("simulate", text)
    assert str(caught.value).startswith("--spec: ")
    assert "\n" not in str(caught.value)
    assert not isinstance(caught.value, ValidationError)


def test_a_spec_by_hand_is_read():
    module, spec = kinds.parse("simulate", '{"kind": "heat", "clips": 3, "alpha": [1, 2.5]}')
    assert module.__name__ == "physprobe.simulate.heat"
    assert (spec.clips, spec.alpha) == (3, (1.0, 2.5))


def test_an_entry_of_a_section_by_hand_is_told_in_one_line(tmp_path: Path):
    spec = '{"system": "heat", "encoders": [], "claim": {}}'
    command = ["falsify", "--spec", spec, "--fits", "a.json", "--embeddings", "b", "--simulation"]
    command += ["c", "--out", str(tmp_path / "out.json")]
    done = subprocess.run(
        [sys.executable, "-m", "physprobe", *command],
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    (line,) = done.stderr.splitlines()
    assert done.returncode == 1
    assert "--spec: claim: unknown key. Did you mean 'claims'?" in line
    assert "encoders: found []; at least 1 entry is needed" in line


def test_half_written_kinds_are_named_and_the_others_work(tmp_path: Path):
    shutil.copytree(ROOT / "lib", tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__"))
    texts = ("class Spec(", "import nothing_of_the_kind", "X = 1", "1 / 0")
    files = [tmp_path / f"lib/physprobe/simulate/half_{n}.py" for n in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(f'"""Half."""\n\n{text}\n')
    code = """
import sys, yaml
from physprobe.config import model as config
content = yaml.safe_load(open(sys.argv[1]))
config.load(content)
print("loaded", flush=True)
for kind in sys.argv[2:]:
    content["systems"]["heat"]["simulate"] = {"kind": kind}
    try:
        config.load(content)
    except config.ConfigError as error:
        print(error)
"""
    smoke, halves = ROOT / "tests/configs/smoke.yaml", [file.stem for file in files]
    done = subprocess.run(
        [sys.executable, "-c", code, str(smoke), *halves],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "lib")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    loaded, *told = done.stdout.splitlines()
    assert loaded == "loaded", done.stderr
    warnings = done.stderr.splitlines()
    assert len(warnings) == len(files)
    for file, warning in zip(files, warnings, strict=True):
        assert str(file) in warning
        assert "Hint: " in warning
        expected = f"systems.heat.simulate.kind: found '{file.stem}', but {file}"
        assert sum(expected in line for line in told) == 1


def test_a_study_may_ask_for_a_systems_own_classes(content: dict):
    probed = changed(content, "methods/told", {"kind": "logistic", "targets": ["equation"]})
    published = changed(probed, "studies/pairs", {**PLAIN, "methods": ["told"]})
    published["studies"]["pairs"]["system"] = "wave_published"
    assert config.load(published).studies["pairs"].methods == ("told",)
    published["studies"]["pairs"]["system"] = "heat"
    with pytest.raises(config.ConfigError, match=r"target 'equation', but heat has the labels"):
        config.load(published)


def test_only_one_simulation_in_two_renderings_is_transferred(content: dict):
    entry = {**PLAIN, "design": {"kind": "elsewhere", "onto": "heat_viridis"}}
    here = changed(content, "studies", {"x": entry})
    assert config.load(here).studies["x"].design.region == {}
    other = {**content["systems"]["heat"]["simulate"], "clips": 100, "seed": 1}
    here = changed(here, "systems/heat_viridis/simulate", other)
    with pytest.raises(config.ConfigError, match=r"different clips \(clips, seed\)\. Hint"):
        config.load(here)


def test_classes_are_not_transferred(content: dict):
    design = {"kind": "elsewhere", "region": {"alpha": [0.8, 1]}}
    here = changed(content, "studies", {"x": {**PLAIN, "design": design, "methods": ["law"]}})
    here = changed(here, "methods/law", {"kind": "logistic", "targets": ["alpha"]})
    with pytest.raises(config.ConfigError, match="law is of kind logistic, not ridge"):
        config.load(here)


def test_a_missing_key_is_named(content: dict):
    broken = copy.deepcopy(content)
    del broken["studies"]["heat"]["encoders"]
    with pytest.raises(config.ConfigError, match=r"studies\.heat\.encoders: missing"):
        config.load(broken)


def test_params_are_the_same_text_however_they_are_written(content: dict):
    one = config.load(content).systems["heat"].simulate
    written = config_files.parse("alpha: [5e-1, 5]", "mine.yaml").values["alpha"]
    other = config.load(changed(content, "systems/heat/simulate/alpha", written)).systems["heat"]
    assert one.canonical() == other.simulate.canonical()
    assert type(one).parse(one.canonical()) == one


@pytest.mark.parametrize(
    "stage", ["simulate", "render", "embed", "fit/methods", "fit/designs", "falsify"]
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
        ("methods/ridge/permutations", 19, r"studies\.heat\.claims\.\w+"),
        ("methods/dmd/shuffles", 19, r"studies\.heat\.claims\.\w+"),
        ("methods/spatial_heat_head/permutations", 5, r"studies\.heat\.claims\.\w+"),
        ("methods/quick_ridge/permutations", 1, r"studies\.balls_multiverse\.claims"),
    ],
)
def test_a_claim_whose_p_can_not_get_below_the_level_is_refused(
    content: dict, path: str, draws: int, where: str
):
    field = path.replace("/", r"\.")
    expected = (
        rf"{where}: needs p below 0\.05, which {field}: {draws} can't bring\."
        r" Hint: set it to 20 or more\."
    )
    with pytest.raises(config.ConfigError, match=expected):
        config.load(changed(content, path, draws))
    config.load(changed(content, path, 20))


def test_every_probe_has_draws_enough_by_default_or_none():
    for name in kinds.names("fit/methods"):
        field = kinds.load("fit/methods", name).Spec.model_fields.get("permutations")
        assert field is None or field.default == 0 or field.default >= 20, name
