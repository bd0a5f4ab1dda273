"""Resampling as in super-resolution benchmarks."""
from functools import partial
from typing import Callable

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.transforms import BaseTransform
from torch import Tensor

from ...errors import DataError
from ...inference.arrays import Upscale
from ...registry import TRANSFORMS
from .degradation import Degradation


def apply(function: Callable[[Tensor], Tensor],
          image: np.ndarray) -> np.ndarray:
    """Apply a function of (1, C, H, W) to an (H, W, C) array in float32."""
    tensor = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))
    result = function(tensor.permute(2, 0, 1)[None])
    return result[0].permute(1, 2, 0).contiguous().numpy()


@TRANSFORMS.register_module()
class LowResolution(Degradation):
    """Downsampling of the clean image to the small image ``img``.

    Bicubic with antialiasing (a = -0.5, as in MATLAB's imresize, which DIV2K
    uses), rounded to 8 bits as in files. ``gt`` is cropped at the right and
    bottom to a multiple of the scale.

    Args:
        scale (int): Downsampling factor, at least 2.

    Raises:
        ValueError: If the scale is not an integer of at least 2.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = _checked(scale)

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        h, w = (side // self.scale for side in image.shape[:2])
        if not (h and w):
            raise DataError(f"'{results.get('gt_path')}' is smaller than the "
                            f'scale {self.scale}.')
        cut = slice(h * self.scale), slice(w * self.scale)
        results['gt'] = results['gt'][cut]
        results['scale'] = self.scale
        small = apply(partial(F.interpolate, size=(h, w), mode='bicubic',
                              antialias=True), image[cut])
        return small.round().clip(0, 255)


@TRANSFORMS.register_module()
class Upsample(BaseTransform):
    """Upsampling of the small image ``img`` to the size of the clean one.

    Bicubic with a = -0.75 and no antialiasing, float and not clipped, as the
    published super-resolution models were trained ('nearest' for those
    published weights that need it). Sets ``scale`` to 1.

    Args:
        scale (int): Upsampling factor, at least 2.
        mode (str): 'bicubic' or 'nearest'.

    Raises:
        ValueError: If an argument is invalid.
        DataError: If there is a ``gt`` that is not ``scale`` times as large.
    """

    def __init__(self, scale: int, mode: str = 'bicubic') -> None:
        self.scale = scale
        self.upscale = Upscale(scale, mode)

    def transform(self, results: dict) -> dict:
        size = tuple(self.scale * side for side in results['img'].shape[:2])
        if 'gt' in results and results['gt'].shape[:2] != size:
            raise DataError(
                f"'{results.get('img_path')}' and '{results.get('gt_path')}' "
                f'do not match the scale {self.scale}: '
                f"{results['img'].shape[:2]} and {results['gt'].shape[:2]}.")
        results['img'] = apply(self.upscale, results['img'])
        results['scale'] = 1
        return results


def _checked(scale: int) -> int:
    if not isinstance(scale, int) or scale < 2:
        raise ValueError('scale must be an integer of at least 2, but got '
                         f'{scale!r}.')
    return scale
