"""Resampling as in super-resolution benchmarks."""
from functools import lru_cache, partial
from typing import Callable, Tuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor


def apply(function: Callable[[Tensor], Tensor],
          image: np.ndarray) -> np.ndarray:
    """Apply a function of (1, C, H, W) to an (H, W, C) array in float32."""
    tensor = torch.from_numpy(np.ascontiguousarray(image, dtype=np.float32))
    result = function(tensor.permute(2, 0, 1)[None])
    return result[0].permute(1, 2, 0).contiguous().numpy()


def lanczos(image: np.ndarray, size: Tuple[int, int]) -> np.ndarray:
    """Shrink a float32 image (H, W, C) to (h, w) with Pillow's Lanczos."""
    channels = [Image.fromarray(np.ascontiguousarray(channel)).resize(
        size[::-1], Image.Resampling.LANCZOS)
        for channel in image.transpose(2, 0, 1)]
    return np.stack(channels, axis=-1)


def interpolated(image: np.ndarray, size: Tuple[int, int],
                 **options) -> np.ndarray:
    """Shrink an image (H, W, C) to (h, w) with PyTorch."""
    return apply(partial(F.interpolate, size=size, **options), image)


#: Functions that shrink a float32 image (H, W, C) to a size (h, w).
KERNELS = dict(
    bicubic=partial(interpolated, mode='bicubic', antialias=True),
    area=partial(interpolated, mode='area'), lanczos=lanczos)


@lru_cache(maxsize=16)
def shrinking(size: int, scale: int, kernel: str) -> Tensor:
    """Return the matrix (size, scale * size) of downsampling along one axis,
    derived from the function that downsamples images."""
    large = scale * size
    eye = np.eye(large, dtype=np.float32)[..., None]
    matrix = KERNELS[kernel](eye, (size, large))[..., 0]
    return torch.from_numpy(matrix).double()


@lru_cache(maxsize=16)
def inverse_shrinking(size: int, scale: int, kernel: str) -> Tensor:
    """Return the pseudo-inverse (scale * size, size) of :func:`shrinking`,
    which has full row rank."""
    matrix = shrinking(size, scale, kernel)
    return torch.linalg.solve(matrix @ matrix.T, matrix).T.contiguous()


@lru_cache(maxsize=16)
def inverse_upsampling(size: int, scale: int,
                       mode: str = 'bicubic') -> Tensor:
    """Return the pseudo-inverse (size, scale * size) of upsampling along one
    axis, 'bicubic' or 'nearest', derived from torch's interpolation."""
    options = dict(align_corners=False) if mode == 'bicubic' else {}
    matrix = F.interpolate(
        torch.eye(size, dtype=torch.float64)[None, None],
        size=(scale * size, size), mode=mode, **options)[0, 0]
    return torch.linalg.pinv(matrix)


def separable(rows: Tensor, columns: Tensor, images: Tensor) -> Tensor:
    """Apply a matrix to the rows and one to the columns of (B, C, H, W)."""
    return rows.to(images) @ images @ columns.to(images).T
