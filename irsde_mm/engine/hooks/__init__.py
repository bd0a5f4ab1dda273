"""Hooks missing in mmengine and mmagic."""
from .checkpoint_hook import CheckpointHook
from .compile_hook import CompileHook
from .consistency_hook import ConsistencyHook
from .guard_hook import GuardHook
from .logger_hook import LoggerHook
from .pictures_hook import PicturesHook
from .plain_checkpoint_hook import PlainCheckpointHook
from .preemption_hook import PreemptionHook
from .progress_hook import ProgressHook
from .results_hook import ResultsHook
from .resume_hook import ResumeHook
from .settings_hook import SettingsHook
from .skipped_hook import SkippedImagesHook

__all__ = [
    'CheckpointHook', 'CompileHook', 'ConsistencyHook', 'GuardHook',
    'LoggerHook', 'PicturesHook', 'PlainCheckpointHook', 'PreemptionHook',
    'ProgressHook', 'ResultsHook', 'ResumeHook', 'SettingsHook',
    'SkippedImagesHook'
]
