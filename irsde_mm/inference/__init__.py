"""Image restoration with trained models. Requires only torch and numpy."""
from .hooks import Hooks, Refinement
from .latents import LatentHooks
from .network_calls import NetworkCalls
from .pipeline import ImagePipeline, RestorationPipeline
from .progress import Progress

__all__ = ['Hooks', 'ImagePipeline', 'LatentHooks', 'NetworkCalls',
           'Progress', 'Refinement', 'RestorationPipeline']
