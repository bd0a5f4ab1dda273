"""Rain streaks as in synthetic deraining datasets, and veils of rain."""
from typing import Tuple

import cv2
import numpy as np

from ...registry import TRANSFORMS
from .degradation import Degradation, check_ranges

Range = Tuple[float, float]


@TRANSFORMS.register_module()
class RainStreaks(Degradation):
    """Layers of bright rain streaks, and a veil of rain too far to be seen.

    Drops are placed at random and smeared along the direction of the rain.
    Each layer has its own length, density, brightness, opacity and angle.
    The result is clipped at 255, as in 8-bit photos. Without opacity and veil,
    streaks are added to the image, which is the model behind Rain100H and
    Rain100L (Yang et al., CVPR 2017). Opaque streaks replace a part of the
    image by ``color``. The veil does so everywhere, slowly varying, as the
    accumulated streaks of heavy rain do (Li et al., CVPR 2019). Values are
    drawn uniformly from the given ranges.

    Args:
        angle: Degrees from the vertical, at most 90 to each side.
        length: Length of a streak in pixels, 1 to 500.
        density: Fraction of pixels where a drop starts: 0.001 is a drizzle,
            0.01 in each of three layers is the rain of Rain100H.
        brightness: Gray levels (0..255) that a single streak adds.
        layers (tuple[int, int]): Minimum and maximum number of layers, 1 to
            10.
        width: Standard deviation across a streak, in pixels, 0.1 to 10.
        spread: Standard deviation of the angles of the layers around that of
            the image, in degrees, 0 to 90.
        opacity: Fraction (0..1) of the image that a single streak hides.
        veil: Fraction of the image that the veil hides where rain covers
            everything, in 0..1. It decreases in proportion to the part of the
            image that rain covers.
        color: Gray level (0..255) of opaque streaks and of the veil.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If a range is empty or exceeds its limits.
    """

    def __init__(self, angle: Range = (-40, 40), length: Range = (8, 32),
                 density: Range = (0.004, 0.012),
                 brightness: Range = (60, 140),
                 layers: Tuple[int, int] = (1, 3), width: Range = (0.5, 1.0),
                 spread: Range = (2, 2), opacity: Range = (0, 0),
                 veil: Range = (0, 0), color: Range = (200, 255),
                 fixed: bool = False, seed: int = 0) -> None:
        super().__init__(fixed, seed)
        check_ranges('RainStreaks', locals(), dict(
            angle=(-90, 90), length=(1, 500), density=(0, 1),
            brightness=(0, 255), layers=(1, 10), width=(0.1, 10),
            spread=(0, 90), opacity=(0, 1), veil=(0, 1), color=(0, 255)))
        self.angle, self.length, self.density = angle, length, density
        self.brightness, self.layers, self.width = brightness, layers, width
        self.spread, self.opacity = spread, opacity
        self.veil, self.color = veil, color

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        # opacity and veil do not change where the streaks are
        look = rng.spawn(1)[0]
        added = np.zeros(image.shape[:2], np.float32)
        visible, dry = np.ones_like(added), np.ones_like(added)
        angle, spread = rng.uniform(*self.angle), look.uniform(*self.spread)
        for _ in range(rng.integers(*self.layers, endpoint=True)):
            streaks = self._layer(added.shape, angle, spread, rng)
            added += rng.uniform(*self.brightness) * streaks
            covered = np.minimum(streaks, 1)
            visible *= 1 - np.float32(look.uniform(*self.opacity)) * covered
            dry *= 1 - covered
        loss = look.uniform(*self.veil) * (1 - dry.mean())
        visible *= 1 - np.float32(loss) * uneven(added.shape, look)
        color = np.float32(look.uniform(*self.color))
        hidden = color * (1 - visible) + added
        return np.minimum(
            image * visible[..., None] + hidden[..., None], 255)

    def _layer(self, shape: Tuple[int, int], angle: float, spread: float,
               rng: np.random.Generator) -> np.ndarray:
        """Return streaks of one length, in units of their brightness."""
        kernel = streak(rng.uniform(*self.length),
                        angle + rng.normal(0, spread),
                        rng.uniform(*self.width))
        margin = len(kernel) // 2
        drops = self._drops(shape, margin, rng)
        # for large kernels, OpenCV uses the FFT, whose zeros can be negative
        rain = np.maximum(cv2.filter2D(drops, -1, kernel), 0)
        return rain[margin:-margin, margin:-margin]

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


def uneven(size: Tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return a slowly varying field (H, W) in [0.5, 1]."""
    corners = rng.uniform(0.5, 1, (2, 2)).astype(np.float32)
    return cv2.resize(corners, size[::-1], interpolation=cv2.INTER_LINEAR)
