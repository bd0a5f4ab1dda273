"""Blocks of MAXIM (Tu et al., CVPR 2022), for images with channels last."""
from typing import Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layers import Conv, SpatialMixing, Up, dense, gelu, norm, pointwise

REDUCTION = 4  # of the channels in channel attention


class GatedMLP(nn.Module):
    """gMLP (Liu et al., NeurIPS 2021), in which pixels gate each other."""

    def __init__(self, channels: int, side: int, axis: str) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.proj_in = dense(channels, 2 * channels)
        self.gate_norm = norm(channels)
        self.mixing = SpatialMixing(side, axis)
        self.proj_out = dense(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        u, v = gelu(self.proj_in(self.norm(x))).chunk(2, dim=-1)
        return x + self.proj_out(u * (self.mixing(self.gate_norm(v)) + 1))


class MultiAxisMLP(nn.Module):
    """Mixing of one half of the channels over the grid and of the other within
    blocks."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.proj_in = dense(channels, 2 * channels)
        self.grid = GatedMLP(channels, side, 'grid')
        self.block = GatedMLP(channels, side, 'block')
        self.proj_out = dense(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        u, v = gelu(self.proj_in(self.norm(x))).chunk(2, dim=-1)
        return x + self.proj_out(
            torch.cat((self.grid(u), self.block(v)), dim=-1))


class ChannelAttention(nn.Module):
    """Weights for the channels, from their means (Hu et al., CVPR 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = pointwise(channels, channels // REDUCTION)
        self.excite = pointwise(channels // REDUCTION, channels)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((1, 2), keepdim=True)
        return x * self.excite(self.squeeze(mean).relu()).sigmoid()


class ResidualConv(nn.Module):
    """Two convolutions and channel attention (the paper's RCAB)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.conv1 = Conv(channels, channels)
        self.conv2 = Conv(channels, channels)
        self.attention = ChannelAttention(channels)

    def forward(self, x: Tensor) -> Tensor:
        h = F.leaky_relu(self.conv1(self.norm(x)), 0.2)
        return x + self.attention(self.conv2(h))


class ResidualDense(nn.Module):
    """Two linear layers and channel attention (the paper's RDCAB)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.fc1 = dense(channels, channels)
        self.fc2 = dense(channels, channels)
        self.attention = ChannelAttention(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.attention(self.fc2(gelu(self.fc1(self.norm(x)))))


class GatingWeights(nn.Module):
    """Weights for another feature, from pixels mixed along both axes."""

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.proj_in = pointwise(channels, 2 * channels)
        self.grid = SpatialMixing(side, 'grid', bias=1.)
        self.block = SpatialMixing(side, 'block', bias=1.)
        self.proj_out = pointwise(2 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        u, v = gelu(self.proj_in(self.norm(x))).chunk(2, dim=-1)
        return self.proj_out(
            torch.cat((self.grid(u), self.block(v)), dim=-1))


class CrossGating(nn.Module):
    """Two features that gate each other.

    Args:
        x_channels, y_channels (int): Channels of the features.
        channels (int): Channels of both results.
        side (int): Side of blocks and grid.
        up (bool): Whether y has half the size of x.
    """

    def __init__(self, x_channels: int, y_channels: int, channels: int,
                 side: int, up: bool = False) -> None:
        super().__init__()
        self.up = Up(y_channels, channels) if up else None
        self.proj_x = pointwise(x_channels, channels)
        self.proj_y = pointwise(channels if up else y_channels, channels)
        self.norm_x, self.norm_y = norm(channels), norm(channels)
        self.in_x = pointwise(channels, channels)
        self.in_y = pointwise(channels, channels)
        self.gate_x = GatingWeights(channels, side)
        self.gate_y = GatingWeights(channels, side)
        self.out_x = pointwise(channels, channels)
        self.out_y = pointwise(channels, channels)

    def forward(self, x: Tensor, y: Tensor) -> Tuple[Tensor, Tensor]:
        """Return both gated features; the gated y is added to x."""
        x = self.proj_x(x)
        y = self.proj_y(y if self.up is None else self.up(y))
        gx = gelu(self.in_x(self.norm_x(x)))
        gy = gelu(self.in_y(self.norm_y(y)))
        y = y + self.out_y(gy * self.gate_x(gx))
        x = x + y + self.out_x(gx * self.gate_y(gy))
        return x, y


class SupervisedAttention(nn.Module):
    """Feature weighted by the image that it predicts (MPRNet's SAM).

    Args:
        channels (int): Channels of the feature.
        img_channels (int): Channels of the image.
    """

    def __init__(self, channels: int, img_channels: int) -> None:
        super().__init__()
        self.feature = Conv(channels, channels)
        self.image = Conv(channels, img_channels)
        self.attention = Conv(img_channels, channels)

    def forward(self, x: Tensor,
                img: Tensor) -> Tuple[Tensor, Tensor]:
        """Return the feature for the next stage and the restored image."""
        restored = self.image(x) + img
        return (x + self.feature(x) * self.attention(restored).sigmoid(),
                restored)
