"""Metrics missing in mmagic, and the metrics of the published protocol."""
from .. import registry  # noqa: F401, must come first for mmagic's import
from .likelihood import BitsPerDim
from .niqe import NIQE
from .perceptual import FID, LPIPS
from .protocol import PSNR, SSIM

__all__ = ['BitsPerDim', 'FID', 'LPIPS', 'NIQE', 'PSNR', 'SSIM']
