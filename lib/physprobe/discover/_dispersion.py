"""Dispersion: rates s(k) = log z(k) of every mode by itself, and how they go with the wavevector.

    decay = -Re s ~ |k|^p       frequency = |Im s|, or |s s'| ^ 1/2 of a pair, ~ |k|^p

Parameters differ from clip to clip, exponents don't: they are fitted to each clip, and their median
is the system's, with a bootstrap over clips. Scaled by each clip's own fit at a middling wavenumber
the rates of all clips fall on one curve, if there is one. If a pattern is carried along, frequency
goes with k . v and not with |k|: the exponent is then that of |k . v|, and ``directed`` tells how
much of the frequency this accounts for.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from physprobe.discover import _poles
from physprobe.discover._laws import Law
from physprobe.discover._modes import Modes
from physprobe.statistics import bootstrap, seeds

# A clip that fades by less than this, or turns by less of a radian, has no exponent.
LEAST = 0.05
DIRECTED = 0.9
# Modes with less than this part of the strongest one's energy say nothing about a clip.
FAINT = 1e-6
BINS = 10
SHOWN = 40  # draws that are kept
QUANTITIES = ("decay", "frequency")


@dataclass(frozen=True)
class Dispersion:
    """Rates of the modes of every clip, per frame."""

    wavevector: np.ndarray
    """(mode, 2) [1/cell]"""
    rates: np.ndarray
    """(clip, mode, order) complex [1/frame]"""
    weight: np.ndarray
    """(clip, mode) energy of the exponentials, of 1 per clip."""
    frames: int

    @property
    def decay(self) -> np.ndarray:
        """Decay (clip, mode), positive where modes fade."""
        return -self.rates.real.mean(-1)

    @property
    def frequency(self) -> np.ndarray:
        """Frequency (clip, mode); of a pair what it would be without damping."""
        if self.rates.shape[-1] == 1:
            return np.abs(self.rates[..., 0].imag)
        return np.sqrt(np.abs(self.rates.prod(-1)))

    def velocity(self) -> tuple[np.ndarray, np.ndarray]:
        """Velocity (clip, 2) [cell/frame] and how much of the frequency (clip) it accounts for."""
        omega, k = -self.rates.imag.sum(-1), self.wavevector
        gram = np.einsum("cm,mi,mj->cij", self.weight, k, k)
        side = np.einsum("cm,cm,mi->ci", self.weight, omega, k)
        small = 1e-12 * np.trace(gram, axis1=-2, axis2=-1)[:, None, None] + 1e-300
        v = np.linalg.solve(gram + small * np.eye(2), side[..., None])[..., 0]
        whole = (self.weight * omega**2).sum(1)
        left = (self.weight * (omega - v @ k.T) ** 2).sum(1)
        return v, np.where(whole > 0, 1 - left / np.where(whole > 0, whole, 1), 0.0)


@dataclass(frozen=True)
class Scaling:
    """How one quantity goes with the wavenumber."""

    exponent: np.ndarray
    """(clip); nan where the quantity is too small."""
    anisotropy: np.ndarray
    """(clip) relative amplitude of its second harmonic in the direction of k."""
    along: np.ndarray
    """(clip, mode) |k|, or |k . v| / |v|, [1/cell]."""
    scaled: np.ndarray
    """(clip, mode) the quantity over the clip's own fit at the middling wavenumber."""
    middle: float
    """That wavenumber [1/cell]."""


def disperse(modes: Modes, order: int) -> Dispersion:
    """Rates of every mode of every clip."""
    poles, signal = _poles.poles(_poles.windows(modes.amplitude), order)
    rates = np.log(np.where(np.abs(poles) > 1e-12, poles, 1e-12))
    signal = np.where(signal > FAINT * signal.max(1, keepdims=True), signal, 0.0)
    whole = signal.sum(1, keepdims=True)
    weight = np.where(whole > 0, signal / np.where(whole > 0, whole, 1), 0.0)
    return Dispersion(modes.wavevector, rates, weight, modes.amplitude.shape[2])


def of_law(law: Law, theta: np.ndarray, found: Dispersion) -> Dispersion:
    """Rates that a law with known parameters (clip, parameter) gives the same modes."""
    symbol = law.symbol(theta[:, None, :], found.wavevector)
    if law.order == 1:
        rates = np.broadcast_to(symbol[0], found.weight.shape).astype(complex)[..., None]
    else:
        stiffness, damping = np.broadcast_arrays(*symbol)
        root = np.sqrt((damping**2 / 4 - stiffness).astype(complex))
        rates = np.stack([-damping / 2 + root, -damping / 2 - root], axis=-1)
    return Dispersion(found.wavevector, rates, found.weight, found.frames)


def clouds(
    found: Dispersion, true: Dispersion | None, quantity: str, draws: int, seed: int
) -> dict[str, list | None]:
    """Median of clips of a quantity in bins of the wavenumber, with clips drawn anew.

    Returns
    -------
    dict
        ``wavenumber`` [1/cell], ``value``, ``ci_low``, ``ci_high``, ``true`` (None where there is
        no truth) by bin, ``draws`` (draw, bin), in 1/frame.
    """
    k = np.hypot(*found.wavevector.T)
    edges = np.unique(np.quantile(k, np.linspace(0, 1, BINS + 1)))
    place = np.clip(np.searchsorted(edges, k * (1 + 1e-9), side="right") - 1, 0, len(edges) - 2)
    member = (place[:, None] == np.arange(len(edges) - 1)).astype(float)
    total = found.weight @ member

    def binned(value: np.ndarray) -> np.ndarray:
        summed = (found.weight * value) @ member
        return np.where(total > 0, summed / np.where(total > 0, total, 1), np.nan)

    own = binned(getattr(found, quantity))
    kept = np.isfinite(own).any(0)
    own = own[:, kept]
    rng = seeds.rng("dispersion", "clouds", quantity, seed)
    again = rng.integers(len(own), size=(draws, len(own)))
    drawn = np.stack([_median(own[clips]) for clips in again])
    low, high = np.nanquantile(drawn, (0.025, 0.975), axis=0)
    return {
        "wavenumber": list((found.weight.sum(0) * k @ member)[kept] / total.sum(0)[kept]),
        "value": list(_median(own)),
        "ci_low": list(low),
        "ci_high": list(high),
        "true": list(_median(binned(getattr(true, quantity))[:, kept])) if true else None,
        "draws": [list(row) for row in drawn[:SHOWN]],
    }


def _median(values: np.ndarray) -> np.ndarray:
    """Median of clips; nan where none has a value."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmedian(values, axis=0)


def shared(modes: Modes, order: int, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rates (mode, order) common to all clips, and (draw, mode, order) with clips drawn anew.

    Right for clips that share their parameters; clips count alike, whatever their energy.
    """
    products = _poles.windows(modes.amplitude)
    clips = len(products)
    energy = np.einsum("cmll->c", products).real
    products = products / np.where(energy > 0, energy, 1)[:, None, None, None]
    rng = seeds.rng("dispersion", seed)
    counts = rng.multinomial(clips, np.full(clips, 1 / clips), draws).astype(float)
    drawn = np.tensordot(counts, products, (1, 0))
    found, cloud = _poles.poles(products.sum(0), order)[0], _poles.poles(drawn, order)[0]
    return _logarithm(found), _logarithm(cloud)


def _logarithm(values: np.ndarray) -> np.ndarray:
    """Logarithm, from 1e-12 on."""
    return np.log(np.where(np.abs(values) > 1e-12, values, 1e-12))


def scale(found: Dispersion, quantity: str) -> Scaling:
    """Fit a power law of the wavenumber to a quantity of every clip."""
    value = getattr(found, quantity)
    k = found.wavevector
    along = np.broadcast_to(np.hypot(*k.T), value.shape)
    weight = found.weight
    if quantity == "frequency" and found.rates.shape[-1] == 1:
        v, directed = found.velocity()
        speed = np.maximum(np.hypot(*v.T), 1e-300)[:, None]
        carried = (directed > DIRECTED)[:, None]
        along = np.where(carried, np.abs(v @ k.T) / speed, along)
        weight = weight * np.where(carried, along**2, 1)
    some = (weight * value).sum(1) / np.maximum(weight.sum(1), 1e-300) * found.frames > LEAST
    usable = (value > 0) & (along > 1e-9) & (weight > 0)
    x = np.log(np.where(usable, along, 1.0))
    y = np.log(np.where(usable, value, 1.0))
    w = np.where(usable, weight, 0.0)
    w = w / np.maximum(w.sum(1, keepdims=True), 1e-300)
    middle = float((w * x).sum(1).mean())
    mean_x, mean_y = (w * x).sum(1, keepdims=True), (w * y).sum(1, keepdims=True)
    spread = (w * (x - mean_x) ** 2).sum(1)
    some &= (spread > 1e-9) & (usable.sum(1) > 2)
    slope = (w * (x - mean_x) * (y - mean_y)).sum(1) / np.where(spread > 0, spread, 1)
    at_middle = mean_y[:, 0] + slope * (middle - mean_x[:, 0])
    ratio = np.where(usable, np.exp(y - mean_y - slope[:, None] * (x - mean_x)), 0.0)
    angle = np.arctan2(k[:, 0], k[:, 1])
    harmonics = np.stack([np.ones_like(angle), np.cos(2 * angle), np.sin(2 * angle)], axis=-1)
    gram = np.einsum("cm,mi,mj->cij", w, harmonics, harmonics) + 1e-9 * np.eye(3)
    fitted = np.linalg.solve(gram, np.einsum("cm,cm,mi->ci", w, ratio, harmonics)[..., None])
    fitted = fitted[..., 0]
    uneven = np.hypot(fitted[:, 1], fitted[:, 2]) / np.maximum(np.abs(fitted[:, 0]), 1e-300)
    scaled = np.where(usable & some[:, None], value / np.exp(at_middle)[:, None], np.nan)
    return Scaling(
        np.where(some, slope, np.nan),
        np.where(some, uneven, np.nan),
        along,
        scaled,
        float(np.exp(middle)),
    )


def curve(found: Scaling, weight: np.ndarray, draws: int, seed: int) -> dict[str, list[float]]:
    """Scaled rates of all clips in bins of the wavenumber, with a bootstrap over clips.

    Returns
    -------
    dict
        ``wavenumber`` [1/cell], ``value`` (1 at the middling wavenumber), ``ci_low``, ``ci_high``.
    """
    sound = np.isfinite(found.scaled) & (weight > 0)
    if not sound.any():
        return {name: [] for name in ("wavenumber", "value", "ci_low", "ci_high")}
    edges = np.quantile(found.along[sound], np.linspace(0, 1, BINS + 1))
    place = np.clip(np.searchsorted(edges, found.along, side="right") - 1, 0, BINS - 1)
    where = (place[..., None] == np.arange(BINS)) & sound[..., None]
    heavy = np.where(where, weight[..., None], 0.0)
    sums = [np.einsum("cmb,cm->cb", heavy, np.where(sound, value, 0.0))
            for value in (found.along, found.scaled)]  # fmt: skip
    total = heavy.sum(1)
    own = np.where(total > 0, sums[1] / np.where(total > 0, total, 1), np.nan)
    bins = np.flatnonzero(np.isfinite(own).any(0))
    rows = [bootstrap.median(own[:, b], draws, seed) for b in bins]
    return {
        "wavenumber": list(sums[0].sum(0)[bins] / total.sum(0)[bins]),
        "value": [row[0] for row in rows],
        "ci_low": [row[1] for row in rows],
        "ci_high": [row[2] for row in rows],
    }
