"""Modes: a field on a grid as amplitudes of plane waves, or of cosines between walls.

A linear law with constant coefficients leaves every mode to itself and acts on all features alike:
what it does to a mode depends on the wavevector k alone. So a law is a function of k, and whatever
linear map has made features out of the field, their modes obey it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

# Modes with less than this part of the strongest one's energy are rounding.
WEAKEST = 1e-10
FEWEST, SMALLEST = 8, 4  # frames, and modes; cells of a side
# Errors below this part of a clip's energy are rounding.
EXACT = 1e-13


@dataclass(frozen=True)
class Modes:
    """Amplitudes of the modes of some clips."""

    amplitude: np.ndarray
    """(clip, mode, time, feature) complex128, or float64 between walls."""
    wavevector: np.ndarray
    """(mode, 2) k_y and k_x [1/cell]."""
    periodic: bool
    error: np.ndarray | None = None
    """(mode) squared amplitude that reading the field errs by in a frame, at most; none if it is
    known exactly."""

    @property
    def wavenumber(self) -> np.ndarray:
        """|k| (mode) [1/cell]."""
        return np.hypot(*self.wavevector.T)

    @property
    def ranking(self) -> np.ndarray:
        """Modes (mode) by their part of each clip's energy, strongest first."""
        return np.argsort(-_share(self.amplitude), kind="stable")

    def some(self, which: np.ndarray) -> "Modes":
        """Some of the modes."""
        error = None if self.error is None else self.error[which]
        return Modes(self.amplitude[:, which], self.wavevector[which], self.periodic, error)

    def clips(self, which: slice | np.ndarray) -> "Modes":
        """Modes of some of the clips."""
        return replace(self, amplitude=self.amplitude[which])

    def floor(self, frames: int) -> np.ndarray:
        """Squared errors (clip, mode) of some frames that are rounding, or reading's: all alike."""
        energy = (np.abs(self.amplitude) ** 2).sum((2, 3)).mean(1, keepdims=True)
        read = np.zeros(len(self.wavevector)) if self.error is None else frames * self.error
        return np.maximum(np.maximum(EXACT * energy, 1e-300), read)


def analyse(
    field: Sequence[np.ndarray] | np.ndarray,
    *,
    periodic: bool = True,
    band: int = 8,
    most: int = 48,
    components: int = 8,
    centre: bool = False,
    error: np.ndarray | None = None,
) -> Modes:
    """Amplitudes of the strongest long-waved modes of clips.

    Parameters
    ----------
    field : (clip, time, y, x, feature), or a sequence of clips
        On a periodic grid, or one with insulated walls half a cell beyond it. Clips are read one
        after the other, twice if features have to be reduced.
    periodic : bool
    band : int
        Most periods per side; less than half the cells.
    most : int
        Modes that are kept: those with the largest part of the clips' energy.
    components : int
        Principal components of the features that are kept.
    centre : bool
        Take off the mean over clips, for each time, mode and feature: what an embedding adds to
        every clip alike, and a field doesn't have.
    error : (period,), optional
        Squared amplitude of a wave of 0, 1, 2, ... periods per side that reading errs by, at most.

    Raises
    ------
    ValueError
        If a value is not finite, or the grid is too small to have modes.
    """
    shape = np.shape(field[0])
    if len(shape) != 4 or shape[0] < FEWEST or min(shape[1:3]) < SMALLEST:
        raise ValueError(
            f"field: found clips of shape {shape}; expected (time, y, x, feature) with"
            f" {FEWEST} frames or more of {SMALLEST} x {SMALLEST} cells or more."
        )
    number, wavevector = _numbers(shape[1], shape[2], band, periodic)
    transform = _plane_waves if periodic else _cosines

    def amplitudes() -> Iterator[np.ndarray]:
        for place, clip in enumerate(field):
            if not np.isfinite(clip).all():
                raise ValueError(f"field: clip {place} is not finite.")
            yield transform(np.asarray(clip, float), number)

    axes = np.eye(shape[3])
    if shape[3] > components:
        axes = _axes(amplitudes(), components, centre)
    amplitude = np.stack([clip @ axes for clip in amplitudes()])
    if centre:
        amplitude -= amplitude.mean(0)
    energy = _share(amplitude)
    kept = np.sort(np.argsort(-energy, kind="stable")[:most])
    strong = kept[energy[kept] > WEAKEST * energy.max()]
    kept = strong if len(strong) >= FEWEST else kept[: min(FEWEST, len(kept))]
    if error is not None:
        periods = np.hypot(*number[kept].T) / (1 if periodic else 2)
        error = np.interp(periods, np.arange(len(error)), error)
    return Modes(np.ascontiguousarray(amplitude[:, kept]), wavevector[kept], periodic, error)


def _share(amplitude: np.ndarray) -> np.ndarray:
    """Part of the energy (mode) that modes have, mean of clips."""
    energy = (np.abs(amplitude) ** 2).sum((2, 3))
    whole = energy.sum(1, keepdims=True)
    return (energy / np.where(whole > 0, whole, 1)).mean(0)


def _axes(amplitudes: Iterator[np.ndarray], count: int, centre: bool) -> np.ndarray:
    """Leading principal components (feature, component) of the features."""
    products, total, clips = np.zeros(()), np.zeros(()), 0
    for clip in amplitudes:
        flat = clip.reshape(-1, clip.shape[-1])
        products, total, clips = products + (flat.conj().T @ flat).real, total + flat, clips + 1
    if centre:
        products = products - (total.conj().T @ total).real / clips
    return np.linalg.eigh(products)[1][:, ::-1][:, :count]


def _numbers(rows: int, columns: int, band: int, periodic: bool) -> tuple[np.ndarray, np.ndarray]:
    """Periods (mode, 2), or half periods between walls, and wavevectors; one of k and -k."""
    sides, reach = (2, band) if periodic else (1, 2 * band)
    y, x = np.meshgrid(
        np.arange(-band if periodic else 0, reach + 1), np.arange(reach + 1), indexing="ij"
    )
    fits = (abs(y) < rows / sides) & (x < columns / sides) & (np.hypot(y, x) <= reach)
    chosen = fits & ((x > 0) | (y > 0))
    number = np.stack([y[chosen], x[chosen]], axis=-1)
    return number, np.pi * sides * number / np.array([rows, columns])


def _plane_waves(clip: np.ndarray, number: np.ndarray) -> np.ndarray:
    """(mode, time, feature) of one clip (time, y, x, feature)."""
    from scipy import fft

    found = fft.rfft2(clip, axes=(1, 2), norm="forward")
    return found[:, number[:, 0], number[:, 1]].swapaxes(0, 1)


def _cosines(clip: np.ndarray, number: np.ndarray) -> np.ndarray:
    from scipy import fft

    found = fft.dctn(clip, axes=(1, 2), norm="ortho") / np.sqrt(np.prod(clip.shape[1:3]))
    return found[:, number[:, 0], number[:, 1]].swapaxes(0, 1)
