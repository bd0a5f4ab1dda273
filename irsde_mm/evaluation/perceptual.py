"""Metrics on features of pretrained networks: LPIPS and FID.

The weights of the networks are local files; nothing is downloaded. A metric
whose weights are missing is skipped, and the others are still reported.
"""
import logging
import re
import warnings
from abc import abstractmethod
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

import lpips
import numpy as np
import torch
import torch.nn.functional as F
from mmagic.evaluation.functional.fid_inception import fid_inception_v3
from mmengine.logging import print_log
from torch import Tensor, nn

from ..errors import CheckpointError
from ..io.weights import read_plain
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
        try:
            weights = read_plain(self.weights)
        except CheckpointError as error:
            raise CheckpointError(f'{error} {self.metric} needs the weights '
                                  f'of {self.network_name}.') from error
        # load_state_dict raises other errors for other values
        weights = {key: value for key, value in weights.items()
                   if isinstance(key, str) and isinstance(value, Tensor)}
        try:
            network = self.build(weights)
        except RuntimeError as error:
            raise CheckpointError(
                f"'{self.weights}' is not {self.network_name}, which "
                f'{self.metric} needs: '
                f'{str(error).splitlines()[-1].strip()[:120]}') from error
        return network.to(self.device, torch.float32).eval()

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


@METRICS.register_module()
class LPIPS(NetworkMetric):
    """Learned perceptual distance, AlexNet, version 0.1; lower is better.

    It is computed on whole images, clamped but not rounded. Source: Zhang et
    al., "The unreasonable effectiveness of deep features as a perceptual
    metric", CVPR 2018. Implementation and linear heads are from the lpips
    package. Images smaller than 31x31 pixels are excluded from the mean and
    listed in the log.

    Args:
        weights (str, optional): File with torchvision's AlexNet, or a complete
            state dict of ``lpips.LPIPS``. Without it the metric logs a warning
            and reports nothing.
        **kwargs: Arguments of :class:`NetworkMetric`.
    """

    metric = 'LPIPS'
    smallest = 31  # below, AlexNet's second pooling has no output
    network_name = "torchvision's AlexNet"

    def __init__(
            self, weights: Optional[str] = 'weights/alexnet-owt-7be5be79.pth',
            **kwargs) -> None:
        super().__init__(weights, **kwargs)

    def build(self, weights: Dict[str, Tensor]) -> nn.Module:
        with _on_meta_device():
            network = lpips.LPIPS(pretrained=False, pnet_rand=True,
                                  verbose=False)
        # torchvision numbers all layers, lpips those of each slice
        names = {re.sub(r'net\.slice\d', 'features', key): key
                 for key in network.state_dict()}
        weights = {names.get(key, key): value for key, value in
                   weights.items() if not key.startswith('classifier.')}
        heads = Path(lpips.__file__).parent / 'weights/v0.1/alex.pth'
        weights = {**read_plain(heads), **weights}
        # lpips registers its heads under two names, its files use one
        weights.update({re.sub(r'^lin(\d)', r'lins.\1', key): value
                        for key, value in weights.items()})
        weights.update(
            network.scaling_layer.state_dict(prefix='scaling_layer.'))
        network.load_state_dict(weights, assign=True)
        return network

    def view(self, image: Tensor) -> Tensor:
        return (super().view(image) / 127.5 - 1).clamp(-1, 1)

    def measure(self, clean: Tensor,
                images: Dict[str, Tensor]) -> Dict[str, float]:
        return {key: self.network(image, clean).item()
                for key, image in images.items()}


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
