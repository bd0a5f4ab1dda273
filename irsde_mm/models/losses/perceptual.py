"""Pixel loss on the features of a pretrained network."""
from functools import cached_property, partial
from pathlib import Path
from typing import Callable, Sequence

import torch
from torch import Tensor, nn

from ...errors import CheckpointError, ConfigError
from ...model_files.feature_networks import (VGG16_FILE, load_network,
                                             lpips_distance, vgg16)
from ...networks.vgg import VGG16Features
from ...registry import MODELS

PREPARE = 'run python tools/prepare_weights.py lpips'


def read_network(kind: str, layers: Sequence[str], weights: str) -> nn.Module:
    """Return the network of a :class:`PerceptualLoss`.

    Raises:
        CheckpointError: If the file is missing or belongs to another network.
    """
    if not Path(weights).is_file():
        raise CheckpointError(f"no weights found at '{weights}', which "
                              f'PerceptualLoss needs; {PREPARE}.')
    build = partial(vgg16, layers) if kind == 'vgg' else partial(
        lpips_distance, 'vgg')
    try:
        return load_network(weights, "torchvision's VGG16", 'PerceptualLoss',
                            build)
    except CheckpointError as error:
        text = str(error).rstrip('.')
        raise CheckpointError(f'{text}; {PREPARE}.') from error


class Frozen:
    """Network that belongs to no model and is built on first use.

    Checkpoints, optimizers, averages and wrappers of a model do not see the
    network, and copies of the model share it.

    Args:
        build (callable): Returns the network.
    """

    def __init__(self, build: Callable[[], nn.Module]) -> None:
        self.build = build

    @cached_property
    def network(self) -> nn.Module:
        return self.build()

    def __deepcopy__(self, memo: dict) -> 'Frozen':
        return self


@MODELS.register_module()
class PerceptualLoss(nn.Module):
    """Pixel loss on the features of VGG16.

    Usable wherever mmagic takes a pixel loss, and in :class:`SumLoss`. The
    network is frozen and not part of the model or its checkpoints. Its weights
    are read when training starts. Gray images are repeated to three channels.

    Args:
        kind (str): 'vgg', the mean absolute difference of the activations of
            ``layers``, summed over the layers (Johnson et al., ECCV 2016,
            there squared); or 'lpips', LPIPS on VGG16 (Zhang et al., CVPR
            2018).
        layers (Sequence[str]): Activations of VGG16, 'relu1_1' to 'relu5_3';
            used by 'vgg'.
        loss_weight (float): Factor of the loss.
        weights (str): File with torchvision's VGG16, made by
            ``tools/prepare_weights.py lpips``.

    Raises:
        ValueError: If ``kind`` or a layer is unknown.
    """

    def __init__(self, kind: str = 'vgg',
                 layers: Sequence[str] = ('relu1_2', 'relu2_2', 'relu3_3'),
                 loss_weight: float = 1.0, weights: str = VGG16_FILE) -> None:
        super().__init__()
        if kind not in ('vgg', 'lpips'):
            raise ValueError("kind must be 'vgg' or 'lpips', but got "
                             f'{kind!r}.')
        with torch.device('meta'):
            VGG16Features(layers)  # checks the layers
        self.kind, self.loss_weight = kind, loss_weight
        self.frozen = Frozen(partial(read_network, kind, layers, weights))

    def check_images(self, height: int, width: int) -> None:
        """Check that the weights exist and that images are large enough.

        Raises:
            CheckpointError: If the weights are missing or belong to another
                network.
            ConfigError: If images are too small for the deepest layer.
        """
        smallest = self.frozen.network.smallest
        if min(height, width) < smallest:
            raise ConfigError(
                f'PerceptualLoss(kind={self.kind!r}) needs images of at least '
                f'{smallest}x{smallest} pixels, but got {width}x{height}; use '
                'larger patches.')

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        """Return the loss as a scalar.

        Args:
            pred, target (Tensor): RGB or gray images (B, C, H, W), in [0, 1];
                ``pred`` may exceed the range.

        Raises:
            CheckpointError, ConfigError: See :meth:`check_images`.
        """
        self.check_images(*pred.shape[-2:])
        network = self.frozen.network.to(pred.device)
        # small differences lose their digits in half precision
        with torch.autocast(pred.device.type, enabled=False):
            pred, target = (x.float().expand(-1, 3, -1, -1)
                            for x in (pred, target))
            if self.kind == 'lpips':
                with torch.no_grad():
                    clean = network.features(target)
                loss = network.compare(network.features(pred), clean).mean()
            else:
                with torch.no_grad():
                    clean = network(target)
                loss = sum((x - clean[name]).abs().mean()
                           for name, x in network(pred).items())
        return self.loss_weight * loss
