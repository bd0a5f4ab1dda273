"""Networks of :mod:`irsde_mm.networks`, and adapters for mmagic networks."""
from ...networks import (MAXIM, ConditionalNAFNet, ConditionalUNet,
                         LatentUNet)
from .regression import RegressionNetwork
from .spandrel import SpandrelNetwork
from .unet_predictor import UnetNoisePredictor

__all__ = [
    'ConditionalUNet', 'ConditionalNAFNet', 'LatentUNet', 'MAXIM',
    'RegressionNetwork', 'SpandrelNetwork', 'UnetNoisePredictor'
]
