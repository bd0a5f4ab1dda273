"""What all our metrics share: the restored image and, beside it, the input."""
from abc import abstractmethod
from pathlib import PurePath
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
from mmagic.evaluation.metrics.base_sample_wise_metric import \
    BaseSampleWiseMetric
from torch import Tensor


class RestorationMetric(BaseSampleWiseMetric):
    """Compares restored and degraded images with the clean ones.

    Reports ``NAME`` of the restored and ``input_NAME`` of the degraded
    images, from the same pass.

    Args:
        **kwargs: :class:`BaseSampleWiseMetric`'s (``prefix``, ...).
    """

    default_prefix = ''

    def __init__(self, **kwargs) -> None:
        super().__init__(**kwargs)
        self.key = self.metric

    @abstractmethod
    def view(self, image: Tensor, name: str) -> Any:
        """What the metric sees of an image (C, H, W), BGR or grey, 0..255."""

    @abstractmethod
    def measure(self, clean: Any, images: Dict[str, Any]) -> dict:
        """What is kept of one sample, from the views of :meth:`images`."""

    def images(self, sample: dict, name: str) -> Tuple[Any, Dict[str, Any]]:
        """The view of the clean image and, by key, of those to be scored."""
        clean = self.view(sample[self.gt_key], name)
        restored = sample['output'][self.pred_key]
        images = {self.key: self.view(restored, name)}
        if 'input' in sample:
            degraded = self.view(sample['input'], name)
            # a model that upscales by itself has nothing to compare
            if degraded.shape == clean.shape:
                images[f'input_{self.key}'] = degraded
        return clean, images

    def process(self, data_batch: Sequence[dict],
                data_samples: Sequence[dict]) -> None:
        for sample in data_samples:
            name = PurePath(str(sample.get('gt_path', ''))).name
            self.results.append(
                {'name': name, **self.measure(*self.images(sample, name))})

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """Means over the images, each key over those that have it."""
        keys = dict.fromkeys(
            key for result in results for key in result if key != 'name')
        return {key: self.scaling * float(np.mean(
            [result[key] for result in results if key in result]))
            for key in keys}
