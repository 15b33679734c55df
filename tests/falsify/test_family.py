"""A family of claims: what is told alone and not among many, how much it is, how much it takes."""

import numpy as np
import pytest

from physprobe.falsify import _family
from physprobe.falsify._claim import judged, measured, verdict
from physprobe.falsify.decodable import Spec
from physprobe.statistics import paired, scores
from physprobe.statistics.paired import Scored

CLIPS, DRAWS = 60, 400
SPEC = Spec(statement="s")


def mean(values: np.ndarray, groups: np.ndarray | None = None) -> Scored:
    sums = np.stack([values, np.ones_like(values)], -1)
    return Scored(sums, scores.mean_of, np.arange(len(values)) if groups is None else groups)


def line(found: Scored, claim: str = "a", margin: float = 0.0, **more: object) -> dict:
    spec = Spec(statement="s", margin=margin)
    columns = measured(spec, found, DRAWS)
    word = verdict(columns["ci_low"], columns["ci_high"], margin)
    return {"claim": claim, **judged(spec, verdict=word, **more, **columns)}


@pytest.fixture(scope="module")
def spread() -> np.ndarray:
    values = np.random.default_rng(0).normal(size=CLIPS)
    return (values - values.mean()) / values.std()


def shifted(spread: np.ndarray, errors: float) -> Scored:
    """A mean so many standard errors above 0."""
    return mean(spread + errors / np.sqrt(CLIPS))


def test_what_holds_alone_need_not_hold_among_many(spread: np.ndarray):
    """2.4 errors are told by themselves, either way; not as one of nine others that are noise."""
    noise = [line(shifted(spread, far), f"n{n}") for n, far in enumerate(np.linspace(-1, 1, 9))]
    for errors, word in ((2.4, "supported"), (-2.4, "refuted")):
        own = line(shifted(spread, errors))
        assert own["verdict"] == word
        (alone,) = _family.told([own], DRAWS)
        assert (alone["verdict"], alone["p_adjusted"]) == (word, own["p_margin"])
        among, *_ = _family.told([own, *noise], DRAWS)
        assert among["verdict"] == "cannot tell"
        assert among["p_adjusted"] == pytest.approx(10 * own["p_margin"])
        assert among["note"].startswith(f"{word} by itself, not as one of 10 (Holm: p = ")
    sure, *_ = _family.told([line(shifted(spread, 7.0)), *noise], DRAWS)
    assert sure["verdict"] == "supported"


def test_exploratory_claims_are_a_family_of_their_own(spread: np.ndarray):
    """Of eight at 2.6 errors Benjamini and Hochberg find all, Holm none."""
    lines = [line(shifted(spread, 2.6), f"x{n}") for n in range(8)]
    found = _family.told(lines, DRAWS)
    assert {each["verdict"] for each in found} == {"cannot tell"}
    late = {each["claim"]: "exploratory" for each in lines}
    found = _family.told(lines, DRAWS, late)
    assert {(each["verdict"], each["status"]) for each in found} == {("supported", "exploratory")}
    own, *others = _family.told(lines, DRAWS, late | {"x0": "confirmatory"})
    assert (own["status"], own["verdict"]) == ("confirmatory", "supported")
    assert own["p_adjusted"] == lines[0]["p_margin"]
    assert all(each["status"] == "exploratory" for each in others)


def test_what_has_no_p_is_no_part_of_a_family(spread: np.ndarray):
    own = line(shifted(spread, 2.4))
    share = {"claim": "b", **judged(SPEC, value=0.9, verdict="supported")}
    lost = {"claim": "c", **judged(SPEC, verdict="cannot tell", note="nothing")}
    first, second, third = _family.told([own, share, lost], DRAWS)
    assert (first["verdict"], second["verdict"]) == ("supported", "supported")
    assert (second["p_adjusted"], third["note"]) == (None, "nothing")
    assert set(first) == set(second) == set(third) > {"detectable", "groups_needed", "closed"}


def test_a_loss_that_refutes_is_no_matter_of_p(spread: np.ndarray):
    noise = [line(shifted(spread, 0.1 * n), f"n{n}") for n in range(9)]
    refuted = line(shifted(spread, 1.0)) | {"verdict": "refuted"}
    assert _family.told([refuted, *noise], DRAWS)[0]["verdict"] == "refuted"


def test_what_can_not_be_told_says_what_could_have_been(spread: np.ndarray):
    (found,) = _family.told([line(shifted(spread, 1.4))], DRAWS)
    error = 1 / np.sqrt(CLIPS)
    assert found["detectable"] == pytest.approx(2.84 * error, rel=0.1)
    assert found["groups_needed"] == pytest.approx(CLIPS * (2.84 / 1.4) ** 2, rel=0.2)
    assert (found["groups"], found["size"], found["closed"]) == (CLIPS, None, None)
    (narrow,) = _family.told([line(shifted(spread, 2.4))], DRAWS)
    assert (narrow["detectable"], narrow["groups_needed"]) == (None, None)
    among, *_ = _family.told([line(shifted(spread, 1.4), f"a{n}") for n in range(10)], DRAWS)
    assert among["detectable"] > found["detectable"], "one of ten has to be surer"


def test_what_is_supported_says_how_much(spread: np.ndarray):
    (found,) = _family.told([line(mean(0.1 * spread + 0.12), room=0.6)], DRAWS)
    assert (found["verdict"], found["size"]) == ("supported", "clear")
    assert found["closed"] == pytest.approx(0.2) and found["detectable"] is None
    (bare,) = _family.told([line(mean(0.1 * spread + 0.12), margin=0.08)], DRAWS)
    assert (bare["size"], bare["closed"]) == ("small", None)


def test_too_few_draws_say_so(spread: np.ndarray):
    """p of 400 draws is at least 1/401: one of 30 claims has to be surer than they can tell."""
    lines = [line(shifted(spread, 9.0), f"a{n}") for n in range(30)]
    found = _family.told(lines, DRAWS)[0]
    assert 1 / (DRAWS + 1) <= found["p_margin"] < 5 / DRAWS
    assert found["verdict"] == "cannot tell"
    assert "400 bootstrap draws tell no p this low: take 3000" in found["note"]


def test_groups_and_networks_are_told_apart(spread: np.ndarray, rng: np.random.Generator):
    """Eight copies of a clip are one group; more clips don't narrow what networks differ by."""
    copied = line(mean(np.repeat(spread, 8) + 0.1, np.repeat(np.arange(CLIPS), 8)))
    assert (copied["groups"], copied["narrowed"]) == (CLIPS, 1.0)
    about = 0.02 * rng.normal(size=(5, CLIPS)) + 0.1 * spread
    alike, unlike = (
        line(paired.mean_of_members([mean(a + d) for a, d in zip(about, off, strict=True)], "of"))
        for off in (np.zeros(5), np.linspace(-1, 1, 5))
    )
    assert alike["narrowed"] > 0.9 and unlike["narrowed"] < 0.05
    (found,) = _family.told([unlike], DRAWS)
    assert found["verdict"] == "cannot tell" and found["groups_needed"] is None
