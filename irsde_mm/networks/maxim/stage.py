"""One stage of MAXIM: a U-Net with skips that are gated across all levels."""
from typing import List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from .blocks import (CrossGating, MultiAxisMLP, ResidualConv, ResidualDense,
                     SupervisedAttention)
from .layers import Conv, Resample, Up, pointwise

DEPTH = 3  # levels above the bottleneck
HIGH = 2  # number of levels with the large blocks and grids


class Sizes(NamedTuple):
    """Sizes of all stages, see :class:`MAXIM`."""
    width: int
    num_groups: int
    num_bottlenecks: int
    sides: Sequence[int]
    num_scales: int
    img_channels: int

    def channels(self, level: int) -> int:
        return self.width * 2**level

    def side(self, level: int) -> int:
        return self.sides[level >= HIGH]


class Passed(NamedTuple):
    """Features for the next stage, each finest first."""
    bridges: List[Tensor]
    decoded: List[Tensor]
    attended: List[Tensor]


class Body(nn.Module):
    """Blocks of a level, in encoder, bottleneck and decoder.

    Args:
        in_channels, channels (int): Channels of input and output.
        side (int): Side of blocks and grid.
        num_groups (int): Number of blocks of each kind.
        residual (type): ResidualConv or ResidualDense.
    """

    def __init__(self, in_channels: int, channels: int, side: int,
                 num_groups: int, residual: type) -> None:
        super().__init__()
        self.proj = pointwise(in_channels, channels)
        self.blocks = nn.Sequential(*(
            nn.Sequential(MultiAxisMLP(channels, side), residual(channels))
            for _ in range(num_groups)))

    def forward(self, x: Tensor) -> Tensor:
        x = self.proj(x)
        return x + self.blocks(x)


class Stage(nn.Module):
    """One stage: encoder, bottleneck, cross-gated skips, decoder and images.

    Args:
        sizes (Sizes): Sizes of the network.
        first, last (bool): Whether this is the first or the last stage.
    """

    def __init__(self, sizes: Sizes, first: bool, last: bool) -> None:
        super().__init__()
        levels, scales = range(DEPTH), range(sizes.num_scales)
        c, side = sizes.channels, sizes.side
        groups, image = sizes.num_groups, sizes.img_channels
        self.stems = nn.ModuleList(Conv(image, c(i)) for i in scales)
        self.fuse = nn.ModuleList(
            CrossGating(c(i), c(i), c(i), side(i))
            for i in scales if not first)
        self.encoders = nn.ModuleList(
            Body(c(max(i - 1, 0)) + (c(i) if i in scales else 0), c(i),
                 side(i), groups, ResidualConv) for i in levels)
        self.encoder_gates = nn.ModuleList(
            CrossGating(c(i), c(i), c(i), side(i))
            for i in levels if not first)
        self.downs = nn.ModuleList(Conv(c(i), c(i), 4, 2) for i in levels)
        deepest = c(DEPTH - 1)
        self.bottleneck = nn.Sequential(*(
            Body(deepest, deepest, side(DEPTH), groups, ResidualDense)
            for _ in range(sizes.num_bottlenecks)))
        # [i][j]: from level j to level i
        self.bridges, self.skips = (nn.ModuleList(
            nn.ModuleList(Resample(c(j), c(i), j - i) for j in levels)
            for i in levels) for _ in range(2))
        self.gates = nn.ModuleList(
            CrossGating(DEPTH * c(i), c(min(i + 1, DEPTH - 1)), c(i),
                        side(i), up=True) for i in levels)
        self.ups = nn.ModuleList(
            Up(c(min(i + 1, DEPTH - 1)), c(i)) for i in levels)
        self.decoders = nn.ModuleList(
            Body((1 + DEPTH) * c(i), c(i), side(i), groups, ResidualConv)
            for i in levels)
        self.last = last
        self.heads = nn.ModuleList(
            Conv(c(i), image) if last else SupervisedAttention(c(i), image)
            for i in scales)

    def encode(self, images: List[Tensor],
               passed: Optional[Passed]) -> List[Tensor]:
        """Return the features of the encoder, finest first, and its output."""
        stems = [stem(img) for stem, img in zip(self.stems, images)]
        if passed is not None:
            stems = [fuse(x, y)[0] for fuse, x, y in zip(
                self.fuse, stems, passed.attended)]
        features, x = [], stems[0]
        for i, (encoder, down) in enumerate(zip(self.encoders, self.downs)):
            if i < len(stems):
                x = torch.cat((x, stems[i]), dim=-1)
            x = encoder(x)
            if passed is not None:
                x, _ = self.encoder_gates[i](
                    x, passed.bridges[i] + passed.decoded[i])
            features.append(x)
            x = down(x)
        return [*features, x]

    def decode(self, bridges: List[Tensor], x: Tensor) -> List[Tensor]:
        """Return the features of the decoder, finest first, from those of the
        encoder and the bottleneck."""
        skips: List[Tensor] = []
        y = x
        for i in reversed(range(DEPTH)):
            signal = torch.cat([resample(bridge) for resample, bridge in zip(
                self.bridges[i], bridges)], dim=-1)
            skip, y = self.gates[i](signal, y)
            skips.append(skip)  # coarsest first, the order of concatenation
        decoded: List[Tensor] = []
        for i in reversed(range(DEPTH)):
            signal = [resample(skip) for resample, skip in zip(
                reversed(self.skips[i]), skips)]
            x = self.decoders[i](
                torch.cat((self.ups[i](x), *signal), dim=-1))
            decoded.insert(0, x)
        return decoded

    def forward(self, images: List[Tensor], passed: Optional[Passed]
                ) -> Tuple[List[Tensor], Passed]:
        """Restore the images of each scale.

        Args:
            images (List[Tensor]): Degraded images (B, H, W, C), finest first.
            passed (Passed, optional): Features of the previous stage.

        Returns:
            (restored, passed): Images (B, C, H, W), finest first, and the
            features for the next stage.
        """
        *bridges, x = self.encode(images, passed)
        decoded = self.decode(bridges, self.bottleneck(x))
        attended, restored = [], []
        for head, feature, img in zip(self.heads, decoded, images):
            if self.last:
                out = head(feature) + img
            else:
                feature, out = head(feature, img)
                attended.append(feature)
            restored.append(out.permute(0, 3, 1, 2))
        return restored, Passed(bridges, decoded, attended)
