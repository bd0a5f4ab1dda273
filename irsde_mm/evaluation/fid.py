"""FID, a metric of sets of images."""
import warnings
from contextlib import contextmanager
from typing import Dict, Iterator, List, Optional

import numpy as np
import torch
import torch.nn.functional as F
from mmagic.evaluation.functional.fid_inception import fid_inception_v3
from torch import Tensor, nn

from ..registry import METRICS
from .frechet import frechet_distance
from .network_metric import NetworkMetric, warn


@contextmanager
def _on_meta_device() -> Iterator[None]:
    """Build networks without allocating or initializing their weights.

    This is fast and does not change the random state of a training run that
    validates.
    """
    with torch.device('meta'), warnings.catch_warnings():
        warnings.simplefilter('ignore')  # torchvision's deprecations
        yield


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
            warn('FID is skipped: it needs at least two images, but got '
                  f'{len(results)}.')
        return scores
