"""Downsampling to low-resolution images."""
from typing import Callable

from torch import Tensor

from ..errors import ConfigError, ImageError
from .base import LinearOperator
from .resampling import (KERNELS, inverse_shrinking, separable, shrinking)


class DownsamplingOperator(LinearOperator):
    """Downsampling as by the transform ``LowResolution``, without rounding.

    Args:
        scale (int): Downsampling factor, at least 2.
        kernel (str): 'bicubic', 'area' or 'lanczos', see ``LowResolution``.

    Raises:
        ConfigError: If an argument is invalid.
    """

    def __init__(self, scale: int, kernel: str = 'bicubic') -> None:
        if type(scale) is not int or scale < 2:
            raise ConfigError('scale must be an integer of at least 2, but '
                              f'got {scale!r}.')
        if not isinstance(kernel, str) or kernel not in KERNELS:
            raise ConfigError(f'kernel must be in {", ".join(KERNELS)}, but '
                              f'got {kernel!r}.')
        self.scale, self.kernel = scale, kernel

    def fit(self, image: Tensor, name: str = '') -> 'DownsamplingOperator':
        h, w = image.shape[-2:]
        if h % self.scale or w % self.scale:
            raise ImageError(f'{name!r}: {w}x{h} is not a multiple of the '
                             f'scale {self.scale}.')
        return self

    def A(self, x: Tensor) -> Tensor:
        return self._apply(shrinking, [
            side // self.scale for side in x.shape[-2:]], x)

    def A_adjoint(self, y: Tensor) -> Tensor:
        return self._apply(lambda *args: shrinking(*args).T, y.shape[-2:], y)

    def A_dagger(self, y: Tensor) -> Tensor:
        return self._apply(inverse_shrinking, y.shape[-2:], y)

    def _apply(self, matrix: Callable[..., Tensor], sizes,
               images: Tensor) -> Tensor:
        return separable(*(matrix(size, self.scale, self.kernel)
                           for size in sizes), images)
