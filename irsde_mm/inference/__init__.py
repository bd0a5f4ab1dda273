"""Image restoration with trained models. Requires only torch and numpy."""
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .hooks import Hooks, Refinement
    from .latents import LatentHooks
    from .network_calls import NetworkCalls
    from .pipeline import ImagePipeline, RestorationPipeline
    from .progress import Progress

__all__ = ['Hooks', 'ImagePipeline', 'LatentHooks', 'NetworkCalls',
           'Progress', 'Refinement', 'RestorationPipeline']

#: Modules that define the names above. They are imported on first use,
#: because progress.py and host_memory.py are used without torch.
MODULES = dict(
    Hooks='.hooks', ImagePipeline='.image_pipeline', LatentHooks='.latents',
    NetworkCalls='.network_calls', Progress='.progress',
    Refinement='.hooks', RestorationPipeline='.pipeline')


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(MODULES[name], __name__), name)
