"""Noise generators and noise levels of images."""
import warnings
import zlib
from pathlib import PurePath
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
import torch
from torch import Tensor

from ..errors import ConfigError, ImageError
from ..sde.base import SDE
from ..sde.ends import refuse_start_noise


def image_generators(names: Sequence[str], seed: int,
                     device: torch.device) -> List[torch.Generator]:
    """Return a noise generator per image, seeded with (seed, file name).

    Results therefore do not depend on the batch, the order of the images or
    the number of processes.

    Args:
        names (Sequence[str]): Paths; images without a name use the same noise.
        seed (int): The seed.
        device (torch.device): Device on which noise is drawn.
    """
    return [torch.Generator(device).manual_seed(
        zlib.crc32(f'{seed}:{PurePath(name).name}'.encode(
            errors='surrogateescape')))  # file names may be any bytes
        for name in names]


def noise_levels(sde: SDE, sigma: Union[None, float, str], inputs: Tensor,
                 sizes: Sequence[Tuple[int, int]], names: Sequence[str],
                 sigmas: Optional[Sequence[float]] = None
                 ) -> List[Optional[float]]:
    """Return the noise level of each image.

    Args:
        sde (SDE): The process. Levels are estimated only if it starts at the
            noise level of the input.
        sigma (float | str, optional): Level for all images in [0, 1], or
            'estimate'.
        inputs (Tensor): Degraded images (B, C, H, W).
        sizes: Height and width of each image without padding.
        names (Sequence[str]): Their paths, for messages.
        sigmas (Sequence[float], optional): Level of each image; overrides
            ``sigma``.

    Raises:
        ImageError: If an image's own or estimated level is out of the range
            of the process.
    """
    if sigmas is not None:
        levels = list(sigmas)
    elif sigma == 'estimate' and sde.starts_at_noise_level:
        levels = [estimated_level(image[:, :h, :w])
                  for image, (h, w) in zip(inputs, sizes)]
    else:
        return [sigma] * len(inputs)
    for level, name in zip(levels, names):
        check_level(sde, level, name)
    return levels


def estimated_level(image: Tensor) -> float:
    """Estimate the noise level in [0, 1] of an image (C, H, W).

    Returns the mean over all channels that are not constant, or 0 if all are.
    """
    from skimage.restoration import estimate_sigma
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # small or constant images
        levels = np.array(estimate_sigma(image.cpu().numpy(), channel_axis=0))
    valid = levels[~np.isnan(levels)]  # nan for constant channels
    return float(valid.mean()) if len(valid) else 0.


def check_level(sde: SDE, level: float, name: str) -> None:
    """Check that a process supports the noise level of an image.

    Raises:
        ImageError: If the level is out of range.
    """
    try:
        if sde.starts_at_noise_level:
            sde.start_time(level)
    except ValueError as error:
        prefix = f'{name!r}: ' if name else ''
        raise ImageError(f'{prefix}{error}') from None


def check_sigma(sigma: Union[None, float, str], sde: SDE) -> None:
    """Check a noise level setting.

    Raises:
        ConfigError: If it is not None, 'estimate' or a number from 0 to 1, or
            if the process starts in the degraded image itself.
    """
    named = sigma is None or sigma == 'estimate'
    if not named and (isinstance(sigma, (bool, str)) or not 0 <= sigma <= 1):
        raise ConfigError(f'sigma={sigma!r} must be a number from 0 to 1, or '
                          "'estimate'.")
    try:
        refuse_start_noise(sde, sigma)
    except ValueError as error:
        raise ConfigError(str(error)) from None
