"""Exponential moving average of model weights."""
import torch
from mmengine.model import ExponentialMovingAverage as _Average
from torch import nn

from ..registry import MODELS


@MODELS.register_module()
class ExponentialMovingAverage(_Average):
    """mmengine's ``ExponentialMovingAverage`` with a fused update.

    Updates all weights in a single operation, whereas mmengine <= 0.10.7
    updates one tensor at a time. Results are bit-identical, and names in
    checkpoints are the same.

    Args:
        *args, **kwargs: Arguments of mmengine's ``ExponentialMovingAverage``.
    """

    def update_parameters(self, model: nn.Module) -> None:
        """Update the average with the weights of a model."""
        if self.steps == 0 or self.update_buffers:
            super().update_parameters(model)
            return
        if self.steps % self.interval == 0:
            current = dict(model.named_parameters())
            averages = self.avg_parameters
            torch._foreach_lerp_(
                [p.data for p in averages.values()],
                [current[key].data.to(p.device)
                 for key, p in averages.items()],
                self.momentum)
        for average, buffer in zip(self.module.buffers(), model.buffers()):
            average.data.copy_(buffer.data)
        self.steps += 1
