"""The metrics of the published protocol.

Images are rounded to uint8, as files are, and cut at the borders before they
are compared. mmagic's own PSNR and SSIM do not round. The scores of the
unrestored input come out beside those of the result, from the same pass.
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
    """A score for a pair of images, averaged over images.

    Reports ``NAME`` (``NAME_Y`` on the luma channel) of the restored and
    ``input_NAME`` of the degraded images.

    Args:
        channel (str): 'rgb' or 'y' (MATLAB's YCbCr weights, not rounded).
        crop_border (int): Pixels left out on every side.
        **kwargs: :class:`BaseSampleWiseMetric`'s (``prefix``, ...).

    Raises:
        ValueError: If ``channel`` is unknown or ``crop_border`` negative.
    """

    def __init__(self, channel: str = 'rgb', crop_border: int = 0,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if channel not in ('rgb', 'y'):
            raise ValueError(f"channel must be 'rgb' or 'y', not {channel!r}.")
        if crop_border < 0:
            raise ValueError(f'crop_border must not be negative, but is '
                             f'{crop_border}.')
        self.channel = channel
        self.crop_border = crop_border
        self.key = self.metric + ('_Y' if channel == 'y' else '')

    @abstractmethod
    def score(self, image: np.ndarray, clean: np.ndarray) -> float:
        """Compares two float64 images (H, W, C) in 0..255."""

    def measure(self, clean: np.ndarray,
                images: Dict[str, np.ndarray]) -> Dict[str, float]:
        return {key: self.score(image, clean)
                for key, image in images.items()}

    def view(self, image: Tensor) -> np.ndarray:
        """(C, H, W) BGR or grey in 0..255 -> rounded, cut, one or more
        channels, float64."""
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
    """Peak signal-to-noise ratio in dB. Arguments: :class:`PairMetric`."""

    metric = 'PSNR'

    def score(self, image: np.ndarray, clean: np.ndarray) -> float:
        if np.array_equal(image, clean):
            return float('inf')
        return peak_signal_noise_ratio(clean, image, data_range=255)


@METRICS.register_module()
class SSIM(PairMetric):
    """Structural similarity, an 11x11 Gaussian of sigma 1.5, valid region.

    Source: Wang et al., IEEE TIP 2004, and its MATLAB program. Arguments:
    :class:`PairMetric`. Images below 11x11 pixels (after the crop) are left
    out of the mean and named in the log.
    """

    metric = 'SSIM'
    smallest = 11

    def score(self, image: np.ndarray, clean: np.ndarray) -> float:
        return structural_similarity(
            clean, image, data_range=255, channel_axis=2, sigma=1.5,
            gaussian_weights=True, use_sample_covariance=False)
