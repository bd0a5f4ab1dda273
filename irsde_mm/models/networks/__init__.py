"""The networks of :mod:`irsde_mm.networks`, and adapters to mmagic's."""
from ...networks import MAXIM, ConditionalNAFNet, ConditionalUNet
from .regression import RegressionNetwork
from .unet_predictor import UnetNoisePredictor

__all__ = [
    'ConditionalUNet', 'ConditionalNAFNet', 'MAXIM', 'RegressionNetwork',
    'UnetNoisePredictor'
]
