"""Hook that trains with torch.compile."""
from typing import Optional

import torch
from mmengine.hooks import Hook

from ...errors import ConfigError
from ...registry import HOOKS
from ..unwrapping import unwrapped


@HOOKS.register_module()
class CompileHook(Hook):
    """Hook that compiles a model's network for training only.

    mmengine's ``compile=True`` compiles the whole ``train_step`` including
    data samples, hooks and optimizer; it breaks into many graphs that take
    minutes to compile. This hook compiles only the forward and backward pass
    of the network. For validation and testing use ``test_cfg.inference``.
    Weights, checkpoints and averaged weights are not affected.

    Args:
        mode (str, optional): ``torch.compile``'s mode. The first iterations
            take a minute or two.
        network (str): Attribute of the model to compile.

    Raises:
        ConfigError: Before training, if the model has no such network or
            torch.compile does not work on this machine.
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
                'CompileHook: torch.compile does not work here; remove the '
                'hook: '
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
