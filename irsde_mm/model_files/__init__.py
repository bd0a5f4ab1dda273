"""Models on disk: exported files, checkpoints and bundled models."""
from .bundled import bundled_model, bundled_models
from .checkpoints import load_weights, read_checkpoint
from .convert import convert_state_dict
from .pipelines import open_pipeline

__all__ = ['bundled_model', 'bundled_models', 'convert_state_dict',
           'load_weights', 'open_pipeline', 'read_checkpoint']
