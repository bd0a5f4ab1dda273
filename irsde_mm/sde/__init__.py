"""Processes between a clean and a degraded image."""
from .base import SDE
from .denoising_sde import DenoisingSDE
from .irsde import IRSDE
from .mean_reverting import MeanRevertingSDE

__all__ = ['SDE', 'MeanRevertingSDE', 'IRSDE', 'DenoisingSDE']
