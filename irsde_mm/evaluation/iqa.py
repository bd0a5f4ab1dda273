"""Metrics of pyiqa."""
from typing import Any, Dict, Optional

import torch
from mmengine.logging import print_log
from torch import Tensor

from ..errors import ConfigError, DataError, missing_package
from ..registry import METRICS
from .base import RestorationMetric

#: Metrics of sets of images, and of images with a text.
NOT_PER_IMAGE = ('fid', 'fid_dinov2', 'sfid', 'inception_score', 'clipscore')


@METRICS.register_module()
class IQAMetric(RestorationMetric):
    """Metric of pyiqa, such as MUSIQ, CLIP-IQA, VIF or FSIM.

    Metrics without a reference score the restored and the degraded images
    alone. pyiqa downloads the weights of a metric when it is first used, and
    its license excludes commercial use.

    Args:
        name (str): Name in ``pyiqa.list_models()``, such as 'musiq'. Also the
            name of the scores.
        crop_border (int): Number of pixels cropped on each side.
        device (str, optional): Device of the metric. Default: 'cuda' if
            available, else 'cpu'.
        options (dict, optional): Arguments of ``pyiqa.create_metric``.
        **kwargs: Arguments of :class:`BaseSampleWiseMetric` (``prefix``, ...).

    Raises:
        ConfigError: If pyiqa is missing, does not know the metric or cannot
            build it, or the metric does not score single images.
        ValueError: If ``crop_border`` is negative.
        DataError: In testing, if the metric fails for an image, for example
            because it is too small.
    """

    def __init__(self, name: str, crop_border: int = 0,
                 device: Optional[str] = None,
                 options: Optional[dict] = None, **kwargs) -> None:
        if crop_border < 0:
            raise ValueError('crop_border must be at least 0, but got '
                             f'{crop_border}.')
        self.metric = name
        device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
        super().__init__(device=device, **kwargs)
        self.crop_border = crop_border
        self.scorer = create(name, device, options or {})
        better = 'lower' if self.scorer.lower_better else 'higher'
        print_log(f'{name} (pyiqa): {better} is better.', logger='current')

    def view(self, image: Tensor) -> Tensor:
        """Convert (C, H, W) BGR or gray to (1, 3, H, W) RGB in [0, 1], rounded
        to 8 bits."""
        crop, (h, w) = self.crop_border, image.shape[-2:]
        image = image[:, crop:h - crop, crop:w - crop].to(
            self.device, torch.float32).round().clamp(0, 255) / 255
        image = image.expand(3, -1, -1) if len(image) == 1 else image.flip(0)
        return image[None]

    def measure(self, clean: Tensor,
                images: Dict[str, Tensor]) -> Dict[str, float]:
        reference = (clean, ) if self.scorer.metric_mode == 'FR' else ()
        try:
            return {key: float(self.scorer(image, *reference))
                    for key, image in images.items()}
        except Exception as error:  # each metric has limits of its own
            h, w = clean.shape[-2:]
            raise DataError(f"the metric '{self.metric}' of pyiqa failed for "
                            f'an image of {w}x{h} pixels: {reason(error)}'
                            ) from error


def create(name: str, device: str, options: dict) -> Any:
    """Return a metric of pyiqa.

    Raises:
        ConfigError: See :class:`IQAMetric`.
    """
    try:
        import pyiqa
    except ImportError as error:
        raise missing_package(error) or error from error
    if name not in pyiqa.list_models():
        raise ConfigError(f"pyiqa {pyiqa.__version__} has no metric '{name}'; "
                          'pyiqa.list_models() lists them.')
    if name in NOT_PER_IMAGE:
        raise ConfigError(f"the metric '{name}' of pyiqa does not score "
                          'single images.')
    try:
        return pyiqa.create_metric(name, device=torch.device(device),
                                   **options)
    except Exception as error:  # packages and weights of each metric differ
        raise ConfigError(f"pyiqa cannot build the metric '{name}': "
                          f'{reason(error)}') from error


def reason(error: Exception) -> str:
    """Return the message of a foreign error as one short line."""
    return ' '.join(str(error).split())[:200] or type(error).__name__
