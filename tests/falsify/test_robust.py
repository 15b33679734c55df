"""Robust: every specification an ordinary probe, shares those of what is planted."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from figure_oracle import sound

from physprobe.falsify import _support, robust, stage
from physprobe.falsify.entries import Study
from physprobe.figures import specifications as drawn
from physprobe.fit import stage as fit
from physprobe.fit.methods import trained_sweep
from physprobe.fit.methods.ridge import Spec
from physprobe.store import results, writing
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

CLIPS, LAYERS = 60, ["0", "1", "2", "final"]
SHARES = {
    "mine": [0.0, 0.0, 2.0, 2.0],
    "noise": [0.0, 0.0, 0.0, 0.0],
    "twin": [0.0, 0.0, 0.3, 0.3],
    "place": [0.1],
}
"""Of the label in each layer's features."""
METHODS = {
    "ridge": Spec(permutations=20, bootstraps=200),
    "sweep": trained_sweep.Spec(epochs=200, rates=(0.1,), bootstraps=200),
}
STUDY = Study(
    system="balls",
    design={
        "kind": "every_way",
        "samples": ["clip", "temporal_last"],
        "layers": [0.0, 0.5, 1.0, "selected"],
        "groupings": ["clip", "direction"],
        "normalisations": ["zscore", "none"],
    },
    encoders=["mine", "noise"],
    controls=["twin", "place"],
    methods=list(METHODS),
    claims={
        name: {"kind": "robust", **claim}
        for name, claim in {
            "there": {"statement": "Speed is there.", "targets": ["speed", "log_speed"]},
            "by_far": {"statement": "By far.", "targets": ["speed"], "margin": 5.0},
            "at_all": {"statement": "At all.", "targets": ["speed"], "beyond": "chance"},
            "flat": {"statement": "A constant.", "targets": ["flat"]},
        }.items()
    },
)
THERE, AT_ALL = (STUDY.claims[name] for name in ("there", "at_all"))


def specified(spec: robust.Spec, evidence: Evidence, encoder: str):
    """Lines of a claim about one encoder."""
    asked = (spec.targets, spec.beyond, spec.margin)
    return _support.specifications(evidence, encoder, *asked)


def store(root: Path, name: str, dims: tuple, values: np.ndarray, coords: dict) -> Path:
    out = root / "zarr.json"
    with writing.create(
        out,
        variables={name: writing.Variable(dims, values.shape, str(values.dtype))},
        coords=coords,
        attrs={"spec": {}, "label": root.stem},
        fingerprint={},
        block=16,
    ) as made:
        made.fill(lambda block: {name: values[block]})
    return out


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> dict:
    """An encoder that holds speed from layer 2 of 2 blocks on, one that never does, controls."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(1)
    speed = rng.uniform(1, 2, CLIPS)
    labels = {"speed": speed, "flat": np.ones(CLIPS), "direction_id": np.arange(CLIPS) % 6}
    simulation = store(
        folder / "balls" / "simulation.zarr", "scene", ("clip", "x"), np.ones((CLIPS, 1), "f4"),
        {name: (("clip",), values, {}) for name, values in labels.items()},
    )  # fmt: skip
    paths = {}
    for name, shares in SHARES.items():
        features = rng.normal(size=(CLIPS, len(shares), 2, 5))
        for layer, share in enumerate(shares):
            planted = (speed - 1.5)[:, None] / 0.3 * rng.normal(size=5)
            features[:, layer] += 2 * share * planted[:, None]
        layers = LAYERS if len(shares) > 1 else ["position"]
        paths[name] = store(
            folder / "balls" / "embeddings" / f"{name}.zarr", "pooled",
            ("clip", "layer", "time", "feature"),
            features.astype("f4"),
            {
                "layer": (("layer",), np.array(layers), {}),
                "time": (("time",), np.array([0.0, 1.0]), {}),
            },
        )  # fmt: skip
    fits = {(n, m): folder / "many" / "fits" / f"{n}.{m}.json" for n in SHARES for m in METHODS}
    for (name, method), path in fits.items():
        fit.run(
            embeddings=[paths[name]], simulation=[simulation], out=path,
            spec=METHODS[method].canonical(), design=STUDY.planned.canonical(),
        )  # fmt: skip
    out = folder / "many" / "verdicts.json"
    stage.run(
        fits=list(fits.values()), embeddings=list(paths.values()), simulation=[simulation],
        out=out, spec=STUDY.canonical(),
    )  # fmt: skip
    return {
        "found": results.read(out),
        "fits": {
            name: {method: results.read(fits[name, method]) for method in METHODS}
            for name in SHARES
        },
        "paths": paths,
        "simulation": simulation,
        "folder": folder,
    }


def lines(world: dict, claim: str, **where) -> list[dict]:
    found = world["found"]["shown"][claim]["specifications"]
    return [line for line in found if where.items() <= line.items()]


def evidence(**fits: dict) -> Evidence:
    """Evidence of fits by encoder and method, of which the first is under test."""
    encoder, *controls = fits
    ways = {
        method: Fits({name: of_encoder[method] for name, of_encoder in fits.items()})
        for method in METHODS
    }
    return Evidence((encoder,), tuple(controls), {}, ways=ways)


def share(world: dict, encoder: str, claim: str, word: str = "supported") -> dict:
    (row,) = (
        row
        for row in world["found"]["rows"]
        if (row["encoder"], row["claim"], row["metric"]) == (encoder, claim, f"share_{word}")
    )
    return row


def test_a_specification_is_an_ordinary_probe(world):
    out = world["folder"] / "alone.json"
    spec = Spec(
        targets=("speed", "log_speed", "flat"), samples=("clip", "temporal_last"),
        permutations=20, bootstraps=200, grouping="direction", scalings=("feature",),
    )  # fmt: skip
    fit.run(
        embeddings=[world["paths"]["mine"]], simulation=[world["simulation"]], out=out,
        spec=spec.canonical(),
    )  # fmt: skip
    alone = {
        (row["target"], row["sample"], row["layer"]): row
        for row in results.read(out)["rows"]
        if row["metric"] == "r2"
    }
    mine = lines(world, encoder="mine", claim="there", fit="ridge/zscore/direction")
    assert len(mine) == 2 * 2 * 4
    for line in mine:
        own = alone[line["target"], line["sample"], line["layer"]]
        assert [line[key] for key in ("value", "ci_low", "ci_high", "p")] == [
            own[key] for key in ("value", "ci_low", "ci_high", "p")
        ]


def test_every_combination_is_there_once(world):
    expected = product(
        [("ridge", "zscore"), ("ridge", "none"), ("sweep", "zscore"), ("sweep", "none")],
        ["clip", "direction"], ["clip", "temporal_last"], ["0", "1", "2", "selected"],
        ["speed", "log_speed"],
    )  # fmt: skip
    found = [
        ((x["solver"], x["normalisation"]), x["grouping"], x["sample"], x["layer"], x["target"])
        for x in lines(world, encoder="mine", claim="there")
    ]
    assert sorted(found) == sorted(expected)


def test_what_is_planted_is_supported_and_noise_is_not(world):
    verdicts = {
        layer: {x["verdict"] for x in lines(world, encoder="mine", claim="there", layer=layer)}
        for layer in ("0", "2", "selected")
    }
    assert verdicts["2"] == {"supported"} and "supported" not in verdicts["0"]
    assert verdicts["selected"] == {"supported"}
    assert share(world, "noise", "there")["value"] == 0
    assert share(world, "mine", "by_far", "refuted")["value"] == 1


def test_shares_count_what_is_defined_and_have_no_interval(world):
    for encoder, claim in (("mine", "there"), ("noise", "there"), ("mine", "at_all")):
        words = [x["verdict"] for x in lines(world, encoder=encoder, claim=claim)]
        for word in ("supported", "refuted", "cannot tell"):
            row = share(world, encoder, claim, word.replace(" ", "_"))
            assert row["value"] == pytest.approx(words.count(word) / len(words))
            assert row["note"] == f"{words.count(word)} of {len(words)} specifications"
            assert row["ci_low"] is row["ci_high"] is None
    none = share(world, "mine", "flat")
    assert none["value"] is None and none["note"] == "0 of 0 specifications; 64 undefined"


def test_controls_answer_the_same_specification(world):
    by_place = {
        name: {
            (f"{method}/{row['way']}", row["target"], row["sample"], row["layer"]): row["value"]
            for method, fits in methods.items()
            for row in fits["rows"]
        }
        for name, methods in world["fits"].items()
    }
    for line in lines(world, encoder="mine", claim="there"):
        place = (line["fit"], line["target"], line["sample"])
        scores = {
            "twin": by_place["twin"][*place, line["layer"]],
            "place": by_place["place"][*place, "position"],
        }
        assert line["control"] == max(scores, key=scores.get)
        assert line["control_value"] == scores[line["control"]]
        gap = line["value"] - line["control_value"]
        assert line["difference_value"] == pytest.approx(gap, rel=1e-6)
        assert line["difference_ci_low"] < line["difference_value"] < line["difference_ci_high"]
        above = line["difference_ci_low"] > 0 and line["ci_low"] > 0
        above &= line["p"] is None or line["p"] < 0.05
        assert above == (line["verdict"] == "supported")


def test_less_bad_than_a_control_is_no_support(world):
    """A control that is far below 0 can be beaten by an encoder that knows nothing."""
    wild = {method: {**result} for method, result in world["fits"]["noise"].items()}
    for result in wild.values():
        result["fits"] = {
            name: way | {"held_out": [
                held | {"squared_error": [9 * error for error in held["squared_error"]]}
                for held in way["held_out"]
            ]}
            for name, way in result["fits"].items()
        }  # fmt: skip
    both = evidence(noise=world["fits"]["noise"], wild=wild)
    found = list(specified(THERE, both, "noise"))
    assert min(line["difference_ci_low"] for line in found) > 0
    poor = [line["verdict"] for line in found if line["ci_low"] <= 0]
    assert len(poor) > len(found) / 2 and set(poor) == {"cannot tell"}


def test_beyond_chance_asks_for_the_null_where_there_is_one(world):
    for line in lines(world, claim="at_all"):
        if line["solver"] == "ridge":
            assert (line["verdict"] == "supported") == (line["ci_low"] > 0 and line["p"] < 0.05)
        else:
            assert line["p"] is None and "chosen on the fold that is reported" in line["note"]


def test_the_result_is_plain(world):
    json.dumps(world["found"], allow_nan=False)
    assert world["found"]["labels"] == {name: name for name in SHARES}


def test_fault_8_a_specification_without_a_control_is_above_none(world):
    mine = evidence(mine=world["fits"]["mine"])
    alone = list(specified(THERE, mine, "mine"))
    assert {line["verdict"] for line in alone} == {"cannot tell"}
    assert all("no control" in line["note"] for line in alone)
    (judged,) = robust.judge(THERE, mine, ("mine",)).lines.values()
    assert (judged["verdict"], judged["value"]) == ("cannot tell", None)
    assert judged["note"] == "the study has no control to beat"
    chance = THERE.model_copy(update={"beyond": "chance"})
    found = list(specified(chance, mine, "mine"))
    assert "supported" in {line["verdict"] for line in found}


def test_fault_13_a_null_without_arrangements_supports_no_specification(world):
    fits = json.loads(json.dumps(world["fits"]["mine"]))
    for result in fits.values():
        for row in result["rows"]:
            row.update(p=None, null_q95=None, null_mean=None)
    found = list(specified(AT_ALL, evidence(mine=fits), "mine"))
    by_solver = {
        solver: {line["verdict"] for line in found if line["solver"] == solver}
        for solver in ("ridge", "sweep")
    }
    assert "supported" not in by_solver["ridge"] and "supported" in by_solver["sweep"]


@pytest.mark.parametrize(
    ("supported", "refuted", "share", "word"),
    [
        (9, 1, 0.9, "supported"),
        (89, 11, 0.9, "cannot tell"),
        (11, 89, 0.9, "cannot tell"),
        (1, 9, 0.9, "refuted"),
        (1, 0, 0.9, "refuted"),  # the other nine cannot tell
        (0, 10, 0.9, "refuted"),
        (7, 3, 0.7, "supported"),
        (3, 7, 0.7, "refuted"),
        (10, 0, 1.0, "supported"),
        (1, 99, 1.0, "cannot tell"),
    ],
)
def test_the_share_that_supports_it_decides(supported, refuted, share, word):
    open_ = max(0, 10 - supported - refuted)
    words = ["supported"] * supported + ["refuted"] * refuted + ["cannot tell"] * open_
    words += ["undefined"] * 5
    spec = robust.Spec(statement="s", targets=("speed",), share=share)
    line = robust._line(spec, [{"verdict": verdict, "control": "twin"} for verdict in words])
    assert (line["verdict"], line["margin"]) == (word, share)
    assert line["value"] == supported / (len(words) - 5) and line["ci_low"] is None
    assert line["note"].startswith(f"{supported} supported, {open_} cannot tell, {refuted} refuted")


def test_the_verdict_is_that_of_the_specifications(world):
    verdicts = {
        (line["claim"], line["encoder"]): (line["verdict"], line["value"])
        for line in world["found"]["claims"]
    }
    assert verdicts["there", "mine"][1] == share(world, "mine", "there")["value"]
    assert verdicts["there", "noise"] == verdicts["by_far", "mine"] == ("refuted", 0)
    assert verdicts["flat", "mine"] == ("cannot tell", None)


def test_the_picture_shows_every_specification(world):
    found = world["found"]
    for claims in (["there"], ["by_far", "at_all"]):
        shown = {name: found["shown"][name] for name in claims}
        frame = drawn.frame(found | {"shown": shown})
        assert len(frame) == sum(len(claim["specifications"]) for claim in shown.values())
        sound(drawn.figure(frame))
    assert not len(drawn.frame(found | {"shown": {"flat": found["shown"]["flat"]}}))
    assert set(drawn.frame(found)["claim"]) == {"there", "by_far", "at_all"}
