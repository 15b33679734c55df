"""Patches: what each token covers of a film, and tokens at some places."""

import torch


def take(tokens: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Tokens (clip, token, feature) at places (clip, taken)."""
    return tokens.gather(1, places[..., None].expand(-1, -1, tokens.shape[-1]))


def patches(video: torch.Tensor, tubelet: int, patch: int) -> torch.Tensor:
    """Cut frames into what each token covers.

    Parameters
    ----------
    video : Tensor
        (clip, frame, ..., y, x), with or without colours in between.
    tubelet, patch : int
        Frames and pixels per token.

    Returns
    -------
    Tensor
        (clip, token, value); tokens run over time, y, x.
    """
    if video.ndim == 4:
        video = video[:, :, None]
    clips, frames, colours, height, width = video.shape
    cut = video.reshape(
        clips, frames // tubelet, tubelet, colours, height // patch, patch, width // patch, patch
    )
    return cut.permute(0, 1, 4, 6, 2, 3, 5, 7).flatten(4).flatten(1, 3)
