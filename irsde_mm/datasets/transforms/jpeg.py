"""JPEG compression."""
from typing import Tuple

import cv2
import numpy as np

from ...registry import TRANSFORMS
from .degradation import Degradation, check_ranges


@TRANSFORMS.register_module()
class JPEG(Degradation):
    """JPEG compression, usually after another degradation.

    The image is rounded and clipped to 8 bits before, as any file is. Chroma
    has half the resolution (4:2:0).

    Args:
        quality (tuple[int, int]): Minimum and maximum of libjpeg's quality, 1
            to 100: blocks are visible at 30, hardly anything at 95.
        fixed, seed: See :class:`Degradation`.

    Raises:
        ValueError: If the range is empty or exceeds its limits.
    """

    def __init__(self, quality: Tuple[int, int] = (30, 95),
                 fixed: bool = False, seed: int = 0) -> None:
        super().__init__(fixed, seed)
        check_ranges('JPEG', locals(), dict(quality=(1, 100)))
        self.quality = quality

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        quality = int(rng.integers(*self.quality, endpoint=True))
        pixels = image.round().clip(0, 255).astype(np.uint8)
        data = cv2.imencode('.jpg', pixels,
                            [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return cv2.imdecode(data, cv2.IMREAD_UNCHANGED).reshape(
            image.shape).astype(np.float32)
