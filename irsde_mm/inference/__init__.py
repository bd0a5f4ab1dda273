"""Image restoration with trained models. Requires only torch and numpy."""
from .hooks import Hooks, Refinement
from .network_calls import NetworkCalls
from .pipeline import ImagePipeline, RestorationPipeline
from .progress import Progress

__all__ = ['Hooks', 'ImagePipeline', 'NetworkCalls', 'Progress',
           'Refinement', 'RestorationPipeline']
