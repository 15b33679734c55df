"""Health: how far embeddings are spread, and along how many directions."""

import numpy as np


def health(rows: np.ndarray) -> tuple[float, float]:
    """Mean deviation of features (row, feature), and effective rank.

    exp(-sum p log p),    p the singular values of centred features over their sum
    """
    centred = rows - rows.mean(0)
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(centred.T @ centred), 0.0))
    if not values.sum() > 0:
        return 0.0, 0.0
    share = values / values.sum()
    share = share[share > 0]
    return float(centred.std(0).mean()), float(np.exp(-(share * np.log(share)).sum()))
