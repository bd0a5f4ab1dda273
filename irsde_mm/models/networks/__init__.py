"""Noise predictors: ``forward(xt, mu, t) -> noise``."""
from .conditional_nafnet import ConditionalNAFNet
from .conditional_unet import ConditionalUNet

__all__ = ['ConditionalUNet', 'ConditionalNAFNet']
