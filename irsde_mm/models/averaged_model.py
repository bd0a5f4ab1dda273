"""Averages of weights over a training."""
import torch
from mmengine.model import ExponentialMovingAverage as _Average
from torch import nn

from ..registry import MODELS


@MODELS.register_module()
class ExponentialMovingAverage(_Average):
    """mmengine's, with one operation for all weights.

    mmengine <= 0.10.7 moves one tensor after the other. The results are the
    same bit for bit, and so are the names in checkpoints.

    Args:
        *args, **kwargs: mmengine's ``ExponentialMovingAverage``'s.
    """

    def update_parameters(self, model: nn.Module) -> None:
        """As mmengine's."""
        if self.steps == 0 or self.update_buffers:
            super().update_parameters(model)
            return
        if self.steps % self.interval == 0:
            theirs = dict(model.named_parameters())
            mine = self.avg_parameters
            torch._foreach_lerp_(
                [p.data for p in mine.values()],
                [theirs[key].data.to(p.device) for key, p in mine.items()],
                self.momentum)
        for average, buffer in zip(self.module.buffers(), model.buffers()):
            average.data.copy_(buffer.data)
        self.steps += 1
