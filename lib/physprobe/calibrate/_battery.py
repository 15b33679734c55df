"""Battery: worlds of many sizes and shapes, from which data sets are drawn again and again.

Two encoders see the same latent numbers through noise of their own. They are alike, so that the
true difference of their scores is 0, whatever clips, spectra and tails are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np

CLIPS, FEATURES = (40, 100, 200, 400), (16, 128, 1024)
SPECTRA = {"flat": 0.0, "1/k": 1.0, "1/k^2": 2.0, "pixels": None}
"""Fall of the features' deviations, in the order k; of pixels, images of a blob at two places."""
KINDS = ("normal", "heavy tails", "unequal groups")
NOISE = 0.3  # of the label and of the features that show a latent, which has a deviation of 1
SIZES, SHARED = (
    (1, 1, 2, 3, 5, 8),
    0.6,
)  # clips of a group, and the part of variance that they share
FREEDOM = 4  # of Student's t: heavy tails


class Drawn(NamedTuple):
    """One data set."""

    label: np.ndarray
    """(clip,)"""
    features: tuple[np.ndarray, np.ndarray]
    """Of either encoder: (clip, 1, feature)."""
    groups: np.ndarray
    """(clip,)"""


@dataclass(frozen=True)
class Cell:
    """One world."""

    clips: int
    features: int
    spectrum: str
    kind: str = "normal"

    @property
    def name(self) -> str:
        """For people."""
        kind = "" if self.kind == "normal" else f", {self.kind}"
        return f"{self.clips} clips, {self.features} features, {self.spectrum}{kind}"

    def drawn(self, rng: np.random.Generator) -> Drawn:
        """A data set of its own."""
        groups = self._groups(rng)
        latents = 2 if self.spectrum == "pixels" else min(10, self.features // 4)
        latent = self._numbers(rng, groups, latents)
        noise = self._numbers(rng, groups, 1)[:, 0]
        label = latent.mean(1) * np.sqrt(latents) + NOISE * noise
        seen = (self._seen(rng, groups, latent)[:, None] for _ in range(2))
        return Drawn(label, (next(seen), next(seen)), groups)

    def _groups(self, rng: np.random.Generator) -> np.ndarray:
        if self.kind != "unequal groups":
            return np.arange(self.clips)
        return np.repeat(np.arange(self.clips), rng.choice(SIZES, size=self.clips))[: self.clips]

    def _numbers(self, rng: np.random.Generator, groups: np.ndarray, count: int) -> np.ndarray:
        """Numbers (clip, count) of deviation 1, alike among clips of a group."""
        found = rng.normal(size=(self.clips, count))
        if self.kind == "unequal groups":
            return np.sqrt(SHARED) * found[groups] + np.sqrt(1 - SHARED) * rng.normal(
                size=found.shape
            )
        if self.kind == "heavy tails":
            found *= np.sqrt((FREEDOM - 2) / rng.chisquare(FREEDOM, size=(self.clips, 1)))
        return found

    def _seen(self, rng: np.random.Generator, groups: np.ndarray, latent: np.ndarray) -> np.ndarray:
        fall = SPECTRA[self.spectrum]
        if fall is None:
            side = int(np.ceil(np.sqrt(self.features)))
            grid = np.linspace(-2.5, 2.5, side)
            place = latent + 0.5 * NOISE * rng.normal(size=latent.shape)
            y, x = (np.exp(-0.5 * (grid - part[:, None]) ** 2) for part in place.T)
            image = (y[:, :, None] * x[:, None]).reshape(self.clips, -1)[:, : self.features]
            return image + 0.01 * rng.normal(size=image.shape)
        found = self._numbers(rng, groups, self.features)
        shown = np.arange(latent.shape[1]) * min(2, self.features // latent.shape[1])
        found[:, shown] = latent + NOISE * found[:, shown]
        return found * np.arange(1, self.features + 1.0) ** -fall


def cells() -> Iterator[Cell]:
    """All worlds."""
    for clips, features, spectrum, kind in product(CLIPS, FEATURES, SPECTRA, KINDS):
        yield Cell(clips, features, spectrum, kind)


FEW = (
    Cell(40, 16, "flat"),
    Cell(40, 128, "1/k^2"),
    Cell(100, 128, "1/k", "heavy tails"),
    Cell(100, 16, "flat", "unequal groups"),
    Cell(100, 1024, "pixels"),
    Cell(200, 16, "1/k"),
    Cell(200, 128, "flat"),
    Cell(200, 1024, "1/k^2"),
)
"""Worlds of the usual calibration: each size, spectrum and kind at least once."""
