"""Hook that guards against bad batches and collapsed training."""
import math
from collections import deque
from pathlib import Path
from typing import Any, Deque, Dict, List, Optional

import torch
from mmengine.dist import all_reduce, is_distributed, master_only
from mmengine.hooks import CheckpointHook, Hook
from mmengine.optim import OptimWrapperDict
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from ...errors import CheckpointError, TrainingError
from ...io.files import write_text
from ...io.weights import read_plain
from ...model_files.runs import POINTER, newest_first
from ...registry import HOOKS
from ..exact_train_loop import ExactTrainLoop
from ..unwrapping import unwrapped

KEY = 'irsde_mm_guard'  # in checkpoints


@HOOKS.register_module()
class GuardHook(Hook):
    """Hook that skips bad batches and recovers from collapsed training.

    A batch is bad if its loss or a gradient norm is not finite, or more than
    ``factor`` times the maximum of the last ``window`` good batches (a
    negative loss: if it exceeds the maximum by more than ``factor - 1`` times
    the largest absolute value). Its gradients are dropped before the optimizer
    step, so weights and moments do not change. After ``patience`` bad batches
    in a row, training continues from the last checkpoint saved before them,
    with other data and noise.
    After ``max_returns`` such returns it stops. All of this is logged.

    The loss is read from the output of the model's ``forward(mode='loss')``.
    For models that train differently (GANs), only gradients are checked. The
    hook reads two numbers from the device per iteration.

    Args:
        factor (float): Threshold relative to recent batches, above 1.
        window (int): Number of good batches that define the normal range.
            Before there are that many, only non-finite values are bad.
        patience (int): Number of consecutive bad batches, at least 1.
        max_returns (int): Maximum number of returns in a run, at least 0.

    Raises:
        ValueError: If an argument is out of range.
        TrainingError: During training, if it cannot continue.
    """

    # run before hooks that save or average in the same iteration
    priority = 'HIGH'

    def __init__(self, factor: float = 10., window: int = 100,
                 patience: int = 10, max_returns: int = 3) -> None:
        if factor <= 1 or window < 1 or patience < 1 or max_returns < 0:
            raise ValueError(
                'GuardHook needs factor > 1, window >= 1, patience >= 1 and '
                f'max_returns >= 0, but got {factor}, {window}, {patience}, '
                f'{max_returns}.')
        self.factor, self.window = factor, window
        self.patience, self.max_returns = patience, max_returns
        self.ranges: Dict[str, Deque[float]] = {}
        self.in_a_row = self.skipped = self.returns = 0
        self.losses: List[Tensor] = []
        self.reasons: List[str] = []
        self.tried: List[str] = []
        self.handles: List[RemovableHandle] = []

    # ------------------------------------------------------------- watching

    def before_train(self, runner) -> None:
        model = unwrapped(runner.model)
        self.handles.append(model.register_forward_hook(self._record_loss))
        wrapper = runner.optim_wrapper
        parts = wrapper.items() if isinstance(wrapper, OptimWrapperDict) \
            else [('model', wrapper)]
        for name, part in parts:
            self.handles.append(part.optimizer.register_step_pre_hook(
                lambda optimizer, args, kwargs, name=name:
                self._before_step(name, optimizer)))

    def after_train(self, runner) -> None:
        for handle in self.handles:
            handle.remove()
        self.handles.clear()

    def _record_loss(self, model, args: tuple, losses: Any) -> None:
        if isinstance(losses, dict) and model.training:
            found = [torch.as_tensor(value).detach().float().mean()
                     for key, value in losses.items()
                     if 'loss' in key and not isinstance(value, (list, str))]
            self.losses += [sum(found)] if found else []

    def _before_step(self, name: str, optimizer) -> None:
        """Drop the gradients of a bad batch.

        An optimizer skips parameters without a gradient and their moments.
        """
        gradients = [p.grad for group in optimizer.param_groups
                     for p in group['params'] if p.grad is not None]
        if not gradients:
            return
        values = {f'gradient norm ({name})':
                  torch.nn.utils.get_total_norm(gradients).item()}
        if self.losses:
            values['loss'] = torch.stack(self.losses).mean().item()
            self.losses.clear()
        reasons = [self._describe(key, value)
                   for key, value in values.items() if self._bad(key, value)]
        if not any_process(bool(reasons)):
            for key, value in values.items():
                self.ranges.setdefault(key, deque(maxlen=self.window)).append(
                    value)
            return
        self.reasons += reasons or ['bad batch in another process']
        for parameter in (p for group in optimizer.param_groups
                          for p in group['params']):
            parameter.grad = None

    def _bad(self, key: str, value: float) -> bool:
        recent = self.ranges.get(key, ())
        if not math.isfinite(value):
            return True
        if len(recent) < self.window:
            return False
        # a loss may be negative, such as mmagic's PSNRLoss
        margin = (self.factor - 1) * max(map(abs, recent))
        return value > max(recent) + margin

    def _describe(self, key: str, value: float) -> str:
        recent = self.ranges.get(key, ())
        return f'{key} {value:.4g}' + (
            f', at most {max(recent):.4g} before' if recent else '')

    # -------------------------------------------------------------- acting

    def after_train_iter(self, runner, batch_idx: int, data_batch: Any = None,
                         outputs: Any = None) -> None:
        if not self.reasons:
            self.in_a_row = 0
            return
        self.in_a_row += 1
        self.skipped += 1
        runner.logger.warning(
            f'iteration {batch_idx + 1}: bad batch skipped '
            f'({"; ".join(self.reasons)}); {self.skipped} in this run, '
            f'{self.in_a_row} in a row')
        runner.message_hub.update_scalar('train/skipped', self.skipped)
        self.reasons.clear()
        if self.in_a_row >= self.patience:
            self._return(runner, batch_idx + 1)

    def _return(self, runner, iteration: int) -> None:
        what = (f'{self.in_a_row} bad batches in a row at iteration '
                f'{iteration}')
        if self.returns >= self.max_returns:
            raise TrainingError(
                f'{what}, after {self.returns} returns to earlier '
                'checkpoints. Try a lower learning rate, optim_wrapper.'
                'clip_grad=dict(max_norm=1.0), or check the data.')
        path = self._last_good(runner)
        if path is None or not isinstance(runner.train_loop, ExactTrainLoop):
            raise TrainingError(
                f'{what}, and no earlier checkpoint to return to. Try a lower '
                'learning rate or warm-up, or save more often.')
        self.returns += 1
        self.tried.append(path)
        runner.logger.error(f'{what}: returning to {path} with other data and '
                            f'noise (return {self.returns} of at most '
                            f'{self.max_returns})')
        set_last_checkpoint(path)
        runner.train_loop.return_to = path

    def _last_good(self, runner) -> Optional[str]:
        """Return the latest good checkpoint that was not returned to yet.

        It must be readable, have finite weights, and not follow a bad batch.
        """
        folder = next((hook.out_dir for hook in runner.hooks
                       if isinstance(hook, CheckpointHook)), runner.work_dir)
        for path in newest_first(folder):
            if str(path) in self.tried:
                continue
            try:
                checkpoint = read_plain(str(path))
            except CheckpointError as error:
                runner.logger.warning(str(error))
                continue
            if not checkpoint.get(KEY, {}).get('in_a_row') and all(
                    value.isfinite().all() for value
                    in checkpoint['state_dict'].values()):
                return str(path)
        return None

    # --------------------------------------------------------------- resume

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        checkpoint[KEY] = dict(
            ranges={key: list(recent) for key, recent in self.ranges.items()},
            in_a_row=self.in_a_row, skipped=self.skipped,
            returns=self.returns, tried=list(self.tried))

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        state = checkpoint.get(KEY)
        if state is None or not runner._resume:
            return
        self.ranges = {key: deque(recent, maxlen=self.window)
                       for key, recent in state['ranges'].items()}
        self.in_a_row = state['in_a_row']
        # returning must not reset the counts of this run
        self.skipped = max(self.skipped, state['skipped'])
        self.returns = max(self.returns, state['returns'])
        self.tried = max(self.tried, state['tried'], key=len)


def any_process(bad: bool) -> bool:
    """Return True if the batch is bad in any process."""
    if not is_distributed():
        return bad
    flag = torch.tensor(int(bad))
    all_reduce(flag, 'max')
    return bool(flag)


@master_only
def set_last_checkpoint(path: str) -> None:
    """Set the checkpoint that a killed run resumes from."""
    write_text(Path(path).with_name(POINTER), path)
