"""Components of the MODELS and DIFFUSION_SCHEDULERS registries."""
from . import components  # noqa: F401
from .averaged_model import ExponentialMovingAverage
from .losses import (ConsistencyLoss, LikelihoodLoss, MaximumLikelihoodLoss,
                     NoiseMatchingLoss, OutputLoss, PerceptualLoss, SumLoss)
from .networks import (MAXIM, ConditionalNAFNet, ConditionalUNet, LatentUNet,
                       RegressionNetwork, UnetNoisePredictor)
from .restorers import (AutoencoderModel, GreyHolesDeepFill, IRSDERestorer,
                        LatentRestorer, MultiStageRestorer, RefiningRestorer,
                        SuperResolver, TiledEditModel, WhiteHolePreprocessor)

__all__ = [
    'ConsistencyLoss', 'ExponentialMovingAverage', 'LikelihoodLoss',
    'MaximumLikelihoodLoss',
    'NoiseMatchingLoss', 'OutputLoss', 'PerceptualLoss', 'SumLoss',
    'ConditionalNAFNet', 'ConditionalUNet', 'LatentUNet', 'MAXIM',
    'RegressionNetwork', 'UnetNoisePredictor', 'AutoencoderModel',
    'GreyHolesDeepFill', 'IRSDERestorer', 'LatentRestorer',
    'MultiStageRestorer', 'RefiningRestorer', 'SuperResolver',
    'TiledEditModel', 'WhiteHolePreprocessor'
]
