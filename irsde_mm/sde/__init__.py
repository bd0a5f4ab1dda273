"""Processes between a clean and a degraded image."""
from .base import SDE
from .denoising_sde import DenoisingSDE
from .irsde import IRSDE
from .mean_reverting import MeanRevertingSDE
from .ornstein_uhlenbeck import OrnsteinUhlenbeckSDE
from .vpsde import VPSDE

__all__ = ['SDE', 'OrnsteinUhlenbeckSDE', 'MeanRevertingSDE', 'IRSDE',
           'DenoisingSDE', 'VPSDE']
