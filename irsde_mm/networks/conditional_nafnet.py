"""The network of Refusion (Luo et al., CVPRW 2023)."""
from typing import List, Optional, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import (ChannelNorm, ProcessNetwork, SimpleGate, TimeEmbedding,
                     local_mean)
from .self_ensemble import check_copies


class NAFBlock(nn.Module):
    """NAFNet block (Chen et al., ECCV 2022), modulated by the time."""

    def __init__(self, channels: int, time_channels: int) -> None:
        super().__init__()
        c = channels
        self.time_proj = nn.Sequential(
            SimpleGate(), nn.Linear(time_channels // 2, 4 * c))
        self.norm1, self.norm2 = ChannelNorm(c), ChannelNorm(c)
        self.conv1 = nn.Conv2d(c, 2 * c, 1)
        self.conv2 = nn.Conv2d(2 * c, 2 * c, 3, padding=1, groups=2 * c)
        self.channel_attn = nn.Conv2d(c, c, 1)
        self.conv3 = nn.Conv2d(c, c, 1)
        self.conv4 = nn.Conv2d(c, 2 * c, 1)
        self.conv5 = nn.Conv2d(c, c, 1)
        self.gate = SimpleGate()
        self.window: Optional[int] = None
        self.beta = nn.Parameter(torch.zeros(1, c, 1, 1))
        self.gamma = nn.Parameter(torch.zeros(1, c, 1, 1))

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        shift_attn, scale_attn, shift_ffn, scale_ffn = self.time_proj(
            time)[..., None, None].chunk(4, dim=1)
        h = self.norm1(x) * (scale_attn + 1) + shift_attn
        h = self.gate(self.conv2(self.conv1(h)))
        h = h * self.channel_attn(local_mean(h, self.window))
        x = x + self.conv3(h) * self.beta
        h = self.norm2(x) * (scale_ffn + 1) + shift_ffn
        return x + self.conv5(self.gate(self.conv4(h))) * self.gamma


class NAFLevel(nn.ModuleList):
    """Blocks of one resolution."""

    def __init__(self, num_blocks: int, channels: int,
                 time_channels: int) -> None:
        super().__init__(
            NAFBlock(channels, time_channels) for _ in range(num_blocks))

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        for block in self:
            x = block(x, time)
        return x


class ConditionalNAFNet(ProcessNetwork):
    """Published NAFNet, as a function of (xt - mu, mu, t).

    Accepts any height and width: the right and bottom sides are padded to a
    multiple of patch_size * 2^levels and the output is cropped back.

    Args:
        in_channels (int): Channels of ``xt`` (and of ``mu``).
        width (int): Channels of the first level, even. Each level doubles
            them.
        enc_blocks, dec_blocks (Sequence[int]): Blocks per level.
        middle_blocks (int): Blocks at the lowest resolution.
        conditional (bool): Whether the degraded image is an input.
        local_pooling (int, optional): Side in pixels of the window that the
            channel attention averages over (TLC: Chu et al., ECCV 2022, who
            use 1.5 times the side of training patches). Default: the whole
            image, as published. The weights do not depend on it.
        out_channels (int, optional): Channels of the output. Default:
            ``in_channels``.
        long_skip (bool): Whether the output of the first convolution is added
            before the last one, as in Refusion's networks for latents. The
            parameters are the same.
        pad_mode (str): ``'constant'`` pads with zeros, as published.
            ``'reflect'`` mirrors the image, which leaves no dark edge that
            the network can spread; configs use it, except those of published
            weights. The weights do not depend on it.
        patch_size (int): Side in pixels of the patches that the network
            computes on: pixel unshuffle before the first convolution, pixel
            shuffle after the last (Shi et al., CVPR 2016). The cost falls with
            its square. For enlarged images, use their scale, because they have
            no finer detail.
        self_ensemble (int): Flipped copies of an image that the output is
            averaged over, except in training: 1, 2, 4 or 8, see
            :func:`mean_over_flips`.
        img_channels (int, optional): Name of ``in_channels`` in version 0.1.

    Raises:
        ValueError: If ``width`` is odd, encoder and decoder have different
            numbers of levels, the window is smaller than a pixel of the
            lowest level, ``patch_size`` is not a positive integer, or the
            padding mode or the number of copies is unknown.
    """

    runtime_args = ('local_pooling', )
    #: Stored in checkpoints, which can be used with other values.
    inference_args = ('pad_mode', 'self_ensemble')
    #: May be larger than in weights that a training starts from.
    growing_args = ('enc_blocks', 'middle_blocks', 'dec_blocks')

    def __init__(self, in_channels: int = 3, width: int = 64,
                 enc_blocks: Sequence[int] = (1, 1, 1, 28),
                 middle_blocks: int = 1,
                 dec_blocks: Sequence[int] = (1, 1, 1, 1),
                 conditional: bool = True,
                 local_pooling: Optional[int] = None,
                 out_channels: Optional[int] = None,
                 long_skip: bool = False,
                 pad_mode: str = 'constant', patch_size: int = 1,
                 self_ensemble: int = 1,
                 img_channels: Optional[int] = None) -> None:
        super().__init__()
        in_channels = img_channels or in_channels
        out_channels = out_channels or in_channels
        if len(enc_blocks) != len(dec_blocks):
            raise ValueError('enc_blocks and dec_blocks must have the same '
                             f'length, but are {tuple(enc_blocks)} and '
                             f'{tuple(dec_blocks)}.')
        if pad_mode not in ('constant', 'reflect'):
            raise ValueError("pad_mode must be 'constant' or 'reflect', but "
                             f'is {pad_mode!r}.')
        if not isinstance(patch_size, int) or patch_size < 1:
            raise ValueError('patch_size must be a positive integer, but is '
                             f'{patch_size!r}.')
        self.in_channels, self.pad_mode = in_channels, pad_mode
        self.patch_size, pixels = patch_size, patch_size**2
        self.conditional, self.long_skip = conditional, long_skip
        self.self_ensemble = check_copies(self_ensemble)
        self.divisor = patch_size * 2**len(enc_blocks)
        time = 4 * width
        self.embedding = TimeEmbedding(width)
        self.time_mlp = nn.Sequential(
            nn.Linear(width, 2 * time), SimpleGate(), nn.Linear(time, time))
        self.conv_in = nn.Conv2d(in_channels * (1 + conditional) * pixels,
                                 width, 3, padding=1)
        self.encoders, self.decoders = nn.ModuleList(), nn.ModuleList()
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        c = width
        for num_blocks in enc_blocks:
            self.encoders.append(NAFLevel(num_blocks, c, time))
            self.downs.append(nn.Conv2d(c, 2 * c, 2, stride=2))
            c *= 2
        self.middle = NAFLevel(middle_blocks, c, time)
        for num_blocks in dec_blocks:
            self.ups.append(nn.Sequential(
                nn.Conv2d(c, 2 * c, 1, bias=False), nn.PixelShuffle(2)))
            c //= 2
            self.decoders.append(NAFLevel(num_blocks, c, time))
        self.conv_out = nn.Conv2d(width, out_channels * pixels, 3, padding=1)
        if local_pooling is not None:
            self._pool_locally(local_pooling)
        # norms and 1x1 convolutions work along the channels; with
        # channels_last, a training iteration takes half the time on a CPU
        self.to(memory_format=torch.channels_last)

    def _pool_locally(self, window: int) -> None:
        if not isinstance(window, int) or window < self.divisor:
            raise ValueError('local_pooling must be an integer of at least '
                             f'{self.divisor} pixels, but is '
                             f'{window!r}.')
        down = [*self.encoders, self.middle]
        for i, blocks in (*enumerate(down), *enumerate(self.decoders[::-1])):
            for block in blocks:
                block.window = window // (self.patch_size << i)

    def features(self, x: Tensor, time: Tensor) -> Tensor:
        if self.patch_size > 1:
            x = F.pixel_unshuffle(x, self.patch_size)
        x = self.conv_in(x)
        # kept only if it is used, because it adds to the peak memory
        first = x if self.long_skip else None
        skips = []
        for encoder, down in zip(self.encoders, self.downs):
            x = encoder(x, time)
            skips.append(x)
            x = down(x)
        x = self.middle(x, time)
        for decoder, up in zip(self.decoders, self.ups):
            x = decoder(up(x) + skips.pop(), time)
        x = self.conv_out(x if first is None else x + first)
        if self.patch_size > 1:
            x = F.pixel_shuffle(x, self.patch_size)
        return x

    def blocks_beyond(self, enc_blocks: Sequence[int], middle_blocks: int,
                      dec_blocks: Sequence[int]) -> List[str]:
        """Return the names of the weights of the blocks that a network with
        fewer blocks does not have.

        New blocks change nothing until they are trained, because their
        ``beta`` and ``gamma`` are zero. This network therefore computes the
        same as the smaller one with its weights.

        Args:
            enc_blocks, middle_blocks, dec_blocks: Arguments of the smaller
                network.
        """
        levels = [(f'encoders.{i}', self.encoders[i], n)
                  for i, n in enumerate(enc_blocks)]
        levels += [(f'decoders.{i}', self.decoders[i], n)
                   for i, n in enumerate(dec_blocks)]
        levels.append(('middle', self.middle, middle_blocks))
        return [f'{name}.{key}' for name, level, first in levels
                for key in level.state_dict()
                if int(key.split('.')[0]) >= first]

    def folded(self) -> nn.Module:
        from .folding import fold
        return fold(self)
