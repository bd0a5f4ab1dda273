"""The network of IR-SDE (Luo et al., ICML 2023)."""
from typing import List, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import ChannelNorm, ProcessNetwork, TimeEmbedding
from .self_ensemble import check_copies

HEADS, HEAD_CHANNELS = 4, 32


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions, in a network with a time modulated by it in
    between."""

    def __init__(self, in_channels: int, out_channels: int,
                 time_channels: Optional[int] = None) -> None:
        super().__init__()
        if time_channels is not None:
            self.time_proj = nn.Linear(time_channels, 2 * out_channels)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1,
                               bias=False)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1,
                               bias=False)
        self.shortcut = nn.Identity() if in_channels == out_channels else \
            nn.Conv2d(in_channels, out_channels, 1, bias=False)

    def forward(self, x: Tensor, time: Optional[Tensor] = None) -> Tensor:
        h = self.conv1(x)
        if time is not None:
            scale, shift = self.time_proj(
                F.silu(time))[..., None, None].chunk(2, dim=1)
            h = h * (scale + 1) + shift
        return F.silu(self.conv2(F.silu(h))) + self.shortcut(x)


class LinearAttention(nn.Module):
    """Residual attention with a cost linear in the number of pixels.

    Source: Katharopoulos et al., 2020. As in the published network, the
    softmax is over channels for queries and over pixels for keys.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = HEADS * HEAD_CHANNELS
        self.norm = ChannelNorm(channels)
        self.to_qkv = nn.Conv2d(channels, 3 * inner, 1, bias=False)
        self.to_out = nn.Conv2d(inner, channels, 1)
        self.norm_out = ChannelNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        b, _, h, w = x.shape
        q, k, v = self.to_qkv(self.norm(x)).reshape(
            b, 3, HEADS, HEAD_CHANNELS, h * w).unbind(1)
        q = q.softmax(dim=-2)
        context = k.softmax(dim=-1) @ v.transpose(-1, -2)
        context = context * (HEAD_CHANNELS**-0.5 / (h * w))
        out = (context.transpose(-1, -2) @ q).reshape(b, -1, h, w)
        return self.norm_out(self.to_out(out)) + x


class Attention(nn.Module):
    """Residual softmax attention between all pixels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = HEADS * HEAD_CHANNELS
        self.norm = ChannelNorm(channels)
        self.to_qkv = nn.Conv2d(channels, 3 * inner, 1, bias=False)
        self.to_out = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        b, _, h, w = x.shape
        q, k, v = self.to_qkv(self.norm(x)).reshape(
            b, 3, HEADS, HEAD_CHANNELS, h * w).transpose(-1, -2).unbind(1)
        out = F.scaled_dot_product_attention(q, k, v)
        return self.to_out(out.transpose(-1, -2).reshape(b, -1, h, w)) + x


class Level(nn.Module):
    """Two residual blocks, attention and a change of resolution."""

    def __init__(self, block1: nn.Module, block2: nn.Module, attn: nn.Module,
                 resample: nn.Module) -> None:
        super().__init__()
        self.block1 = block1
        self.block2 = block2
        self.attn = attn
        self.resample = resample

    def down(self, x: Tensor, time: Optional[Tensor],
             skips: List[Tensor]) -> Tensor:
        """Encode ``x`` and append the features of both blocks to ``skips``."""
        x = self.block1(x, time)
        skips.append(x)
        x = self.attn(self.block2(x, time))
        skips.append(x)
        return self.resample(x)

    def up(self, x: Tensor, time: Optional[Tensor],
           skips: List[Tensor]) -> Tensor:
        """Decode ``x`` with the features that it pops from ``skips``."""
        x = self.block1(torch.cat((x, skips.pop()), dim=1), time)
        x = self.block2(torch.cat((x, skips.pop()), dim=1), time)
        return self.resample(self.attn(x))


class ConditionalUNet(ProcessNetwork):
    """Published U-Net, as a function of (xt - mu, mu, t).

    Accepts any height and width: images are padded to a multiple of 2^depth
    and the output is cropped back.

    Args:
        in_channels (int): Channels of ``xt`` (and of ``mu``).
        out_channels (int): Channels of the output.
        base_channels (int): Channels of the first level, even.
        depth (int): Number of levels. Each level doubles the channels.
        conditional (bool): Whether the degraded image is an input. If not,
            the middle block attends between all pixels, as published.
        self_ensemble (int): Flipped copies of an image that the output is
            averaged over, except in training: 1, 2, 4 or 8, see
            :func:`mean_over_flips`.

    Raises:
        ValueError: If ``base_channels`` is odd, ``depth`` is below 1, or the
            number of copies is unknown.
    """

    #: Stored in checkpoints, which can be used with other values.
    inference_args = ('self_ensemble', )
    pad_mode = 'reflect'

    def __init__(self, in_channels: int = 3, out_channels: int = 3,
                 base_channels: int = 64, depth: int = 4,
                 conditional: bool = True, self_ensemble: int = 1) -> None:
        super().__init__()
        if depth < 1:
            raise ValueError(f'depth must be at least 1, but is {depth}.')
        self.in_channels = in_channels
        self.divisor = 2**depth
        self.conditional = conditional
        self.self_ensemble = check_copies(self_ensemble)
        nf, time = base_channels, 4 * base_channels
        self.embedding = TimeEmbedding(nf)
        self.time_mlp = nn.Sequential(
            nn.Linear(nf, time), nn.GELU(), nn.Linear(time, time))
        self.conv_in = nn.Conv2d(in_channels * (1 + conditional), nf, 7,
                                 padding=3, bias=False)

        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        for i in range(depth):
            c, wide, last = nf * 2**i, nf * 2**(i + 1), i == depth - 1
            self.downs.append(Level(
                ResidualBlock(c, c, time), ResidualBlock(c, c, time),
                LinearAttention(c),
                nn.Conv2d(c, wide, 3, padding=1, bias=False) if last
                else nn.Conv2d(c, wide, 4, stride=2, padding=1)))
            self.ups.insert(0, Level(
                ResidualBlock(wide + c, wide, time),
                ResidualBlock(wide + c, wide, time),
                LinearAttention(wide),
                nn.Conv2d(wide, c, 3, padding=1, bias=False) if i == 0
                else nn.Sequential(nn.Upsample(scale_factor=2),
                                   nn.Conv2d(wide, c, 3, padding=1))))
        middle = nf * 2**depth
        self.mid_block1 = ResidualBlock(middle, middle, time)
        self.mid_attn = (LinearAttention if conditional
                         else Attention)(middle)
        self.mid_block2 = ResidualBlock(middle, middle, time)
        self.block_out = ResidualBlock(2 * nf, nf, time)
        self.conv_out = nn.Conv2d(nf, out_channels, 3, padding=1)
        # norms and 1x1 convolutions work along the channels; with
        # channels_last, narrow convolutions take half the time on a CPU
        self.to(memory_format=torch.channels_last)

    def features(self, x: Tensor, time: Tensor) -> Tensor:
        first = x = self.conv_in(x)
        skips: List[Tensor] = []
        for level in self.downs:
            x = level.down(x, time, skips)
        x = self.mid_attn(self.mid_block1(x, time))
        x = self.mid_block2(x, time)
        for level in self.ups:
            x = level.up(x, time, skips)
        x = self.block_out(torch.cat((x, first), dim=1), time)
        return self.conv_out(x)
