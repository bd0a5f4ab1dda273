"""Pixel loss on the features of a pretrained network."""
from functools import partial
from pathlib import Path
from typing import Sequence

import torch
from torch import Tensor, nn

from ...errors import CheckpointError, ConfigError
from ...model_files.feature_networks import (VGG16_FILE, load_network,
                                             lpips_distance, vgg16)
from ...registry import MODELS

PREPARE = 'run python tools/prepare_weights.py lpips'


class Frozen:
    """Holder of a network that belongs to no model.

    Checkpoints, optimizers, averages and wrappers of a model do not see the
    network, and copies of the model share it.

    Args:
        network (nn.Module): The network.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network

    def on(self, device: torch.device) -> nn.Module:
        """Return the network on a device."""
        return self.network.to(device)

    def __deepcopy__(self, memo: dict) -> 'Frozen':
        return self


@MODELS.register_module()
class PerceptualLoss(nn.Module):
    """Pixel loss on the features of VGG16.

    Usable wherever mmagic takes a pixel loss, and in :class:`SumLoss`. The
    network is frozen and not part of the model or its checkpoints. Gray images
    are repeated to three channels.

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
        CheckpointError: If the file is missing or belongs to another network.
    """

    def __init__(self, kind: str = 'vgg',
                 layers: Sequence[str] = ('relu1_2', 'relu2_2', 'relu3_3'),
                 loss_weight: float = 1.0, weights: str = VGG16_FILE) -> None:
        super().__init__()
        if kind not in ('vgg', 'lpips'):
            raise ValueError("kind must be 'vgg' or 'lpips', but got "
                             f'{kind!r}.')
        if not Path(weights).is_file():
            raise CheckpointError(f"no weights found at '{weights}', which "
                                  f'PerceptualLoss needs; {PREPARE}.')
        self.kind, self.loss_weight = kind, loss_weight
        build = partial(vgg16, layers) if kind == 'vgg' else partial(
            lpips_distance, 'vgg')
        try:
            network = load_network(weights, "torchvision's VGG16",
                                   'PerceptualLoss', build)
        except CheckpointError as error:
            raise CheckpointError(f'{error} To make the file, {PREPARE}.'
                                  ) from error
        self.frozen = Frozen(network)

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        """Return the loss as a scalar.

        Args:
            pred, target (Tensor): RGB or gray images (B, C, H, W), in [0, 1];
                ``pred`` may exceed the range.

        Raises:
            ConfigError: If the images are too small for the deepest layer.
        """
        network = self.frozen.on(pred.device)
        if min(pred.shape[-2:]) < network.smallest:
            raise ConfigError(
                f'PerceptualLoss(kind={self.kind!r}) needs images of at least '
                f'{network.smallest}x{network.smallest} pixels, but got '
                f'{pred.shape[-1]}x{pred.shape[-2]}; use larger patches.')
        pred, target = (x.float().expand(-1, 3, -1, -1)
                        for x in (pred, target))
        # small features lose their digits in half precision
        with torch.autocast(pred.device.type, enabled=False):
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
