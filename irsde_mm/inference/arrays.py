"""Photos as arrays and as tensors."""
from typing import Optional

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Largest scale of a super-resolution model.
LARGEST = 64


class Upscale:
    """Brings small images to the size of the result, before a process.

    Bicubic with a = -0.75 and without antialiasing, not clipped, which the
    published super-resolution models were trained on; 'nearest' for the
    published weights that want it.

    Args:
        scale (int): How many times larger, from 2 to 64.
        mode (str): 'bicubic' or 'nearest'.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(self, scale: int, mode: str = 'bicubic') -> None:
        if not isinstance(scale, int) or not 2 <= scale <= LARGEST:
            raise ValueError('scale must be a whole number from 2 to '
                             f'{LARGEST}, not {scale!r}.')
        if mode not in ('bicubic', 'nearest'):
            raise ValueError("the mode of upsampling must be 'bicubic' or "
                             f"'nearest', not {mode!r}.")
        self.scale = scale
        self.mode = mode

    def __call__(self, images: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, scale * H, scale * W)."""
        options = dict(align_corners=False) if self.mode == 'bicubic' else {}
        size = [self.scale * side for side in images.shape[-2:]]
        return F.interpolate(images, size=size, mode=self.mode, **options)


def channel_order(images: Tensor, order: str, wanted: str) -> Tensor:
    """(..., C, H, W) with colours in another order, 'RGB' or 'BGR'."""
    if order == wanted or images.shape[-3] == 1:
        return images
    return images.flip(-3)


def from_array(image: np.ndarray, order: str, device: torch.device,
               upscale: Optional[Upscale] = None) -> Tensor:
    """(H, W, C) uint8 BGR as (C, H, W) floats in [0, 1]."""
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)
    if upscale is not None:  # in the layout of files, as in training
        pixels = upscale(pixels.float()[None])[0]
    pixels = pixels.contiguous().to(device).float()
    return channel_order(pixels, 'BGR', order) / 255


def to_array(image: Tensor, order: str) -> np.ndarray:
    """(C, H, W) floats in [0, 1] as (H, W, C) uint8 BGR, clipped."""
    pixels = channel_order(image * 255, order, 'BGR').clamp_(0, 255)
    return pixels.round_().byte().cpu().numpy().transpose(1, 2, 0).copy()
