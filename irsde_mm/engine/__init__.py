"""Training loop, hooks and optimizer wrappers for mmengine's Runner."""
from .exact_train_loop import ExactTrainLoop
from .hooks import (CheckpointHook, ConsistencyHook, GuardHook, LoggerHook,
                    PlainCheckpointHook, PreemptionHook, ProgressHook,
                    ResultsHook, ResumeHook, SettingsHook, SkippedImagesHook)
from .optim_wrappers import BFloat16OptimWrapper
from .workers import leave_signals_to_owner

__all__ = [
    'BFloat16OptimWrapper', 'CheckpointHook', 'ConsistencyHook',
    'ExactTrainLoop', 'GuardHook', 'LoggerHook', 'PlainCheckpointHook',
    'PreemptionHook', 'ProgressHook', 'ResultsHook', 'ResumeHook',
    'SettingsHook', 'SkippedImagesHook', 'leave_signals_to_owner'
]
