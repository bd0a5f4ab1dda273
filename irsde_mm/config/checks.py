"""Checks of a config before anything is built."""
from ..errors import ConfigError
from .parts import component_class, config_scope, dataloaders


def check_data(cfg, *names: str) -> None:
    """Check that the data of some dataloaders exists.

    Only datasets that support mmengine's ``lazy_init`` are checked. Others
    report missing data when the Runner builds them.

    Args:
        cfg: The config.
        names (str): Any of 'train', 'val' and 'test'.
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
    """Load the first sample of each of a loop's datasets.

    This reports problems with masks, depth maps or noise levels before hours
    of training.

    Raises:
        ConfigError: From :func:`check_holes`.
        DataError: From the pipeline.
        ValueError: If the model cannot start from the noise level.
    """
    loaders = getattr(loop, 'dataloaders', None) or [loop.dataloader]
    sde = getattr(model, 'sde', None)
    for loader in loaders:
        check_holes(model, loader.dataset)
        sample = loader.dataset[0].get('data_samples', {})
        if sde is None or not sde.starts_at_noise_level:
            continue
        sigma = sample.get('sigma', model.pipeline.sigma)
        if sigma != 'estimate':
            sde.start(None, sigma=sigma)


def check_holes(model, dataset) -> None:
    """Reject holes that the model's data preprocessor would not find.

    Raises:
        ConfigError: If it looks for white holes, but the dataset paints them
            in another color.
    """
    from ..datasets.transforms import KeepMask
    from ..models.restorers import WhiteHolePreprocessor
    if not isinstance(getattr(model, 'data_preprocessor', None),
                      WhiteHolePreprocessor):
        return
    for step in getattr(getattr(dataset, 'pipeline', None), 'transforms', ()):
        if isinstance(step, KeepMask) and not step.white:
            raise ConfigError(
                f'KeepMask.color={step.color!r} does not work with this model,'
                ' because it takes white pixels as the mask; delete color.')


def check_inputs(cfg, loop) -> None:
    """Reject training on pairs if only the clean images would be used.

    Raises:
        ConfigError: If the model does not use the degraded images. The message
            names configs that train on pairs.
    """
    from pathlib import Path

    from ..models.restorers.unused import trains_on_inputs
    sample = loop.dataloader.dataset[0].get('data_samples', {})
    degraded, clean = (sample.get(f'{key}_path') for key in ('img', 'gt'))
    # an image synthesized from a clean one keeps its path
    if None in (degraded, clean) or degraded == clean \
            or trains_on_inputs(cfg.model):
        return
    raise ConfigError(
        f"the images in '{Path(degraded).parent}' would have no effect: this "
        'model trains on clean images and adds its own noise. For pairs, use '
        'a model that takes both, as in quickstart/derain or irsde/derain; '
        f"for this one, use only the clean images: '{Path(clean).parent}'.")


def check_losses(model, loop) -> None:
    """Check that perceptual losses have their weights and suitable images.

    Raises:
        CheckpointError: If weights are missing or belong to another network.
        ConfigError: If the images are not RGB in [0, 1], or too small.
    """
    from ..engine.unwrapping import unwrapped
    from ..models.losses import PerceptualLoss
    losses = [part for part in model.modules()
              if isinstance(part, PerceptualLoss)]
    if not losses:
        return
    clean = loop.dataloader.dataset[0]['data_samples'].gt_img
    for loss in losses:
        loss.check_images(*clean.shape[-2:])
    steps = unwrapped(model).data_preprocessor
    order = getattr(steps, 'output_channel_order', None)
    mean, std = getattr(steps, 'mean', None), getattr(steps, 'std', None)
    if (order != 'RGB' and len(clean) == 3) or mean is None \
            or mean.any() or (std != 255).any():
        raise ConfigError(
            'PerceptualLoss needs RGB images in [0, 1]: set model.data_'
            'preprocessor.output_channel_order=RGB, mean=[0,0,0] and '
            'std=[255,255,255].')


def check_hooks(runner) -> None:
    """Check that objectives have the hook that they need.

    Raises:
        ConfigError: If ConsistencyLoss has no ConsistencyHook.
    """
    from ..engine import ConsistencyHook
    from ..models.losses import ConsistencyLoss
    if any(isinstance(part, ConsistencyLoss)
           for part in runner.model.modules()) and not any(
               isinstance(hook, ConsistencyHook) for hook in runner.hooks):
        raise ConfigError(ConsistencyLoss.NO_HOOK)


def warn_of_unused(model: dict) -> None:
    """Warn about settings of a model config that have no effect."""
    import warnings

    from ..models.restorers.unused import unused_settings
    for text in unused_settings(model):
        warnings.warn(text, stacklevel=2)


def check_types(cfg) -> None:
    """Check the types and settings of optimizers and schedules.

    The Runner would report errors in them only after building everything
    else.

    Raises:
        ConfigError: If a type is unknown, or the number of iterations is
            invalid.
        TypeError, ValueError: From an optimizer or a schedule.
    """
    from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS, PARAM_SCHEDULERS
    iters = (cfg.get('train_cfg') or {}).get('max_iters', 1)
    if not isinstance(iters, int) or iters < 1:
        raise ConfigError('train_cfg.max_iters must be an integer >= 1, but '
                          f'got {iters!r}.')
    schedulers = cfg.get('param_scheduler') or []
    schedulers = schedulers if isinstance(schedulers, list) else [schedulers]
    wrapper = cfg.get('optim_wrapper') or {}
    to_check = [(OPTIM_WRAPPERS, wrapper)] if 'type' in wrapper else []
    to_check += [(OPTIMIZERS, w['optimizer'])
                 for w in (wrapper, *wrapper.values())
                 if isinstance(w, dict) and 'optimizer' in w]
    to_check += [(PARAM_SCHEDULERS, s) for s in schedulers if 'type' in s]
    with config_scope(cfg):
        for registry, component in to_check:
            if not isinstance(component, dict) or 'type' not in component:
                raise ConfigError(f'{registry.name}={component!r} must be a '
                                  "dict with a 'type'.")
            if component_class(registry, component['type'], cfg) is None:
                raise ConfigError(f"unknown {registry.name} "
                                  f"'{component['type']}'.")
            if registry is not OPTIM_WRAPPERS:
                try_settings(registry, component)


def try_settings(registry, component: dict) -> None:
    """Build an optimizer or a schedule for a single parameter."""
    import torch
    parameters = [torch.nn.Parameter(torch.zeros(1))]
    # an option of the schedule builder, which needs the dataset's size
    settings = {key: value for key, value in component.items()
                if key != 'convert_to_iter_based'}
    if registry.name == 'optimizer':
        registry.build(dict(settings, params=parameters))
    else:
        registry.build(dict(settings, optimizer=torch.optim.Adam(parameters)))
