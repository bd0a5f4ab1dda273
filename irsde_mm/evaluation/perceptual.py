"""Metrics on features of pretrained networks: LPIPS and FID.

The weights of the networks are local files; nothing is downloaded. A metric
whose weights are missing is skipped, and the others are still reported.
"""
import logging
import warnings
from abc import abstractmethod
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmagic.evaluation.functional.fid_inception import fid_inception_v3
from mmengine.logging import print_log
from torch import Tensor, nn

from ..model_files.feature_networks import (ALEXNET_FILE, VGG16_FILE,
                                            load_network, lpips_distance)
from ..registry import METRICS
from .base import RestorationMetric
from .frechet import frechet_distance


def _warn(line: str) -> None:
    print_log(line, logger='current', level=logging.WARNING)


@contextmanager
def _on_meta_device() -> Iterator[None]:
    """Build networks without allocating or initializing their weights.

    This is fast and does not change the random state of a training run that
    validates.
    """
    with torch.device('meta'), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torchvision's deprecations
        yield


class NetworkMetric(RestorationMetric):
    """Metric on the features of a pretrained network.

    Args:
        weights (str, optional): File with the network's state dict. Without
            it the metric logs a warning and reports nothing.
        device (str, optional): Device of the network. Default: 'cuda' if
            available, else 'cpu'.
        **kwargs: Arguments of :class:`BaseSampleWiseMetric` (``prefix``, ...).

    Raises:
        CheckpointError: At the first image, if the file is broken or belongs
            to another network.
    """

    network_name: str
    """Name of the network in messages."""

    def __init__(self, weights: Optional[str], device: Optional[str] = None,
                 **kwargs) -> None:
        device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
        super().__init__(device=device, **kwargs)
        self.weights = weights
        self.has_weights = weights is not None and Path(weights).is_file()
        if not self.has_weights:
            where = 'given' if weights is None else f"at '{weights}'"
            _warn(f'{self.metric} is skipped: no weights {where} '
                  f'({self.network_name}); see docs/tasks.md.')

    @abstractmethod
    def build(self, weights: Dict[str, Tensor]) -> nn.Module:
        """Build the network and load the weights.

        Raises:
            RuntimeError: If the weights do not match the network.
        """

    @cached_property
    def network(self) -> nn.Module:
        return load_network(self.weights, self.network_name, self.metric,
                            self.build).to(self.device)

    def view(self, image: Tensor) -> Tensor:
        """Convert (C, H, W) BGR or gray to (1, 3, H, W) RGB on the device."""
        image = image.to(self.device, torch.float32)
        image = image.expand(3, -1, -1) if len(image) == 1 else image.flip(0)
        return image[None]

    def process(self, data_batch: Sequence[dict],
                data_samples: Sequence[dict]) -> None:
        if not self.has_weights:
            # mmengine warns about metrics without results
            self.results.extend({} for _ in data_samples)
            return
        # reproducible results that match those of the CPU
        exact = torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True,
            allow_tf32=False)
        with torch.inference_mode(), exact:
            super().process(data_batch, data_samples)


class DistanceMetric(NetworkMetric):
    """Metric of image pairs with a distance on a network's features.

    It is computed on whole images, clamped but not rounded. The features of
    the clean image are computed once.
    """

    def view(self, image: Tensor) -> Tensor:
        return (super().view(image) / 255).clamp(0, 1)

    def measure(self, clean: Tensor,
                images: Dict[str, Tensor]) -> Dict[str, float]:
        network = self.network
        clean = network.features(clean)
        return {key: network.compare(network.features(image), clean).item()
                for key, image in images.items()}


@METRICS.register_module()
class LPIPS(DistanceMetric):
    """Learned perceptual distance, version 0.1; lower is better.

    Reports ``LPIPS`` with AlexNet and ``LPIPS_VGG`` with VGG16. It is computed
    on whole images, clamped but not rounded. Source: Zhang et al., "The
    unreasonable effectiveness of deep features as a perceptual metric", CVPR
    2018. The linear heads are those of the lpips package. Images smaller than
    31x31 pixels (VGG16: 16x16) are excluded from the mean and listed in the
    log.

    Args:
        weights (str, optional): File with torchvision's network, or a complete
            state dict of ``lpips.LPIPS``. Default: the file that
            ``tools/prepare_weights.py lpips`` makes. Without the file the
            metric logs a warning and reports nothing.
        net (str): 'alex', as in most papers, or 'vgg'.
        **kwargs: Arguments of :class:`NetworkMetric`.

    Raises:
        ValueError: If ``net`` is unknown.
    """

    metric = 'LPIPS'
    networks = dict(alex=(ALEXNET_FILE, "torchvision's AlexNet", 31),
                    vgg=(VGG16_FILE, "torchvision's VGG16", 16))

    def __init__(self, weights: Optional[str] = None, net: str = 'alex',
                 **kwargs) -> None:
        if net not in self.networks:
            raise ValueError(f"net must be 'alex' or 'vgg', but got {net!r}.")
        self.net = net
        file, self.network_name, self.smallest = self.networks[net]
        super().__init__(weights or file, **kwargs)
        self.key = self.metric + ('_VGG' if net == 'vgg' else '')

    def build(self, weights: Dict[str, Tensor]) -> nn.Module:
        return lpips_distance(self.net, weights)


@METRICS.register_module()
class FID(NetworkMetric):
    """Frechet Inception distance between restored and clean images.

    Lower is better. The features are those of pytorch-fid: 2048 values after
    the last pooling, of images rounded to uint8, as in files, and resized to
    299x299. Source: Heusel et al., "GANs trained by a two time-scale update
    rule converge to a local Nash equilibrium", NeurIPS 2017. A single image
    has no covariance, so the metric then logs a warning and reports nothing.

    Args:
        weights (str, optional): File with pytorch-fid's Inception-v3. Without
            it the metric logs a warning and reports nothing.
        **kwargs: Arguments of :class:`NetworkMetric`.
    """

    metric = 'FID'
    network_name = "pytorch-fid's Inception-v3"

    def __init__(self, weights: Optional[
            str] = 'weights/pt_inception-2015-12-05-6726825d.pth',
            **kwargs) -> None:
        super().__init__(weights, **kwargs)

    def build(self, weights: Dict[str, Tensor]) -> nn.Module:
        with _on_meta_device():
            network = fid_inception_v3(load_ckpt=False)
        network.load_state_dict(weights, assign=True)
        network.fc = nn.Identity()  # the features, not the classes
        return network

    def view(self, image: Tensor) -> Tensor:
        return super().view(image).round().clamp(0, 255)

    def measure(self, clean: Tensor,
                images: Dict[str, Tensor]) -> Dict[str, np.ndarray]:
        images = {'clean': clean, **images}
        batch = torch.cat([
            F.interpolate(image / 255, (299, 299), mode='bilinear',
                          align_corners=False) for image in images.values()])
        features = self.network(2 * batch - 1).cpu().numpy()
        return dict(zip(images, features))

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        scores = {}
        for key in (self.key, f'input_{self.key}'):
            pairs = [(result[key], result['clean']) for result in results
                     if key in result]
            if len(pairs) > 1:
                scores[key] = self.scaling * frechet_distance(
                    *map(np.stack, zip(*pairs)))
        if self.has_weights and not scores:
            _warn('FID is skipped: it needs at least two images, but got '
                  f'{len(results)}.')
        return scores
