"""Add the settings that every run needs to its config."""
from typing import Any, Iterator, Optional

from ..errors import ConfigError
from ..inference.network_calls import Tile
from ..io.white_level import check_white
from .names import ADDED_HOOKS, REPLACED_HOOKS
from .parts import component_class, dataloaders

#: Options that a DataLoader rejects when it has no workers.
WORKER_OPTIONS = ('persistent_workers', 'prefetch_factor', 'timeout',
                  'multiprocessing_context')


def complete_model(cfg, tile: Optional[Tile] = None) -> None:
    """Make mmagic's ``BaseEditModel`` restore images of any size.

    Args:
        cfg (Config): The config, modified in place.
        tile (int | str, optional): Tile size, see :class:`TiledEditModel`.
            Overrides the config.

    Raises:
        ConfigError: If there is no model, or it does not support tiles.
    """
    if 'model' not in cfg:
        raise ConfigError(f"the config '{cfg.filename}' has no 'model'.")
    if cfg.model.type in ('BaseEditModel', 'mmagic.BaseEditModel'):
        cfg.model.type = 'irsde_mm.TiledEditModel'
    if tile is None:
        return
    from ..models import TiledEditModel
    from ..registry import MODELS
    cls = component_class(MODELS, cfg.model.type, cfg)
    if cls is not None and not issubclass(cls, TiledEditModel):
        raise ConfigError(f'{cls.__name__} processes whole images and does '
                          'not support tiles; leave out the tile size.')
    cfg.model.test_cfg = dict(cfg.model.get('test_cfg') or {}, tile=tile)


def complete_config(cfg) -> None:
    """Add the settings that every run needs to a config.

    These are exact resuming, atomic and safe checkpoints that contain the
    model's settings, a clean shutdown on SIGTERM and Ctrl-C, a guard against
    bad batches, a progress bar, and per-image test scores and images that
    several processes and test sets do not overwrite.

    Args:
        cfg (Config): The config, modified in place.
    """
    complete_hooks(cfg)
    for loader in dataloaders(cfg, 'train', 'val', 'test'):
        if not loader.get('num_workers'):
            for name in WORKER_OPTIONS:
                loader.pop(name, None)
        else:
            loader.setdefault('worker_init_fn', dict(
                type='irsde_mm.leave_signals_to_owner'))
    loop, loader = cfg.get('train_cfg') or {}, cfg.get('train_dataloader')
    if loop.get('type') == 'IterBasedTrainLoop' and loader and loader.get(
            'sampler', {}).get('type') == 'InfiniteSampler':
        loop['type'] = 'irsde_mm.ExactTrainLoop'


def complete_hooks(cfg) -> None:
    """Add the default hooks of irsde_mm to a config.

    A config based on our ``default_runtime`` already lists its hooks, so a
    hook removed from it stays disabled.

    Args:
        cfg (Config): The config, modified in place.
    """
    hooks = cfg.setdefault('default_hooks', {})
    if not has_our_runtime(hooks):
        for name, hook in ADDED_HOOKS.items():
            hooks.setdefault(name, dict(type=f'irsde_mm.{hook}'))
    for name, hook in REPLACED_HOOKS.items():
        # if it is missing, the Runner adds mmengine's hook
        ours = hooks.setdefault(name, dict(type=f'irsde_mm.{hook}'))
        if ours and ours['type'] == hook:
            ours['type'] = f'irsde_mm.{hook}'
    for hook in custom_hooks(cfg):
        if hook['type'] == 'BasicVisualizationHook' and hooks.get('results'):
            hook['on_test'] = False  # ResultsHook saves the test images


def custom_hooks(cfg) -> list:
    """Return ``custom_hooks`` of a config.

    Raises:
        ConfigError: If it is not a list of dicts with a 'type'.
    """
    hooks = cfg.get('custom_hooks') or []
    if not isinstance(hooks, (list, tuple)) or not all(
            isinstance(hook, dict) and 'type' in hook for hook in hooks):
        raise ConfigError(f'custom_hooks={hooks!r} must be a list of dicts '
                          "with a 'type'.")
    return hooks


def has_our_runtime(hooks: dict) -> bool:
    """Return True if the hooks come from our ``default_runtime``.

    It contains the logger and checkpoint hooks of irsde_mm. An mmagic config
    that only changes other settings, such as those of the guard, does not
    name them.
    """
    return any((hooks.get(name) or {}).get('type') == f'irsde_mm.{hook}'
               for name, hook in REPLACED_HOOKS.items())


def set_white(cfg, white: int) -> None:
    """Set the white level of all image files that a config reads.

    Args:
        cfg (Config): The config, modified in place.
        white (int): White level, see :class:`LoadImage`.

    Raises:
        ConfigError: If it is out of range, or the config does not use
            ``irsde_mm.LoadImage``.
    """
    check_white(white)
    steps = list(find_steps(dataloaders(cfg, 'train', 'val', 'test')))
    if not steps:
        raise ConfigError(f'--white {white} has no effect: the config does '
                          'not read image files with irsde_mm.LoadImage; use '
                          '--data.')
    for step in steps:
        step['white'] = white


def find_steps(part: Any) -> Iterator[dict]:
    """Yield the ``LoadImage`` steps in a part of a config."""
    if isinstance(part, dict):
        if part.get('type') in ('irsde_mm.LoadImage', 'LoadImage'):
            yield part
        part = list(part.values())
    for item in part if isinstance(part, (list, tuple)) else ():
        yield from find_steps(item)
