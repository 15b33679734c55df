"""Held-out: what every model and baseline gets wrong on the clips that an outer fold holds out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from physprobe.fit.methods._dynamics_null import shuffled_sse
from physprobe.fit.methods._dynamics_settings import Settings
from physprobe.fit.methods._latent import Published, principal
from physprobe.fit.methods._pairs import FIRST, Layout, moments, shuffled
from physprobe.fit.methods._transition import Choice, fit, halved, select, sse, sse_of_all
from physprobe.statistics.splits import Fold

BASELINES = ("persistence", "mean", "time_index_mean", "time_shuffled")
COMPARED = ("dmd", "time_shuffled", "persistence", "mean", "time_index_mean")
PUBLISHED = ("one_step_mse", "one_step_cos", "rollout_mse", "rollout_cos")
ROLLED = PUBLISHED[2:]


@dataclass
class Tally:
    """Errors of one layer; clips are those held out, in order."""

    errors: dict[tuple[str, int | None], np.ndarray]
    """(clip, horizon) squared error by model and order; baselines that know no order have None."""
    null: np.ndarray | None
    """(draw, horizon) summed over clips: order 1 fitted to time-shuffled clips; None of a part."""
    variance: np.ndarray
    """(clip, 2) squared length of centred frames: left out by the components, and in all."""
    test: dict[tuple[str, int | None, str], np.ndarray]
    """(clip,) published scores by model, order and metric; of orders above 1, of rollouts alone."""
    train: dict[tuple[str, int | None, str], np.ndarray]
    """(clip,) the same on training clips, folds one after the other."""
    halved: dict[int, np.ndarray]
    """(split, half, horizon) squared error by order of models of halves of the training clips, with
    what was chosen on all of them, summed over clips; of no split where fits are held fixed."""
    choices: list[dict] = field(default_factory=list)

    def part(self, clips: np.ndarray) -> "Tally":
        """Errors of some of the held-out clips, under the same models."""

        def some(scores: dict) -> dict:
            return {name: value[clips] for name, value in scores.items()}

        return replace(
            self,
            errors=some(self.errors),
            null=None,
            variance=self.variance[clips],
            test=some(self.test),
            halved={order: errors[:0] for order, errors in self.halved.items()},
        )

    def chosen(self, order: int) -> dict:
        """Columns of a row that say what the outer folds chose."""
        mine = [c for c in self.choices if (c["model"], c["order"]) == ("dmd", order)]
        penalties = sorted(choice["lambda"] for choice in mine)
        return {
            "lambda": penalties[(len(penalties) - 1) // 2],
            "edge_hit": any(choice["edge_hit"] for choice in mine),
        }


def tally(
    spec: Settings,
    features: np.ndarray,
    folds: Sequence[Fold],
    horizon: int,
    shuffles: np.ndarray,
    halves: np.ndarray,
) -> Tally | None:
    """Errors of one layer over all outer folds; None if its features never change.

    Parameters
    ----------
    spec : Settings
    features : (clip, time, feature)
    folds : sequence of Fold
    horizon : int
        Longest forecast.
    shuffles : (1 + draw, clip, time)
        Orders of time: of the time-shuffled baseline, then of the null.
    halves : (split, clip)
        1 of clips in the first half, -1 of those in the second.
    """
    parts = []
    for number, fold in enumerate(folds):
        part = _fold(spec, features, fold, horizon, shuffles, halves)
        if part is None:
            return None
        for choice in part.choices:
            choice["fold"] = number
        parts.append(part)
    place = np.argsort(np.concatenate([fold.test for fold in folds]))

    def merge(name: str, order: np.ndarray | slice = place) -> dict:
        # a fold whose training clips span fewer components may lack an order
        keys = [k for k in getattr(parts[0], name) if all(k in getattr(p, name) for p in parts)]
        return {k: np.concatenate([getattr(p, name)[k] for p in parts])[order] for k in keys}

    return Tally(
        merge("errors"),
        np.sum([np.asarray(part.null) for part in parts], axis=0),
        np.concatenate([part.variance for part in parts])[place],
        merge("test"),
        merge("train", slice(None)),
        {
            order: np.sum([part.halved[order] for part in parts], axis=0)
            for order in parts[0].halved
            if all(order in part.halved for part in parts)
        },
        [choice for part in parts for choice in part.choices],
    )


def _fold(
    spec: Settings,
    features: np.ndarray,
    fold: Fold,
    horizon: int,
    shuffles: np.ndarray,
    halves: np.ndarray,
) -> Tally | None:
    """Errors on one outer fold's held-out clips."""
    space = principal(features, fold.train, spec.components)
    if not space.components:
        return None
    layout = Layout.of(space.components)
    latent = space.project(features)
    ranks, orders = grid(spec, space.components)
    test, train = latent[fold.test], latent[fold.train]
    mixed = latent.copy()
    mixed[fold.train] = shuffled(train, shuffles[0, fold.train])
    blocks = [validation for _, validation in fold.inner]
    errors = _baselines(test, train, horizon)
    choices, chosen, models = [], {}, {}
    for name, source in (("dmd", latent), ("time_shuffled", mixed)):
        sums = moments(source, layout, blocks)
        choice = chosen[name] = select(sums, layout, ranks, orders, spec.penalties)
        for order in orders:
            model = models[name, order] = fit(
                sums, layout, choice.rank, order, choice.penalties[order]
            )
            errors[name, order] = sse(model, test, layout, horizon)
            radius = float(np.abs(np.linalg.eigvals(model.companion)).max())
            about = {"components": space.components, "spectral_radius": radius}
            choices.append({**about, **_describe(choice, order, name)})
    horizons = [ahead for ahead in spec.horizons if ahead <= horizon]
    null = shuffled_sse(train, test, layout, chosen["dmd"], shuffles[1:, fold.train], horizons)
    redone = _redone(train, test, layout, chosen["dmd"], halves[:, fold.train], horizon)
    steady = {
        "mean": np.zeros(latent.shape[1:]),
        "time_index_mean": train.mean(0),
    }
    published = []
    for clips in (fold.test, fold.train):
        view = Published.of(space, features[clips], latent[clips])
        found: dict[tuple[str, int | None, str], np.ndarray] = {}
        for name in COMPARED:
            known = 1 if (name, 1) in models else None
            if name in steady:
                step = roll = np.broadcast_to(steady[name], view.latent.shape)[:, 1:]
            elif name == "persistence":
                step = view.latent[:, :-1]
                roll = np.broadcast_to(view.latent[:, :1], step.shape)
            else:
                step = models[name, 1].step(view.latent[:, :-1])
                roll = models[name, 1].rollout(view.latent[:, :1], latent.shape[1] - 1)
            scores = (*view.scores(step), *view.scores(roll))
            scored = zip(PUBLISHED, scores, strict=True)
            found |= {(name, known, key): value for key, value in scored}
        for order in orders[1:]:
            roll = models["dmd", order].rollout(view.latent[:, :order], latent.shape[1] - order)
            scored = zip(ROLLED, view.scores(roll, order), strict=True)
            found |= {("dmd", order, key): value for key, value in scored}
        published.append((view, found))
    (view, tested), (_, trained) = published
    spread = np.einsum("ntc,ntc->n", test, test)
    variance = np.stack([view.beyond.sum(1), view.beyond.sum(1) + spread], axis=-1)
    return Tally(errors, null, variance, tested, trained, redone, choices)


def _redone(
    train: np.ndarray,
    test: np.ndarray,
    layout: Layout,
    choice: Choice,
    signs: np.ndarray,
    horizon: int,
) -> dict[int, np.ndarray]:
    """Errors (split, half, horizon) by order of fits to halves of the training clips."""
    each, rank = moments(train, layout, list(np.arange(len(train))[:, None])), choice.rank
    ahead, found = range(1, horizon + 1), {}
    for order, penalty in choice.penalties.items():
        matrices = halved(each, layout, rank, order, penalty, signs)
        found[order] = sse_of_all(matrices, rank, order, test, layout, ahead)
    return found


def grid(spec: Settings, components: int) -> tuple[list[int], list[int]]:
    """Ranks and orders that so many components allow."""
    ranks = sorted({min(rank, components) for rank in spec.ranks})
    return ranks, [order for order in sorted({1, *spec.orders}) if order <= ranks[0]]


def _describe(choice: Choice, order: int, model: str) -> dict:
    """Put into plain types what was chosen."""
    return {
        "model": model,
        "order": order,
        "rank": choice.rank,
        "lambda": choice.penalties[order],
        "edge_hit": choice.edges[order],
        "inner_skill": 1.0 - choice.errors[order],
    }


def _baselines(test: np.ndarray, train: np.ndarray, horizon: int) -> dict:
    """Squared errors (clip, horizon) of what knows no dynamics, from the same starts."""
    steps = range(1, horizon + 1)
    means = train.mean(0)

    def total(error: np.ndarray) -> np.ndarray:
        return np.einsum("ntc,ntc->n", error, error)

    found = {
        "persistence": [total(test[:, FIRST + h :] - test[:, FIRST:-h]) for h in steps],
        "mean": [total(test[:, FIRST + h :]) for h in steps],
        "time_index_mean": [total(test[:, FIRST + h :] - means[FIRST + h :]) for h in steps],
    }
    return {(name, None): np.stack(value, axis=-1) for name, value in found.items()}
