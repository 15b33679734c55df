"""Decoded: a decoder's training, and how well it draws held-out frames, seen or forecast."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from physprobe.drawing import strips
from physprobe.fit.section import Given
from physprobe.statistics import ridge, scores, seeds, splits
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from torch import nn

    from physprobe.fit.methods.decoder import Spec

SEEN, OWN, STILL, MEAN = "reconstruction", "predictor", "copy_last", "mean_image"
AT_A_TIME = 512
VALIDATED = 2048
"""Most frames that one look at the validation clips takes."""
FAR = 1e6
"""Rolled latents beyond it are as wrong as can be."""
Draw = Callable[[np.ndarray], np.ndarray]
"""From latents (row, feature) to frames (row, y, x), 0 to 1."""


@dataclass
class Sums:
    """What scores of one model follow from, a sum over pixels of each held-out clip."""

    squares: list[float] = field(default_factory=list)
    level: list[float] = field(default_factory=list)
    """Squares of the mean image's errors on the same frames."""
    still: list[float] = field(default_factory=list)
    """Those of the last frame that was seen."""
    both: list[float] = field(default_factory=list)
    either: list[float] = field(default_factory=list)
    pixels: list[float] = field(default_factory=list)

    def add(
        self,
        drawn: np.ndarray,
        truth: np.ndarray,
        level: np.ndarray,
        threshold: float,
        still: np.ndarray | None = None,
    ) -> None:
        """Add a clip's frames (frame, y, x)."""
        self.squares.append(_squares(drawn, truth))
        self.level.append(_squares(level, truth))
        self.still.append(np.nan if still is None else _squares(still, truth))
        lit, true = drawn > threshold, truth > threshold
        self.both.append(float((lit & true).sum()))
        self.either.append(float((lit | true).sum()))
        self.pixels.append(float(truth.size))

    @property
    def error(self) -> np.ndarray:
        """Mean squared error (clip,)."""
        return np.array(self.squares) / np.array(self.pixels)


def _squares(drawn: np.ndarray, truth: np.ndarray) -> float:
    return float(((drawn - truth) ** 2).sum(dtype=float))


def fit(spec: "Spec", given: Given) -> tuple[list[dict], dict]:
    """Rows and blocks; see :func:`physprobe.fit.methods.decoder.fit`."""
    if given.frames is None:
        raise ValueError("a decoder needs frames, and there are none. Hint: give --clips.")
    latent = np.asarray(given.features[len(given.layers) - 1], float)
    if not np.isfinite(latent).all():
        raise ValueError(f"features: not finite in {(~np.isfinite(latent)).sum()} places.")
    groups = np.arange(len(latent)) if given.groups is None else given.groups
    splits.check(given.folds, groups)
    fold, advance = given.folds[0], given.advance
    if given.components:
        latent, advance = ridge.principal(latent, fold.train, given.components), None
    frames = np.stack([shrunk(clip, spec.size) for clip in given.frames])
    draw, steps = _trained(spec, latent, frames, fold)

    bright = frames[fold.train]
    level = bright.mean((0, 1), dtype=float).astype(np.float32) / 255
    threshold = float(bright.max()) / 510
    reach = latent.shape[1] - 1 - spec.skip
    horizons = [h for h in spec.horizons if h <= reach] if advance is not None else []
    told: dict[tuple[str, int | None], Sums] = {}
    for clip in fold.test:
        truth = frames[clip].astype(np.float32) / 255
        for about, drawn, at, still in _drawn(spec, draw, advance, latent[clip], truth, horizons):
            sums = told.setdefault(about, Sums())
            sums.add(drawn, truth[at], level, threshold, still)
    whole = told[SEEN, None]
    rows = _rows(spec, told, groups[fold.test])
    paces = _paces(spec, given, fold)
    block = {
        "clip": fold.test,
        "group": groups[fold.test],
        "error": whole.error,
        "pace": paces,
        "threshold": threshold,
        "steps": steps,
        "seconds": _seconds(given),
        "shown": {
            rule: _shown(spec, draw, advance, latent, frames, fold.test[place])
            | {
                "error": whole.error[place],
                "pace": None if paces is None else paces[place],
            }
            for rule, place in _chosen(whole.error, paces).items()
        },
    }
    return rows, {"decoder": block}


def shrunk(clip: np.ndarray, size: int) -> np.ndarray:
    """Frames (time, y, x, rgb) uint8 as gray ones (time, size, size) uint8, means over areas."""
    gray = clip.mean(-1, dtype=np.float32)
    down, across = (_areas(length, size) for length in gray.shape[1:])
    return np.rint(down @ gray @ across.T).astype(np.uint8)


def _areas(length: int, size: int) -> np.ndarray:
    """Weights (cell, pixel) of means over areas along one axis."""
    edges = np.arange(size + 1) * length / size
    pixel = np.arange(length)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return (np.clip(shared, 0, None) * size / length).astype(np.float32)


def _trained(spec: "Spec", latent: np.ndarray, frames: np.ndarray, fold: Fold) -> tuple[Draw, int]:
    """A decoder of the fold's training clips, and the step that its state is of."""
    import torch
    from torch import nn

    from physprobe.config.latent import Latent, Seen
    from physprobe.embed.networks import latent as networks

    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = latent[fold.train].reshape(-1, latent.shape[-1])
    mean, deviation = rows.mean(0), rows.std(0)
    # a feature that hardly varies says nothing, and would only be blown up
    scale = np.where(deviation > 1e-6 * max(deviation.max(), 1e-300), deviation, np.inf)

    def known(values: np.ndarray) -> "torch.Tensor":
        return torch.from_numpy(((values - mean) / scale).astype(np.float32))

    sizes = Latent(history=1, embedding=latent.shape[-1], channels=spec.channels)
    shown = Seen(side=spec.size, values=1)
    made = networks.drawn(spec.seed, lambda: {"decoder": networks.decoder(sizes, shown)})
    network: nn.Module = made["decoder"].to(device)
    training, validation = fold.inner[0]
    inputs = known(latent[training]).flatten(0, 1)
    outputs = torch.from_numpy(frames[training]).flatten(0, 1)
    held = known(latent[validation]).flatten(0, 1)
    truth = torch.from_numpy(frames[validation]).flatten(0, 1)
    every = max(1, -(-len(held) // VALIDATED))
    held, truth = held[::every], truth[::every]
    _begin_at(network, float(outputs.float().mean()) / 255)

    def drawn(values: "torch.Tensor") -> "torch.Tensor":
        with torch.no_grad():
            parts = [network(part.to(device))[:, 0, 0].cpu() for part in values.split(AT_A_TIME)]
        return torch.cat(parts)

    optimiser = torch.optim.Adam(network.parameters(), lr=spec.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, spec.steps)
    rng = seeds.rng("decoder", spec.seed)
    pause = max(1, spec.steps // spec.checks)
    best, kept, waited = np.inf, (0, network.state_dict()), 0
    for step in range(1, spec.steps + 1):
        picked = torch.from_numpy(rng.integers(len(inputs), size=spec.batch))
        wanted = outputs[picked].to(device).float() / 255
        loss = nn.functional.mse_loss(network(inputs[picked].to(device))[:, 0, 0], wanted)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % pause and step < spec.steps:
            continue
        error = float(((drawn(held) - truth.float() / 255) ** 2).mean())
        if error < best:
            state = {name: value.clone() for name, value in network.state_dict().items()}
            best, kept, waited = error, (step, state), 0
        elif (waited := waited + 1) >= spec.patience:
            break
    network.load_state_dict(kept[1])
    return (lambda values: drawn(known(values)).numpy()), kept[0]


def _begin_at(network: "nn.Module", brightness: float) -> None:
    """Let a decoder begin with images as bright as the mean: few pixels of a sparse one are lit."""
    import torch
    from torch import nn

    level = float(np.clip(brightness, 1e-3, 1 - 1e-3))
    last = [part for part in network.modules() if isinstance(part, nn.ConvTranspose2d)][-1]
    with torch.no_grad():
        last.bias.fill_(np.log(level / (1 - level)))


def _drawn(
    spec: "Spec",
    draw: Draw,
    advance: Callable[[np.ndarray], np.ndarray] | None,
    latent: np.ndarray,
    truth: np.ndarray,
    horizons: Sequence[int],
) -> Iterator[tuple[tuple[str, int | None], np.ndarray, np.ndarray, np.ndarray | None]]:
    """What every model draws of a clip: (model, horizon), frames, their times, the last ones seen.

    The mean image is drawn by all of them beside their own.
    """
    every = np.arange(len(latent))
    yield (SEEN, None), draw(latent), every, None
    if advance is None or not horizons:
        return
    starts = np.arange(spec.skip, len(latent), spec.stride)
    rows = latent[starts]
    for ahead in range(1, horizons[-1] + 1):
        left = int((starts + ahead < len(latent)).sum())
        starts, rows = starts[:left], _advanced(advance, rows[:left])
        if ahead in horizons:
            at = starts + ahead
            yield (OWN, ahead), draw(rows), at, truth[starts]
            yield (STILL, ahead), truth[starts], at, truth[starts]


def _advanced(advance: Callable[[np.ndarray], np.ndarray], rows: np.ndarray) -> np.ndarray:
    following = np.asarray(advance(rows), float)
    return np.clip(np.nan_to_num(following, posinf=FAR, neginf=-FAR), -FAR, FAR)


def _rows(spec: "Spec", told: dict[tuple[str, int | None], Sums], groups: np.ndarray) -> list[dict]:
    rows: list[dict] = []

    def add(
        about: dict,
        metric: str,
        part: Sequence[float],
        whole: Sequence[float],
        statistic: scores.Statistic,
        undefined: str | None = None,
    ) -> None:
        sums = np.stack([np.asarray(part, float), np.asarray(whole, float)], -1)
        found = scores.bootstrap(
            sums, statistic, groups=groups, draws=spec.bootstraps, seed=spec.seed
        )
        about = {"layer": "last", **about, "metric": metric, "n_clips": len(sums)}
        rows.append({**about, **found.row(undefined)})

    for (model, horizon), sums in told.items():
        about = {"model": model, "horizon": horizon}
        add(about, "mse", sums.squares, sums.pixels, scores.mean_of)
        if model in (SEEN, OWN):
            level = {"model": MEAN, "horizon": horizon}
            add(level, "mse", sums.level, sums.pixels, scores.mean_of)
            against = {MEAN: sums.level} | ({STILL: sums.still} if horizon else {})
            for baseline, errors in against.items():
                compared = {**about, "baseline": baseline}
                why = f"{baseline} makes no error"
                add(compared, "skill", sums.squares, errors, scores.skill_of, why)
        if any(sums.either):
            add(about, "iou", sums.both, sums.either, scores.share_of)
        else:
            rows.append({**about, "layer": "last", "metric": "iou", "note": "no foreground"})
    return rows


def _paces(spec: "Spec", given: Given, fold: Fold) -> np.ndarray | None:
    """Lyapunov exponents (clip,) [1/s] of held-out clips, if they have them."""
    values = given.labels.get(spec.pace)
    if values is None:
        return None
    found = np.asarray(values, float)[fold.test]
    return found if np.isfinite(found).all() else None


def _seconds(given: Given) -> float | None:
    """Time from one token to the next [s]; the first one may be of fewer frames."""
    return float(np.median(np.diff(given.times))) if given.times and len(given.times) > 1 else None


def _chosen(error: np.ndarray, paces: np.ndarray | None) -> dict[str, int]:
    """Places of held-out clips to show, by rule: by error, and by Lyapunov exponent."""
    order = np.argsort(error, kind="stable")
    found = {"worst": order[-1], "median": order[len(order) // 2]}
    if paces is not None:
        order = np.argsort(paces, kind="stable")
        found |= {"calmest": order[0], "middling": order[len(order) // 2], "wildest": order[-1]}
    return {rule: int(place) for rule, place in found.items()}


def _shown(
    spec: "Spec",
    draw: Draw,
    advance: Callable[[np.ndarray], np.ndarray] | None,
    latent: np.ndarray,
    frames: np.ndarray,
    clip: int,
) -> dict:
    """Frames of one clip, as rendered, drawn, and forecast from the first start on.

    Its number is text, so that members that show different clips have no mean of them.
    """
    drawn = draw(latent[clip])
    forecast = None
    if advance is not None and spec.skip < len(drawn) - 1:
        rows = [latent[clip, spec.skip : spec.skip + 1]]
        while len(rows) < len(drawn) - spec.skip:
            rows.append(_advanced(advance, rows[-1]))
        forecast = _packed(np.concatenate([drawn[: spec.skip], draw(np.concatenate(rows))]))
    return {
        "clip": str(clip),
        "start": spec.skip,
        "truth": strips.packed(frames[clip]),
        "reconstruction": _packed(drawn),
        "forecast": forecast,
    }


def _packed(frames: np.ndarray) -> str:
    return strips.packed(np.rint(frames * 255).astype(np.uint8))
