"""Adds what every run needs to its config."""
from typing import Any, Iterator, Optional

from ..errors import ConfigError
from ..inference.network_calls import Tile
from ..io.white_level import check_white
from .names import IN_PLACE, OUR_HOOKS
from .parts import component_class, dataloaders

#: What a DataLoader refuses, or asserts, where there are no workers.
OF_WORKERS = ('persistent_workers', 'prefetch_factor', 'timeout',
              'multiprocessing_context')


def complete_model(cfg, tile: Optional[Tile] = None) -> None:
    """Lets mmagic's plain model restore images of any size, as ours do.

    Args:
        cfg (Config): It is changed.
        tile (int | str, optional): How large images are cut, see
            :class:`TiledEditModel`, in place of what the config says.

    Raises:
        ConfigError: If there is no model, or it cannot be cut.
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
        raise ConfigError(f'{cls.__name__} looks at whole images: it takes '
                          'no tiles.')
    cfg.model.test_cfg = dict(cfg.model.get('test_cfg') or {}, tile=tile)


def complete_config(cfg) -> None:
    """Adds what every run needs, whatever config it comes from.

    Exact resume, checkpoints that are whole, hold the settings and nothing
    unsafe, an end in good order when the system asks for it, a guard against
    bad batches, a progress bar, and scores and pictures of a test which
    several processes and test sets do not overwrite for each other.

    Args:
        cfg (Config): It is changed.
    """
    complete_hooks(cfg)
    for loader in dataloaders(cfg, 'train', 'val', 'test'):
        if not loader.get('num_workers'):
            for name in OF_WORKERS:
                loader.pop(name, None)
        else:
            loader.setdefault('worker_init_fn', dict(
                type='irsde_mm.leave_signals_to_owner'))
    loop, loader = cfg.get('train_cfg') or {}, cfg.get('train_dataloader')
    if loop.get('type') == 'IterBasedTrainLoop' and loader and loader.get(
            'sampler', {}).get('type') == 'InfiniteSampler':
        loop['type'] = 'irsde_mm.ExactTrainLoop'


def complete_hooks(cfg) -> None:
    """Adds our default hooks to a config that has mmengine's.

    A config with our ``default_runtime`` says itself which hooks it has: one
    that is deleted from it stays off.

    Args:
        cfg (Config): It is changed.
    """
    hooks = cfg.setdefault('default_hooks', {})
    if not has_our_runtime(hooks):
        for name, hook in OUR_HOOKS.items():
            hooks.setdefault(name, dict(type=f'irsde_mm.{hook}'))
    for name, hook in IN_PLACE.items():
        # where it is missing, the Runner would add mmengine's
        ours = hooks.setdefault(name, dict(type=f'irsde_mm.{hook}'))
        if ours and ours['type'] == hook:
            ours['type'] = f'irsde_mm.{hook}'
    for hook in cfg.get('custom_hooks') or []:
        if hook['type'] == 'BasicVisualizationHook' and hooks.get('results'):
            hook['on_test'] = False  # ResultsHook draws the test


def has_our_runtime(hooks: dict) -> bool:
    """Whether default hooks come from our ``default_runtime``.

    It has a logger and a checkpoint hook of ours, which nobody needs to name
    who only wants other settings of, say, the guard in a config of mmagic's.
    """
    return any((hooks.get(name) or {}).get('type') == f'irsde_mm.{hook}'
               for name, hook in IN_PLACE.items())


def set_white(cfg, white: int) -> None:
    """Set the white level of all image files that a config reads.

    Args:
        cfg (Config): It is changed.
        white (int): See :class:`LoadImage`.

    Raises:
        ConfigError: If it is out of its range, or the config reads no files
            by ``irsde_mm.LoadImage``.
    """
    check_white(white)
    steps = list(find_steps(dataloaders(cfg, 'train', 'val', 'test')))
    if not steps:
        raise ConfigError(f'--white {white} has no use: the config reads no '
                          'image files (irsde_mm.LoadImage); use --data.')
    for step in steps:
        step['white'] = white


def find_steps(part: Any) -> Iterator[dict]:
    """The ``LoadImage`` steps in a part of a config."""
    if isinstance(part, dict):
        if part.get('type') in ('irsde_mm.LoadImage', 'LoadImage'):
            yield part
        part = list(part.values())
    for item in part if isinstance(part, (list, tuple)) else ():
        yield from find_steps(item)
