"""Everything in the MODELS and DIFFUSION_SCHEDULERS registries."""
from . import diffusion_schedulers  # noqa: F401
from .averaged_model import ExponentialMovingAverage
from .losses import LikelihoodLoss, MaximumLikelihoodLoss, NoiseMatchingLoss
from .networks import (MAXIM, ConditionalNAFNet, ConditionalUNet,
                       RegressionNetwork, UnetNoisePredictor)
from .restorers import (GreyHolesDeepFill, IRSDERestorer, MultiStageRestorer,
                        RefiningRestorer, SuperResolver, TiledEditModel,
                        WhiteHolePreprocessor)

__all__ = [
    'ExponentialMovingAverage',
    'LikelihoodLoss', 'MaximumLikelihoodLoss', 'NoiseMatchingLoss',
    'ConditionalNAFNet', 'ConditionalUNet', 'MAXIM', 'RegressionNetwork',
    'UnetNoisePredictor', 'GreyHolesDeepFill', 'IRSDERestorer',
    'MultiStageRestorer', 'RefiningRestorer', 'SuperResolver',
    'TiledEditModel', 'WhiteHolePreprocessor'
]
