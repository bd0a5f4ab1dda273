"""Noise predictors, ``forward(xt, mu, t) -> noise``, adapters, and MAXIM."""
from .conditional_nafnet import ConditionalNAFNet
from .conditional_unet import ConditionalUNet
from .maxim import MAXIM
from .regression import RegressionNetwork
from .unet_predictor import UnetNoisePredictor

__all__ = [
    'ConditionalUNet', 'ConditionalNAFNet', 'MAXIM', 'RegressionNetwork',
    'UnetNoisePredictor'
]
