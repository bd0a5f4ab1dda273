"""The model inside its wrapper."""
from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> nn.Module:
    """A model without the wrapper of a distributed run."""
    return model.module if is_model_wrapper(model) else model
