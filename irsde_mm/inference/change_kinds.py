"""Measurement of the kinds of degradation that a model removed."""
from typing import Any, Dict

import cv2
import numpy as np

#: Standard deviation of Gaussians and side of the median filter, in pixels.
SIGMA, MEDIAN = 8., 31


def changes(degraded: np.ndarray, restored: np.ndarray) -> Dict[str, float]:
    """Measure how much of each kind of degradation was removed.

    There is no classifier: the kinds are parts of the difference ``restored -
    degraded`` of luminance.

    - 'haze': the coarse part (local median), a change of brightness or
      contrast. Dense rain brightens a photo, too.
    - 'blur': the fine part where it amplifies the fine structure of the
      photo.
    - 'rain': the fine part where it weakens this structure, if it is brighter
      than its surroundings or consists of parallel lines.
    - 'noise': the rest of it. JPEG artifacts count as noise.

    Args:
        degraded (ndarray): Photo (H, W, C) uint8.
        restored (ndarray): Result (H, W, C) uint8, of the same size.

    Returns:
        dict[str, float]: Mean absolute change by kind, in gray levels of
        0..255.
    """
    photo = degraded.astype(np.float32).mean(axis=2)
    change = restored.astype(np.float32).mean(axis=2) - photo
    coarse = cv2.medianBlur(
        (change + 128).round().clip(0, 255).astype(np.uint8),
        MEDIAN).astype(np.float32) - 128
    fine = change - coarse
    structure = photo - cv2.GaussianBlur(photo, (0, 0), SIGMA)
    weaker = np.where(fine * structure < 0, fine, 0)
    darker = float(np.maximum(-weaker, 0).mean())
    brighter = float(np.maximum(weaker, 0).mean())
    balanced = 2 * min(darker, brighter)
    # 0.1 for noise, 0.2 for JPEG, 0.4 for blur and 0.8 for rain
    lines = min(max((coherence(weaker) - 0.4) / 0.3, 0), 1)
    return dict(
        haze=float(np.abs(coarse).mean()),
        rain=max(darker - brighter, 0) + lines * balanced,
        noise=(1 - lines) * balanced,
        blur=float(np.abs(fine - weaker).mean()))


def coherence(image: np.ndarray) -> float:
    """Return how parallel the structure of an image is, from 0 to 1: the
    relative difference between the eigenvalues of its structure tensor."""
    dx, dy = (cv2.Sobel(image, cv2.CV_32F, *order) for order in (
        (1, 0), (0, 1)))
    xx, xy, yy = (cv2.GaussianBlur(product, (0, 0), SIGMA)
                  for product in (dx * dx, dx * dy, dy * dy))
    total = float((xx + yy).sum())
    return float(np.hypot(xx - yy, 2 * xy).sum()) / total if total else 0.


def describe_changes(found: Dict[str, float]) -> str:
    """Describe the changes of a photo in a few words, largest first.

    Args:
        found (dict[str, float]): Result of :func:`changes`.
    """
    kinds = sorted(found, key=found.get, reverse=True)
    if found[kinds[0]] < 0.5:
        return 'almost unchanged'
    return 'removed ' + ', '.join(
        f'{kind} ({found[kind]:.1f})' for kind in kinds if found[kind] >= 0.5)


def is_mixture(degradation: Any) -> bool:
    """Return True if a model was trained on a choice of degradations."""
    return any(step.get('type') == 'irsde_mm.RandomDegradation'
               for step in degradation)
