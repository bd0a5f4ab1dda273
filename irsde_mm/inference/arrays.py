"""Conversion of images between arrays and tensors."""
from typing import Optional

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Maximum scale of a super-resolution model.
MAX_SCALE = 64


class Upscale:
    """Upsampling of low-resolution images to the size of the result.

    'bicubic' uses a = -0.75 without antialiasing or clipping, as in the
    training of the published super-resolution models. 'nearest' is for
    published weights that expect it.

    Args:
        scale (int): Scale factor, from 2 to 64.
        mode (str): 'bicubic' or 'nearest'.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, scale: int, mode: str = 'bicubic') -> None:
        if not isinstance(scale, int) or not 2 <= scale <= MAX_SCALE:
            raise ValueError('scale must be an integer from 2 to '
                             f'{MAX_SCALE}, but got {scale!r}.')
        if mode not in ('bicubic', 'nearest'):
            raise ValueError("the upsampling mode must be 'bicubic' or "
                             f"'nearest', but got {mode!r}.")
        self.scale = scale
        self.mode = mode

    def __call__(self, images: Tensor) -> Tensor:
        """Upsample (B, C, H, W) to (B, C, scale * H, scale * W)."""
        options = dict(align_corners=False) if self.mode == 'bicubic' else {}
        size = [self.scale * side for side in images.shape[-2:]]
        return F.interpolate(images, size=size, mode=self.mode, **options)


def channel_order(images: Tensor, order: str, target: str) -> Tensor:
    """Convert (..., C, H, W) between the channel orders 'RGB' and 'BGR'."""
    if order == target or images.shape[-3] == 1:
        return images
    return images.flip(-3)


def from_array(image: np.ndarray, order: str, device: torch.device,
               upscale: Optional[Upscale] = None) -> Tensor:
    """Convert (H, W, C) uint8 BGR to (C, H, W) floats in [0, 1]."""
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
    if upscale is not None:  # channels last in memory, as in training
        pixels = upscale(pixels.float()[None])[0]
    pixels = pixels.contiguous().to(device).float()
    return channel_order(pixels, 'BGR', order) / 255


def to_array(image: Tensor, order: str) -> np.ndarray:
    """Convert (C, H, W) floats in [0, 1] to (H, W, C) uint8 BGR, clipped."""
    pixels = channel_order(image * 255, order, 'BGR').clamp_(0, 255)
    return pixels.round_().byte().cpu().numpy().transpose(1, 2, 0).copy()
