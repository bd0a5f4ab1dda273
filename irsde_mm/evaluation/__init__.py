"""Metrics that mmagic lacks and the paper's protocol."""
from .. import registry  # noqa: F401, first: it makes mmagic importable
from .protocol import PSNR, SSIM

__all__ = ['PSNR', 'SSIM']
