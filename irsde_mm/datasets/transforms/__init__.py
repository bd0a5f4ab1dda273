"""Transforms that load images and create degraded ones."""
from .blur import MotionBlur
from .degradation import Degradation
from .haze import Haze
from .jpeg import JPEG
from .loading import LoadImage
from .masks import KeepMask
from .noise import GaussianNoise, PoissonNoise
from .rain import RainStreaks
from .random_degradation import RandomDegradation
from .resample import LowResolution, Upsample

__all__ = [
    'Degradation', 'RainStreaks', 'GaussianNoise', 'PoissonNoise', 'JPEG',
    'MotionBlur', 'LowResolution', 'Upsample', 'KeepMask', 'Haze',
    'RandomDegradation', 'LoadImage'
]
