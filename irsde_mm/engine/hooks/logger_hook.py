"""Logger hook that saves test scores from one process."""
from typing import Dict, Optional

from mmengine.dist import master_only
from mmengine.hooks import LoggerHook as _LoggerHook

from ...registry import HOOKS


@HOOKS.register_module()
class LoggerHook(_LoggerHook):
    """mmengine's logger hook with test scores from the main process only.

    In mmengine <= 0.10.7, all processes write the same file at the same time,
    which can corrupt it. See mmengine's ``LoggerHook`` for the arguments.
    """

    @master_only
    def after_test_epoch(self, runner,
                         metrics: Optional[Dict[str, float]] = None) -> None:
        super().after_test_epoch(runner, metrics)
