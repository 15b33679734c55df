"""Kalman filter: the signal as an observer knows it who is given the equation of the noisy TV.

    m = F z,    P' = F P F^T + Q,    K = P' H^T (H P' H^T + R)^-1,    z' = m + K (x - H m)

with z signal and distractor, F their matrix, H = (C, sigma D). Each clip begins at the mean, with
the variance that the first frame of the system's paths has. The oracle: no encoder of the frames so
far can tell more of the signal.

References
----------
Kalman, "A new approach to linear filtering and prediction problems", J. Basic Engineering 82 (1960)
35.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from physprobe.embed import _frames
from physprobe.embed._encoder import Embedding, Encoder, provenance
from physprobe.embed.section import EncoderSpec
from physprobe.simulate import noisy_tv

if TYPE_CHECKING:
    from xarray import Dataset

    from physprobe.store.zarrs import Lazy

SEES = ("signal",)


class Spec(EncoderSpec):
    """The filter of a noisy TV, whose matrices it knows."""

    SEES_SIMULATION: ClassVar[bool] = True
    READS: ClassVar[tuple[str, str]] = ("sensors", "the equation of sensors")

    kind: Literal["kalman"] = "kalman"
    """Family."""


def tubelet(spec: Spec) -> int:
    """Frames per token."""
    return 1


def load(spec: Spec, *, frames: int, channels: int, threads: int, simulation: "Dataset") -> Encoder:
    """Give the filter, ready for clips of these sizes.

    Raises
    ------
    ValueError
        If the system is another than a noisy TV.
    """
    return Kalman(frames, simulation)


class Kalman(Encoder):
    """See :class:`physprobe.embed._encoder.Encoder`."""

    layers = ("latent",)
    dtype = "float32"
    grid = (1, 1)
    features = noisy_tv.WIDTH

    def __init__(self, frames: int, simulation: "Dataset"):
        entry = dict(simulation.attrs["spec"])
        if entry["kind"] != "noisy_tv":
            raise ValueError(
                f"kalman: knows the noisy TV, not {entry['kind']}. Hint: leave this control out."
            )
        self._system = noisy_tv.Spec.strict(entry)
        self._labels = {
            name: np.array(simulation[name].values.tolist()) for name in noisy_tv.CONDITIONS
        }
        self.spans = _frames.spans(frames, 1)
        # clips of one condition are neighbours: each one's gains are worked out once
        self._known = lru_cache(2)(self._learned)
        self.provenance = provenance("Kalman filter that knows the equation")

    def encode(self, video: "np.ndarray | Lazy", clips: np.ndarray) -> Embedding:
        """Filtered signal of every frame.

        Parameters
        ----------
        video : ndarray or Lazy
            (clip, frame, channel) float.
        clips : ndarray
            (clip) number of each clip in its system.
        """
        frames = np.stack([np.asarray(clip, float) for clip in video])
        told = np.stack([self._labels[name][clips] for name in noisy_tv.CONDITIONS], 1)
        found = np.empty((*frames.shape[:2], self.features), np.float32)
        for condition in np.unique(told, axis=0):
            own = (told == condition).all(1)
            equation, gain = self._known(*condition.tolist())
            found[own] = filtered(equation, frames[own], gain)[..., : self.features]
        return Embedding(found[:, None])

    def _learned(
        self, draw: float, rho: float, sigma: float
    ) -> tuple[noisy_tv.Equation, np.ndarray]:
        """Equation of a condition, and its gains."""
        equation = noisy_tv.equation(self._system, int(draw), rho, sigma)
        return equation, gains(equation, len(self.spans))


def gains(equation: noisy_tv.Equation, count: int) -> np.ndarray:
    """Gain (time, state, channel) K of each of so many frames, whatever they show."""
    turn, drive, sensors, noise, start = equation
    variance, found = np.diag(start), []
    for number in range(count):
        if number:
            variance = turn @ variance @ turn.T + np.diag(drive)
        # by the information form: twenty sensors, eight states
        variance = np.linalg.inv(np.linalg.inv(variance) + sensors.T @ sensors / noise)
        found.append(variance @ sensors.T / noise)
    return np.stack(found)


def filtered(
    equation: noisy_tv.Equation, frames: np.ndarray, gain: np.ndarray | None = None
) -> np.ndarray:
    """Means (..., time, state) of the states, given each frame and those before it.

    Parameters
    ----------
    equation : Equation
    frames : (..., time, channel)
    gain : (time, state, channel), optional
        Of :func:`gains`, where they are known already.
    """
    gain = gains(equation, frames.shape[-2]) if gain is None else gain
    found = np.empty((*frames.shape[:-1], len(equation.turn)))
    mean = np.zeros(found.shape[:-2] + found.shape[-1:])
    for number, own in enumerate(gain):
        if number:
            mean = mean @ equation.turn.T
        mean = mean + (frames[..., number, :] - mean @ equation.sensors.T) @ own.T
        found[..., number, :] = mean
    return found
