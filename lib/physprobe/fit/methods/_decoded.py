"""Decoded: how well held-out frames are drawn, seen or forecast, beside what needs no latent."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from physprobe.drawing import strips
from physprobe.fit.methods import _drawing, _forecasts, _shared
from physprobe.fit.methods._decoder_settings import Settings
from physprobe.fit.methods._drawing import Draw, Read
from physprobe.fit.section import Given
from physprobe.statistics import bootstrap, ridge, scores, similarity, splits
from physprobe.statistics.splits import Fold

if TYPE_CHECKING:
    from physprobe.fit._abroad import Abroad

SEEN, OWN, STILL, MEAN, PIXELS = "reconstruction", "predictor", "copy_last", "mean_image", "dmd"
WENT_IN = "embedded"
FRAMES = "frames"
"""What is read off frames as they were rendered: no network draws them."""
AS_FILMED = 96
"""Side of frames of another system as they were filmed [px]."""
FIRST, FIRSTS = "first", 8
FAR = 1e6
"""Rolled latents beyond it are as wrong as can be."""
Advance = Callable[[np.ndarray], np.ndarray]
Told = dict[tuple[str, int | None], "Sums"]
"""By model, and tokens ahead."""


@dataclass
class Sums:
    """What scores of one model follow from, a sum over pixels of each held-out clip."""

    squares: list[float] = field(default_factory=list)
    both: list[float] = field(default_factory=list)
    either: list[float] = field(default_factory=list)
    pixels: list[float] = field(default_factory=list)
    turned: list[np.ndarray] = field(default_factory=list)
    """(angle,) absolute errors of what is read off the frames [rad], summed over them."""
    count: list[float] = field(default_factory=list)
    """Frames."""
    peaks: list[float] = field(default_factory=list)
    """Peak signal-to-noise ratio [dB], summed over frames, of what was seen; and so are"""
    alike: list[float] = field(default_factory=list)
    """structural similarities."""

    def add(
        self,
        drawn: np.ndarray,
        truth: np.ndarray,
        threshold: float,
        read: Read | None = None,
        angles: np.ndarray | None = None,
        seen: bool = False,
    ) -> None:
        """Add a clip's frames (frame, y, x), and their angles (frame, angle) if they are read."""
        if seen:
            self.peaks.append(float(similarity.psnr(drawn, truth).sum()))
            if min(truth.shape[1:]) >= similarity.WINDOW:
                self.alike.append(float(similarity.ssim(drawn, truth).sum()))
        self.squares.append(float(((drawn - truth) ** 2).sum(dtype=float)))
        lit, true = drawn > threshold, truth > threshold
        self.both.append(float((lit & true).sum()))
        self.either.append(float((lit | true).sum()))
        self.pixels.append(float(truth.size))
        self.count.append(float(len(truth)))
        if read is not None and angles is not None:
            apart = (read(np.ascontiguousarray(drawn, np.float32)) - angles + np.pi) % (2 * np.pi)
            self.turned.append(np.abs(apart - np.pi).sum(0))

    @property
    def error(self) -> np.ndarray:
        """Mean squared error (clip,)."""
        return np.array(self.squares) / np.array(self.pixels)


def fit(spec: Settings, given: Given) -> tuple[list[dict], dict]:
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
    embedded = None
    if given.embedded is not None:
        embedded = np.stack([shrunk(clip, spec.size) for clip in given.embedded])
    draw, steps = _drawing.decoder(spec, latent, frames, fold)
    names = tuple(name for name in spec.angles if name in given.states)
    angles = np.stack([given.states[name] for name in names], -1) if names else None
    read = None
    if angles is not None:
        read = _shared.once(
            lambda: _drawing.reader(spec, frames, angles, fold),
            "reader", fold, frames, angles, spec.canonical(),
        )  # fmt: skip

    bright = frames[fold.train]
    level = bright.mean((0, 1), dtype=float).astype(np.float32) / 255
    threshold = float(bright.max()) / 510
    told: Told = {}

    def add(about: tuple[str, int | None], clip: int, drawn: np.ndarray, at: np.ndarray) -> None:
        truth = frames[clip, at].astype(np.float32) / 255
        turned = None if angles is None or about[0] == MEAN else angles[clip, at]
        seen = about[1] is None and about[0] != FRAMES
        told.setdefault(about, Sums()).add(drawn, truth, threshold, read, turned, seen)

    every = np.arange(latent.shape[1])
    for clip in fold.test:
        add((SEEN, None), clip, draw(latent[clip]), every)
        add((MEAN, None), clip, np.broadcast_to(level, (len(every), *level.shape)), every)
        if embedded is not None:
            add((WENT_IN, None), clip, embedded[clip].astype(np.float32) / 255, every)
        if read is not None:
            add((FRAMES, None), clip, frames[clip].astype(np.float32) / 255, every)
    if advance is not None:
        for model, ahead, place, drawn, at in _forecast(
            spec, given, draw, advance, latent, frames, level, fold
        ):
            add((model, ahead), fold.test[place], drawn, at)
    whole = told[SEEN, None]
    rows = _rows(spec, told, groups[fold.test], names)
    paces = _paces(spec, given, fold)
    block = {
        "clip": fold.test,
        "group": groups[fold.test],
        "error": whole.error,
        "pace": paces,
        "threshold": threshold,
        "steps": steps,
        "seconds": _seconds(given),
        "scores": [
            {"model": model, "horizon": ahead, "squares": np.array(sums.squares)}
            for (model, ahead), sums in told.items()
            if model != FRAMES
        ],
        "shown": {
            rule: _shown(spec, draw, advance, latent, frames, fold.test[place], embedded)
            | {
                "error": whole.error[place],
                "pace": None if paces is None else paces[place],
            }
            for rule, place in _chosen(whole.error, paces, len(every)).items()
        },
        "abroad": None if given.components else _abroad(spec, draw, advance, given.abroad),
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


def _forecast(
    spec: Settings,
    given: Given,
    draw: Draw,
    advance: Advance,
    latent: np.ndarray,
    frames: np.ndarray,
    level: np.ndarray,
    fold: Fold,
) -> Iterator[tuple[str, int, int, np.ndarray, np.ndarray]]:
    """What every model draws of each held-out clip from all starts.

    Yields
    ------
    model, horizon, place, frames, times
        Place among the fold's held-out clips; frames (start, y, x), 0 to 1, and their times.
    """
    last = latent.shape[1] - 1
    horizons = [ahead for ahead in spec.horizons if ahead <= last - spec.skip]
    if not horizons:
        return
    starts, clips = np.arange(spec.skip, last, spec.stride), fold.test
    shown = frames[clips][:, starts].astype(np.float32) / 255
    rows = latent[clips][:, starts].reshape(-1, latent.shape[-1])
    pixels = _shared.once(
        lambda: _forecasts.Pixels(frames, fold, spec.rank), "pixels", fold, frames, spec.rank
    )
    components = pixels.ahead(clips, starts, horizons[-1])
    states = {}
    if given.motion is not None and given.motion.draw is not None:
        networks = _forecasts.States.of(given, latent, fold, spec.skip, spec.seed)
        states = networks.ahead(starts, horizons[-1]) if networks else {}
    for ahead in range(1, horizons[-1] + 1):
        rows = _advanced(advance, rows)
        if ahead not in horizons:
            continue
        there = starts + ahead <= last
        at = starts[there] + ahead
        of_shape = rows.reshape(len(clips), len(starts), -1)[:, there]
        drawn = {
            OWN: [draw(each) for each in of_shape],
            STILL: shown[:, there],
            MEAN: np.broadcast_to(level, (len(clips), len(at), *level.shape)),
            PIXELS: pixels.drawn(components[:, there, ahead]),
        }
        for model, each in states.items():
            then = {name: values[:, there, ahead] for name, values in each.items()}
            drawn[model] = _filmed(spec, given, clips, then)
        for model, images in drawn.items():
            for place, image in enumerate(images):
                yield model, ahead, place, image, at


def _filmed(
    spec: Settings, given: Given, clips: np.ndarray, states: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Frames (clip, start, y, x), 0 to 1, of states (clip, start), as the system is filmed."""
    assert given.motion is not None, "the system solves its equation"
    asked = np.stack([states[name] for name in given.motion.names], -1)
    rows = given.motion.frames(np.repeat(clips, asked.shape[1]), asked.reshape(-1, asked.shape[-1]))
    small = shrunk(rows, spec.size).astype(np.float32) / 255
    return small.reshape(*asked.shape[:2], *small.shape[1:])


def _advanced(advance: Advance, rows: np.ndarray) -> np.ndarray:
    following = np.asarray(advance(rows), float)
    return np.clip(np.nan_to_num(following, posinf=FAR, neginf=-FAR), -FAR, FAR)


def _rows(spec: Settings, told: Told, groups: np.ndarray, names: Sequence[str]) -> list[dict]:
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
        found = bootstrap.interval(
            sums, statistic, groups=groups, draws=spec.bootstraps, seed=spec.seed
        )
        about = {"layer": "last", **about, "metric": metric, "n_clips": len(sums)}
        rows.append({**about, **found.row(undefined)})

    for (model, horizon), sums in told.items():
        about = {"model": model, "horizon": horizon}
        for place, name in enumerate(names if sums.turned else ()):
            turned = [each[place] for each in sums.turned]
            add({**about, "target": name}, "state_error", turned, sums.count, scores.mean_of)
        if model == FRAMES:
            continue
        add(about, "mse", sums.squares, sums.pixels, scores.mean_of)
        if model in (SEEN, OWN):
            others = {m: each for (m, h), each in told.items() if h == horizon}
            for baseline in (name for name in others if name not in (model, FRAMES)):
                compared = {**about, "baseline": baseline}
                errors, why = others[baseline].squares, f"{baseline} makes no error"
                add(compared, "skill", sums.squares, errors, scores.skill_of, why)
        for metric, values in (("psnr", sums.peaks), ("ssim", sums.alike)):
            if values and np.isfinite(values).all():
                add(about, metric, values, sums.count, scores.mean_of)
            elif values or (metric == "ssim" and sums.peaks):
                why = "a frame is drawn exactly" if values else "frames are smaller than its window"
                rows.append({"layer": "last", **about, "metric": metric, "note": why})
        if model == MEAN:
            continue
        if any(sums.either):
            add(about, "iou", sums.both, sums.either, scores.share_of)
        else:
            rows.append({**about, "layer": "last", "metric": "iou", "note": "no foreground"})
    return rows


def _paces(spec: Settings, given: Given, fold: Fold) -> np.ndarray | None:
    """Lyapunov exponents (clip,) [1/s] of held-out clips, if they have them."""
    values = given.labels.get(spec.pace)
    if values is None:
        return None
    found = np.asarray(values, float)[fold.test]
    return found if np.isfinite(found).all() else None


def _seconds(given: Given) -> float | None:
    """Time from one token to the next [s]; the first one may be of fewer frames."""
    return float(np.median(np.diff(given.times))) if given.times and len(given.times) > 1 else None


def _chosen(error: np.ndarray, paces: np.ndarray | None, times: int) -> dict[str, int]:
    """Places of held-out clips to show, by rule: by error, and by Lyapunov exponent.

    Of clips that are seen once also the first ones, which are every encoder's.
    """
    order = np.argsort(error, kind="stable")
    found = {"worst": order[-1], "median": order[len(order) // 2]}
    if times == 1:
        found |= {f"{FIRST} {place + 1}": place for place in range(min(FIRSTS, len(error)))}
    if paces is not None:
        order = np.argsort(paces, kind="stable")
        found |= {"calmest": order[0], "middling": order[len(order) // 2], "wildest": order[-1]}
    return {rule: int(place) for rule, place in found.items()}


def _shown(
    spec: Settings,
    draw: Draw,
    advance: Advance | None,
    latent: np.ndarray,
    frames: np.ndarray,
    clip: int,
    embedded: np.ndarray | None = None,
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
        "embedded": None if embedded is None else strips.packed(embedded[clip]),
        "reconstruction": _packed(drawn),
        "forecast": forecast,
    }


def _abroad(
    spec: Settings, draw: Draw, advance: Advance | None, clip: "Abroad | None"
) -> dict | None:
    """What the decoder draws of a clip of another system, which nothing is fitted to."""
    if clip is None:
        return None
    moving = np.repeat(clip.moving()[..., None], 3, -1)
    seen = np.repeat(shrunk(moving, clip.side)[..., None], 3, -1)
    latent, last = clip.encode(seen)
    truth = shrunk(moving, spec.size)[last]
    found = _shown(spec, draw, advance, latent[None], truth[None], 0)
    drawn = strips.unpacked(found["reconstruction"])
    error = float(((drawn / 255 - truth / 255.0) ** 2).mean())
    height, width = clip.frames.shape[1:3]
    side, top, left = min(height, width), (height - width) // 2, (width - height) // 2
    filmed = clip.frames[:, max(top, 0) :, max(left, 0) :][:, :side, :side]
    return {
        **found, "system": clip.system, "error": error, "pace": None,
        "filmed": strips.packed(shrunk(filmed[last], AS_FILMED)),
    }  # fmt: skip


def _packed(frames: np.ndarray) -> str:
    return strips.packed(np.rint(frames * 255).astype(np.uint8))
