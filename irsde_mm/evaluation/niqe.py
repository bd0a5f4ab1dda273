"""NIQE, which looks at an image without knowing the clean one."""
import logging
import warnings
from typing import Dict, List

import numpy as np
from mmagic.evaluation.metrics.niqe import niqe
from mmengine.logging import print_log

from ..registry import METRICS
from .protocol import PairMetric

# two of the method's 96x96 blocks; a single one has no covariance
SMALLEST = 192


@METRICS.register_module()
class NIQE(PairMetric):
    """Natural image quality evaluator on the luma channel; lower is better.

    Source: Mittal et al., "Making a 'completely blind' image quality
    analyzer", IEEE SPL 2013; the computation is mmagic's. Images below
    192x192 pixels after the crop, or without structure, are left out of the
    mean and counted in the log; when none is left, nothing is reported.

    Args:
        crop_border (int): Pixels left out on every side.
        **kwargs: :class:`BaseSampleWiseMetric`'s (``prefix``, ...).

    Raises:
        ValueError: If ``crop_border`` is negative.
    """

    metric = 'NIQE'

    def __init__(self, crop_border: int = 0, **kwargs) -> None:
        super().__init__(channel='y', crop_border=crop_border, **kwargs)
        self.key = self.metric  # there is no other channel to tell apart

    def score(self, image: np.ndarray, clean: np.ndarray) -> float:
        if min(image.shape[:2]) < SMALLEST:
            return float('nan')
        try:
            with warnings.catch_warnings():
                # flat blocks divide by zero; mmagic leaves them out
                warnings.simplefilter('ignore')
                return float(niqe(image[..., 0], 0, input_order='HW'))
        except np.linalg.LinAlgError:  # all blocks are flat
            return float('nan')

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        # both means over the same images, so that they can be compared
        kept = [result for result in results if not any(
            np.isnan(result[key]) for key in result if key != 'name')]
        if len(kept) < len(results):
            print_log(
                f'NIQE leaves out {len(results) - len(kept)} of '
                f'{len(results)} images: below {SMALLEST}x{SMALLEST} pixels '
                'after the crop, or without structure.', logger='current',
                level=logging.WARNING)
        return super().compute_metrics(kept)
