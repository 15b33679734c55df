"""Shortcuts: films whose labels leak, through everything but physics, into an encoder.

A spot moves over a background; its speed, which is the physics here, has nothing to do with the
label. One nuisance, the leak, has:

    label = leak + 0.3 noise

The encoder knows the leak and nothing else: 16 features tanh(a (leak + noise) + b), a sharp one
without noise, a blurred one with as much as the label has. Controls see the same frames: the three
statistics, gray pixels, how films are made, the list of files. A study of films has these by
default, and some more, which can but make the best control better. A claim that the label is
decoded beyond the controls must not be supported, and of the blurred encoder it is to be refuted.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from physprobe.embed import pixels, recording, rendering, statistics
from physprobe.falsify import decodable
from physprobe.fit.methods import ridge
from physprobe.fit.probe import probe
from physprobe.fit.section import SCHEMAS
from physprobe.statistics import splits
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Fits

if TYPE_CHECKING:
    from xarray import Dataset

CLIPS, FRAMES, SIDE, FEATURES = 200, 4, 16, 16
NOISE = 0.3  # of the label, and of a blurred encoder; the leak has a deviation of 1
PERMUTATIONS = 39  # p of what knows the label is below 0.05 with these
OUTER, INNER = 3, 2  # folds: fewer than by default, for a third of the time
BLURS = {"sharp": 0.0, "blurred": NOISE}
SQUARES = 8  # per side, of two pixels each
LEVELS = tuple(np.array([0.0, 2.0, 3.0, 1.0]) / np.sqrt(1.25) - 1.5 / np.sqrt(1.25))
"""Of a leak that takes turns, one file after the other; of mean 0 and deviation 1."""
GRAIN, STEP = 3.0, 12.0  # of 255
RATE = 30.0  # frames per second


@dataclass(frozen=True)
class Films:
    """What films of one study are like, clip by clip: all (clip,), or (clip, 2), of deviation 1."""

    level: np.ndarray
    """Brightness of the background."""
    place: np.ndarray
    """Row and column where the spot is half-way."""
    speed: np.ndarray
    """Row and column that it moves by, per second."""
    length: np.ndarray
    """Logarithm of how long the file is; the clip shows all of it in its few frames."""
    colour: np.ndarray
    """From blue to red, as bright."""
    grain: np.ndarray
    """Logarithm of the noise of the camera."""
    step: np.ndarray
    """Logarithm of the step that waves of blocks are rounded to when the film is compressed."""

    def video(self, rng: np.random.Generator) -> np.ndarray:
        """Frames (clip, frame, y, x, rgb) uint8."""
        grid = np.arange(SIDE) + 0.5
        times = np.linspace(-0.5, 0.5, FRAMES) * np.exp(0.4 * self.length)[:, None]
        path = SIDE / 2 + 1.5 * (self.place[:, None] + 0.5 * self.speed[:, None] * times[..., None])
        rows, columns = (
            np.exp(-0.5 * ((grid - path[..., axis, None]) / 2.0) ** 2) for axis in (0, 1)
        )
        gray = 90.0 + 8.0 * self.level[:, None, None, None]
        gray = gray + 80.0 * rows[..., :, None] * columns[..., None, :]
        noise = GRAIN * np.exp(0.4 * self.grain)[:, None, None, None]
        gray = gray + noise * rng.normal(size=gray.shape)
        gray = _compressed(gray, STEP * np.exp(0.5 * self.step)) if self.step.any() else gray
        tint = 0.06 * self.colour[:, None] * np.array([1.0, 0.0, -1.0])
        found = gray[..., None] * (1.0 + tint[:, None, None, None])
        return np.clip(np.round(found), 0, 255).astype(np.uint8)

    def listed(self, order: np.ndarray) -> "Dataset":
        """Simulation of these films, in an order (clip,) of their files."""
        import xarray as xr

        names = [f"{place:04d}" for place in range(CLIPS)]
        frames = np.maximum(np.round(90 * np.exp(0.4 * self.length)), FRAMES).astype(int)
        about = {
            names[place]: {
                "frames": int(frames[clip]),
                "frames_per_second": RATE,
                "size": [SIDE, SIDE],
            }
            for place, clip in enumerate(np.argsort(order))
        }
        film = np.array(names)[order]
        labels = {"film": ("clip", film), "window": ("clip", np.zeros(CLIPS, int))}
        return xr.Dataset(labels, attrs={"films": about})


def _compressed(gray: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Frames (clip, frame, y, x) whose blocks of 8 x 8 are rounded to a step (clip,), as JPEG's."""
    from scipy.fft import dctn, idctn

    clips, frames, height, width = gray.shape
    blocks = gray.reshape(clips, frames, height // 8, 8, width // 8, 8)
    waves = dctn(blocks, axes=(3, 5), norm="ortho")
    each = step[:, None, None, None, None, None]
    # the mean of a block is kept: what compresses hurts what is fine
    fine = np.round(waves / each) * each
    fine[:, :, :, 0, :, 0] = waves[:, :, :, 0, :, 0]
    return idctn(fine, axes=(3, 5), norm="ortho").reshape(gray.shape)


Plant = Callable[[Films, np.ndarray], tuple[Films, np.ndarray | None]]
"""From films and the leak (clip,) to films that show it, or to the order of their files."""


def _shown(**how: Callable[[Films, np.ndarray], np.ndarray]) -> Plant:
    def plant(films: Films, leak: np.ndarray) -> tuple[Films, None]:
        return replace(films, **{name: of(films, leak) for name, of in how.items()}), None

    return plant


def _sorted(films: Films, leak: np.ndarray) -> tuple[Films, np.ndarray]:
    """Files in the order of the leak."""
    return films, np.argsort(np.argsort(leak))


def _in_turn(films: Films, leak: np.ndarray) -> tuple[Films, np.ndarray]:
    """Files of all levels of the leak take turns."""
    order = np.empty(CLIPS, int)
    for turn, level in enumerate(LEVELS):
        order[leak == level] = np.arange(turn, CLIPS, len(LEVELS))
    return films, order


SHORTCUTS: dict[str, Plant] = {
    "brightness": _shown(level=lambda films, leak: leak),
    "place": _shown(
        place=lambda films, leak: np.stack([leak, films.place[:, 1]], axis=1),
    ),
    "duration": _shown(length=lambda films, leak: leak),
    "file order, sorted": _sorted,
    "file order, in turn": _in_turn,
    "rendering, colours": _shown(colour=lambda films, leak: leak),
    "rendering, noise": _shown(grain=lambda films, leak: leak),
    "rendering, compression": _shown(step=lambda films, leak: leak),
}
"""By what carries the leak."""


def verdicts(rng: np.random.Generator, *, asked: tuple[str, ...] = ()) -> dict[str, str]:
    """Verdict on every planted claim, by shortcut and encoder; of those asked, by default all."""
    return {
        f"{name}, {encoder} encoder": verdict
        for name in asked or SHORTCUTS
        for encoder, verdict in _judged(name, rng)
    }


def _judged(name: str, rng: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Verdict on each encoder of one study."""
    films = Films(
        **{
            part: rng.normal(size=(CLIPS, 2) if part in ("place", "speed") else CLIPS)
            for part in Films.__annotations__
        }
    )
    # films of one study are made in one way, but where that is the leak
    films = replace(films, grain=np.zeros(CLIPS), step=np.zeros(CLIPS))
    leak = rng.normal(size=CLIPS)
    if SHORTCUTS[name] is _in_turn:
        leak = rng.permutation(np.resize(LEVELS, CLIPS))
    films, order = SHORTCUTS[name](films, leak)
    order = rng.permutation(CLIPS) if order is None else order
    label = leak + NOISE * rng.normal(size=CLIPS)
    encoders = {word: encoded(leak, blur, rng) for word, blur in BLURS.items()}
    controls = controlled(films.video(rng), films.listed(order))
    folds = splits.nested(np.arange(CLIPS), outer=OUTER, inner=INNER)
    probes = {}
    for about, features in (encoders | controls).items():
        # controls need no p
        spec = ridge.Spec(
            targets=("label",), samples=("clip",), bootstraps=1000, scalings=("feature",),
            permutations=PERMUTATIONS if about in encoders else 1,
        )  # fmt: skip
        rows, predictions = probe(spec, [features], ["0"], {"label": label}, folds)
        told = [SCHEMAS["probe"].row(**row | {"encoder": about}) for row in rows]
        probes[about] = {"spec": spec.dump(), "rows": told, "predictions": predictions}
    evidence = Evidence(
        encoders=tuple(encoders),
        controls=tuple(controls),
        labels={},
        probes=Fits(probes),
        bootstraps=1000,
    )
    claim = decodable.Spec(statement="a shortcut", target="label")
    for encoder in encoders:
        yield encoder, decodable.line(claim, evidence, encoder)["verdict"]


def encoded(leak: np.ndarray, blur: float, rng: np.random.Generator) -> np.ndarray:
    """Features (clip, 1, feature) that know the leak (clip,), and no physics."""
    seen = leak + blur * rng.normal(size=len(leak))
    slope, begin = rng.normal(size=(2, FEATURES))
    return np.tanh(seen[:, None] * slope + begin)[:, None]


def controlled(video: np.ndarray, simulation: "Dataset") -> dict[str, np.ndarray]:
    """Features (clip, time, feature) of the controls, from frames and the list of files alone."""
    size = {"frames": FRAMES, "height": SIDE, "width": SIDE, "threads": 1}
    made = {
        "statistics": statistics.load(statistics.Spec(), **size),
        "pixels": pixels.load(pixels.Spec(size=SQUARES, color="gray"), **size),
        "rendering": rendering.load(rendering.Spec(), **size),
        "recording": recording.load(recording.Spec(), simulation=simulation, **size),
    }
    clips = np.arange(len(video))
    return {
        name: encoder.encode(video, clips).pooled[:, 0].astype(float)
        for name, encoder in made.items()
    }
