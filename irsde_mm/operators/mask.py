"""Missing pixels."""
from typing import Any, Optional, Sequence, Union

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, ImageError
from ..io.masks import read_mask
from .base import LinearOperator


class MaskOperator(LinearOperator):
    """Missing pixels: A sets the holes to 0.

    Args:
        mask: Keep-mask, a black and white image file (white is kept), or an
            array or tensor (H, W) of booleans, True where a pixel is known.
            By default, the pixels of a degraded image that have the color of
            the holes are missing.
        color: Color of the holes, a gray level in 0..255 or (blue, green,
            red). Not used with a mask.

    Raises:
        ConfigError: If an argument is invalid.
        ImageError: If the file cannot be read or has gray values.
    """

    def __init__(self, mask: Any = None,
                 color: Union[float, Sequence[float]] = 255) -> None:
        self.mask: Optional[Tensor] = None
        if mask is not None:
            keep = read_mask(mask) if isinstance(mask, str) else mask
            keep = torch.as_tensor(np.asarray(keep))
            if keep.ndim != 2 or not ((keep == 0) | (keep == 1)).all():
                raise ConfigError('mask must be (H, W) with True or False, '
                                  f'but got {tuple(keep.shape)} of '
                                  f'{keep.dtype}.')
            self.mask = keep[None, None].bool()
        values = np.ravel(color)
        if values.dtype.kind not in 'iuf' or values.size not in (1, 3):
            raise ConfigError('color must be one or three values in 0..255, '
                              f'but got {color!r}.')
        self.color = values[::-1].astype(np.float32)  # as RGB

    def fit(self, image: Tensor, name: str = '') -> 'MaskOperator':
        size = image.shape[-2:]
        if self.mask is None:
            return MaskOperator(self._found(image, name))
        if self.mask.shape[-2:] != size:
            h, w = self.mask.shape[-2:]
            raise ImageError(f'{name!r}: the mask is {w}x{h}, but the photo '
                             f'is {size[1]}x{size[0]}; the sizes must match.')
        fitted = MaskOperator(self.mask[0, 0].cpu())
        fitted.mask = self.mask.to(image.device)
        return fitted

    def _found(self, image: Tensor, name: str) -> Tensor:
        """Return the pixels (H, W) that do not have the color of holes."""
        if len(self.color) > image.shape[1]:
            raise ConfigError('color must be one value for gray images.')
        color = torch.from_numpy(self.color.copy()).to(image.device)
        near = (255 * image[0] - color[:, None, None]).abs() <= 0.5
        if not near.all(0).any():
            raise ImageError(
                f'{name!r}: no pixel has the color of the holes, '
                f'{self.color[::-1].tolist()}; give the mask (--mask, '
                'MaskOperator(mask=)).')
        return ~near.all(0)

    def A(self, x: Tensor) -> Tensor:
        return x * self.mask

    A_adjoint = A_dagger = A
