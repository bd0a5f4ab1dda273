"""Transform that loads images from files."""
import warnings
from typing import Optional

import numpy as np
from mmcv.transforms import BaseTransform

from ...io.reader import MAX_PIXELS, read_image
from ...io.white_level import check_white
from ...registry import TRANSFORMS
from ..image_cache import FileCache, MemoryCache


@TRANSFORMS.register_module()
class LoadImage(BaseTransform):
    """Loader of the image named by ``{key}_path``, see :func:`read_image`.

    It sets the same keys as mmagic's ``LoadImageFromFile``. That transform
    gives the same pixels for ordinary files, but decodes truncated and
    transparent ones without an error. Images with more pixels than the
    sample's ``max_pixels`` are rejected.

    Args:
        key (str): Key of the image, such as 'img' or 'gt'.
        color_type (str): 'color' for (H, W, 3) uint8 BGR, 'grayscale' for
            (H, W, 1).
        cache_mb (float): Size of a cache of decoded images. When it is full,
            further images are read each time.
        cache_file (str, optional): LMDB file for the cache, shared by all data
            workers, processes and runs. By default each data worker has its
            own cache in memory.
        white (int, optional): White level of files with 16 bits per channel,
            255 to 65535, such as 4095 for 12-bit data. A warning names the
            first file that does not fit it.

    Raises:
        ValueError: If ``color_type`` is unknown, ``cache_mb`` is negative (or
            0 with a cache file), or ``white`` is out of range.
        DataError: If the cache file cannot be used.
        ImageError: From :func:`read_image`.
    """

    def __init__(self, key: str, color_type: str = 'color',
                 cache_mb: float = 0,
                 cache_file: Optional[str] = None,
                 white: Optional[int] = None) -> None:
        if color_type not in ('color', 'grayscale'):
            raise ValueError("LoadImage: color_type must be 'color' or "
                             f"'grayscale', but got {color_type!r}.")
        if cache_mb < 0:
            raise ValueError('LoadImage: cache_mb must be at least 0, but got '
                             f'{cache_mb}.')
        if cache_file and not cache_mb:
            raise ValueError('LoadImage: cache_file needs cache_mb, the '
                             'maximum size of the file.')
        check_white(white)
        self.white = white
        self.warned = False
        self.key = key
        self.color_type = color_type
        self.cache = (FileCache(cache_mb, cache_file) if cache_file else
                      MemoryCache(cache_mb) if cache_mb else None)

    def transform(self, results: dict) -> dict:
        image = self._read(results[f'{self.key}_path'],
                           results.get('max_pixels', MAX_PIXELS))
        results[self.key] = image
        results[f'ori_{self.key}_shape'] = image.shape
        results[f'{self.key}_channel_order'] = 'bgr'
        results[f'{self.key}_color_type'] = self.color_type
        return results

    def _read(self, path: str, max_pixels: int) -> np.ndarray:
        grey = self.color_type == 'grayscale'
        options = (grey, max_pixels, self.white, self._warn)
        if self.cache is None:
            return read_image(path, *options)
        image = self.cache.get(path, grey, self.white)
        if image is None or image.shape[0] * image.shape[1] > max_pixels:
            image = read_image(path, *options)
            self.cache.put(path, grey, image, self.white)
        return image

    def _warn(self, text: str) -> None:
        if not self.warned:  # once per dataset
            self.warned = True
            warnings.warn(f'{text} Further files are not reported.',
                          stacklevel=2)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(key={self.key}, '
                f'color_type={self.color_type}, white={self.white})')
