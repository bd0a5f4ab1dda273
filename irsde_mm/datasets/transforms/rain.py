"""Rain streaks as in synthetic deraining datasets."""
from typing import Tuple

import cv2
import numpy as np

from ...registry import TRANSFORMS
from .degradation import Degradation, check_ranges

Range = Tuple[float, float]


@TRANSFORMS.register_module()
class RainStreaks(Degradation):
    """Layers of bright rain streaks added to the image.

    Drops are placed at random and smeared along the direction of the rain.
    Each layer has its own length, density and brightness, and an angle near
    that of the image. The sum is clipped at 255, as in 8-bit photos. This is
    the additive model behind Rain100H and Rain100L (Yang et al., CVPR 2017).
    Values are drawn uniformly from the given ranges.

    Args:
        angle: Degrees from the vertical.
        length: Length of a streak in pixels.
        density: Fraction of pixels where a drop starts.
        brightness: Gray levels (0..255) that a single streak adds.
        layers (tuple[int, int]): Minimum and maximum number of layers.
        width: Standard deviation across a streak, in pixels.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If a range is empty or exceeds its limits.
    """

    def __init__(self, angle: Range = (-40, 40), length: Range = (8, 32),
                 density: Range = (0.004, 0.012),
                 brightness: Range = (60, 140),
                 layers: Tuple[int, int] = (1, 3), width: Range = (0.5, 1.0),
                 fixed: bool = False, seed: int = 0) -> None:
        super().__init__(fixed, seed)
        check_ranges('RainStreaks', locals(), dict(
            angle=(-90, 90), length=(1, 500), density=(0, 1),
            brightness=(0, 255), layers=(1, 10), width=(0.1, 10)))
        self.angle, self.length, self.density = angle, length, density
        self.brightness, self.layers, self.width = brightness, layers, width

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        rain = np.zeros(image.shape[:2], np.float32)
        angle = rng.uniform(*self.angle)
        for _ in range(rng.integers(*self.layers, endpoint=True)):
            kernel = streak(rng.uniform(*self.length),
                            angle + rng.normal(0, 2),
                            rng.uniform(*self.width))
            drops = self._drops(rain.shape, len(kernel) // 2, rng)
            smeared = cv2.filter2D(drops, -1, kernel)
            margin = len(kernel) // 2
            rain += rng.uniform(*self.brightness) * smeared[
                margin:-margin, margin:-margin]
        return np.minimum(image + rain[..., None], 255)

    def _drops(self, shape: Tuple[int, int], margin: int,
               rng: np.random.Generator) -> np.ndarray:
        """Return drops of varying strength, including a margin."""
        h, w = shape[0] + 2 * margin, shape[1] + 2 * margin
        drops = np.zeros((h, w), np.float32)
        count = rng.poisson(rng.uniform(*self.density) * h * w)
        drops[rng.integers(0, h, count), rng.integers(0, w, count)] = \
            rng.uniform(0.4, 1, count)
        return drops


def streak(length: float, angle: float, width: float) -> np.ndarray:
    """Return a soft line as a square kernel of odd size with peak 1."""
    radius = int(np.ceil(length / 2 + 3 * width)) or 1
    y, x = np.mgrid[-radius:radius + 1, -radius:radius + 1]
    turn = np.deg2rad(angle)
    along = x * np.sin(turn) + y * np.cos(turn)
    across = x * np.cos(turn) - y * np.sin(turn)
    beyond = np.maximum(np.abs(along) - length / 2, 0)
    return np.exp(-(across**2 + beyond**2) / (2 * width**2)).astype(
        np.float32)
