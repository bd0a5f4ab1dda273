"""Components of the MODELS and DIFFUSION_SCHEDULERS registries."""
from . import components  # noqa: F401
from .averaged_model import ExponentialMovingAverage
from .losses import (ConsistencyLoss, DetailLoss, LikelihoodLoss,
                     MaximumLikelihoodLoss, NoiseMatchingLoss, OutputLoss,
                     PerceptualLoss, SumLoss)
from .networks import (MAXIM, ConditionalNAFNet, ConditionalUNet, LatentUNet,
                       RegressionNetwork, SpandrelNetwork,
                       UnetNoisePredictor)
from .restorers import (AutoencoderModel, GreyHolesDeepFill, IRSDERestorer,
                        LatentRestorer, MultiStageRestorer, RefiningRestorer,
                        SpandrelModel, SuperResolver, TiledEditModel,
                        WhiteHolePreprocessor)

__all__ = [
    'ConsistencyLoss', 'DetailLoss', 'ExponentialMovingAverage',
    'LikelihoodLoss', 'MaximumLikelihoodLoss',
    'NoiseMatchingLoss', 'OutputLoss', 'PerceptualLoss', 'SumLoss',
    'ConditionalNAFNet', 'ConditionalUNet', 'LatentUNet', 'MAXIM',
    'RegressionNetwork', 'SpandrelNetwork', 'UnetNoisePredictor',
    'AutoencoderModel',
    'GreyHolesDeepFill', 'IRSDERestorer', 'LatentRestorer',
    'MultiStageRestorer', 'RefiningRestorer', 'SpandrelModel',
    'SuperResolver',
    'TiledEditModel', 'WhiteHolePreprocessor'
]
