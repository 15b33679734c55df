"""Pixels against embedding: how much of one is a linear function of the other, held out."""

from collections.abc import Mapping

import numpy as np

from physprobe.statistics import linear_map, scores
from physprobe.statistics.paired import Scored
from physprobe.statistics.splits import Fold

STILL = "what is predicted is constant"


def cross(
    pixels: Mapping[str, np.ndarray],
    encoders: Mapping[str, np.ndarray],
    folds: tuple[Fold, ...],
    groups: np.ndarray,
    draws: int,
) -> tuple[list[dict], dict[tuple[str, str, str], Scored]]:
    """Linear maps both ways between every pixel control and every encoder.

    Parameters
    ----------
    pixels, encoders : mapping of str to (clip, time, feature)
        Aligned in time.
    folds : tuple of Fold
    groups : (clip,)
        Clips that are drawn together.
    draws : int
        Bootstrap draws.

    Returns
    -------
    rows : list of dict
        Total-variance R2 and cosine; ``encoder``, ``pixels`` (the control) and ``metric``
        ``pixel_to_embed_r2`` or ``embed_to_pixel_r2`` (and ``..._cos``).
    maps : dict
        R2 per (encoder, pixel control, direction), from sums (clip, 2) of SSE and SST.
    """
    rows, maps = [], {}
    for encoder, embedding in encoders.items():
        for name, image in pixels.items():
            for direction, (source, goal) in {
                "pixel_to_embed": (image, embedding),
                "embed_to_pixel": (embedding, image),
            }.items():
                held = linear_map.fit(source, goal, folds)
                both = np.stack([held.sse, held.sst], axis=-1)
                found = Scored(both, scores.skill_of, groups[held.clip])
                maps[encoder, name, direction] = found
                score = found.interval(draws).columns(STILL)
                about = {
                    "encoder": encoder,
                    "layer": "final",
                    "pixels": name,
                    "n_clips": len(held.clip),
                }
                penalties = sorted(choice["lambda"] for choice in held.choices)
                rows += [
                    {
                        **about,
                        "metric": f"{direction}_r2",
                        **score,
                        "lambda": penalties[(len(penalties) - 1) // 2],
                        "edge_hit": any(choice["edge_hit"] for choice in held.choices),
                    },
                    {
                        **about,
                        "metric": f"{direction}_cos",
                        "value": held.cosine.mean(),
                        "note": "uncentred, for comparison with published numbers only",
                    },
                ]
    return rows, maps
