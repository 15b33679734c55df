"""Frames: which of a clip's frames make a token, and the control twins that rearrange them."""

from typing import Literal

import numpy as np

from physprobe.statistics import seeds

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
    starts = cut(frames, tubelet, "tubelets")[:, 0]
    return np.stack([starts, starts + tubelet], axis=1)


def cut(frames: int, length: int, into: str) -> np.ndarray:
    """Frames of each piece of a clip: pieces of one length, one after the other.

    Parameters
    ----------
    frames : int
        Frames per clip.
    length : int
        Frames per piece.
    into : str
        What the pieces are, for the message.

    Returns
    -------
    ndarray
        (piece, frame) indices.

    Raises
    ------
    ValueError
        If the clip can't be cut into whole pieces.
    """
    if frames % length:
        raise ValueError(
            f"clips have {frames} frames, which can't be cut into {into} of {length}."
            f" Hint: {max(frames - frames % length, length)} frames would do."
        )
    return np.arange(frames).reshape(-1, length)


def pieces(frames: int, longest: int) -> list[np.ndarray]:
    """Frames of a clip's pieces of a length, and of the shorter rest if there is one.

    Returns
    -------
    list of ndarray
        (piece, frame) indices, one array per length.
    """
    whole = frames - frames % longest
    found = [np.arange(whole).reshape(-1, longest), np.arange(whole, frames)[None]]
    return [part for part in found if part.size]


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


def windows(frames: int, tubelet: int, length: int, *, filled: bool = False) -> list[np.ndarray]:
    """Windows that end with each tubelet, those of equal length together.

    Parameters
    ----------
    frames : int
        Frames per clip.
    tubelet : int
        Frames per token.
    length : int
        Frames per window, a multiple of the tubelet.
    filled : bool
        What becomes of windows for which there are too few frames: False: they are shorter;
        True: the first frame is repeated in front.

    Returns
    -------
    list of ndarray
        (window, frame) indices, one array per length; a window stands for its last tubelet.
    """
    if filled:
        ends = np.arange(tubelet, frames + 1, tubelet)
        return [np.maximum(ends[:, None] + np.arange(-length, 0), 0)]
    length = min(length, frames)
    early = [np.arange(end)[None] for end in range(tubelet, length, tubelet)]
    return [*early, np.lib.stride_tricks.sliding_window_view(np.arange(frames), length)[::tubelet]]
