"""Hook that saves a checkpoint on SIGTERM and Ctrl-C."""
import signal
import threading
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size, is_distributed
from mmengine.hooks import EMAHook, Hook

from ...errors import Interrupted
from ...registry import HOOKS
from .checkpoint_hook import CheckpointHook

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@HOOKS.register_module()
class PreemptionHook(Hook):
    """Hook that saves a checkpoint and stops on SIGTERM or SIGINT.

    Slurm, Kubernetes and spot instances send SIGTERM before they reclaim a
    machine; Ctrl-C sends SIGINT. The current iteration is completed and saved,
    then :class:`Interrupted` is raised (exit code 75 in the tools). A second
    Ctrl-C stops at once.

    Args:
        interval (int): With several processes, the iterations between checks
            for a signal in any process.
    """

    # run after CheckpointHook
    priority = 'LOWEST'

    def __init__(self, interval: int = 10) -> None:
        self.interval = interval
        self.received = None
        self.handlers = {}

    def before_train(self, runner) -> None:
        # Python allows signal handlers only in the main thread
        if threading.current_thread() is threading.main_thread():
            self.handlers = {number: signal.signal(number, self._on_signal)
                             for number in SIGNALS}

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None,
                         outputs: Any = None) -> None:
        if self._should_stop(batch_idx):
            self._stop(runner, batch_idx + 1)

    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None,
                       outputs: Any = None) -> None:
        if self._should_stop(batch_idx):
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):
                    # swap the averaged weights used in validation back
                    hook.after_val_epoch(runner)
            self._stop(runner, runner.iter)

    def after_train(self, runner) -> None:
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        self.handlers = {}

    after_run = after_train

    def _on_signal(self, number: int, frame: Any) -> None:
        if number == self.received == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number

    def _should_stop(self, batch_idx: int) -> bool:
        """Return True if training must stop now, the same in all processes."""
        if not is_distributed() or get_world_size() == 1:
            return self.received is not None
        if (batch_idx + 1) % self.interval:
            return False
        number = torch.tensor(self.received or 0)
        all_reduce(number, 'max')
        self.received = int(number) or None
        return self.received is not None

    def _stop(self, runner, iteration: int) -> None:
        saved = 'no checkpoint was saved'
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook):
                if hook.last_saved != iteration:
                    hook.save_now(runner, iteration)
                saved = hook.failure or f'saved in {hook.last_ckpt}'
        self.after_train(runner)
        runner.visualizer.close()  # flushes its backends
        raise Interrupted(
            f'stopped by {signal.Signals(self.received).name} after iteration '
            f'{iteration}: {saved}; continue with --resume.')
