"""Everything in the MODELS and DIFFUSION_SCHEDULERS registries."""
from . import diffusion_schedulers  # noqa: F401
from .losses import MaximumLikelihoodLoss, NoiseMatchingLoss
from .networks import (ConditionalNAFNet, ConditionalUNet, RegressionNetwork,
                       UnetNoisePredictor)
from .restorers import (GreyHolesDeepFill, IRSDERestorer, RefiningRestorer,
                        SuperResolver, TiledEditModel, WhiteHolePreprocessor)

__all__ = [
    'MaximumLikelihoodLoss', 'NoiseMatchingLoss', 'ConditionalNAFNet',
    'ConditionalUNet', 'RegressionNetwork', 'UnetNoisePredictor',
    'GreyHolesDeepFill', 'IRSDERestorer', 'RefiningRestorer',
    'SuperResolver', 'TiledEditModel', 'WhiteHolePreprocessor'
]
