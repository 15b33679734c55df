"""From films to pairs, from errors of what was expected to rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from physprobe.embed.section import Foresight
from physprobe.fit.methods._surprise_settings import Settings
from physprobe.fit.section import Given
from physprobe.statistics import bootstrap, nulls, orders, scores, seeds
from physprobe.statistics.splits import Fold

MODELS = ("predictor", "copy", "shuffled", "stranger")
DIRECTIONS = ("first", "second")
ROUNDING = 1e-6
"""Of S: differences that are no larger are none."""
NO_PREDICTOR = "the encoder has no predictor of masked tokens"


@dataclass(frozen=True)
class Pairs:
    """One possible and one impossible film each, that begin alike; each (pair,)."""

    possible: np.ndarray
    """Number of the clip."""
    impossible: np.ndarray
    group: np.ndarray
    differ: np.ndarray
    """First frame that differs."""
    direction: np.ndarray
    """Place in its group, by the number of the possible film: 0 is the first."""

    def __len__(self) -> int:
        return len(self.possible)


def pairs(films: Sequence[np.ndarray], possible: np.ndarray, groups: np.ndarray) -> Pairs:
    """Put the films of every group in pairs that are equal for longest.

    Parameters
    ----------
    films : sequence over clips of (frame, y, x, rgb)
    possible : (clip,) bool
    groups : (clip,)

    Raises
    ------
    ValueError
        If a group has not as many impossible films as possible ones.
    """
    found = []
    for group in np.unique(groups):
        mine = np.flatnonzero(groups == group)
        good, bad = mine[possible[mine]], mine[~possible[mine]]
        if len(good) != len(bad):
            raise ValueError(
                f"group {group} has {len(good)} possible films and {len(bad)} impossible ones,"
                " expected as many. Hint: surprise compares films of one scene in pairs."
            )
        shown = {clip: films[int(clip)] for clip in mine}
        apart = np.array([[_first_apart(shown[g], shown[b]) for b in bad] for g in good])
        rows, columns = linear_sum_assignment(-apart)
        found += [
            (good[row], bad[column], group, apart[row, column], row)
            for row, column in zip(rows, columns, strict=True)
        ]
    possible_, impossible, group_, differ, direction = (
        np.array(each) for each in zip(*found, strict=True)
    )
    return Pairs(possible_, impossible, group_, differ, direction)


def _first_apart(one: np.ndarray, other: np.ndarray) -> int:
    """First frame in which two films differ; their length if none does."""
    same = (one == other).reshape(len(one), -1).all(1)
    return int(len(one) if same.all() else np.argmin(same))


def errors(
    spec: Settings,
    foresight: Foresight,
    films: Sequence[np.ndarray],
    groups: np.ndarray,
    choices: Sequence[tuple[int, int]],
) -> dict[str, list[np.ndarray]]:
    """S (clip, start) of every choice of lengths (context, window), by model.

    The stranger of all films of a group is the first film of the next one.
    """
    names, first = np.unique(groups, return_index=True)
    stranger = dict(zip(names.tolist(), np.roll(first, -1).tolist(), strict=True))
    orders_ = {
        context: seeds.rng("shuffled context", spec.seed, context).permutation(context)
        for context in {context for context, _ in choices}
    }
    found: dict[str, list[list[np.ndarray]]] = {m: [[] for _ in choices] for m in MODELS}
    for clip in range(len(groups)):
        film = films[clip]
        other = films[stranger[groups[clip].item()]]
        for window in dict.fromkeys(window for _, window in choices):
            places = [place for place, (_, long) in enumerate(choices) if long == window]
            said = foresight.surprise(
                film,
                other,
                np.arange(0, len(film) - window + 1, spec.stride),
                window,
                [choices[place][0] for place in places],
                orders_,
                causal=spec.goal == "causal",
            )
            for model in MODELS:
                for column, place in enumerate(places):
                    found[model][place].append(said[model][:, column])
    return {model: [np.stack(each) for each in several] for model, several in found.items()}


def differences(
    each: Sequence[np.ndarray],
    known: Pairs,
    choices: Sequence[tuple[int, int]],
    stride: int,
) -> tuple[np.ndarray, np.ndarray]:
    """By how much more the impossible film surprises (choice, pair), and S of the possible one.

    Means over the windows whose context is equal in both films, and which reach the first
    difference; nan where there is no such window.
    """
    gaps, bases = np.full((2, len(choices), len(known)), np.nan)
    for place, (context, window) in enumerate(choices):
        starts = stride * np.arange(each[place].shape[1])
        told = _told(starts, context, window, known.differ)
        some = told.any(1)
        weight = told / np.maximum(told.sum(1, keepdims=True), 1)
        good, bad = each[place][known.possible], each[place][known.impossible]
        gaps[place, some] = ((bad - good) * weight).sum(1)[some]
        bases[place, some] = (good * weight).sum(1)[some]
    return gaps, bases


def _told(starts: np.ndarray, context: int, window: int, differ: np.ndarray) -> np.ndarray:
    """Which windows (pair, start) see what is common, and reach what is not."""
    return (starts + context <= differ[:, None]) & (starts + window > differ[:, None])


def chosen(right: np.ndarray, groups: np.ndarray, held: Sequence[np.ndarray]) -> np.ndarray:
    """Choice (pair,) of each pair, made on pairs of the other folds' groups.

    Parameters
    ----------
    right : (choice, pair)
    groups : (pair,)
    held : sequence of (group,)
        Groups that each fold holds out.

    Returns
    -------
    (pair,) int
        Number of the choice; -1 of pairs that no fold holds out.
    """
    found = np.full(right.shape[1], -1)
    for those in held:
        mine = np.isin(groups, those)
        found[mine] = int(right[:, ~mine].mean(1).argmax())
    return found


def fit(spec: Settings, given: Given) -> tuple[list[dict], dict]:
    """Rows and the block ``surprise``; see ``surprise``."""
    (target,) = spec.targets
    if given.foresight is None:
        return [], {"surprise": None, "note": NO_PREDICTOR}
    if given.whole is None or given.groups is None:
        raise ValueError("surprise is shown films of groups. Hint: name --clips.")
    for name in (target, *([spec.by] if spec.by else [])):
        if name not in given.labels:
            there = ", ".join(given.labels)
            raise ValueError(f"{name}: no such label. Hint: the system's are {there}.")
    possible = np.asarray(given.labels[target]).astype(float) == 1
    film, tubelet = given.whole[0], given.foresight.tubelet
    longest = given.foresight.longest
    choices = [each for each in spec.choices(len(film), tubelet) if each[1] <= longest]
    if not choices:
        raise ValueError(
            f"no length fits: films have {len(film)} frames, tokens {tubelet}, and the encoder was"
            f" trained on {longest}; windows are"
            f" {', '.join(map(str, spec.windows))} and contexts"
            f" {', '.join(map(str, spec.contexts))} frames. Hint: shorter windows."
        )
    known = pairs(given.whole, possible, given.groups)
    found = errors(spec, given.foresight, given.whole, given.groups, choices)
    labels = given.labels[spec.by][known.possible] if spec.by else np.full(len(known), "")
    held = _held(given.folds, given.groups)
    rows, blocks = scored(
        spec, found, known, choices, possible, given.groups, labels.astype(str), held, tubelet
    )
    blocks["surprise"]["context_from"] = given.foresight.context_from
    return rows, blocks


def _held(folds: Sequence[Fold], groups: np.ndarray) -> list[np.ndarray]:
    return [np.unique(groups[fold.test]) for fold in folds]


def scored(
    spec: Settings,
    found: Mapping[str, Sequence[np.ndarray]],
    known: Pairs,
    choices: Sequence[tuple[int, int]],
    possible: np.ndarray,
    groups: np.ndarray,
    labels: np.ndarray,
    held: Sequence[np.ndarray],
    tubelet: int,
) -> tuple[list[dict], dict]:
    """Rows and the block ``surprise``, from S of every film.

    Parameters
    ----------
    spec : Settings
    found : mapping of str to sequence over choices of (clip, start)
        S by model.
    known : Pairs
    choices : sequence of (context, window)
    possible, groups : (clip,)
    labels : (pair,) of str
        Part that each pair is of.
    held : sequence of (group,)
        Groups that each fold holds out.
    tubelet : int
        Frames per token.
    """
    rows: list[dict] = []
    within = np.isin(known.group, np.concatenate(held))
    parts: list[str | None] = [None, *(np.unique(labels).tolist() if spec.by else [])]
    signs = seeds.rng("surprise", spec.seed).integers(
        0, 2, (spec.permutations, len(np.unique(known.group)))
    )
    flip = (2 * signs - 1)[:, np.unique(known.group, return_inverse=True)[1].ravel()]
    block: dict = {
        "possible": known.possible[within], "impossible": known.impossible[within],
        "group": known.group[within], "part": labels[within].tolist(),
        "direction": [DIRECTIONS[n] if n < 2 else str(n) for n in known.direction[within]],
        "differ": known.differ[within], "right": {}, "difference": {}, "error": {},
        "choices": [],
    }  # fmt: skip
    for model in MODELS:
        gaps, bases = differences(found[model], known, choices, spec.stride)
        least = ROUNDING * np.nan_to_num(bases)
        right, wrong = (np.nan_to_num(sign * gaps) > least for sign in (1, -1))
        own = chosen(right.astype(float), known.group, held)
        places = np.maximum(own, 0), np.arange(len(known))
        mine, gap, base = right[places], gaps[places], bases[places]
        drawn = np.stack([_redone(right, wrong, each, known.group, held) for each in flip])
        for part in parts:
            inside = within & (np.ones(len(known), bool) if part is None else labels == part)
            about = {
                "target": spec.targets[0], "model": model, "part": part, "context": "selected",
                "n_clips": 2 * int(inside.sum()),
            }  # fmt: skip
            rows += _selected(spec, about, known, mine, gap, base, drawn, inside)
            rows.append({**about, **_auc(spec, found[model], own, known, possible, groups, inside)})
            for place, (context, window) in enumerate(choices):
                score = _share(spec, right[place, inside], known.group[inside])
                undefined = int(np.isnan(gaps[place, inside]).sum())
                note = f"{undefined} pairs have no window" if undefined else None
                here = {**about, "context": f"{context}/{window}", "metric": "relative_accuracy"}
                rows.append({**here, **score, "note": note})
        if model == "predictor":
            rows += _far(spec, found[model], known, choices, tubelet, within)
        block["right"][model] = mine[within].astype(float)
        block["difference"][model] = np.nan_to_num(gap[within])
        block["error"][model] = float(np.nanmean(base[within]))
        block["choices"] += [
            {
                "model": model,
                "fold": number,
                "context": "/".join(
                    map(str, choices[int(own[np.isin(known.group, those)].max(initial=0))])
                ),
            }
            for number, those in enumerate(held)
        ]
    return rows, {"surprise": block}


def _redone(
    right: np.ndarray,
    wrong: np.ndarray,
    flip: np.ndarray,
    groups: np.ndarray,
    held: Sequence[np.ndarray],
) -> np.ndarray:
    """Which pairs (pair,) are right if some groups' films are called the other way round."""
    turned = np.where(flip > 0, right, wrong)
    own = chosen(turned.astype(float), groups, held)
    return turned[np.maximum(own, 0), np.arange(len(own))]


def _share(spec: Settings, right: np.ndarray, groups: np.ndarray) -> dict:
    """Share of pairs that are right, with interval over groups."""
    sums = np.stack([1.0 - right, np.ones(len(right))], axis=-1)
    found = bootstrap.interval(
        sums, scores.accuracy_of, groups=groups, draws=spec.bootstraps, seed=spec.seed
    )
    return found.row("no pairs")


def _selected(
    spec: Settings,
    about: Mapping[str, object],
    known: Pairs,
    right: np.ndarray,
    gap: np.ndarray,
    base: np.ndarray,
    drawn: np.ndarray,
    inside: np.ndarray,
) -> list[dict]:
    """Rows of one model with the lengths that were chosen for it, on some of the pairs."""
    groups, mine = known.group[inside], right[inside]
    own, null = float(mine.mean()), drawn[:, inside].mean(1)
    arranged = nulls.Arrangements.of_signs(np.ones(len(np.unique(groups))))
    rows = [
        {
            **about, "metric": "relative_accuracy",
            **_share(spec, mine, groups), **arranged.row(own, null),
        }
    ]  # fmt: skip
    for number, direction in enumerate(DIRECTIONS):
        some = inside & (known.direction == number)
        if some.any():
            score = _share(spec, right[some], known.group[some])
            there = {"direction": direction, "n_clips": 2 * int(some.sum())}
            rows.append({**about, **there, "metric": "relative_accuracy", **score})
    names = np.unique(groups)
    both = np.array([mine[groups == name].all() for name in names])
    rows.append({**about, "metric": "both_right", **_share(spec, both, names)})
    relative = np.nan_to_num(gap[inside] / base[inside])
    sums = np.stack([relative, np.ones_like(relative)], axis=-1)
    margin = bootstrap.interval(
        sums, scores.mean_of, groups=groups, draws=spec.bootstraps, seed=spec.seed
    )
    rows.append({**about, "metric": "surprise_margin", **margin.row("no pairs")})
    rows.append({**about, "metric": "appearance_share", **_liking(spec, known, gap, inside)})
    return rows


def _liking(spec: Settings, known: Pairs, gap: np.ndarray, inside: np.ndarray) -> dict:
    """Share of the squared differences that a liking of endings makes, which changes sign.

    d = violation + liking in one direction, violation - liking in the other
    """
    sides = []
    names = np.unique(known.group[inside])
    for number in range(2):
        some = np.flatnonzero(inside & (known.direction == number))
        if not np.array_equal(np.sort(known.group[some]), names):
            return {"value": None, "note": "not every scene has both directions"}
        sides.append(np.nan_to_num(gap[some[np.argsort(known.group[some])]]))
    violation, liking = (sides[0] + sides[1]) / 2, (sides[0] - sides[1]) / 2
    sums = np.stack([liking**2, violation**2 + liking**2], axis=-1)
    found = bootstrap.interval(
        sums, scores.share_of, groups=names, draws=spec.bootstraps, seed=spec.seed
    )
    return found.row("no film surprises more than another")


def _auc(
    spec: Settings,
    found: Sequence[np.ndarray],
    own: np.ndarray,
    known: Pairs,
    possible: np.ndarray,
    groups: np.ndarray,
    inside: np.ndarray,
) -> dict:
    """AUC of single films by their mean S, films of one choice of lengths among each other."""
    clips = np.concatenate([known.possible[inside], known.impossible[inside]])
    place = np.tile(own[inside], 2)
    means = np.stack([each.mean(1) for each in found])
    said = -means[place, clips]
    sums = orders.auc_sums(
        np.stack([-said / 2, said / 2], axis=-1)[:, None], possible[clips].astype(int), place
    )
    score = bootstrap.interval(
        sums, scores.accuracy_of, groups=groups[clips], draws=spec.bootstraps, seed=spec.seed
    )
    return {"metric": "auc", **score.row("films of one kind alone")}


def _far(
    spec: Settings,
    found: Sequence[np.ndarray],
    known: Pairs,
    choices: Sequence[tuple[int, int]],
    tubelet: int,
    inside: np.ndarray,
) -> list[dict]:
    """Rows by tokens from the end of the context to the first difference, all lengths together."""
    told: dict[int, list[tuple[int, bool]]] = {}
    for each, (context, window) in zip(found, choices, strict=True):
        starts = spec.stride * np.arange(each.shape[1])
        for pair, start in np.argwhere(_told(starts, context, window, known.differ)):
            if inside[pair]:
                good, bad = each[known.possible[pair], start], each[known.impossible[pair], start]
                far = (known.differ[pair] - starts[start] - context) // tubelet
                told.setdefault(int(far), []).append((pair, bool(bad - good > ROUNDING * good)))
    rows = []
    for far, each_ in sorted(told.items()):
        numbers, right = (np.array(column) for column in zip(*each_, strict=True))
        about = {
            "target": spec.targets[0], "model": "predictor", "context": "any", "horizon": far,
            "n_clips": 2 * len(np.unique(numbers)), "metric": "relative_accuracy",
        }  # fmt: skip
        rows.append({**about, **_share(spec, right.astype(float), known.group[numbers])})
    return rows
