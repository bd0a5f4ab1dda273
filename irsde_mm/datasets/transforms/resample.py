"""Resampling as in super-resolution benchmarks."""
from typing import Sequence, Union

import numpy as np
from mmcv.transforms import BaseTransform

from ...errors import DataError
from ...inference.arrays import Upscale
from ...operators.resampling import KERNELS, apply
from ...registry import TRANSFORMS
from .degradation import Degradation


@TRANSFORMS.register_module()
class LowResolution(Degradation):
    """Downsampling of the clean image to the small image ``img``.

    The result is rounded to 8 bits as in files. ``gt`` is cropped at the right
    and bottom to a multiple of the scale. Put ``JPEG`` between this transform
    and ``Upsample`` for compressed small images.

    Args:
        scale (int): Downsampling factor, at least 2.
        kernel (str or Sequence[str]): A kernel, or several to draw from, all
            with antialiasing: 'bicubic' (a = -0.5, as in MATLAB's imresize,
            which DIV2K uses), 'area' (mean of the pixels), 'lanczos' (a = 3).
        fixed, seed: See :class:`Degradation`. They only have an effect with
            several kernels.

    Raises:
        ValueError: If the scale is not an integer of at least 2, or a kernel
            is unknown.
    """

    def __init__(self, scale: int, kernel: Union[str, Sequence[str]] =
                 'bicubic', fixed: bool = False, seed: int = 0) -> None:
        super().__init__(fixed, seed)
        self.scale = _checked(scale)
        self.kernels = (kernel, ) if isinstance(kernel, str) else tuple(kernel)
        if not self.kernels or not set(self.kernels) <= set(KERNELS):
            raise ValueError('LowResolution: kernel must be in '
                             f'{", ".join(KERNELS)}, or several of them, but '
                             f'got {kernel!r}.')

    def degrade(self, image: np.ndarray, rng: np.random.Generator,
                results: dict) -> np.ndarray:
        h, w = (side // self.scale for side in image.shape[:2])
        if not (h and w):
            raise DataError(f"'{results.get('gt_path')}' is smaller than the "
                            f'scale {self.scale}.')
        cut = slice(h * self.scale), slice(w * self.scale)
        results['gt'] = results['gt'][cut]
        results['scale'] = self.scale
        kernel = self.kernels[rng.integers(len(self.kernels))]
        return KERNELS[kernel](image[cut], (h, w)).round().clip(0, 255)


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
