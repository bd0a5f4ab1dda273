"""The autoencoder of Refusion (Luo et al., CVPRW 2023)."""
from typing import List, NamedTuple, Sequence, Tuple

import torch
from torch import Tensor, nn

from .blocks import check_channels, pad_to_multiple
from .conditional_unet import Level, LinearAttention, ResidualBlock


class Hidden(NamedTuple):
    """Features of an image for the decoder.

    Attributes:
        maps (list[Tensor]): The output of the first convolution and of both
            blocks of each stage, of the padded image.
        size (tuple[int, int]): Height and width of the image.
    """

    maps: List[Tensor]
    size: Tuple[int, int]


class LatentUNet(nn.Module):
    """Published autoencoder whose decoder gets features of another image.

    The latent of a clean image is decoded with the features of the degraded
    image, which keep what restoration does not change. Accepts any height and
    width: images are padded to a multiple of 2^stages (the latent is 2^(stages
    - 1) times smaller and has even sides), and a decoded image has the size of
    the image that the features belong to.

    Args:
        in_channels (int): Channels of the images.
        base_channels (int): Channels of the first convolution.
        channel_factors (Sequence[int]): Channels after each stage, relative
            to ``base_channels``; one factor per stage.
        latent_channels (int): Channels of the latent.

    Attributes:
        divisor (int): Image sides are padded to a multiple of it.
        scale (int): Scale factor from the latent to the image.

    Raises:
        ValueError: If there is no stage, or a number of channels is below 1.
    """

    pad_mode = 'reflect'

    def __init__(self, in_channels: int = 3, base_channels: int = 8,
                 channel_factors: Sequence[int] = (4, 8, 8, 16),
                 latent_channels: int = 8) -> None:
        super().__init__()
        widths = [base_channels, *(base_channels * factor
                                   for factor in channel_factors)]
        if len(widths) < 2 or min(in_channels, latent_channels, *widths) < 1:
            raise ValueError('LatentUNet needs at least one stage and one '
                             'channel everywhere, but got channel_factors='
                             f'{tuple(channel_factors)}, in_channels='
                             f'{in_channels}, base_channels={base_channels} '
                             f'and latent_channels={latent_channels}.')
        self.in_channels, self.latent_channels = in_channels, latent_channels
        stages = len(channel_factors)
        self.divisor, self.scale = 2**stages, 2**(stages - 1)
        self.conv_in = nn.Conv2d(in_channels, base_channels, 3, padding=1,
                                 bias=False)
        self.encoder, self.decoder = nn.ModuleList(), nn.ModuleList()
        for i, (c, wide) in enumerate(zip(widths, widths[1:])):
            last = i == stages - 1  # the deepest stage
            self.encoder.append(Level(
                ResidualBlock(c, c), ResidualBlock(c, c),
                LinearAttention(c) if last else nn.Identity(),
                nn.Conv2d(c, wide, 3, padding=1, bias=False) if last
                else nn.Conv2d(c, wide, 4, stride=2, padding=1)))
            self.decoder.insert(0, Level(
                ResidualBlock(wide + c, wide), ResidualBlock(wide + c, wide),
                LinearAttention(wide) if last else nn.Identity(),
                nn.Conv2d(wide, c, 3, padding=1, bias=False) if i == 0
                else nn.Sequential(nn.Upsample(scale_factor=2),
                                   nn.Conv2d(wide, c, 3, padding=1))))
        self.to_latent = nn.Conv2d(widths[-1], latent_channels, 1, bias=False)
        self.from_latent = nn.Conv2d(latent_channels, widths[-1], 1,
                                     bias=False)
        self.conv_out = nn.Conv2d(base_channels, in_channels, 3, padding=1)
        # as in ConditionalUNet
        self.to(memory_format=torch.channels_last)

    def encode(self, images: Tensor) -> Tuple[Tensor, Hidden]:
        """Encode images.

        Args:
            images (Tensor): (B, C, H, W) in [0, 1].

        Returns:
            (latent, hidden): The latent (B, latent_channels, h, w), and the
            features for :meth:`decode`.

        Raises:
            DataError: If the number of channels is wrong.
        """
        check_channels(images, self.in_channels)
        x = self.conv_in(pad_to_multiple(images, self.divisor, self.pad_mode))
        maps = [x]
        for level in self.encoder:
            x = level.down(x, None, maps)
        # a layout that does not depend on the network's
        return (self.to_latent(x).contiguous(),
                Hidden(maps, tuple(images.shape[-2:])))

    def decode(self, latent: Tensor, hidden: Hidden) -> Tensor:
        """Decode latents.

        Args:
            latent (Tensor): (B, latent_channels, h, w).
            hidden (Hidden): Features of the images to take over what the
                latent lacks; they are not changed.

        Returns:
            Tensor: Images (B, C, H, W), not clipped, of the size of those
            that the features belong to.
        """
        first, *maps = hidden.maps
        x = self.from_latent(latent)
        for level in self.decoder:
            x = level.up(x, None, maps)
        h, w = hidden.size
        return self.conv_out(x + first)[..., :h, :w].contiguous()

    def forward(self, images: Tensor) -> Tensor:
        """Return the reconstruction of images (B, C, H, W) in [0, 1]."""
        return self.decode(*self.encode(images))
