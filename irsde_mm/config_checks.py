"""What can be wrong with a config, found before anything is built."""
from .errors import ConfigError


def check_data(cfg, *names: str) -> None:
    """Looks for the data of some dataloaders, before anything is built.

    Only datasets that can be built without reading (mmengine's
    ``lazy_init``); others say what is missing when the Runner builds them.

    Args:
        cfg: The config.
        names (str): Of 'train', 'val' and 'test'.
    """
    import inspect

    from mmengine.dataset import BaseDataset
    from mmengine.registry import DATASETS, DefaultScope
    with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmagic')):
        for name in names:
            loaders = cfg.get(f'{name}_dataloader') or []
            for loader in loaders if isinstance(loaders, list) else [loaders]:
                with DATASETS.switch_scope_and_registry(None) as node:
                    cls = node.get(loader['dataset']['type'])
                if cls is not None and not (
                        inspect.isclass(cls) and issubclass(cls, BaseDataset)
                        and {'lazy_init', 'kwargs'} & set(
                            inspect.signature(cls).parameters)):
                    continue
                DATASETS.build(dict(loader['dataset'], lazy_init=True))


def try_data(model, loop) -> None:
    """Takes the first sample of a loop's datasets, so that what is wrong with
    masks, depth maps or noise levels is said before hours of training.

    Raises:
        DataError: From the pipeline.
        ValueError: If the model cannot start from the noise level.
    """
    loaders = getattr(loop, 'dataloaders', None) or [loop.dataloader]
    sde = getattr(model, 'sde', None)
    for loader in loaders:
        sample = loader.dataset[0].get('data_samples', {})
        if not hasattr(sde, 'start_time'):
            continue
        sigma = sample.get('sigma', (model.test_cfg or {}).get('sigma'))
        if sigma != 'estimate':
            sde.start(None, sigma=sigma)


def check_types(cfg) -> None:
    """Finds optimizers and schedules of unknown types or with settings that
    they do not take: the Runner would stumble over them after everything
    else was built.

    Raises:
        ConfigError: Naming the type, or an impossible number of iterations.
        TypeError, ValueError: From an optimizer or a schedule.
    """
    from mmengine.registry import (OPTIM_WRAPPERS, OPTIMIZERS,
                                   PARAM_SCHEDULERS, DefaultScope)
    iters = (cfg.get('train_cfg') or {}).get('max_iters', 1)
    if not isinstance(iters, int) or iters < 1:
        raise ConfigError('train_cfg.max_iters must be a whole number of at '
                          f'least 1, not {iters!r}.')
    schedulers = cfg.get('param_scheduler') or []
    schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
    wrapper = cfg.get('optim_wrapper') or {}
    wanted = [(OPTIM_WRAPPERS, wrapper)] if 'type' in wrapper else []
    wanted += [(OPTIMIZERS, w['optimizer'])
               for w in (wrapper, *wrapper.values())
               if isinstance(w, dict) and 'optimizer' in w]
    wanted += [(PARAM_SCHEDULERS, s) for s in schedulers if 'type' in s]
    with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmagic')):
        for registry, component in wanted:
            with registry.switch_scope_and_registry(None) as node:
                if node.get(component['type']) is None:
                    raise ConfigError(f"there is no {registry.name} "
                                      f"'{component['type']}'.")
            if registry is not OPTIM_WRAPPERS:
                try_settings(registry, component)


def try_settings(registry, component: dict) -> None:
    """Builds an optimizer, or a schedule of one, on a number."""
    import torch
    number = [torch.nn.Parameter(torch.zeros(1))]
    # schedules only; where epochs become iterations depends on the data
    settings = {key: value for key, value in component.items()
                if key != 'convert_to_iter_based'}
    if registry.name == 'optimizer':
        registry.build(dict(settings, params=number))
    else:
        registry.build(dict(settings, optimizer=torch.optim.Adam(number)))
