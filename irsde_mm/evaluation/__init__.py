"""Metrics that mmagic lacks and the paper's protocol."""
from .. import registry  # noqa: F401, first: it makes mmagic importable
from .likelihood import BitsPerDim
from .niqe import NIQE
from .perceptual import FID, LPIPS
from .protocol import PSNR, SSIM

__all__ = ['BitsPerDim', 'FID', 'LPIPS', 'NIQE', 'PSNR', 'SSIM']
