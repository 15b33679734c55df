"""Places: tokens of one part of the image in place of an embedding's layers.

Which patches the ball is in, which it touches, and which are far from it.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from physprobe.config import kinds
from physprobe.fit.designs import _read
from physprobe.fit.section import Asked, Case, Design, MethodSpec
from physprobe.scenes import scene
from physprobe.statistics import seeds
from physprobe.store import zarrs
from physprobe.store.inputs import Inputs, Layers
from physprobe.store.results import Schema

ROW, COLUMN, PIXELS = (
    scene.QUANTITIES.index(name) for name in ("ball_row", "ball_column", "camera_pixels")
)
SCHEMA = Schema("places", ("method", "target", "sample", "layer", "place"))
SCORES = ("r2", "mae", "circular_mae")


class Spec(Design):
    """Parts of the image that an encoder's spatial tokens are read at."""

    kind: Literal["places"] = "places"
    """The token under the ball, one far from it, all of them, and patch by patch."""
    layer: str = "final"
    """Layer whose spatial tokens are read."""

    def problems(self, config: Any, where: str, asked: Asked) -> Iterator[str]:
        """Whether there is a ball, and encoders keep the tokens of the whole image."""
        yield from _read.only("ridge", config, where, asked)
        yield from _read.single(where, asked)
        for system in asked.filmed:
            kind = config.systems[system].simulate.kind
            if kinds.load("simulate", kind).FIELD != "scene":
                yield f"{where}: {kind} has no ball. Hint: take a system of balls."
        for name in asked.names:
            spec = config.embedding(name)
            if self.layer not in getattr(spec, "tokens", ()):
                yield (
                    f"{where}: {name} keeps no spatial tokens of layer {self.layer!r}."
                    f" Hint: set tokens: [{self.layer}] there."
                )
            elif spec.preprocess != "resize":
                yield (
                    f"{where}: {name} cuts the image's edges off, so its patches are none of the"
                    " whole image. Hint: set preprocess: resize there."
                )

    def cases(
        self,
        embeddings: Sequence[Path],
        simulation: Sequence[Path],
        method: str,
        member: int | None = None,
    ) -> Iterator[Case]:
        """One fit, whose layers are the parts of the image."""
        found = _read.one(embeddings, simulation, method, member)
        if found.spec.kind != "ridge":
            raise ValueError(f"method {found.spec.kind!r}: parts of the image are read by ridge.")
        tokens = _tokens(embeddings[0], found, self.layer)
        film, grid = _film(simulation[0], found), tokens.shape[2:4]
        parts = Parts(tokens, under(film, _member(found), grid), found.spec.seed)
        setting = {"grid": list(grid), "touched": touched(film, grid).sum(0)}
        yield _read.case(found, parts, layers=parts.names, setting=setting)

    def result_schema(self, spec: MethodSpec) -> Schema:
        """What kind of result comes of a method."""
        return SCHEMA

    def gathered(self, found: Sequence[tuple[Case, list[dict], dict]]) -> tuple[list[dict], dict]:
        """Scores of the chosen parts, R2 of every patch; ``place`` says which."""
        ((case, scored, blocks),) = found
        scored = [
            {**row, "layer": self.layer, "place": row["layer"]}
            for row in scored
            if row["layer"] != "selected" and row["metric"] in SCORES and row.get("time") is None
        ]
        rows = [row for row in scored if row["place"] in Parts.CHOSEN]
        rows += [r for r in scored if r["place"] not in Parts.CHOSEN and r["metric"] == "r2"]
        predictions = blocks["predictions"]
        predictions["held_out"] = [
            block for block in predictions["held_out"] if block["layer"] in Parts.CHOSEN
        ]
        predictions.pop("choices")
        return rows, {"predictions": predictions, **case.setting}


def _tokens(path: Path, found: Inputs[MethodSpec], layer: str) -> np.ndarray:
    if layer not in Layers(found.source).tokens:
        raise ValueError(
            f"{path} has no spatial tokens of layer {layer!r}."
            f" Hint: set tokens: [{layer}] in the encoder's config entry."
        )
    return zarrs.values(found.source, f"tokens_{layer}")


def _film(path: Path, found: Inputs[MethodSpec]) -> np.ndarray:
    if found.system.attrs.get("field") != "scene":
        raise ValueError(f"{path}: no scene, so no ball to look for. Hint: take a system of balls.")
    return zarrs.values(found.system, "scene").astype(np.float64)


def _member(found: Inputs[MethodSpec]) -> np.ndarray:
    """Frames of each token: (time, frame) of bool."""
    seconds, source = found.system.time.values, found.source
    half = (seconds[1] - seconds[0]) / 2  # frames are inside their tokens by this much
    start, end = (source[name].values[:, None] for name in ("time_start", "time_end"))
    return (seconds > start - half) & (seconds < end - half)


def under(film: np.ndarray, member: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Patch (clip, time, 2) of the ball's centre, y and x, at each token.

    Parameters
    ----------
    film : (clip, frame, quantity)
        Scene of every frame.
    member : (time, frame) of bool
        Frames of each token; the centre is their mean.
    grid : (y, x)
        Patches over the whole image. A centre out of view counts to the nearest one.
    """
    places = film[..., [ROW, COLUMN]] / film[..., [PIXELS, PIXELS]]
    places = np.stack([places[:, frames].mean(1) for frames in member], axis=1)
    return np.floor(places * grid).astype(int).clip(0, np.array(grid) - 1)


def touched(film: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Whether a clip's ball touches a patch in any frame: (clip, y, x) of bool."""
    found = np.zeros((len(film), *grid), bool)
    for clip, frames in enumerate(film):
        for row in scene.rows(frames):
            camera = scene.Camera.of(row)
            outline = camera.outline(scene.centre(row, "ball"), row["ball_radius"], scene.DISC)
            places = np.stack(camera.project(outline)) / camera.pixels
            inside = ((places >= 0) & (places < 1)).all(0)
            found[clip, *np.floor(places[:, inside].T * grid).astype(int).T] = True
    return found


def far(patches: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Patch (clip, 2) whose least distance from the ball's patches (clip, time, 2) is largest.

    One for the whole clip: its choice tells nothing of how the ball moves from token to token.
    """
    every = np.stack(np.meshgrid(*map(np.arange, grid), indexing="ij"), -1).reshape(-1, 2)
    away = np.linalg.norm(every[None, :, None] - patches[:, None], axis=-1).min(2)
    return every[away.argmax(1)]


def others(clips: int, seed: int) -> np.ndarray:
    """Another clip (clip,) for each one, every clip once."""
    order = seeds.rng("other clips", seed, clips).permutation(clips)
    found = np.empty(clips, int)
    found[order] = np.roll(order, 1)
    return found


class Parts(Sequence):
    """Features (clip, time, feature) of parts of the image, in place of an embedding's layers.

    Parameters
    ----------
    tokens : (clip, time, y, x, feature)
    patches : (clip, time, 2)
        Of the ball.
    seed : int
        Of the clips that stand in for others.
    """

    CHOSEN = ("mean", "under", "elsewhere", "far")
    """The mean of all patches; the one under the ball; those same places in another clip, which
    tell what places alone give away; one far from the ball."""

    def __init__(self, tokens: np.ndarray, patches: np.ndarray, seed: int):
        self._tokens, self.patches, self.seed = tokens, patches, seed
        self.grid = tokens.shape[2:4]
        self.names = (*self.CHOSEN, *(f"{y},{x}" for y, x in np.ndindex(*self.grid)))

    def __len__(self) -> int:
        """Count the parts."""
        return len(self.names)

    def __getitem__(self, part: int) -> np.ndarray:  # type: ignore[override]  # one at a time
        """Read one part, float64."""
        if not 0 <= part < len(self):
            raise IndexError(part)
        return self._read(self.names[part]).astype(np.float64)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Read part after part."""
        return (self[part] for part in range(len(self)))

    def _read(self, name: str) -> np.ndarray:
        clips, times = self._tokens.shape[:2]
        match name:
            case "mean":
                return np.stack([clip.astype(np.float64).mean((1, 2)) for clip in self._tokens])
            case "under":
                return self._at(np.arange(clips), self.patches)
            case "elsewhere":
                return self._at(others(clips, self.seed), self.patches)
            case "far":
                place = far(self.patches, self.grid)
                return self._at(np.arange(clips), np.repeat(place[:, None], times, axis=1))
        y, x = map(int, name.split(","))
        return self._tokens[:, :, y, x]

    def _at(self, clips: np.ndarray, patches: np.ndarray) -> np.ndarray:
        """Tokens (clip, time, feature) of clips at patches (clip, time, 2)."""
        times = np.arange(self._tokens.shape[1])
        return self._tokens[clips[:, None], times, patches[..., 0], patches[..., 1]]
