"""Optimizer wrappers missing in mmengine."""
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from ..registry import OPTIM_WRAPPERS


def has_fast_bfloat16() -> bool:
    """Return whether the CPU has instructions for bfloat16. Without them,
    convolutions take many times as long as in float32."""
    return (torch.backends.mkldnn.is_available()
            and torch.ops.mkldnn._is_mkldnn_bf16_supported())


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Optimizer wrapper for bfloat16 autocast without loss scaling.

    It also works on CPUs, where mmengine's AmpOptimWrapper fails because it
    requires an accelerator. See :class:`mmengine.optim.OptimWrapper` for the
    arguments.
    """

    @contextmanager
    def optim_context(self, model: nn.Module):
        device = next(model.parameters()).device.type
        with super().optim_context(model), \
                torch.autocast(device, torch.bfloat16):
            yield
