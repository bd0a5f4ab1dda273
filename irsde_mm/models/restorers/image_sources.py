"""What each image of a test has of its own: noise, noise level, states."""
import zlib
from pathlib import PurePath
from typing import List, Optional, Sequence, Tuple, Union

import torch
from mmagic.structures import DataSample
from torch import Tensor

from ...samplers.base import Callback
from ...sde.base import SDE


def noise_levels(sde: SDE, sigma: Union[None, float, str], inputs: Tensor,
                 data_samples: Optional[DataSample],
                 sizes: Sequence[Tuple[int, int]]
                 ) -> List[Optional[float]]:
    """Each image's noise level: the one that it brings along, or the test's.

    Args:
        sde (SDE): The process; 'estimate' is for those that enter at a level.
        sigma (float | str, optional): The test's, in [0, 1] or 'estimate'.
        inputs (Tensor): Degraded images (B, C, H, W).
        data_samples (DataSample, optional): Stacked, perhaps with ``sigma``.
        sizes: Height and width of each image without padding.
    """
    meta = {} if data_samples is None else data_samples.metainfo
    if 'sigma' in meta:
        return [float(sigma) for sigma in meta['sigma']]
    if sigma != 'estimate' or not hasattr(sde, 'start_time'):
        return [sigma] * len(inputs)
    from skimage.restoration import estimate_sigma
    return [float(estimate_sigma(
        image[:, :h, :w].cpu().numpy(), channel_axis=0,
        average_sigmas=True)) for image, (h, w) in zip(inputs, sizes)]


def image_generators(inputs: Tensor, data_samples: Optional[DataSample],
                     seed: int) -> List[torch.Generator]:
    """One source of noise an image, from (test seed, image name).

    Args:
        inputs (Tensor): Degraded images (B, C, H, W).
        data_samples (DataSample, optional): Stacked, with ``img_path`` or
            ``gt_path``; images without a name share one.
        seed (int): The test's.
    """
    meta = {} if data_samples is None else data_samples.metainfo
    paths = meta.get('img_path', meta.get('gt_path', [''] * len(inputs)))
    return [torch.Generator(inputs.device).manual_seed(
        zlib.crc32(f'{seed}:{PurePath(path).name}'.encode(
            errors='surrogateescape')))  # a name can be of any bytes
        for path in paths]


def of_images(sde: SDE, callback: Optional[Callback]) -> Optional[Callback]:
    """A callback for states in the range of images as one for states in the
    range of the process."""
    return callback and (lambda t, x: callback(t, sde.to_image(x)))
