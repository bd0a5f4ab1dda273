"""NIQE, a no-reference metric."""
import warnings
from typing import Dict

import numpy as np
from mmagic.evaluation.metrics.niqe import niqe

from ..registry import METRICS
from .protocol import PairMetric


@METRICS.register_module()
class NIQE(PairMetric):
    """Natural image quality evaluator on the luma channel; lower is better.

    Source: Mittal et al., "Making a 'completely blind' image quality
    analyzer", IEEE SPL 2013, as implemented in mmagic. Images smaller than
    192x192 pixels after the border crop, or without structure, are excluded
    from the mean and listed in the log. If none is left, nothing is reported.

    Args:
        crop_border (int): Number of pixels cropped on each side.
        **kwargs: Arguments of :class:`BaseSampleWiseMetric` (``prefix``, ...).

    Raises:
        ValueError: If ``crop_border`` is negative.
    """

    metric = 'NIQE'
    smallest = 192  # two 96x96 blocks; a covariance needs more than one

    def __init__(self, crop_border: int = 0, **kwargs) -> None:
        super().__init__(channel='y', crop_border=crop_border, **kwargs)
        self.key = self.metric  # no suffix, since it always uses luma

    def score(self, image: np.ndarray, clean: np.ndarray) -> float:
        try:
            with warnings.catch_warnings():
                # flat blocks cause divisions by zero; mmagic ignores them
                warnings.simplefilter('ignore')
                return float(niqe(image[..., 0], 0, input_order='HW'))
        except np.linalg.LinAlgError:  # all blocks are flat
            return float('nan')

    def measure(self, clean: np.ndarray,
                images: Dict[str, np.ndarray]) -> Dict[str, float]:
        scores = super().measure(clean, images)
        # both means use the same images, so they can be compared
        return {} if np.isnan(list(scores.values())).any() else scores

    def needs(self) -> str:
        return f'{super().needs()} or without structure'
