"""Noise predictors, ``forward(xt, mu, t) -> noise``, and adapters."""
from .conditional_nafnet import ConditionalNAFNet
from .conditional_unet import ConditionalUNet
from .regression import RegressionNetwork
from .unet_predictor import UnetNoisePredictor

__all__ = [
    'ConditionalUNet', 'ConditionalNAFNet', 'RegressionNetwork',
    'UnetNoisePredictor'
]
