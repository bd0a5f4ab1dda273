"""Calibration of pixel intervals on photos with known clean versions."""
import zlib
from pathlib import PurePath
from typing import Callable, List, NamedTuple, Sequence, Tuple

import numpy as np
from torch import Tensor

from .intervals import (FEATURES, HIGHEST, LOWEST, MAX_MULTIPLIER, PARTS,
                        SIGNS, Calibration, as_levels, photos_needed,
                        signs_of)

#: One of this many photos fits the scale, the others give the quantiles.
SHARE = 5
#: Pixels sampled per photo for the fit.
SAMPLED = 30_000
#: Multipliers tried per factor of 2.
PER_OCTAVE = 256
MULTIPLIERS = np.exp2(np.arange(
    -10 * PER_OCTAVE, np.log2(MAX_MULTIPLIER) * PER_OCTAVE + 1) / PER_OCTAVE)


class Measured(NamedTuple):
    """A photo: the clean image, the model's result and its input, all
    (H, W, C) uint8 of one size."""
    clean: np.ndarray
    restored: np.ndarray
    degraded: np.ndarray


Measure = Callable[[str], Measured]


def calibrate(names: Sequence[str], measure: Measure, sampler: str,
              features: Sequence[str] = tuple(FEATURES)) -> Calibration:
    """Calibrate intervals by split conformal prediction over photos.

    A fifth of the photos fits the scale of the error. On the others, the
    score of a pixel and channel is |clean - restored| / scale, and L_i(m) is
    the share of scores above m in photo i. The multiplier of a level is the
    smallest m with ``sum_i L_i(m) + max_i L_i(m) <= (n + 1) (1 - level)``
    for the n photos. This is conformal risk control (Angelopoulos et al.,
    ICLR 2024), which adds 1, the worst case of a new photo, in
    place of the largest L_i. If the photos and the new one are exchangeable,
    the expected share of pixels inside is at least the level, less the gap
    between the worst and the second worst of the n + 1 photos divided by
    n + 1 (docs/uncertainty.md has the proof).

    Args:
        names (Sequence[str]): Paths of the photos, different from each other.
            Their order does not matter.
        measure: Restores a photo by its path.
        sampler (str): See :class:`Calibration`.
        features (Sequence[str]): Features of the scale; ``('constant', )``
            gives intervals of constant width.
    """
    # in a random order that depends on nothing but the file names
    names = sorted(names, key=lambda name: (seed_of(name), name))
    fitted, others = names[:len(names) // SHARE], names[len(names) // SHARE:]
    weights = fit_weights([sample(name, measure(name), features)
                           for name in fitted])
    scaled = Calibration(dict(zip(features, weights.tolist())), [0.],
                         len(others), sampler, dict.fromkeys(SIGNS, (0., 0.)))
    misses, signs = zip(*(miss_rates(measure(name), scaled)
                          for name in others))
    ranges = {name: (min(values), max(values)) for name in SIGNS
              for values in [[sign[name] for sign in signs]]}
    return Calibration(scaled.weights, multipliers(np.stack(misses)),
                       len(others), sampler, ranges)


def seed_of(name: str) -> int:
    return zlib.crc32(PurePath(name).name.encode(errors='surrogateescape'))


def split_sizes(photos: int) -> Tuple[int, int]:
    """Return the numbers of photos for the scale and for the quantiles."""
    return photos // SHARE, photos - photos // SHARE


def photos_in_all(level: float) -> int:
    """Return the number of photos that a calibration for a level needs."""
    total = photos_needed(level)
    while split_sizes(total)[1] < photos_needed(level) or total < SHARE:
        total += 1
    return total


def sample(name: str, photo: Measured, features: Sequence[str]
           ) -> Tuple[np.ndarray, np.ndarray]:
    """Return the features (N, F) and errors (N, ) of random pixels."""
    image = as_levels(photo.restored)
    change = (image - as_levels(photo.degraded)).abs_()
    errors = error_of(photo).reshape(-1).numpy()
    chosen = np.random.default_rng(seed_of(name)).integers(
        0, errors.size, SAMPLED)
    return np.stack([FEATURES[feature](image, change).reshape(-1).numpy()[
        chosen] for feature in features], axis=1), errors[chosen]


def error_of(photo: Measured) -> Tensor:
    return (as_levels(photo.clean) - as_levels(photo.restored)).abs_()


def fit_weights(samples: Sequence[Tuple[np.ndarray, np.ndarray]]
                ) -> np.ndarray:
    """Fit the error by features with non-negative weights (least squares).

    Args:
        samples: Features (N, F) and absolute errors (N, ) of each photo.

    Returns:
        ndarray: Weights (F, ) >= 0.
    """
    from scipy.optimize import nnls
    features, errors = (np.concatenate(part).astype(np.float64)
                        for part in zip(*samples))
    # the normal equations, which have only F rows
    square, target = features.T @ features, features.T @ errors
    root = np.linalg.cholesky(
        square + 1e-9 * np.trace(square) * np.eye(len(square)))
    return nnls(root.T, np.linalg.solve(root, target))[0]


def miss_rates(photo: Measured, scaled: Calibration
               ) -> Tuple[np.ndarray, dict]:
    """Return the share of scores above each of :data:`MULTIPLIERS` in a
    photo, and its signs (:func:`signs_of`)."""
    scale = scaled.scale(photo.restored, photo.degraded)
    places = np.searchsorted(
        MULTIPLIERS.astype(np.float32),
        (error_of(photo) / scale).reshape(-1).numpy())
    counts = np.bincount(places, minlength=len(MULTIPLIERS))
    return 1 - np.cumsum(counts) / places.size, signs_of(
        photo.restored, photo.degraded, scale)


def multipliers(misses: np.ndarray) -> List[float]:
    """Return the multipliers of the levels, see :func:`calibrate`.

    Args:
        misses (ndarray): Miss rates (n, M) of the photos.

    Returns:
        list[float]: For the levels 0.5, 0.501, ... as far as n photos allow.
    """
    n = len(misses)
    bound = (misses.sum(axis=0) + misses.max(axis=0)) / (n + 1)
    levels = [LOWEST + i / PARTS
              for i in range(round(PARTS * (HIGHEST - LOWEST)) + 1)]
    allowed = np.array([1 - level for level in levels
                        if photos_needed(level) <= n])
    # the first place where the bound, which falls, is allowed
    return MULTIPLIERS[np.searchsorted(-bound, -allowed - 1e-12)].tolist()
