"""Layers: fit every layer of an embedding, and put what came of it into rows and blocks."""

from collections.abc import Iterator, Sequence

import numpy as np

from physprobe.fit.methods import _dynamics_rows
from physprobe.fit.methods._digits import pairs
from physprobe.fit.methods._dynamics_settings import Settings
from physprobe.fit.methods._held_out import grid, tally
from physprobe.fit.methods._latent import principal
from physprobe.fit.methods._pairs import FIRST, Layout, moments, shuffles
from physprobe.fit.methods._rows import HeldOut
from physprobe.fit.methods._spectrum import Spectrum, spectrum
from physprobe.fit.methods._transition import select
from physprobe.statistics.splits import Fold

CONSTANT = "the features of a fold's training clips are constant"
CLOUD = (200, 12)  # draws and leading eigenvalues that a cloud keeps


def fit(
    spec: Settings,
    pooled: Sequence[np.ndarray],
    folds: Sequence[Fold],
    *,
    layers: Sequence[str],
    times: Sequence[float],
    groups: np.ndarray | None,
    equations: np.ndarray | None,
) -> tuple[list[dict], dict]:
    """Rows and blocks of all layers; see `dmd.fit`."""
    length = len(times)
    if length < spec.SHORTEST:
        raise ValueError(
            f"dmd: clips have {length} times; expected at least {spec.SHORTEST}."
            " Hint: simulate more frames, or choose a smaller tubelet."
        )
    clips = np.arange(len(pooled[0])) if groups is None else np.asarray(groups)
    about = HeldOut.of(folds, clips, spec.seed)
    held = about.clip
    named = np.array([]) if equations is None else np.asarray(equations)[held]
    reported = [layer for layer in layers if layer in spec.report] or [layers[-1]]
    horizon = max([1, *spec.scored(length)])
    rows: list[dict] = []
    choices: list[dict] = []
    spectra: list[dict] = []
    forecast, published = {}, {}
    orders = None
    for layer, values in zip(layers, pooled, strict=True):
        features = np.asarray(values, float)
        if not np.isfinite(features).all():
            clip = int(np.argwhere(~np.isfinite(features))[0, 0])
            raise ValueError(f"dmd: layer {layer} is not finite in clip {clip}.")
        if orders is None:
            orders = shuffles(1 + spec.shuffles, len(features), length, spec.seed)
        found = tally(spec, features, folds, horizon, orders, about.halves)
        if found is None:
            rows += _dynamics_rows.undefined(spec, layer, CONSTANT, len(held))
            continue
        detail = layer in reported
        skills = _dynamics_rows.Skills.of(spec, found, horizon, about.groups, about.signs)
        spectral = list(_spectra(spec, features, folds, clips, all_orders=detail))
        rows += skills.rows(spec, layer, found, length)
        rows += _dynamics_rows.by_equation(
            spec, layer, found, length, about.groups, about.signs, named
        )
        rows += _dynamics_rows.others(spec, layer, found, spectral, about.groups)
        choices += [{"layer": layer, **choice} for choice in found.choices]
        spectra += [_spectrum_block(layer, item, cloud=detail) for item in spectral]
        if detail:
            told = {"clip": held, "group": about.groups}
            told |= {"equation": named} if len(named) else {}
            forecast[layer] = told | skills.block(found)
            published = _dynamics_rows.published(found, spectral[0], named if len(named) else None)
    step = float(np.diff(times).mean())
    return rows, {
        "settings": {
            "time_step": step,
            "first_start": FIRST,
            "report": reported,
            "clips": len(held),
            "null": f"order 1: {spec.shuffles} fits to time-shuffled training clips, at the chosen"
            f" rank and lambda; otherwise: {spec.bootstraps} sign flips of clips' differences",
        },
        "choices": choices,
        "spectra": spectra,
        "forecast": forecast,
        **(published or _dynamics_rows.published(None, None)),
    }


def _spectra(
    spec: Settings,
    features: np.ndarray,
    folds: Sequence[Fold],
    groups: np.ndarray,
    *,
    all_orders: bool,
) -> Iterator[Spectrum]:
    """Spectra of models of all clips; rank and penalty by cross-validation over clips."""
    everyone = np.arange(len(features))
    space = principal(features, everyone, spec.components)
    layout, latent = Layout.of(space.components), space.project(features)
    parts = [f.test for f in folds] if len(folds) > 1 else [test for _, test in folds[0].inner]
    ranks, orders = grid(spec, space.components)
    choice = select(moments(latent, layout, parts), layout, ranks, orders, spec.penalties)
    each = moments(latent, layout, list(everyone[:, None]))
    for order in orders if all_orders else orders[:1]:
        yield spectrum(
            each,
            layout,
            choice.rank,
            order,
            choice.penalties[order],
            groups=groups,
            draws=spec.spectra,
            seed=spec.seed,
        )


def _spectrum_block(layer: str, found: Spectrum, *, cloud: bool) -> dict:
    radius, low, high = found.radius
    block = {
        "layer": layer,
        "order": found.model.order,
        "rank": found.model.rank,
        "effective_rank": found.effective_rank,
        "lambda": found.model.penalty,
        "spectral_radius": radius,
        "ci_low": low,
        "ci_high": high,
        "eigenvalues": pairs(found.eigenvalues),
    }
    if cloud:
        draws, leading = CLOUD
        block["cloud"] = pairs(found.draws[:draws, :leading])
    return block
