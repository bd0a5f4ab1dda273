"""ConditionalNAFNet with folded operations, for testing.

Folding computes the same sums in another order: scales are multiplied into
adjacent weights, norm and modulation become one operation, and gates multiply
the outputs of two half convolutions in place. Weights are copied; the network
itself does not change.
"""
import copy
from typing import Iterator, Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import NORM_EPS, local_mean
from .conditional_nafnet import ConditionalNAFNet, NAFBlock, NAFLevel

#: Up to this many channels, PyTorch's layer_norm on a CPU, which processes
#: one pixel at a time, takes longer than convolutions and whole-image
#: operations.
NARROW = 32


def fold(network: ConditionalNAFNet) -> ConditionalNAFNet:
    """Fold a network for calls without gradients.

    Args:
        network (ConditionalNAFNet): Network with its current weights. After
            they change, fold the network again.

    Returns:
        ConditionalNAFNet: The same function up to float rounding.
    """
    folded = copy.copy(network)
    folded._modules = dict(network._modules)
    with torch.no_grad():
        for name in ('encoders', 'decoders'):
            setattr(folded, name, nn.ModuleList(
                map(fold_level, getattr(network, name))))
        folded.middle = fold_level(network.middle)
        folded.ups = nn.ModuleList(FoldedUp(up[0]) for up in network.ups)
    return folded


def fold_level(level: NAFLevel) -> NAFLevel:
    return NAFLevel(0, 0, 0).extend(map(FoldedNAFBlock, level))


def pointwise(x: Tensor, weight: Tensor,
              bias: Optional[Tensor] = None) -> Tensor:
    """Apply a 1x1 convolution.

    On a CPU, call oneDNN directly: with one thread, PyTorch would choose a
    slower implementation. torch.compile makes its own choice.
    """
    if (not torch.compiler.is_compiling() and x.device.type == 'cpu'
            and x.dtype == torch.float32
            and torch.backends.mkldnn.is_available()):
        return torch.mkldnn_convolution(x, weight, bias, (0, 0), (1, 1),
                                        (1, 1), 1)
    return F.conv2d(x, weight, bias)


def weights(*tensors: Tensor) -> nn.ParameterList:
    """Return copies for a folded module.

    They are parameters because torch.compile treats the sizes of other
    tensors as dynamic.
    """
    return nn.ParameterList(nn.Parameter(tensor.clone(), requires_grad=False)
                            for tensor in tensors)


def scaled(conv: nn.Conv2d, scale: Tensor) -> nn.ParameterList:
    """Return weight and bias of a 1x1 convolution, scaled by (1, C, 1, 1)."""
    return weights(conv.weight * scale.reshape(-1, 1, 1, 1),
                   conv.bias * scale.flatten())


class FoldedNAFBlock(nn.Module):
    """:class:`NAFBlock` for one time, that of all images."""

    def __init__(self, block: NAFBlock) -> None:
        super().__init__()
        self.block = block
        self.conv2 = nn.ModuleList(map(weights, block.conv2.weight.chunk(2),
                                       block.conv2.bias.chunk(2)))
        self.conv3 = scaled(block.conv3, block.beta)
        self.conv5 = scaled(block.conv5, block.gamma)

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """See :meth:`NAFBlock.forward`."""
        if len(time) > 1:
            return self.block(x, time)
        block, c = self.block, x.shape[1]
        shift_attn, scale_attn, shift_ffn, scale_ffn = block.time_proj(
            time)[0].chunk(4)
        gain = block.norm1.weight.flatten() * (scale_attn + 1)
        u, v = (F.conv2d(half, *second, padding=1, groups=c)
                for half, second in zip(
                    modulated(x, block.conv1, gain, shift_attn), self.conv2))
        x = self.attended(u.mul_(v)).add_(x)
        gain = block.norm2.weight.flatten() * (scale_ffn + 1)
        u, v = modulated(x, block.conv4, gain, shift_ffn)
        return pointwise(u.mul_(v), *self.conv5).add_(x)

    def attended(self, h: Tensor) -> Tensor:
        """Apply the channel attention and ``conv3``; for a single image, the
        attention scales the weights."""
        block, (weight, bias) = self.block, self.conv3
        scale = block.channel_attn(local_mean(h, block.window))
        if scale.numel() == h.shape[1]:
            return pointwise(h, weight * scale, bias)
        return pointwise(h.mul_(scale), weight, bias)


def modulated(x: Tensor, conv: nn.Conv2d, gain: Tensor,
              shift: Tensor) -> Iterator[Tensor]:
    """Return both halves of a 1x1 convolution of the normalized ``x``, which
    is multiplied by ``gain`` and shifted by ``shift``, (C, ) each."""
    c, weight, bias = x.shape[1], conv.weight, conv.bias
    if c > NARROW or x.device.type != 'cpu':
        h = F.layer_norm(x.permute(0, 2, 3, 1), (c, ), gain, shift, NORM_EPS)
        h = h.permute(0, 3, 1, 2)
    else:
        # subtracting the mean is a convolution; gain and shift are folded
        # into the weights
        centre = torch.eye(c, dtype=x.dtype) - 1 / c
        h = pointwise(x, centre[:, :, None, None])
        size = torch.linalg.vector_norm(h, dim=1, keepdim=True)
        h.mul_(size.square_().div_(c).add_(NORM_EPS).rsqrt_())
        bias = bias + weight.flatten(1) @ shift
        weight = weight * gain[:, None, None]
    return (pointwise(h, *half)
            for half in zip(weight.chunk(2), bias.chunk(2)))


class FoldedUp(nn.Module):
    """1x1 convolution and pixel shuffle that moves whole pixels, because the
    weights are reordered so that their channels are adjacent."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.weight, = weights(conv.weight.unflatten(0, (-1, 4)).transpose(
            0, 1).flatten(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        b, _, h, w = x.shape
        x = pointwise(x, self.weight).permute(0, 2, 3, 1)
        x = x.reshape(b, h, w, 2, 2, -1).transpose(2, 3)
        return x.reshape(b, 2 * h, 2 * w, -1).permute(0, 3, 1, 2)
