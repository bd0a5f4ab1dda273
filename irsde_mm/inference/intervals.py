"""Pixel intervals with a promised coverage."""
import math
from dataclasses import asdict, dataclass
from typing import Any, Dict, Iterator, List, Optional, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import ConfigError
from ..samplers.base import Sampler

#: Range of levels; multipliers are stored for every thousandth.
LOWEST, HIGHEST, PARTS = 0.5, 0.99, 1000
#: Smallest scale in gray levels, so that no score is infinite.
FLOOR = 0.25
#: Largest multiplier: an interval of this width contains every value.
MAX_MULTIPLIER = 1024.
#: Signs that a photo is unlike those measured, with their text in a warning.
SIGNS = dict(change='the mean change by the model',
             scale='the mean error predicted')


def box_mean(image: Tensor, side: int) -> Tensor:
    """Return the mean over side x side windows of (C, H, W); a window that
    crosses the border is cut off."""
    for size in ((side, 1), (1, side)):
        pad = (size[0] // 2, size[1] // 2)
        image = F.avg_pool2d(image[None], size, 1, pad,
                             count_include_pad=False)[0]
    return image


def box_std(image: Tensor, side: int) -> Tensor:
    """Return the standard deviation over windows, see :func:`box_mean`."""
    image = image - 128  # keeps the squares small
    return (box_mean(image**2, side) - box_mean(image, side)**2
            ).clamp_(min=0).sqrt_()


#: Features of the scale: functions of the restored image and the absolute
#: change, both (C, H, W) in gray levels.
FEATURES = dict(
    constant=lambda restored, change: torch.ones_like(restored),
    change=lambda restored, change: change,
    change_7=lambda restored, change: box_mean(change, 7),
    change_15=lambda restored, change: box_mean(change, 15),
    deviation_3=lambda restored, change: box_std(restored, 3),
    deviation_7=lambda restored, change: box_std(restored, 7),
    deviation_15=lambda restored, change: box_std(restored, 15))


def as_levels(image: np.ndarray) -> Tensor:
    """Convert (H, W, C) uint8 to (C, H, W) float32 in gray levels."""
    return torch.from_numpy(np.ascontiguousarray(
        image.transpose(2, 0, 1))).float()


def sampler_text(sampler: Sampler, copies: int = 1) -> str:
    """Return the class of a sampler and its settings, and the copies of a
    self-ensemble."""
    # what the base class has, too, follows from the settings
    values = {key.lstrip('_'): getattr(value, '__name__', value)
              for key, value in sorted(vars(sampler).items())
              if not hasattr(Sampler, key)}
    return f'{type(sampler).__name__}(' + ', '.join(
        f'{key}={tuple(value) if isinstance(value, list) else value}'
        for key, value in values.items()) + ')' + (
            f' with self_ensemble={copies}' if copies > 1 else '')


@dataclass(frozen=True)
class Calibration:
    """Measured errors of a model, which give intervals of its results.

    The interval of a pixel and channel is ``restored +- multiplier * scale``
    within 0..255. The scale is a weighted sum of :data:`FEATURES`; the
    multiplier depends on the level only. See :func:`calibrate` for what the
    level promises.

    Args:
        weights (dict[str, float]): Weight of each feature, at least 0.
        multipliers (list[float]): Multipliers of the levels 0.5, 0.501, ...,
            in ascending order.
        photos (int): Number of photos of the quantiles.
        sampler (str): Sampler of the measured results, :func:`sampler_text`.
        seen (dict): Smallest and largest value over these photos of each of
            :data:`SIGNS`, in gray levels.

    Raises:
        ValueError: If a value is out of range.
    """
    weights: Dict[str, float]
    multipliers: List[float]
    photos: int
    sampler: str
    seen: Dict[str, Tuple[float, float]]

    def __post_init__(self) -> None:
        if set(self.weights) - set(FEATURES):
            raise ValueError('unknown features in the calibration: it was '
                             'made by a newer irsde_mm.')
        steps = self.multipliers
        ranges = [value for name in SIGNS for value in self.seen[name]]
        numbers = [*self.weights.values(), *steps, *ranges, self.photos]
        if (not steps or len(steps) > PARTS * (HIGHEST - LOWEST) + 1.5
                or any(type(value) not in (int, float)
                       or not 0 <= value < math.inf for value in numbers)
                or steps != sorted(steps) or steps[-1] > MAX_MULTIPLIER
                or len(ranges) != 2 * len(SIGNS)
                or not isinstance(self.sampler, str)):
            raise ValueError('the calibration contains invalid values.')

    def settings(self) -> Dict[str, Any]:
        """Return the arguments as plain data for a file."""
        return asdict(self)

    @property
    def highest(self) -> float:
        """Highest level that the number of photos allows."""
        return LOWEST + (len(self.multipliers) - 1) / PARTS

    def multiplier(self, level: float) -> float:
        """Return the multiplier of a level, rounded up to a thousandth.

        Raises:
            ConfigError: If the level is out of range.
        """
        check_level(level)
        place = math.ceil(round(PARTS * (level - LOWEST), 6))
        if place >= len(self.multipliers):
            raise ConfigError(
                f'interval={level:g}: the {self.photos} photos of the '
                f'calibration allow levels up to {self.highest:g}, but this '
                f'one needs {photos_needed(level)}; choose a lower level, or '
                'calibrate with more photos (tools/calibrate.py).')
        return self.multipliers[place]

    def scale(self, restored: np.ndarray, degraded: np.ndarray) -> Tensor:
        """Return the scale of each pixel in gray levels.

        Args:
            restored (ndarray): The result, (H, W, C) uint8.
            degraded (ndarray): The input at the size of the result.

        Returns:
            Tensor: (C, H, W) float32, at least :data:`FLOOR`.
        """
        scale: Any = 0.
        for weight, feature in self._terms(restored, degraded):
            scale = scale + weight * feature
        return scale.clamp_(min=FLOOR)

    def _terms(self, restored: np.ndarray, degraded: np.ndarray
               ) -> Iterator[Tuple[float, Tensor]]:
        """Yield pairs (weight, feature), one at a time to save memory."""
        image = as_levels(restored)
        change = (image - as_levels(degraded)).abs_()
        for name in FEATURES:
            if self.weights.get(name) or name == 'constant':
                yield self.weights.get(name, 0.), FEATURES[name](image, change)

    def bounds(self, restored: np.ndarray, scale: Tensor, level: float
               ) -> Tuple[np.ndarray, np.ndarray]:
        """Return the bounds of the intervals of a result.

        The bounds are the smallest and the largest gray level inside the
        interval, so rounding does not change the coverage.

        Args:
            restored (ndarray): The result, (H, W, C) uint8.
            scale (Tensor): Its :meth:`scale`, (C, H, W).
            level (float): Level, see :meth:`multiplier`.

        Returns:
            (lower, upper): (H, W, C) uint8 gray levels.
        """
        half = (self.multiplier(level) * scale).numpy().transpose(1, 2, 0)
        return (np.ceil(np.maximum(restored - half, 0)).astype(np.uint8),
                np.floor(np.minimum(restored + half, 255)).astype(np.uint8))

    def doubt(self, restored: np.ndarray, degraded: np.ndarray,
              scale: Tensor) -> str:
        """Return why the intervals of a result may be too narrow, or ''.

        A photo is doubtful if one of its :data:`SIGNS` is outside of the
        range over the photos of the calibration. Of n + 1 exchangeable
        photos, one is outside of the range of the others with a probability
        of at most 2 / (n + 1) per sign.
        """
        for name, value in signs_of(restored, degraded, scale).items():
            low, high = self.seen[name]
            if not low <= value <= high:
                return (f'unlike the photos of the calibration: {SIGNS[name]} '
                        f'is {value:.1f} gray levels, there {low:.1f} to '
                        f'{high:.1f}; the intervals may not hold.')
        return ''


def signs_of(restored: np.ndarray, degraded: np.ndarray,
             scale: Tensor) -> Dict[str, float]:
    """Return the value of each of :data:`SIGNS` for a result."""
    change = (as_levels(restored) - as_levels(degraded)).abs_()
    return dict(change=change.mean().item(), scale=scale.mean().item())


def check_level(level: Any, name: str = 'interval') -> None:
    """Check a level.

    Raises:
        ConfigError: If it is not a number from 0.5 to 0.99.
    """
    if type(level) not in (int, float) or not LOWEST <= level <= HIGHEST:
        raise ConfigError(f'{name}={level!r} must be a level from {LOWEST} to '
                          f'{HIGHEST}, the share of pixels inside.')


def photos_needed(level: float) -> int:
    """Return the number of photos that the quantile of a level needs.

    With fewer, the miss rate of one photo of n + 1 alone exceeds 1 - level.
    """
    return math.ceil(round(1 / (1 - level), 6)) - 1


def calibration_for(calibration: Optional[Calibration], level: float,
                    sampler: Optional[Sampler],
                    copies: int = 1) -> Calibration:
    """Return the calibration of a model if it holds for a request.

    Args:
        calibration (Calibration, optional): That of the model.
        level (float): Requested level.
        sampler (Sampler, optional): Sampler to be used.
        copies (int): Self-ensemble to be used.

    Raises:
        ConfigError: If the model has none, the level is out of range, or the
            sampler or self-ensemble is another one.
    """
    check_level(level)
    if calibration is None:
        raise ConfigError(
            'the model has no calibration, which intervals need; make one: '
            'python tools/calibrate.py MODEL --data FOLDER --out FILE.')
    calibration.multiplier(level)
    text = 'none' if sampler is None else sampler_text(sampler, copies)
    if text != calibration.sampler:
        raise ConfigError(
            f'the calibration holds for {calibration.sampler}, not for '
            f'{text}; omit --sampler, --steps and --self-ensemble, or '
            'calibrate with them (tools/calibrate.py).')
    return calibration
