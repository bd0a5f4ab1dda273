"""VGG16's features, compared by perceptual losses and metrics."""
from typing import Dict, Optional, Sequence

import torch
from torch import Tensor, nn

#: Channels and number of convolutions of each block.
BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
#: The last layer of each block, compared by LPIPS and DISTS.
BLOCK_ENDS = ('relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3')
#: Mean and standard deviation of ImageNet's RGB images in [0, 1].
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def normalized(images: Tensor) -> Tensor:
    """Normalize RGB images (B, 3, H, W) in [0, 1] as for ImageNet."""
    mean, std = (images.new_tensor(v).view(3, 1, 1) for v in (MEAN, STD))
    return (images - mean) / std


class VGG16Features(nn.Module):
    """Convolutions of VGG16, computed up to the deepest requested layer.

    Weights have torchvision's names, ``features.N.weight`` and ``.bias``.
    Source: Simonyan and Zisserman, ICLR 2015, configuration D.

    Args:
        layers (Sequence[str]): Names of the activations to return,
            'relu1_1', ..., 'relu5_3': block and number in the block.
        pooling (nn.Module, optional): Replaces the max-pooling between
            blocks.

    Attributes:
        smallest (int): Minimum side length of images in pixels.

    Raises:
        ValueError: If a layer is unknown, or none is given.
    """

    def __init__(self, layers: Sequence[str] = BLOCK_ENDS,
                 pooling: Optional[nn.Module] = None) -> None:
        super().__init__()
        names = [f'relu{block}_{i}' for block, (_, n) in enumerate(BLOCKS, 1)
                 for i in range(1, n + 1)]
        if not layers or not set(layers) <= set(names):
            raise ValueError(f'layers must be some of {", ".join(names)}, '
                             f'but got {", ".join(map(str, layers))}.')
        self.layers = tuple(layers)
        last = max(map(names.index, layers))
        self.pooling = nn.MaxPool2d(2) if pooling is None else pooling
        self.features = nn.ModuleDict()
        self.plan = []  # the names of a convolution and its activation
        channels, index = 3, 0
        for block, (width, n) in enumerate(BLOCKS, 1):
            for i in range(1, n + 1):
                if len(self.plan) <= last:
                    self.plan.append((str(index), f'relu{block}_{i}'))
                    self.features[str(index)] = nn.Conv2d(
                        channels, width, 3, padding=1)
                channels, index = width, index + 2
            index += 1
        self.smallest = 2**(int(names[last][4]) - 1)

    def forward(self, images: Tensor) -> Dict[str, Tensor]:
        """Return the activations of the requested layers by name.

        Args:
            images (Tensor): RGB images (B, 3, H, W) in [0, 1], not smaller
                than :attr:`smallest`.
        """
        x, found = normalized(images), {}
        for index, name in self.plan:
            if name.endswith('_1') and name != 'relu1_1':
                x = self.pooling(x)
            x = torch.relu(self.features[index](x))
            if name in self.layers:
                found[name] = x
        return found
