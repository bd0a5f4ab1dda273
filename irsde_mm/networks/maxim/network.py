"""MAXIM (Tu et al., CVPR 2022): stages of U-Nets with gated MLPs."""
import math
from typing import List, Optional, Union

import torch
from torch import Tensor, nn

from ..blocks import check_channels
from .blocks import REDUCTION
from .stage import DEPTH, Sizes, Stage

PUBLISHED = dict(width=32, num_groups=2, num_bottlenecks=2, sides=(16, 8))
VARIANTS = {f'S-{n}': dict(PUBLISHED, num_stages=n) for n in (1, 2, 3)}


def full_variant(variant: Union[str, dict]) -> dict:
    """Return all sizes of a variant, see :class:`MAXIM`.

    Raises:
        ValueError: If the variant is unknown or a size is out of range.
    """
    if not isinstance(variant, dict):
        if variant not in VARIANTS:
            raise ValueError(f'variant must be {", ".join(VARIANTS)} or a '
                             f'dict of sizes, but is {variant!r}.')
        return dict(VARIANTS[variant])
    sizes = dict(VARIANTS['S-2'])
    if not set(variant) <= set(sizes):
        raise ValueError(f'variant may have {", ".join(sizes)}, but has '
                         f'{", ".join(sorted(set(variant) - set(sizes)))}.')
    sizes.update(variant)
    if len(sizes['sides']) != 2:
        raise ValueError('variant needs two sides, for the upper and the '
                         f'lower levels, but has {sizes["sides"]}.')
    if min(sizes['width'], sizes['num_stages'], sizes['num_groups'],
           sizes['num_bottlenecks'], *sizes['sides']) < 1:
        raise ValueError(f'sizes of variant must be at least 1: {variant}.')
    if sizes['width'] % REDUCTION:
        raise ValueError(f'width must be a multiple of {REDUCTION}, but is '
                         f'{sizes["width"]}.')
    return sizes


def reflected(size: int, before: int, after: int) -> Tensor:
    """Return the indices of an axis that is reflected at both ends, as often
    as necessary, without repeating the border."""
    period = max(2 * (size - 1), 1)
    index = torch.arange(-before, size + after) % period
    return torch.minimum(index, period - index)


def padded(size: int, divisor: int) -> Tensor:
    """Return the indices of an axis that is padded as in the published code:
    one at the end if the size is odd, then equally at both ends."""
    odd = size % 2
    half = -(size + odd) % divisor // 2
    return reflected(size, 0, odd)[reflected(size + odd, half, half)]


class MAXIM(nn.Module):
    """Published MAXIM, which restores an image in several stages.

    Accepts any height and width: images are padded by reflection to a
    multiple of ``divisor`` (64 for the published variants), half on either
    side, and the output is cropped back. Sizes, parameters and padding are
    those of the authors' code (google-research/maxim); their training is not
    public.

    Args:
        variant (str | dict): 'S-1', 'S-2' or 'S-3', with this number of
            stages; or the differences from S-2: ``num_stages``, ``width``
            (channels at full size, doubled twice below; a multiple of 4),
            ``num_groups`` (blocks per level), ``num_bottlenecks`` and
            ``sides``, those of blocks and grids at the two upper levels and
            below.
        in_channels (int): Channels of the images.
        num_scales (int): Number of input and output scales, 1 to 3.
        img_channels (int, optional): Name of ``in_channels`` in version 0.1.

    Attributes:
        divisor (int): Image sides are padded to a multiple of it.

    Raises:
        ValueError: If ``variant`` is unknown or a size is out of range.
    """

    def __init__(self, variant: Union[str, dict] = 'S-2',
                 in_channels: int = 3, num_scales: int = 3,
                 img_channels: Optional[int] = None) -> None:
        super().__init__()
        in_channels = img_channels or in_channels
        sizes = full_variant(variant)
        if not 1 <= num_scales <= DEPTH:
            raise ValueError(f'num_scales must be 1 to {DEPTH}, but is '
                             f'{num_scales}.')
        last = sizes.pop('num_stages') - 1
        sizes = Sizes(num_scales=num_scales, img_channels=in_channels,
                      **sizes)
        self.in_channels, self.num_scales = in_channels, num_scales
        self.divisor = math.lcm(*(
            2**i * sizes.side(i) for i in range(DEPTH + 1)))
        self.stages = nn.ModuleList(
            Stage(sizes, first=s == 0, last=s == last)
            for s in range(last + 1))
        # layout of all tensors, see layers.py
        self.to(memory_format=torch.channels_last)

    def pad(self, img: Tensor) -> Tensor:
        """Pad (B, C, H, W) by reflection to multiples of ``divisor``."""
        rows, columns = (padded(side, self.divisor).to(img.device)
                         for side in img.shape[-2:])
        return img[..., rows[:, None], columns]

    def pyramid(self, img: Tensor) -> List[Tensor]:
        """Return padded images (B, C, H, W) with channels last, at full, half
        and quarter size. Each pixel is the one below and right of the center
        of those that it represents."""
        img = img.permute(0, 2, 3, 1).contiguous()
        steps = [2**i for i in range(self.num_scales)]
        return [img[:, r // 2::r, r // 2::r] for r in steps]

    def forward(self, img: Tensor, all_stages: bool = False
                ) -> Union[Tensor, List[List[Tensor]]]:
        """Restore images in one call.

        Args:
            img (Tensor): Degraded images (B, C, H, W) in [0, 1].
            all_stages (bool): Whether to return the restored padded images
                of each stage, for training.

        Returns:
            Tensor: Restored images (B, C, H, W), not clipped; or a list per
            stage of the restored images at each scale, from full size down.

        Raises:
            DataError: If the number of channels is wrong.
        """
        check_channels(img, self.in_channels)
        h, w = img.shape[-2:]
        images = self.pyramid(self.pad(img))
        passed, restored = None, []
        for stage in self.stages:
            outputs, passed = stage(images, passed)
            restored.append(outputs)
        if all_stages:
            return restored
        # the layout of the images that the output is combined with
        top, left = ((p - side - side % 2) // 2 for p, side in zip(
            restored[-1][0].shape[-2:], (h, w)))
        return restored[-1][0][..., top:top + h, left:left + w].contiguous()
