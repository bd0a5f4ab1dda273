"""Hook that saves checkpoints of plain values only."""
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.logging import HistoryBuffer

from ...registry import HOOKS


@HOOKS.register_module()
class PlainCheckpointHook(Hook):
    """Hook that saves mmengine's message hub as plain numbers.

    Checkpoints of mmengine <= 0.10.7 contain HistoryBuffer objects and NumPy
    arrays, which ``torch.load(weights_only=True)``, the default since PyTorch
    2.6, rejects for safety, so a run could not be resumed. This hook converts
    them on save and back on load.
    """

    priority = 'VERY_LOW'

    def before_save_checkpoint(self, runner, checkpoint: dict) -> None:
        hub = checkpoint['message_hub']
        checkpoint['message_hub'] = dict(
            log_scalars={
                # tensors: a list of 400,000 numbers takes seconds to load
                key: dict(log_history=torch.tensor(buffer.data[0]),
                          count_history=torch.tensor(buffer.data[1]),
                          max_length=buffer.max_length)
                for key, buffer in hub['log_scalars'].items()},
            runtime_info=_plain(hub['runtime_info']),
            resumed_keys=dict(hub['resumed_keys']))
        checkpoint['meta'] = _plain(checkpoint['meta'])
        if 'param_schedulers' in checkpoint:
            checkpoint['param_schedulers'] = _plain(
                checkpoint['param_schedulers'])

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        scalars = checkpoint.get('message_hub', {}).get('log_scalars', {})
        for key, value in scalars.items():
            if isinstance(value, dict):
                scalars[key] = HistoryBuffer(**{
                    k: v.cpu().numpy() if isinstance(v, torch.Tensor) else v
                    for k, v in value.items()})


def _plain(value: Any) -> Any:
    """Return a value without NumPy types."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value
