"""Surprise: a predictor that knows is right, a liking for endings is found out, ties are wrong."""

import numpy as np
import pytest

from physprobe.fit.methods import _surprise, surprise
from physprobe.fit.section import Given
from physprobe.statistics import splits
from physprobe.store.fits import row

SCENES, FRAMES, SWAP = 24, 16, 8
SCENE = np.repeat(np.arange(SCENES), 4)
POSSIBLE = np.tile([1, 1, 0, 0], SCENES)
MOVIES = ((0, 0), (1, 1), (0, 1), (1, 0))


def films() -> list[np.ndarray]:
    """Quadruplets AA, BB, AB, BA; a film's frames hold its scene, and what is shown when."""
    found = []
    for scene in range(SCENES):
        for first, second in MOVIES:
            film = np.zeros((FRAMES, 2, 2, 3), np.uint8)
            film[..., 0] = scene
            film[:SWAP, ..., 1], film[SWAP:, ..., 1] = first, second
            found.append(film)
    return found


class Planted:
    """Foresight whose surprise is planted: of a violation, of an ending, and of noise."""

    tubelet, longest, context_from = 2, FRAMES, "planted"

    def __init__(self, violation: float = 0.0, liking: float = 0.0, noise: float = 0.0):
        self.violation, self.liking, self.noise = violation, liking, noise
        self.asked: list[tuple[int, int]] = []

    def surprise(self, film, stranger, starts, window, contexts, orders, *, causal=False):
        said = {name: np.empty((len(starts), len(contexts))) for name in _surprise.MODELS}
        assert not (film == stranger).all() and film[0, 0, 0, 0] != stranger[0, 0, 0, 0]
        for place, context in enumerate(contexts):
            self.asked.append((context, window))
            assert sorted(orders[context].tolist()) == list(range(context))
            for number, start in enumerate(starts):
                seen, later = film[start : start + context], film[start + context : start + window]
                begun, ends = seen[0, 0, 0, 1], later[-1, 0, 0, 1]
                rng = np.random.default_rng([int(film[0, 0, 0, 0]), int(begun), int(ends), context])
                base = 0.6 + self.liking * ends + self.noise * rng.normal()
                for name in said:
                    said[name][number, place] = base
                # only a context that reaches frame 4 tells which body there was
                broken = begun != ends and context >= 4
                said["predictor"][number, place] += self.violation * broken
        return said


def fitted(foresight: Planted | None, **more: object) -> dict:
    asked = {
        "bootstraps": 200, "permutations": 40, "windows": (8, 12, 16), "contexts": (2, 4, 6, 8),
        "by": "principle", **more,
    }  # fmt: skip
    given = Given(
        [], [], {"possible": POSSIBLE, "principle": np.where(SCENE < 12, "O1", "O2")},
        splits.nested(SCENE, outer=4, inner=2), groups=SCENE, whole=films(), foresight=foresight,
    )  # fmt: skip
    rows, blocks = surprise.fit(surprise.Spec(**asked), given)
    return {"rows": rows, **blocks}


def score(found: dict, metric: str = "relative_accuracy", **where: object) -> dict:
    about = {"model": "predictor", "part": None, "direction": None, "context": "selected"}
    told = row(found, metric=metric, **{**about, **where})
    assert told is not None
    return told


@pytest.fixture(scope="module")
def knows() -> dict:
    """A small violation under a strong liking that changes sides."""
    return fitted(Planted(violation=0.02, liking=0.005))


def test_pairs_begin_alike_and_either_ending_is_the_possible_one_once():
    known = _surprise.pairs(films(), POSSIBLE == 1, SCENE)
    assert len(known) == 2 * SCENES and (known.differ == SWAP).all()
    # AA with AB, BB with BA
    assert (known.possible[:2], known.impossible[:2]) == (
        pytest.approx([0, 1]),
        pytest.approx([2, 3]),
    )
    assert np.bincount(known.direction).tolist() == [SCENES, SCENES]


def test_a_group_without_as_many_impossible_films_is_refused():
    with pytest.raises(ValueError, match=r"group 0 has 3 possible films and 1"):
        _surprise.pairs(films()[:4], np.array([1, 1, 1, 0]) == 1, SCENE[:4])


def test_a_predictor_that_knows_is_right_in_both_directions_and_says_by_how_much(knows):
    whole = score(knows)
    assert whole["value"] == 1.0 and whole["p"] == pytest.approx(1 / 41)
    assert (
        score(knows, direction="first")["value"] == score(knows, direction="second")["value"] == 1
    )
    assert score(knows, "both_right")["value"] == 1
    assert score(knows, "surprise_margin")["value"] == pytest.approx(0.02 / 0.6, rel=0.02)
    # liking^2 / (violation^2 + liking^2)
    assert score(knows, "appearance_share")["value"] == pytest.approx(1 / 17)
    assert score(knows, part="O2")["n_clips"] == 48
    # what is not told apart by a short context is not chosen
    assert all(
        int(choice["context"].split("/")[0]) >= 4
        for choice in knows["surprise"]["choices"] if choice["model"] == "predictor"
    )  # fmt: skip
    assert score(knows, context="2/12")["value"] == 0.5


def test_what_foresees_nothing_but_likes_an_ending_is_right_half_the_time(knows):
    for model in ("copy", "shuffled", "stranger"):
        assert score(knows, model=model)["value"] == 0.5
        assert score(knows, "both_right", model=model)["value"] == 0.0
        sides = [score(knows, model=model, direction=d)["value"] for d in ("first", "second")]
        assert sorted(sides) == [0.0, 1.0]
        assert score(knows, "appearance_share", model=model)["value"] == 1.0


def test_ties_are_wrong_and_windows_that_see_the_difference_or_end_before_it_say_nothing():
    found = fitted(Planted())
    assert score(found)["value"] == 0.0 and score(found)["p"] == 1.0
    known = _surprise.pairs(films(), POSSIBLE == 1, SCENE)
    each = [np.zeros((4 * SCENES, 5))]
    each[0][POSSIBLE == 0] = [9, 9, 1, 9, 9]  # starts 0, 2, 4, 6, 8 of windows of 8 frames
    gaps, _ = _surprise.differences(each, known, [(4, 8)], 2)
    # starts 2 and 4: of the others none sees 4 frames up to the swap and reaches past it
    assert gaps == pytest.approx(np.full((1, 2 * SCENES), (9 + 1) / 2))


def test_noise_is_at_chance_and_its_null_makes_every_choice_anew():
    ps = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        each = [rng.normal(1, 0.1, (4 * SCENES, 1)) for _ in range(8)]
        known = _surprise.pairs(films(), POSSIBLE == 1, SCENE)
        spec = surprise.Spec(bootstraps=100, permutations=60)
        held = [np.arange(part, SCENES, 4) for part in range(4)]
        choices = [(2, window) for window in range(10, 26, 2)]
        rows, _ = _surprise.scored(
            spec, dict.fromkeys(_surprise.MODELS, each), known, choices, POSSIBLE == 1, SCENE,
            np.full(len(known), ""), held, 2,
        )  # fmt: skip
        ps.append(score({"rows": rows})["p"])
    assert 0.05 < np.mean(ps) < 0.95 and max(ps) > 0.3


def test_the_distance_of_the_event_from_the_context_is_an_axis(knows):
    far = [r for r in knows["rows"] if r.get("horizon") is not None]
    assert {r["horizon"] for r in far} == {0, 1, 2, 3} and far[0]["context"] == "any"


def test_an_encoder_without_predictor_has_no_rows():
    found = fitted(None)
    assert found["rows"] == [] and "no predictor" in found["note"]


def test_lengths_that_fit_no_film_are_named():
    with pytest.raises(ValueError, match="no length fits: films have 16 frames, tokens 2, and"):
        fitted(Planted(), windows=(32,))
