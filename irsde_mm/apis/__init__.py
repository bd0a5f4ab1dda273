"""Python entry points."""
from .. import registry  # noqa: F401, first: it makes mmagic importable
from .boxed import boxed_models
from .convert import convert_state_dict
from .inference import init_restorer
from .inferencer import RestorationInferencer
from .restoring import restore, restore_batch

__all__ = [
    'RestorationInferencer', 'boxed_models', 'convert_state_dict',
    'init_restorer', 'restore', 'restore_batch'
]
