"""Python API."""
from ..inference import Progress
from ..model_files import bundled_models
from ..model_files import bundled_models as boxed_models
from ..model_files import convert_state_dict
from .inference import init_restorer
from .inferencer import RestorationInferencer
from .restoring import restore, restore_batch

__all__ = [
    'Progress', 'RestorationInferencer', 'boxed_models', 'bundled_models',
    'convert_state_dict', 'init_restorer', 'restore', 'restore_batch'
]
