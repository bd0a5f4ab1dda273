"""Access to a wrapped model."""
from typing import Any, Dict

import torch
from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """Return the model inside a distributed wrapper, or the model itself."""
    return model.module if is_model_wrapper(model) else model


def whole_weights(model: nn.Module) -> Dict[str, Any]:
    """Return the state dict of a model; for a sharded one, its parameters,
    without values, in their whole shapes."""
    inner = unwrapped(model)
    if not hasattr(model, 'summon_full_params'):
        return inner.state_dict()
    with model.summon_full_params(model, writeback=False):
        return {name.replace('_fsdp_wrapped_module.', ''):
                torch.empty_like(value, device='meta')
                for name, value in inner.named_parameters()}
