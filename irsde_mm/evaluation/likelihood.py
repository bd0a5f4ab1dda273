"""Metric that bounds the likelihood of clean images."""
from pathlib import PurePath
from typing import Dict, List, Optional, Sequence

import numpy as np
import torch
from mmagic.evaluation.metrics.base_sample_wise_metric import \
    BaseSampleWiseMetric
from torch import nn
from torch.utils.data import DataLoader

from ..engine.capabilities import WithLikelihood
from ..engine.unwrapping import unwrapped
from ..errors import ConfigError
from ..registry import METRICS


@METRICS.register_module()
class BitsPerDim(BaseSampleWiseMetric):
    """Upper bound on -log2 p(clean | degraded) per pixel and channel.

    Lower is better. Source: the likelihood bound of Song et al., NeurIPS 2021,
    derived for the processes of irsde_mm in docs/likelihood.md. It depends
    only on the model, not on the sampler.

    Args:
        num_times (int): Number of network calls per image.
        centre (int): Side length in pixels of the center crop that is scored.
            Smaller images are scored whole.
        **kwargs: Arguments of :class:`BaseSampleWiseMetric` (``prefix``, ...).

    Raises:
        ValueError: If ``num_times`` or ``centre`` is less than 1.
        ConfigError: During evaluation, if the model has no likelihood.
    """

    metric = key = 'BitsPerDim'

    def __init__(self, num_times: int = 64, centre: int = 64,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if min(num_times, centre) < 1:
            raise ValueError('BitsPerDim: num_times and centre must be at '
                             f'least 1, but got {num_times} and {centre}.')
        self.num_times, self.centre = num_times, centre
        self.model: Optional[nn.Module] = None

    def prepare(self, module: nn.Module, dataloader: DataLoader) -> None:
        super().prepare(module, dataloader)
        self.model = unwrapped(module)
        if not isinstance(self.model, WithLikelihood):
            raise ConfigError(
                f'{type(self.model).__name__} has no likelihood, which '
                'BitsPerDim needs; remove the metric.')

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        data = self.data_preprocessor(data_batch, True)
        inputs, samples = data['inputs'], data['data_samples']
        h, w = inputs.shape[-2:]
        top, left = (max(0, (side - self.centre) // 2) for side in (h, w))
        part = (..., slice(top, top + self.centre),
                slice(left, left + self.centre))
        samples.gt_img = samples.gt_img[part]
        try:
            with torch.inference_mode():
                bits = self.model.bits_per_dim(inputs[part], samples,
                                               self.num_times)
        except ValueError as error:
            raise ConfigError(f'BitsPerDim: {error}') from error
        for value, sample in zip(bits.tolist(), data_samples):
            name = PurePath(str(sample.get('gt_path', ''))).name
            self.results.append({'name': name, self.key: value})

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Return the mean over the images."""
        return {self.key: float(np.mean([r[self.key] for r in results]))}
