"""Frames: which of a clip's frames make a token, and the control twins that rearrange them."""

from typing import Literal

import numpy as np

from physprobe.core import seeds

Order = Literal["ordered", "shuffled", "repeated"]


def spans(frames: int, tubelet: int) -> np.ndarray:
    """Frames of each token: tubelets one after the other.

    Parameters
    ----------
    frames : int
        Frames per clip.
    tubelet : int
        Frames per token.

    Returns
    -------
    ndarray
        (time, 2): first frame, and the one after the last.

    Raises
    ------
    ValueError
        If the clip can't be cut into whole tubelets.
    """
    if frames % tubelet:
        raise ValueError(
            f"clips have {frames} frames, which can't be cut into tubelets of {tubelet}."
            f" Hint: {max(frames - frames % tubelet, tubelet)} frames would do."
        )
    starts = np.arange(0, frames, tubelet)
    return np.stack([starts, starts + tubelet], axis=1)


def order(how: Order, frames: int, seed: int, clips: np.ndarray) -> np.ndarray:
    """Frame that stands at each place of each clip.

    ``shuffled`` is one permutation per clip, drawn from the seed and the clip's number;
    ``repeated`` is the middle frame, ``frames // 2``, everywhere.

    Parameters
    ----------
    how : str
        ``ordered``, ``shuffled`` or ``repeated``.
    frames : int
        Frames per clip.
    seed : int
        Seed of the permutations.
    clips : ndarray
        (clip) number of each clip in its system.

    Returns
    -------
    ndarray
        (clip, frame) indices.
    """
    if how == "shuffled":
        draws = (seeds.rng("shuffled frames", seed, int(clip)) for clip in clips)
        return np.stack([draw.permutation(frames) for draw in draws])
    row = np.arange(frames) if how == "ordered" else np.full(frames, frames // 2)
    return np.tile(row, (len(clips), 1))


def windows(times: int, length: int) -> list[np.ndarray]:
    """Windows that end at each time, those of equal length together.

    Parameters
    ----------
    times : int
        Tokens in time.
    length : int
        Tokens per window; those that end earlier start at the first token and are shorter.

    Returns
    -------
    list of ndarray
        (window, time) token indices, one array per length; a window stands for its last time.
    """
    length = min(length, times)
    early = [np.arange(end)[None] for end in range(1, length)]
    return [*early, np.lib.stride_tricks.sliding_window_view(np.arange(times), length)]
