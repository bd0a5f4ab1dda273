"""Log lines as mmengine writes them, the test scores from one process."""
from typing import Dict, Optional

from mmengine.dist import master_only
from mmengine.hooks import LoggerHook as _LoggerHook

from ...registry import HOOKS


@HOOKS.register_module()
class LoggerHook(_LoggerHook):
    """mmengine's, but the file of test scores is written by one process.

    Reason: mmengine lets all processes write the same file at the same time,
    which can leave it garbled. Needed with mmengine <= 0.10.7. Arguments:
    mmengine's ``LoggerHook``.
    """

    @master_only
    def after_test_epoch(self, runner,
                         metrics: Optional[Dict[str, float]] = None) -> None:
        super().after_test_epoch(runner, metrics)
