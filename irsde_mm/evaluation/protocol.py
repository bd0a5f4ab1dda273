"""Metrics of the published protocol.

Images are rounded to uint8, as in files, and cropped at the borders before
they are compared. mmagic's PSNR and SSIM do not round. The degraded input is
scored in the same pass as the result.
"""
from abc import abstractmethod
from typing import Dict

import mmcv
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from ..registry import METRICS
from .base import RestorationMetric


class PairMetric(RestorationMetric):
    """Metric of image pairs, averaged over images.

    Reports ``NAME`` (``NAME_Y`` for the luma channel) of the restored and
    ``input_NAME`` of the degraded images.

    Args:
        channel (str): 'rgb' or 'y' (MATLAB's YCbCr weights, not rounded).
        crop_border (int): Number of pixels cropped on each side.
        **kwargs: Arguments of :class:`BaseSampleWiseMetric` (``prefix``, ...).

    Raises:
        ValueError: If ``channel`` is unknown or ``crop_border`` is negative.
    """

    def __init__(self, channel: str = 'rgb', crop_border: int = 0,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if channel not in ('rgb', 'y'):
            raise ValueError("channel must be 'rgb' or 'y', but got "
                             f'{channel!r}.')
        if crop_border < 0:
            raise ValueError('crop_border must be at least 0, but got '
                             f'{crop_border}.')
        self.channel = channel
        self.crop_border = crop_border
        self.key = self.metric + ('_Y' if channel == 'y' else '')

    @abstractmethod
    def score(self, image: np.ndarray, clean: np.ndarray) -> float:
        """Score a float64 image against the clean one, (H, W, C) in 0..255."""

    def measure(self, clean: np.ndarray,
                images: Dict[str, np.ndarray]) -> Dict[str, float]:
        return {key: self.score(image, clean)
                for key, image in images.items()}

    def view(self, image: Tensor) -> np.ndarray:
        """Convert (C, H, W) BGR or gray in 0..255 to a float64 array.

        The result (H, W, C) is rounded and cropped, with the chosen channels.
        """
        image = np.asarray(image.cpu()).transpose(1, 2, 0)
        image = image.astype(np.float64).round().clip(0, 255)
        if self.channel == 'y' and image.shape[2] == 3:
            image = 255 * mmcv.bgr2ycbcr(
                image.astype(np.float32) / 255, y_only=True)[..., None]
            image = image.astype(np.float64)
        border = self.crop_border
        return image[border:image.shape[0] - border,
                     border:image.shape[1] - border]


@METRICS.register_module()
class PSNR(PairMetric):
    """Peak signal-to-noise ratio in dB. See :class:`PairMetric`."""

    metric = 'PSNR'

    def score(self, image: np.ndarray, clean: np.ndarray) -> float:
        if np.array_equal(image, clean):
            return float('inf')
        return peak_signal_noise_ratio(clean, image, data_range=255)


@METRICS.register_module()
class SSIM(PairMetric):
    """Structural similarity with an 11x11 Gaussian window, sigma 1.5.

    Only the valid region is used. Source: Wang et al., IEEE TIP 2004, and its
    MATLAB implementation. See :class:`PairMetric` for the arguments. Images
    smaller than 11x11 pixels (after the border crop) are excluded from the
    mean and listed in the log.
    """

    metric = 'SSIM'
    smallest = 11

    def score(self, image: np.ndarray, clean: np.ndarray) -> float:
        return structural_similarity(
            clean, image, data_range=255, channel_axis=2, sigma=1.5,
            gaussian_weights=True, use_sample_covariance=False)
