"""Hooks and optimizer wrappers around mmengine's Runner."""
from .hooks import (LoggerHook, PlainCheckpointHook, ProgressHook, ResultsHook,
                    SettingsHook, SkippedImagesHook)
from .optim_wrappers import BFloat16OptimWrapper

__all__ = [
    'LoggerHook', 'PlainCheckpointHook', 'ProgressHook', 'ResultsHook',
    'SettingsHook', 'SkippedImagesHook', 'BFloat16OptimWrapper'
]
