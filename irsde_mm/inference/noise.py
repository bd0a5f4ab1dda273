"""Noise of each image: its generators and its noise level."""
import warnings
import zlib
from pathlib import PurePath
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, ImageError
from ..sde.base import SDE


def image_generators(names: Sequence[str], seed: int,
                     device: torch.device) -> List[torch.Generator]:
    """One source of noise an image, from (seed, file name).

    A result so depends on neither batch, order nor number of processes.

    Args:
        names (Sequence[str]): Paths; images without a name share one.
        seed (int): The seed of the test.
        device (torch.device): Where noise is drawn.
    """
    return [torch.Generator(device).manual_seed(
        zlib.crc32(f'{seed}:{PurePath(name).name}'.encode(
            errors='surrogateescape')))  # a name can be of any bytes
        for name in names]


def noise_levels(sde: SDE, sigma: Union[None, float, str], inputs: Tensor,
                 sizes: Sequence[Tuple[int, int]], names: Sequence[str],
                 own: Optional[Sequence[float]] = None
                 ) -> List[Optional[float]]:
    """The noise level of each image: its own, the setting's or an estimate.

    Args:
        sde (SDE): The process; only for one that starts at a noise level is
            that of the input estimated.
        sigma (float | str, optional): In [0, 1], or 'estimate'.
        inputs (Tensor): Degraded images (B, C, H, W).
        sizes: Height and width of each image without padding.
        names (Sequence[str]): Their paths, for messages.
        own (Sequence[float], optional): Levels that the images bring along.

    Raises:
        ImageError: If the process does not cover an image's own level.
    """
    if own is not None:
        levels = list(own)
    elif sigma == 'estimate' and sde.starts_at_noise_level:
        levels = [estimated_level(image[:, :h, :w])
                  for image, (h, w) in zip(inputs, sizes)]
    else:
        return [sigma] * len(inputs)
    for level, name in zip(levels, names):
        check_level(sde, level, name)
    return levels


def estimated_level(image: Tensor) -> float:
    """Estimate of the noise level in [0, 1] of an image (C, H, W).

    The mean over channels, without those that are flat; 0 if all are.
    """
    from skimage.restoration import estimate_sigma
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # small or flat images
        levels = np.array(estimate_sigma(image.cpu().numpy(), channel_axis=0))
    known = levels[~np.isnan(levels)]  # flat ones have no level
    return float(known.mean()) if len(known) else 0.


def check_level(sde: SDE, level: float, name: str) -> None:
    """Check that a process covers the noise level of an image.

    Raises:
        ImageError: If it does not, with the name.
    """
    try:
        if sde.starts_at_noise_level:
            sde.start_time(level)
    except ValueError as error:
        prefix = f'{name!r}: ' if name else ''
        raise ImageError(f'{prefix}{error}') from None


def check_sigma(sigma: Union[None, float, str]) -> None:
    """Refuses what is not a noise level for all images.

    Raises:
        ConfigError: With the range.
    """
    if sigma is None or sigma == 'estimate':
        return
    if isinstance(sigma, (bool, str)) or not 0 <= sigma <= 1:
        raise ConfigError(f'sigma={sigma!r} must be a number from 0 to 1, or '
                          "'estimate'.")
