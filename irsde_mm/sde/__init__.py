"""Diffusion processes between a clean and a degraded image."""
from .base import SDE
from .bridges import GOUB, I2SB, UniDB
from .denoising_sde import DenoisingSDE
from .euler_form import EulerForm
from .irsde import IRSDE
from .mean_reverting import MeanRevertingSDE
from .ornstein_uhlenbeck import OrnsteinUhlenbeckSDE
from .predictions import (CleanOutput, Denoiser, EulerNoiseOutput, NoiseOutput,
                          Output, PreconditionedOutput, Prediction,
                          ResidualNoiseOutput, ResidualOutput, StepOutput,
                          VelocityOutput)
from .shifts import RDDM, ResShift, StraightSDE
from .vpsde import VPSDE

__all__ = [
    'SDE', 'EulerForm', 'OrnsteinUhlenbeckSDE', 'MeanRevertingSDE', 'IRSDE',
    'DenoisingSDE', 'VPSDE', 'GOUB', 'UniDB', 'I2SB', 'ResShift', 'RDDM',
    'StraightSDE', 'Prediction', 'Denoiser', 'Output', 'NoiseOutput',
    'EulerNoiseOutput', 'CleanOutput', 'ResidualOutput', 'StepOutput',
    'VelocityOutput', 'PreconditionedOutput', 'ResidualNoiseOutput'
]
