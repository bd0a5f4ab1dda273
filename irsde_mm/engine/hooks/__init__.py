"""Hooks that mmengine and mmagic lack."""
from .logger_hook import LoggerHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .progress_hook import ProgressHook
from .results_hook import ResultsHook
from .settings_hook import SettingsHook
from .skipped_hook import SkippedImagesHook

__all__ = [
    'LoggerHook', 'PlainCheckpointHook', 'ProgressHook', 'ResultsHook',
    'SettingsHook', 'SkippedImagesHook'
]
