"""Head: passes over the tokens, fits per outer fold, and what came of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from physprobe.fit.methods import _head_rows
from physprobe.fit.methods._head_settings import Settings
from physprobe.fit.methods._kernels import FAMILIES, Choice, select, sse, weigh
from physprobe.fit.methods._kernels import fit as fit_kernels
from physprobe.fit.methods._rollout import Rollouts, roll
from physprobe.fit.methods._stencil import ONE, Sums
from physprobe.fit.methods._whitening import Whitening, blocks, whiten
from physprobe.fit.section import SpatialTokens
from physprobe.statistics import nulls, seeds
from physprobe.statistics.splits import Fold

MODELS = ("real", "shuffled", "none")


@dataclass
class Fitted:
    """One family and one model, over all outer folds; clips are those held out, in order."""

    kernels: list[np.ndarray] = field(default_factory=list)
    """Per fold (channel, column); of the shuffled model, the first permutation's."""
    choices: list[Choice] = field(default_factory=list)
    """Per fold; of the shuffled model, the first permutation's."""
    test: np.ndarray | None = None
    """(draw, clip) squared error of one step under the true alpha; one draw but for shuffled."""
    mirror: np.ndarray | None = None
    """(draw, clip) the same under the alpha that it was fitted with."""
    train: list[np.ndarray] = field(default_factory=list)
    """Per fold (clip,) squared error on training clips, under the true alpha."""


def fit(
    spec: Settings,
    tokens: SpatialTokens,
    alpha: np.ndarray,
    folds: Sequence[Fold],
    groups: np.ndarray | None,
) -> tuple[list[dict], dict]:
    """Rows and blocks; see `spatial_heat_head.fit`."""
    clips, times, height, width, _ = _shape(tokens)
    groups = np.arange(clips) if groups is None else np.asarray(groups)
    alphas = _alphas(spec, alpha, groups)
    everyone = np.arange(clips)
    parts = [*(fold.train for fold in folds), everyone]
    whitenings = whiten(tokens, parts, spec.components)
    wanted = [*(np.concatenate([fold.train, fold.test]) for fold in folds), everyone]
    sums = _sums(tokens, whitenings, wanted)
    _moving(sums[-1])
    found = {(family, model): Fitted() for family in FAMILIES for model in MODELS}
    held = np.concatenate([fold.test for fold in folds])
    order = np.argsort(held)
    for key, fitted in found.items():
        pieces = [_fold(spec, sums[f], alphas, fold, *key) for f, fold in enumerate(folds)]
        for piece in pieces:
            fitted.kernels.append(piece.kernels[0])
            fitted.choices += piece.choices
            fitted.train += piece.train
        fitted.test = np.concatenate([piece.test for piece in pieces], axis=1)[:, order]
        fitted.mirror = np.concatenate([piece.mirror for piece in pieces], axis=1)[:, order]
    persistence = np.concatenate([sums[f].energy[fold.test] for f, fold in enumerate(folds)])
    rollouts = _rollouts(tokens, whitenings, folds, found, alphas)
    bands = _refits(spec, sums[-1], alphas, folds, groups)
    cells = (times - 1) * height * width
    arranged = _arranged(alphas, groups)
    return _head_rows.collect(
        spec, found, arranged, persistence[order], rollouts, bands, held[order], groups, cells
    )


def weights(
    spec: Settings,
    tokens: SpatialTokens,
    alpha: np.ndarray,
    folds: Sequence[Fold],
    groups: np.ndarray | None,
) -> dict[str, np.ndarray]:
    """Tensors of all clips; see `spatial_heat_head.weights`."""
    clips = np.arange(_shape(tokens)[0])
    alphas = _alphas(spec, alpha, clips if groups is None else np.asarray(groups))
    (whitening,) = whiten(tokens, [clips], spec.components)
    (sums,) = _sums(tokens, [whitening], [clips])
    _moving(sums)
    tensors = {"whitening.mean": whitening.mean, "whitening.matrix": whitening.matrix}
    for family, basis in FAMILIES.items():
        for model in MODELS:
            own = alphas[model][:1]
            choices = select(sums, validation(folds), own, basis, spec.penalties)
            kernels = fit_kernels(*weigh(sums, clips, own), basis, choices.penalty)[0]
            name = model if family == "free" else f"{model}_{family}"
            tensors[f"{name}.depthwise.weight"] = kernels[:, :ONE].reshape(-1, 1, 3, 3)
            if family != "free":
                tensors[f"{name}.source"] = kernels[:, ONE]
    return {name: np.ascontiguousarray(value, np.float32) for name, value in tensors.items()}


def _shape(tokens: SpatialTokens) -> tuple[int, ...]:
    """Clips, times, y, x and features of tokens that are long enough."""
    shape = tokens.shape
    if shape[1] < 2:
        raise ValueError(
            f"spatial head: clips have {shape[1]} token time; expected at least 2."
            " Hint: simulate more frames, or choose a smaller tubelet."
        )
    return shape


def _moving(sums: Sums) -> None:
    """Refuse tokens that stay as they are: persistence makes no error, and nothing is a skill."""
    if not sums.energy.sum() > 0:
        raise ValueError(
            "spatial head: no token changes in time; there is nothing to model."
            " Hint: leave this encoder out of the head's studies."
        )


def validation(folds: Sequence[Fold]) -> list[np.ndarray]:
    """Parts of the clips that are left out in turn when a choice is made on all of them."""
    return [f.test for f in folds] if len(folds) > 1 else [test for _, test in folds[0].inner]


def _arranged(alphas: dict[str, np.ndarray], groups: np.ndarray) -> nulls.Arrangements:
    """How alpha can be permuted: one that is mirrored is another one here."""
    labels = np.concatenate([alphas["real"], alphas["shuffled"]]).T[..., None]
    return nulls.Arrangements.of_labels(labels, groups, turned=False)


def _alphas(spec: Settings, alpha: np.ndarray, groups: np.ndarray) -> dict[str, np.ndarray]:
    """Alpha (draw, clip) that each model is fitted with."""
    drawn = nulls.permutations(groups, spec.permutations, spec.seed)
    return {"real": alpha[None], "shuffled": alpha[drawn], "none": np.ones((1, len(alpha)))}


def _sums(
    tokens: SpatialTokens, whitenings: Sequence[Whitening], wanted: Sequence[np.ndarray]
) -> list[Sums]:
    found = [Sums.empty(len(tokens), len(part.deviation)) for part in whitenings]
    members = [np.isin(np.arange(len(tokens)), clips) for clips in wanted]
    for clips, values in blocks(tokens):
        for clip, value in zip(clips, values.astype(np.float32), strict=True):
            for whitening, sums, mine in zip(whitenings, found, members, strict=True):
                if mine[clip]:
                    sums.add(clip, whitening.project(value))
    return found


def _fold(
    spec: Settings,
    sums: Sums,
    alphas: dict[str, np.ndarray],
    fold: Fold,
    family: str,
    model: str,
) -> Fitted:
    """One model of one outer fold."""
    basis, own = FAMILIES[family], alphas[model]
    blocks_of = [held for _, held in fold.inner]
    choices = select(sums, blocks_of, own, basis, spec.penalties)
    kernels = fit_kernels(*weigh(sums, fold.train, own[:, fold.train]), basis, choices.penalty)
    # without alpha the model has no other one to be tried on
    true = own if model == "none" else alphas["real"]
    return Fitted(
        [kernels[0]],
        [choices.first],
        sse(sums, fold.test, true[:, fold.test], kernels),
        sse(sums, fold.test, own[:, fold.test], kernels),
        [sse(sums, fold.train, true[:, fold.train], kernels[:1])[0]],
    )


def _rollouts(
    tokens: SpatialTokens,
    whitenings: Sequence[Whitening],
    folds: Sequence[Fold],
    found: dict[tuple[str, str], Fitted],
    alphas: dict[str, np.ndarray],
) -> dict[tuple[str, str] | str, Rollouts]:
    """Rollouts of held-out clips by all models, and of the first fold's training clips by one."""
    pieces: dict = {key: [] for key in (*found, "train")}
    real = alphas["real"][0]
    places = []
    for clips, values in blocks(tokens):
        for number, fold in enumerate(folds):
            tested, trained = np.isin(clips, fold.test), np.isin(clips, fold.train)
            if tested.any():
                mine = clips[tested]
                models = {
                    key: (
                        np.ones(len(mine)) if key[1] == "none" else real[mine],
                        fitted.kernels[number],
                    )
                    for key, fitted in found.items()
                }
                places.append(mine)
                for key, part in roll(values[tested], whitenings[number], models).items():
                    pieces[key].append(part)
            if number == 0 and trained.any():
                model = {"train": (real[clips[trained]], found["free", "real"].kernels[0])}
                pieces["train"].append(roll(values[trained], whitenings[0], model)["train"])
    by_clip = np.argsort(np.concatenate(places))
    straight = slice(None)
    return {
        key: Rollouts.join(part, straight if key == "train" else by_clip)
        for key, part in pieces.items()
    }


def _refits(
    spec: Settings,
    sums: Sums,
    alphas: dict[str, np.ndarray],
    folds: Sequence[Fold],
    groups: np.ndarray,
) -> dict[tuple[str, str], np.ndarray]:
    """Mean kernel over channels (1 + draw, column) of all clips, and of clips drawn anew."""
    names, member = np.unique(groups, return_inverse=True)
    rng = seeds.rng("kernels", spec.seed)
    counts = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=spec.refits)
    drawn = np.vstack([np.ones(len(groups)), counts[:, member]])
    found = {}
    for family, basis in FAMILIES.items():
        for model in MODELS:
            own = alphas[model][0]
            choices = select(sums, validation(folds), own[None], basis, spec.penalties)
            # a clip that is drawn twice counts twice, in both sums
            gram = (drawn * own**2) @ sums.gram.reshape(len(own), -1)
            cross = (drawn * own) @ sums.cross.reshape(len(own), -1)
            kernels = fit_kernels(
                gram.reshape(len(drawn), *sums.gram.shape[1:]),
                cross.reshape(len(drawn), *sums.cross.shape[1:]),
                basis,
                choices.penalty,
            )
            found[family, model] = kernels.mean(1)
    return found
