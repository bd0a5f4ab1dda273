"""Sharding of the training state over processes."""
import inspect
from typing import Optional

import torch
from mmengine._strategy import FSDPStrategy as _FSDPStrategy
from mmengine.hooks import EMAHook
from mmengine.registry import HOOKS, MODELS, DefaultScope
from mmengine.runner import FlexibleRunner
from torch.distributed.fsdp import FullyShardedDataParallel

from ..errors import ConfigError
from ..registry import STRATEGIES, find
from .hooks.pictures_hook import PicturesHook

FSDP = 'irsde_mm.FSDPStrategy'


@STRATEGIES.register_module()
class FSDPStrategy(_FSDPStrategy):
    """Strategy that shards weights, gradients and the optimizer's state.

    mmengine's (0.10.7) passes arguments to PyTorch in the order of PyTorch
    2.0, so that no run can be resumed. Checkpoints are those of one process,
    which all tools read. On CPUs, which current PyTorch has to be told, it
    runs with gloo.

    Args:
        model_wrapper (dict, optional): Arguments of mmengine's
            ``MMFullyShardedDataParallel``, such as ``auto_wrap_policy``.
        **kwargs: Other arguments of mmengine's ``FSDPStrategy``.
    """

    def __init__(self, model_wrapper: Optional[dict] = None, **kwargs) -> None:
        wrapper = dict(type='MMFullyShardedDataParallel',
                       use_orig_params=True)
        if not torch.cuda.is_available():
            wrapper['device_id'] = 'cpu'  # by default the number of a GPU
        super().__init__(model_wrapper={**wrapper, **(model_wrapper or {})},
                         state_dict_cfg='full', **kwargs)

    def load_optim_state_dict(self, state_dict: dict) -> None:
        """Load the optimizer's state of one process."""
        self.optim_wrapper.load_state_dict(
            FullyShardedDataParallel.optim_state_dict_to_load(
                model=self.model, optim=self.optim_wrapper.optimizer,
                optim_state_dict=state_dict))


def build_runner(cfg) -> FlexibleRunner:
    """Build mmengine's runner for a config with a strategy, with its model.

    Args:
        cfg (Config): The config, with the tools' additions.

    Raises:
        ConfigError: If the strategy is not supported, or does not work with
            the rest of the config.
    """
    check_strategy(cfg)
    for name in [name for name, hook in cfg.default_hooks.items()
                 if hook is None]:
        del cfg.default_hooks[name]  # which only the Runner accepts
    runner = FlexibleRunner.from_cfg(cfg)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope')):
        runner.model = MODELS.build(cfg.model)
    return runner


def check_strategy(cfg) -> None:
    """Check that a strategy is supported and can be used.

    Raises:
        ConfigError: If not, with what to do.
    """
    if cfg.strategy.get('type') != FSDP:
        raise ConfigError(
            f"strategy={cfg.strategy.get('type')} is not supported: use "
            f'{FSDP}, or no strategy (a whole model per process).')
    if cfg.launcher == 'none':
        raise ConfigError(f'{FSDP} shards the model over several processes: '
                          'start them with tools/dist_train.sh.')
    hooks = {f'default_hooks.{key}': hook
             for key, hook in cfg.default_hooks.items() if hook}
    hooks.update((f'custom_hooks.{i}', hook) for i, hook in enumerate(
        cfg.get('custom_hooks') or []))
    for where, hook in hooks.items():
        cls = hook.type if inspect.isclass(hook.type) else find(
            HOOKS, hook.type)
        if cls is not None and issubclass(cls, (EMAHook, PicturesHook)):
            raise ConfigError(
                f'{FSDP} does not work with {cls.__name__}, which reads the '
                f'weights of one process: leave out {where}.')
