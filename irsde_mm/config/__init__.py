"""Find, read, complete and check configs."""
from .completion import complete_config, complete_model, set_white
from .files import find_config, load_config
from .parts import component_class, config_scope, dataloaders

__all__ = ['complete_config', 'complete_model', 'component_class',
           'config_scope', 'dataloaders', 'find_config', 'load_config',
           'set_white']
