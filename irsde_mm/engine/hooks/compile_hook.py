"""Training through torch.compile."""
from typing import Optional

import torch
from mmengine.hooks import Hook

from ...errors import ConfigError
from ...registry import HOOKS
from ..unwrapping import unwrapped


@HOOKS.register_module()
class CompileHook(Hook):
    """Compiles a model's network for training alone.

    mmengine's own ``compile=True`` takes the whole ``train_step``, data
    samples, hooks and optimizer too, and breaks into pieces that compile for
    minutes; here it is the network's forward and backward pass. Validation and
    testing have ``test_cfg.inference``. Weights, checkpoints and the average
    of weights are as they are without.

    Args:
        mode (str, optional): ``torch.compile``'s. The first iterations take a
            minute or two.
        network (str): The model's attribute that is compiled.

    Raises:
        ConfigError: Before training, if the model has no such network or
            nothing can be compiled here.
    """

    def __init__(self, mode: Optional[str] = None,
                 network: str = 'generator') -> None:
        self.mode = mode
        self.network = network
        self.compiled = None

    def before_train(self, runner) -> None:
        network = self._find(runner.model)
        try:
            torch.compile(torch.sin)(next(network.parameters()).detach())
            network.compile(mode=self.mode)
        except (torch._dynamo.exc.TorchDynamoException, RuntimeError) as error:
            raise ConfigError(
                'CompileHook: nothing can be compiled here, leave it out: '
                f'{(str(error) or type(error).__name__).splitlines()[0]}'
            ) from error
        self.compiled = network._compiled_call_impl

    def before_val(self, runner) -> None:
        self._find(runner.model)._compiled_call_impl = None

    def after_val(self, runner) -> None:
        self._find(runner.model)._compiled_call_impl = self.compiled

    def after_train(self, runner) -> None:
        self._find(runner.model)._compiled_call_impl = None

    def _find(self, model) -> torch.nn.Module:
        model = unwrapped(model)
        network = getattr(model, self.network, None)
        if not isinstance(network, torch.nn.Module):
            raise ConfigError(f'CompileHook: {type(model).__name__} has no '
                              f"network '{self.network}'.")
        return network
