"""Distances of images on the features of pretrained networks."""
from typing import List, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .vgg import BLOCK_ENDS, VGG16Features, normalized

#: AlexNet's convolutions: index, channels, size, stride and padding. Max-
#: pooling comes before the second and third.
ALEXNET = ((0, 64, 11, 4, 2), (3, 192, 5, 1, 2), (6, 384, 3, 1, 1),
           (8, 256, 3, 1, 1), (10, 256, 3, 1, 1))


class AlexNetFeatures(nn.Module):
    """Convolutions of AlexNet, as in torchvision.

    Weights have torchvision's names, ``features.N.weight`` and ``.bias``.
    Source: Krizhevsky, "One weird trick for parallelizing convolutional
    neural networks", 2014.

    Attributes:
        smallest (int): Minimum side length of images in pixels.
    """

    smallest = 31  # below, the second pooling has no output

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.ModuleDict()
        channels = 3
        for index, width, size, stride, padding in ALEXNET:
            self.features[str(index)] = nn.Conv2d(
                channels, width, size, stride, padding)
            channels = width

    def forward(self, images: Tensor) -> List[Tensor]:
        """Return the five activations of RGB images (B, 3, H, W) in
        [0, 1]."""
        x, found = normalized(images), []
        for index, conv in self.features.items():
            if index in ('3', '6'):
                x = F.max_pool2d(x, 3, 2)
            x = torch.relu(conv(x))
            found.append(x)
        return found


class LPIPSDistance(nn.Module):
    """Learned perceptual distance, version 0.1.

    The squared difference of features with unit length, weighted per channel
    and averaged over the pixels. Source: Zhang et al., CVPR 2018, equation 1.

    Args:
        net (str): 'alex' or 'vgg'.

    Attributes:
        smallest (int): Minimum side length of images in pixels.

    Raises:
        ValueError: If ``net`` is unknown.
    """

    widths = dict(alex=(64, 192, 384, 256, 256), vgg=(64, 128, 256, 512, 512))

    def __init__(self, net: str = 'alex') -> None:
        super().__init__()
        if net not in self.widths:
            raise ValueError(f"net must be 'alex' or 'vgg', but got {net!r}.")
        self.net = AlexNetFeatures() if net == 'alex' else VGG16Features()
        self.heads = nn.ParameterList(
            torch.zeros(1, width, 1, 1) for width in self.widths[net])
        self.smallest = self.net.smallest

    def features(self, images: Tensor) -> List[Tensor]:
        """Return the features of RGB images (B, 3, H, W) in [0, 1], with unit
        length at each pixel."""
        found = self.net(images)
        found = found.values() if isinstance(found, dict) else found
        return [x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10)
                for x in found]

    def compare(self, first: List[Tensor], second: List[Tensor]) -> Tensor:
        """Return the distance (B,) of two sets of features."""
        return sum(((x - y).square() * head).sum(1).mean((1, 2))
                   for x, y, head in zip(first, second, self.heads))


class L2Pooling(nn.Module):
    """Square root of the blurred squares of every second pixel.

    The blur is a Hanning window of 3x3 pixels, which avoids aliasing.
    Source: Henaff and Simoncelli, ICLR 2016.
    """

    def forward(self, x: Tensor) -> Tensor:
        window = x.new_tensor([0.25, 0.5, 0.25])
        window = (window[:, None] * window).expand(x.shape[1], 1, 3, 3)
        blurred = F.conv2d(x.square(), window, stride=2, padding=1,
                           groups=x.shape[1])
        return (blurred + 1e-12).sqrt()


class DISTSDistance(nn.Module):
    """Distance of image structure and texture.

    Compares the means (texture) and the covariance (structure) of each
    channel of the image and of VGG16's features with :class:`L2Pooling`.
    Source: Ding et al., "Image quality assessment: Unifying structure and
    texture similarity", TPAMI 2020.
    """

    smallest = 16

    def __init__(self) -> None:
        super().__init__()
        self.net = VGG16Features(BLOCK_ENDS, L2Pooling())
        channels = 3 + sum(LPIPSDistance.widths['vgg'])
        self.alpha = nn.Parameter(torch.zeros(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def features(self, images: Tensor) -> List[Tensor]:
        """Return the features of RGB images (B, 3, H, W) in [0, 1]."""
        return [images, *self.net(images).values()]

    def compare(self, first: List[Tensor], second: List[Tensor]) -> Tensor:
        """Return the distance (B,) of two sets of features."""
        texture, structure = zip(*map(similarity, first, second))
        alpha, beta = (w.flatten() for w in (self.alpha, self.beta))
        total = (torch.cat(texture, 1) * alpha
                 + torch.cat(structure, 1) * beta).sum(1)
        return 1 - total / (alpha.sum() + beta.sum())


def similarity(x: Tensor, y: Tensor, eps: float = 1e-6
               ) -> Tuple[Tensor, Tensor]:
    """Return the similarity of texture and of structure (B, C) per channel."""
    means = x.mean((2, 3), keepdim=True), y.mean((2, 3), keepdim=True)
    dx, dy = x - means[0], y - means[1]
    mx, my = (mean.flatten(1) for mean in means)
    texture = (2 * mx * my + eps) / (mx**2 + my**2 + eps)
    covariance = (dx * dy).mean((2, 3))
    variances = dx.square().mean((2, 3)) + dy.square().mean((2, 3))
    return texture, (2 * covariance + eps) / (variances + eps)
