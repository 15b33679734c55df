"""Dense: linear systems and spectra of moment matrices, float64."""

import numpy as np


def solve(gram: np.ndarray, penalty: float, targets: np.ndarray) -> np.ndarray:
    """Weights (feature, column) of ridge from moments; the penalty is absolute."""
    from scipy.linalg.lapack import dposv

    shifted = gram.copy()
    shifted.flat[:: len(gram) + 1] += penalty
    _, weights, failed = dposv(shifted.T, targets, overwrite_a=1)
    sound(failed, penalty)
    return weights


def eigen(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, ascending, and eigenvectors by divide and conquer; overwrites its input."""
    from scipy.linalg import eigh

    return eigh(gram, driver="evd", overwrite_a=True, check_finite=False)


def sound(failed: int, penalty: float) -> None:
    """Raise if LAPACK could not factorize the matrix at a penalty."""
    if failed:
        raise np.linalg.LinAlgError(
            f"ridge: the matrix at penalty {penalty:g} is singular in float64. "
            "Hint: start the penalties at 1e-6 of the mean eigenvalue, or above."
        )
