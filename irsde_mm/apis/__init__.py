"""Python API."""
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..inference import Progress
    from ..inference.change_kinds import changes
    from ..model_files import bundled_models
    from ..model_files import bundled_models as boxed_models
    from ..model_files import convert_state_dict
    from .inference import init_restorer
    from .inferencer import RestorationInferencer
    from .restoring import restore, restore_batch

__all__ = [
    'Progress', 'RestorationInferencer', 'boxed_models', 'bundled_models',
    'changes', 'convert_state_dict', 'init_restorer', 'restore',
    'restore_batch'
]

#: Modules that define the names above. They are imported on first use,
#: because restoring with an ONNX file uses this package without torch.
MODULES = dict(
    Progress='..inference.progress', RestorationInferencer='.inferencer',
    boxed_models='..model_files', bundled_models='..model_files',
    changes='..inference.change_kinds', convert_state_dict='..model_files',
    init_restorer='.inference', restore='.restoring',
    restore_batch='.restoring')


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = import_module(MODULES[name], __name__)
    return getattr(module, dict(boxed_models='bundled_models').get(name, name))
