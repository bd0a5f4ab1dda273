"""NIQE, a metric without a reference image."""
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
    analyzer", IEEE SPL 2013; the computation is mmagic's. Images below
    192x192 pixels after the crop, or without structure, are left out of the
    mean and named in the log; when none is left, nothing is reported.

    Args:
        crop_border (int): Pixels left out on every side.
        **kwargs: :class:`BaseSampleWiseMetric`'s (``prefix``, ...).

    Raises:
        ValueError: If ``crop_border`` is negative.
    """

    metric = 'NIQE'
    smallest = 192  # two of the method's 96x96 blocks; one has no covariance

    def __init__(self, crop_border: int = 0, **kwargs) -> None:
        super().__init__(channel='y', crop_border=crop_border, **kwargs)
        self.key = self.metric  # always of the same channel

    def score(self, image: np.ndarray, clean: np.ndarray) -> float:
        try:
            with warnings.catch_warnings():
                # flat blocks divide by zero; mmagic leaves them out
                warnings.simplefilter('ignore')
                return float(niqe(image[..., 0], 0, input_order='HW'))
        except np.linalg.LinAlgError:  # all blocks are flat
            return float('nan')

    def measure(self, clean: np.ndarray,
                images: Dict[str, np.ndarray]) -> Dict[str, float]:
        scores = super().measure(clean, images)
        # both means over the same images, so that they can be compared
        return {} if np.isnan(list(scores.values())).any() else scores

    def needs(self) -> str:
        return f'{super().needs()} or without structure'
