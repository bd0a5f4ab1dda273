"""Images from files."""
from typing import Dict

import numpy as np
from mmcv.transforms import BaseTransform

from ...registry import TRANSFORMS
from ..image_reader import MAX_PIXELS, read_image


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Reads the image ``{key}_path`` names, by :func:`read_image`.

    It fills what mmagic's ``LoadImageFromFile`` fills, which gives the same
    pixels of ordinary files, but decodes what is truncated or transparent as
    if it were not. Images of more pixels than the sample's ``max_pixels`` are
    refused.

    Args:
        key (str): The image, such as 'img' or 'gt'.
        color_type (str): 'color' for (H, W, 3) uint8 BGR, 'grayscale' for
            (H, W, 1).
        cache_mb (float): Memory for decoded images, which are then read once;
            when it is full the others are read each time. Each data worker
            has its own.

    Raises:
        ValueError: If the colour type is neither, or ``cache_mb`` below 0.
        ImageError: From :func:`read_image`.
    """

    def __init__(self, key: str, color_type: str = 'color',
                 cache_mb: float = 0) -> None:
        if color_type not in ('color', 'grayscale'):
            raise ValueError("LoadImage: color_type must be 'color' or "
                             f"'grayscale', not {color_type!r}.")
        if cache_mb < 0:
            raise ValueError('LoadImage: cache_mb must be at least 0, not '
                             f'{cache_mb}.')
        self.key = key
        self.color_type = color_type
        self.room = cache_mb * 2**20
        self.cache: Dict[str, np.ndarray] = {}

    def transform(self, results: dict) -> dict:
        image = self._read(results[f'{self.key}_path'],
                           results.get('max_pixels', MAX_PIXELS))
        results[self.key] = image
        results[f'ori_{self.key}_shape'] = image.shape
        results[f'{self.key}_channel_order'] = 'bgr'
        results[f'{self.key}_color_type'] = self.color_type
        return results

    def _read(self, path: str, max_pixels: int) -> np.ndarray:
        if path in self.cache:
            return self.cache[path].copy()  # Flip and others work in place
        image = read_image(path, self.color_type == 'grayscale', max_pixels)
        if image.nbytes <= self.room:
            self.room -= image.nbytes
            self.cache[path] = image.copy()
        return image

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(key={self.key}, '
                f'color_type={self.color_type})')
