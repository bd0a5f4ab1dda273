"""Hook that shows progress bars in a terminal."""
import sys
from typing import Optional

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from tqdm.auto import tqdm

from ...registry import HOOKS
from ..loops import num_batches


@HOOKS.register_module()
class ProgressHook(Hook):
    """Hook that shows progress bars of training, validation and testing.

    Without a terminal, mmengine's log lines show the remaining time.
    """

    priority = 'LOW'

    def __init__(self) -> None:
        self.bars = []

    def _open(self, label: str, total: Optional[int],
              done: int = 0) -> None:
        self.bars.append(tqdm(
            desc=label, total=total, initial=done, dynamic_ncols=True,
            leave=False, position=len(self.bars),
            disable=not (is_main_process() and sys.stderr.isatty())))

    def _step(self, *args, **kwargs) -> None:
        self.bars[-1].update()

    def _close(self, *args, **kwargs) -> None:
        if self.bars:
            self.bars.pop().close()

    def after_train_iter(self, runner, batch_idx: int, *args,
                         **kwargs) -> None:
        # negative after a return to an earlier checkpoint
        self.bars[-1].update(batch_idx + 1 - self.bars[-1].n)

    def before_train(self, runner) -> None:
        self._open('train', runner.max_iters, runner.iter)

    def before_val_epoch(self, runner) -> None:
        self._open('validate', num_batches(runner.val_loop))

    def before_test_epoch(self, runner) -> None:
        self._open('test', num_batches(runner.test_loop))

    after_val_iter = after_test_iter = _step
    after_train = after_val_epoch = after_test_epoch = after_run = _close
