"""Metrics missing in mmagic, and the metrics of the published protocol."""
from .. import registry  # noqa: F401, must come first for mmagic's import
from .fid import FID
from .iqa import IQAMetric
from .likelihood import BitsPerDim
from .niqe import NIQE
from .perceptual import DISTS, LPIPS
from .protocol import PSNR, SSIM

__all__ = [
    'BitsPerDim', 'DISTS', 'FID', 'IQAMetric', 'LPIPS', 'NIQE', 'PSNR', 'SSIM'
]
