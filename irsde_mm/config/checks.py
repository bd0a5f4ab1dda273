"""What can be wrong with a config, found before anything is built."""
from ..errors import ConfigError
from .parts import component_class, config_scope, dataloaders


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
    from mmengine.registry import DATASETS
    with config_scope(cfg):
        for loader in dataloaders(cfg, *names):
            cls = component_class(DATASETS, loader['dataset']['type'], cfg)
            if cls is not None and not (
                    issubclass(cls, BaseDataset)
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
        if sde is None or not sde.starts_at_noise_level:
            continue
        sigma = sample.get('sigma', model.pipeline.sigma)
        if sigma != 'estimate':
            sde.start(None, sigma=sigma)


def check_inputs(cfg, loop) -> None:
    """Stops a training on pairs of which only the clean images would matter.

    Raises:
        ConfigError: With the configs that train on pairs.
    """
    from pathlib import Path

    from ..models.restorers.unused import trains_on_inputs
    sample = loop.dataloader.dataset[0].get('data_samples', {})
    degraded, clean = (sample.get(f'{key}_path') for key in ('img', 'gt'))
    # what is made from a clean image goes by its name
    if None in (degraded, clean) or degraded == clean \
            or trains_on_inputs(cfg.model):
        return
    raise ConfigError(
        f"the images in '{Path(degraded).parent}' would have no effect: this "
        'model trains on clean images and noise of its own. For pairs use a '
        'model that sees both, as in quickstart/derain or irsde/derain; for '
        f"this one, use the clean images alone: '{Path(clean).parent}'.")


def warn_of_unused(model: dict) -> None:
    """Warns of settings of a model's config that have no effect."""
    import warnings

    from ..models.restorers.unused import unused_settings
    for text in unused_settings(model):
        warnings.warn(text, stacklevel=2)


def check_types(cfg) -> None:
    """Finds optimizers and schedules of unknown types or with settings that
    they do not take: the Runner would stumble over them after everything
    else was built.

    Raises:
        ConfigError: Naming the type, or an impossible number of iterations.
        TypeError, ValueError: From an optimizer or a schedule.
    """
    from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS, PARAM_SCHEDULERS
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
    with config_scope(cfg):
        for registry, component in wanted:
            if not isinstance(component, dict) or 'type' not in component:
                raise ConfigError(f'{registry.name}={component!r} must be a '
                                  "dict with a 'type'.")
            if component_class(registry, component['type'], cfg) is None:
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
