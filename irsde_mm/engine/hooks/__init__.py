"""Hooks that mmengine and mmagic lack."""
from .plain_checkpoint_hook import PlainCheckpointHook
from .progress_hook import ProgressHook
from .settings_hook import SettingsHook

__all__ = ['PlainCheckpointHook', 'ProgressHook', 'SettingsHook']
