"""Images from files."""
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
    """Reads the image ``{key}_path`` names, by :func:`read_image`.

    It sets the same keys as mmagic's ``LoadImageFromFile``, which gives the
    same pixels of ordinary files, but decodes truncated and transparent ones
    without an error. Images of more pixels than the sample's ``max_pixels``
    are refused.

    Args:
        key (str): The image, such as 'img' or 'gt'.
        color_type (str): 'color' for (H, W, 3) uint8 BGR, 'grayscale' for
            (H, W, 1).
        cache_mb (float): Room for decoded images, which are then decoded
            once; when it is full the others are read each time.
        cache_file (str, optional): Where they are kept, an LMDB file for all
            data workers, processes and runs; by default each data worker
            keeps its own in memory.
        white (int, optional): White level of files with 16 bits a channel,
            255 to 65535, such as 4095 for 12-bit data. The first file that
            does not fit it is named in a warning.

    Raises:
        ValueError: If the colour type is neither, ``cache_mb`` below 0, or 0
            with a file, or ``white`` out of its range.
        DataError: If the file cannot be used.
        ImageError: From :func:`read_image`.
    """

    def __init__(self, key: str, color_type: str = 'color',
                 cache_mb: float = 0,
                 cache_file: Optional[str] = None,
                 white: Optional[int] = None) -> None:
        if color_type not in ('color', 'grayscale'):
            raise ValueError("LoadImage: color_type must be 'color' or "
                             f"'grayscale', not {color_type!r}.")
        if cache_mb < 0:
            raise ValueError('LoadImage: cache_mb must be at least 0, not '
                             f'{cache_mb}.')
        if cache_file and not cache_mb:
            raise ValueError('LoadImage: cache_file needs cache_mb, what the '
                             'file may grow to.')
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
        if not self.warned:  # not for each of a data set
            self.warned = True
            warnings.warn(f'{text} Further files are not named.', stacklevel=2)

    def __repr__(self) -> str:
        return (f'{type(self).__name__}(key={self.key}, '
                f'color_type={self.color_type}, white={self.white})')
