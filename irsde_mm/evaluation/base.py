"""Base class of metrics for restored and degraded images."""
import logging
from abc import abstractmethod
from pathlib import PurePath
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from mmagic.evaluation.metrics.base_sample_wise_metric import \
    BaseSampleWiseMetric
from mmengine.logging import print_log
from torch import Tensor

SHOWN = 10  # names listed in a log message


class RestorationMetric(BaseSampleWiseMetric):
    """Metric that compares restored and degraded images with the clean ones.

    Reports ``NAME`` for the restored and ``input_NAME`` for the degraded
    images, computed in the same pass. Images that are too small for the metric
    are excluded from the means and listed in the log. If none is left, nothing
    is reported.

    Args:
        **kwargs: Arguments of :class:`BaseSampleWiseMetric` (``prefix``, ...).
    """

    default_prefix = ''
    smallest = 1
    """Minimum side length of an image in pixels, after the border crop."""
    crop_border = 0
    """Number of pixels cropped on each side."""

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.key = self.metric

    @abstractmethod
    def view(self, image: Tensor) -> Any:
        """Prepare an image (C, H, W), BGR or gray in 0..255, for scoring."""

    @abstractmethod
    def measure(self, clean: Any, images: Dict[str, Any]) -> dict:
        """Return the results of one sample from its prepared images."""

    def images(self, sample: dict) -> Tuple[Any, Dict[str, Any]]:
        """Prepare the clean image and, by key, the images to score."""
        clean = self.view(sample[self.gt_key])
        restored = sample['output'][self.pred_key]
        images = {self.key: self.view(restored)}
        if 'input' in sample:
            degraded = self.view(sample['input'])
            # the input of a model that upscales is smaller; it has no score
            if degraded.shape == clean.shape:
                images[f'input_{self.key}'] = degraded
        return clean, images

    def process(self, data_batch: Sequence[dict],
                data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            name = PurePath(str(sample.get('gt_path', ''))).name
            side = min(sample[self.gt_key].shape[-2:]) - 2 * self.crop_border
            scores = {} if side < self.smallest else self.measure(
                *self.images(sample))
            self.results.append({'name': name, **scores})

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Return the mean of each key over the images that have it."""
        left_out = [result['name'] for result in results
                    if 'name' in result and self.key not in result]
        if left_out:
            more = ', ...' if len(left_out) > SHOWN else ''
            print_log(f'{self.key} is not computed for {len(left_out)} of '
                      f'{len(results)} images ({self.needs()}): '
                      f'{", ".join(left_out[:SHOWN])}{more}',
                      logger='current', level=logging.WARNING)
        keys = dict.fromkeys(
            key for result in results for key in result if key != 'name')
        return {key: self.scaling * float(np.mean(
            [result[key] for result in results if key in result]))
            for key in keys}

    def needs(self) -> str:
        """Describe the images without a score."""
        crop = f' after crop_border={self.crop_border}' * bool(
            self.crop_border)
        return f'below {self.smallest}x{self.smallest} pixels{crop}'
