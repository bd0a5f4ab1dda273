"""Hooks of a process on the latents of an autoencoder."""
import copy
from typing import List, Optional, Tuple

import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import ConfigError
from ..networks import LatentUNet
from ..networks.blocks import pad_to_multiple
from ..sde.base import SDE
from .hooks import Hooks
from .network_calls import OVERLAP, NetworkCalls


class LatentHooks(Hooks):
    """Hooks for a process on the latents of an autoencoder.

    The process runs from the latent of the degraded image to that of the
    restored image, which is decoded with the features of the degraded image.
    Encoder and decoder process large images in tiles. The decoder computes
    the features again instead of keeping them, because those of a large image
    exceed the memory. Source: Refusion (Luo et al., CVPRW 2023).

    Args:
        autoencoder (LatentUNet): The autoencoder.
        network (nn.Module): Network of the process, with ``in_channels``.
        sde (SDE): The process.
        calls (NetworkCalls, optional): Settings for the autoencoder's calls;
            the side of a tile refers to the image.

    Raises:
        ConfigError: If the autoencoder does not fit the network, or the
            process needs images.
    """

    def __init__(self, autoencoder: LatentUNet, network: nn.Module, sde: SDE,
                 calls: Optional[NetworkCalls] = None) -> None:
        check_latents(autoencoder, network, sde)
        self.autoencoder = autoencoder
        self.downscale = autoencoder.scale
        self.encoder = _Encoder(autoencoder)
        self.decoder = _Decoder(autoencoder)
        self.calls = copy.deepcopy(calls) if calls else NetworkCalls()
        self.calls.output_scale = autoencoder.scale

    def networks(self) -> List[nn.Module]:
        return [self.autoencoder]

    def image_channels(self, network: nn.Module) -> int:
        return self.autoencoder.in_channels

    def padding(self, network: nn.Module, height: int,
                width: int) -> Tuple[int, int]:
        """Return the size unchanged, because latents of images of different
        sizes do not share a batch."""
        return height, width

    def encode(self, images: Tensor) -> Tuple[Tensor, tuple]:
        net = self.autoencoder
        padded = pad_to_multiple(images, net.divisor, net.pad_mode)
        blocks = F.pixel_unshuffle(padded, net.scale)
        return (self.calls.once(self.encoder, blocks),
                (blocks, images.shape[-2:]))

    def decode(self, x: Tensor, context: tuple) -> Tensor:
        blocks, (h, w) = context
        return self.calls.once(self.decoder, x, blocks)[..., :h, :w]


def check_latents(autoencoder: nn.Module, network: nn.Module,
                  sde: SDE) -> None:
    """Check that a process can run on the latents of an autoencoder.

    Raises:
        ConfigError: If the autoencoder is of another type or has other
            channels, or if the process needs images: it starts at their noise
            level, or clamps to their range.
    """
    if not isinstance(autoencoder, LatentUNet):
        raise ConfigError('the autoencoder must be a LatentUNet, but is '
                          f'{type(autoencoder).__name__}.')
    if network.in_channels != autoencoder.latent_channels:
        raise ConfigError(
            f'the autoencoder has {autoencoder.latent_channels} latent '
            'channels, but the network of the process takes '
            f'{network.in_channels}; set its in_channels.')
    name = type(sde).__name__
    if sde.starts_at_noise_level:
        raise ConfigError(f'{name} starts at the noise level of the image, '
                          'which its latent does not have; use another '
                          'process.')
    if sde.published_clamp is not None:
        raise ConfigError(f'{name} clamps to the range of images, but latents '
                          'have no range; use another process.')


class _OnLatentGrid(nn.Module):
    """Function of images that are given as blocks (B, C * scale^2, h, w), so
    that a tile of the latent and of the image have equal coordinates."""

    def __init__(self, autoencoder: LatentUNet) -> None:
        super().__init__()
        self.autoencoder = autoencoder
        self.divisor = autoencoder.divisor // autoencoder.scale
        self.overlap = -(-OVERLAP // autoencoder.scale)

    def features(self, blocks: Tensor) -> tuple:
        return self.autoencoder.encode(
            F.pixel_shuffle(blocks, self.autoencoder.scale))


class _Encoder(_OnLatentGrid):

    def forward(self, blocks: Tensor) -> Tensor:
        return self.features(blocks)[0]


class _Decoder(_OnLatentGrid):

    def forward(self, latent: Tensor, blocks: Tensor) -> Tensor:
        return self.autoencoder.decode(latent, self.features(blocks)[1])
