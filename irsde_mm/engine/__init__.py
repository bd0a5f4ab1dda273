"""Hooks and optimizer wrappers around mmengine's Runner."""
from .hooks import PlainCheckpointHook, ProgressHook, SettingsHook
from .optim_wrappers import BFloat16OptimWrapper

__all__ = [
    'PlainCheckpointHook', 'ProgressHook', 'SettingsHook',
    'BFloat16OptimWrapper'
]
