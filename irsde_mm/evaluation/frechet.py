"""Frechet distance of two sets of features, used by FID."""
import numpy as np


def frechet_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the Frechet distance of Gaussians fitted to two sets of features,

        |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)).

    With C = R^T R, the trace of the square root is the sum of the singular
    values of R1 R2^T. This avoids the square root of a matrix that may have
    none or many, as with fewer images than features, and its rounding errors.

    Args:
        first (np.ndarray): Features (N, D) with N >= 2.
        second (np.ndarray): Features (M, D) with M >= 2.

    Returns:
        float: The (squared) distance; nan if a feature is not finite.
    """
    means, roots = [], []
    for features in (first, second):
        features = features.astype(np.float64)
        if not np.isfinite(features).all():
            return float('nan')
        means.append(features.mean(0))
        centred = (features - means[-1]) / np.sqrt(len(features) - 1)
        roots.append(np.linalg.qr(centred, mode='r'))
    shift = np.sum((means[0] - means[1])**2)
    spread = sum(np.sum(root**2) for root in roots)
    cross = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    return max(float(shift + spread - 2 * cross), 0.)  # rounding error
