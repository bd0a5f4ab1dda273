"""Transforms that load images and create degraded ones."""
from .blur import MotionBlur
from .degradation import Degradation
from .haze import Haze
from .loading import LoadImage
from .masks import KeepMask
from .noise import GaussianNoise
from .rain import RainStreaks
from .resample import LowResolution, Upsample

__all__ = [
    'Degradation', 'RainStreaks', 'GaussianNoise', 'MotionBlur',
    'LowResolution', 'Upsample', 'KeepMask', 'Haze', 'LoadImage'
]
