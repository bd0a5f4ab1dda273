"""Layers of MAXIM (Tu et al., CVPR 2022), for images with channels last.

Tensors are (B, H, W, C), as in the published network, which consists mostly
of linear layers and norms over the channels. Convolutions use the same memory
in the layout ``torch.channels_last``, without a copy.
"""
import torch
import torch.nn.functional as F
from torch import Tensor, nn

NORM_EPS = 1e-6  # Flax's
DENSE_STD = 0.02
# standard deviation of a unit normal that is truncated at 2
CUT_STD = 0.87962566


def lecun_normal_(layer: nn.Module, fan_in: int) -> None:
    """Initialize as Flax does: variance 1 / fan_in, truncated at two standard
    deviations."""
    std = fan_in**-0.5 / CUT_STD
    nn.init.trunc_normal_(layer.weight, std=std, a=-2 * std, b=2 * std)
    nn.init.zeros_(layer.bias)


class Conv(nn.Conv2d):
    """Convolution that keeps the size, or halves it with ``stride=2``."""

    def __init__(self, in_channels: int, out_channels: int,
                 kernel_size: int = 3, stride: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride,
                         padding=1)
        lecun_normal_(self, in_channels * kernel_size**2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


class Up(nn.ConvTranspose2d):
    """Transposed convolution to twice the size."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 2, stride=2)
        lecun_normal_(self, in_channels * 4)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


def pointwise(in_channels: int, out_channels: int) -> nn.Linear:
    """Return a 1x1 convolution, which is a linear layer here."""
    layer = nn.Linear(in_channels, out_channels)
    lecun_normal_(layer, in_channels)
    return layer


def dense(in_channels: int, out_channels: int) -> nn.Linear:
    """Return a linear layer with the initialization of the MLPs."""
    layer = nn.Linear(in_channels, out_channels)
    nn.init.normal_(layer.weight, std=DENSE_STD)
    nn.init.zeros_(layer.bias)
    return layer


def norm(channels: int) -> nn.LayerNorm:
    return nn.LayerNorm(channels, eps=NORM_EPS)


def gelu(x: Tensor) -> Tensor:
    return F.gelu(x, approximate='tanh')


class Resample(nn.Linear):
    """Bilinear change of size by 2^power and 1x1 convolution.

    The two commute; the convolution runs at the smaller size. Shrinking uses
    antialiasing, as ``jax.image.resize`` does.
    """

    def __init__(self, in_channels: int, out_channels: int,
                 power: int) -> None:
        super().__init__(in_channels, out_channels)
        self.power = power
        lecun_normal_(self, in_channels)

    def resize(self, x: Tensor) -> Tensor:
        if self.power == 0:
            return x
        size = [int(side * 2.**self.power) for side in x.shape[1:3]]
        # antialiasing does not support bfloat16 on CPUs
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        return F.interpolate(
            wide.permute(0, 3, 1, 2), size=size, mode='bilinear',
            align_corners=False, antialias=self.power < 0
        ).permute(0, 2, 3, 1).to(x.dtype)

    def forward(self, x: Tensor) -> Tensor:
        if self.power > 0:
            return self.resize(super().forward(x))
        return super().forward(self.resize(x))


class SpatialMixing(nn.Linear):
    """Linear mixing of the pixels of a window, or of corresponding pixels of
    all windows.

    'block': windows of side x side pixels; the pixels of one window are
    mixed. 'grid': side x side windows; the pixels at the same position in
    each window are mixed, which are one window size apart. The weights belong
    to side^2 positions and do not depend on the size of the image.

    Args:
        side (int): Pixels, or windows, along an axis.
        axis (str): 'block' or 'grid'.
        bias (float): Initial bias.
    """

    # n: image, (k, l) -> (i, j): mixed positions, (f, g): the other part of a
    # pixel's position
    EQUATIONS = dict(grid='ijkl,nkflgc->nifjgc', block='ijkl,nfkglc->nfigjc')

    def __init__(self, side: int, axis: str, bias: float = 0.) -> None:
        super().__init__(side**2, side**2)
        self.side, self.axis = side, axis
        nn.init.normal_(self.weight, std=DENSE_STD)
        nn.init.constant_(self.bias, bias)

    def forward(self, x: Tensor) -> Tensor:
        n, h, w, c = x.shape
        side = self.side
        if self.axis == 'grid':
            x = x.reshape(n, side, h // side, side, w // side, c)
            bias = self.bias.view(side, 1, side, 1, 1)
        else:
            x = x.reshape(n, h // side, side, w // side, side, c)
            bias = self.bias.view(side, 1, side, 1)
        x = torch.einsum(self.EQUATIONS[self.axis],
                         self.weight.view(side, side, side, side), x)
        return (x + bias).reshape(n, h, w, c)
