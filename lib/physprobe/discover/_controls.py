"""Controls: what is made of a system's clips so that no law is left; naming one would be false.

shuffled   the frames of every clip in any order
still      the middle frame over and over, with white noise of a hundredth of its energy
noise      white noise, every mode as strong as it is
scrambled  every mode keeps its course and gets the wavevector of another; clips of which a law was
           named that knows no wavevector make none, since they go on obeying it
"""

from dataclasses import replace

import numpy as np

from physprobe.discover._modes import Modes
from physprobe.statistics import seeds

NAMES = ("shuffled", "still", "noise", "scrambled")
NOISE = 0.1


def control(name: str, modes: Modes, seed: int) -> Modes:
    """Modes of the clips' control of a name.

    Raises
    ------
    KeyError
        If there is no such control.
    """
    amplitude, rng = modes.amplitude, seeds.rng("control", name, seed)
    strength = np.sqrt((np.abs(amplitude) ** 2).mean((2, 3), keepdims=True))
    match name:
        case "shuffled":
            made = _dealt(amplitude, 2, rng)
        case "still":
            middle = amplitude.shape[2] // 2
            frame = amplitude[:, :, middle : middle + 1]
            size = NOISE * np.sqrt((np.abs(frame) ** 2).mean((1, 2, 3), keepdims=True))
            made = frame + size * _white(modes, rng)
        case "noise":
            made = strength * _white(modes, rng)
        case "scrambled":
            made = _dealt(amplitude, 1, rng)
        case _:
            raise KeyError(name)
    return replace(modes, amplitude=made)


def _dealt(amplitude: np.ndarray, axis: int, rng: np.random.Generator) -> np.ndarray:
    """Amplitudes in another order along an axis, each clip's its own."""
    return np.stack(
        [np.take(clip, rng.permutation(clip.shape[axis - 1]), axis - 1) for clip in amplitude]
    )


def _white(modes: Modes, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.standard_normal(modes.amplitude.shape)
    if modes.periodic:
        drawn = (drawn + 1j * rng.standard_normal(drawn.shape)) / np.sqrt(2)
    return drawn
