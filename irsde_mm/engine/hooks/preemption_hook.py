"""SIGTERM and Ctrl-C: the iteration is finished and saved."""
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
    """Ends training with a checkpoint when the system asks for it.

    Slurm, Kubernetes and spot machines send SIGTERM before they take a
    machine away; Ctrl-C sends SIGINT. The iteration is finished, saved, and
    :class:`Interrupted` raised (exit code 75 in tools). A second Ctrl-C ends
    at once.

    Args:
        interval (int): Iterations between checks whether any process got a
            signal, with several processes.
    """

    # after CheckpointHook
    priority = 'LOWEST'

    def __init__(self, interval: int = 10) -> None:
        self.interval = interval
        self.asked_by = None
        self.handlers = {}

    def before_train(self, runner) -> None:
        # elsewhere Python allows no handlers
        if threading.current_thread() is threading.main_thread():
            self.handlers = {number: signal.signal(number, self._asked)
                             for number in SIGNALS}

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None,
                         outputs: Any = None) -> None:
        if self._due(batch_idx):
            self._stop(runner, batch_idx + 1)

    def after_val_iter(self, runner, batch_idx: int, data_batch: Any = None,
                       outputs: Any = None) -> None:
        if self._due(batch_idx):
            for hook in runner.hooks:
                if isinstance(hook, EMAHook):
                    # it put its weights into the model for validation
                    hook.after_val_epoch(runner)
            self._stop(runner, runner.iter)

    def after_train(self, runner) -> None:
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        self.handlers = {}

    after_run = after_train

    def _asked(self, number: int, frame: Any) -> None:
        if number == self.asked_by == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked_by = number

    def _due(self, batch_idx: int) -> bool:
        """Whether to stop now: the same answer in all processes."""
        if not is_distributed() or get_world_size() == 1:
            return self.asked_by is not None
        if (batch_idx + 1) % self.interval:
            return False
        asked = torch.tensor(self.asked_by or 0)
        all_reduce(asked, 'max')
        self.asked_by = int(asked) or None
        return self.asked_by is not None

    def _stop(self, runner, iteration: int) -> None:
        saved = 'nothing is saved'
        for hook in runner.hooks:
            if isinstance(hook, CheckpointHook):
                if hook.last_saved != iteration:
                    hook.save_now(runner, iteration)
                saved = hook.failure or f'saved in {hook.last_ckpt}'
        self.after_train(runner)
        runner.visualizer.close()  # writes what its backends have buffered
        raise Interrupted(
            f'stopped by {signal.Signals(self.asked_by).name} after iteration '
            f'{iteration}: {saved}; go on with --resume.')
