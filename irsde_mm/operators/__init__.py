"""Linear degradations A, for data consistency."""
from .base import LinearOperator
from .blur import BlurOperator
from .downsampling import DownsamplingOperator
from .mask import MaskOperator

__all__ = ['BlurOperator', 'DownsamplingOperator', 'LinearOperator',
           'MaskOperator']
