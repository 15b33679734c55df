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
        found = []
        for clip, number in zip(video, clips, strict=True):
            draw, rho, sigma = (self._labels[name][number] for name in noisy_tv.CONDITIONS)
            equation = noisy_tv.equation(self._system, int(draw), float(rho), float(sigma))
            found.append(filtered(equation, np.asarray(clip, float))[:, : self.features])
        return Embedding(np.stack(found)[:, None].astype("float32"))


def filtered(equation: noisy_tv.Equation, frames: np.ndarray) -> np.ndarray:
    """Means (time, state) of the states, given each frame (time, channel) and those before it."""
    turn, drive, sensors, noise, start = equation
    mean, variance, found = np.zeros(len(turn)), np.diag(start), []
    for number, frame in enumerate(frames):
        if number:
            mean, variance = turn @ mean, turn @ variance @ turn.T + np.diag(drive)
        # gain by the information form: twenty sensors, eight states
        precision = np.linalg.inv(variance) + sensors.T @ sensors / noise
        variance = np.linalg.inv(precision)
        mean = mean + variance @ (sensors.T @ (frame - sensors @ mean)) / noise
        found.append(mean)
    return np.stack(found)
