"""Python entry points."""
from .. import registry  # noqa: F401, first: it makes mmagic importable
from .convert import convert_state_dict
from .inference import init_restorer, restore

__all__ = ['convert_state_dict', 'init_restorer', 'restore']
