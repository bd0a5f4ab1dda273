"""Finding and reading configs."""
import difflib
import sys
from pathlib import Path
from typing import Optional, Union

from ..errors import ConfigError
from .boxed import boxed_models

#: The configs of this package, also after ``pip install``.
PACKAGED = Path(__file__).parents[1] / '.mim' / 'configs'
CONFIGS = ('.py', '.json', '.yaml', '.yml')


def find_config(name: str) -> Path:
    """The file behind a path or a name such as 'irsde/derain'.

    Raises:
        ConfigError: If there is none, with the names that come close.
    """
    name = str(name)
    path = Path(name)
    if path.is_file():
        return path
    packaged = PACKAGED / (name if name.endswith('.py') else f'{name}.py')
    if packaged.is_file():
        return packaged
    names = [str(p.relative_to(PACKAGED).with_suffix(''))
             for p in sorted(PACKAGED.rglob('*.py'))
             if '_base_' not in p.parts]
    wanted = name.removeprefix('configs/').removesuffix('.py')
    close = difflib.get_close_matches(wanted, names, n=3) or names
    raise ConfigError(
        f"there is no config '{name}'. Configs that come with irsde_mm: "
        f'{", ".join(close)}; models: {", ".join(boxed_models()) or "none"}.')


def load_config(name: str, options: Optional[dict] = None):
    """Reads a config and merges options into it.

    Args:
        name (str): Path or name of the config, or a weights file that brings
            one along.
        options (dict, optional): Values by dotted key, as ``--cfg-options``.

    Returns:
        mmengine.config.Config

    Raises:
        ConfigError: If it is missing, is no config, or an option fits none
            of its keys.
        CheckpointError: If it is a weights file without a config, or with
            one that is refused.
    """
    path = find_config(name)
    cfg = (read_weights_config if is_weights(path) else read_config)(path)
    try:
        cfg.merge_from_dict(options or {})
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ConfigError(f"--cfg-options do not fit '{path}': "
                          f'{error}') from error
    return cfg


def read_config(path: Path):
    """The config in a file.

    Raises:
        ConfigError: If it cannot be read.
    """
    from mmengine.config import Config
    try:
        cfg = Config.fromfile(str(path), import_custom_modules=False)
        import_components(cfg, path)
        return cfg
    except ConfigError:
        raise
    except Exception as error:  # a config is Python: anything can happen
        raise ConfigError(f"the config '{path}' cannot be read: "
                          f'{type(error).__name__}: '
                          f'{" ".join(str(error).split())}') from error


def import_components(cfg, path: Path) -> None:
    """Imports the modules that a config names as ``custom_imports``.

    Beside what is installed they are looked for in the config's folder and in
    the current one, so that a component of one's own is a file and no
    package. The folders stay on the path: data workers may import again.

    Args:
        cfg (Config): As read from ``path``.
        path (Path): The config's file.

    Raises:
        ConfigError: If a module is not there.
    """
    from mmengine.utils import import_modules_from_strings
    if not cfg.get('custom_imports'):
        return
    for folder in (str(path.resolve().parent), str(Path.cwd())):
        if folder not in sys.path:
            sys.path.append(folder)  # last: it hides nothing installed
    try:
        import_modules_from_strings(**cfg.custom_imports)
    except ImportError as error:
        raise ConfigError(
            f"custom_imports of '{path}': {error.__context__ or error}. A "
            'module of your own lies beside the config, or where the tool is '
            'started.') from error


def is_weights(path: str) -> bool:
    """Whether a path is that of a file which is no config."""
    return Path(path).is_file() and Path(path).suffix not in CONFIGS


def read_weights_config(path: Path):
    """The config in a weights file, in the runtime of all our configs."""
    from mmengine.config import Config

    from .exported import config_of_weights
    runtime = read_config(PACKAGED / '_base_' / 'default_runtime.py')
    return Config(dict(runtime.to_dict(), **config_of_weights(str(path)),
                       test_cfg=dict(type='MultiTestLoop')),
                  cfg_text=f'# from {path.name}\n',
                  filename=f'{path.stem}.py')  # what a test is written as


def complete_model(cfg, tile: Union[None, int, str] = None) -> None:
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
    from mmengine.registry import DefaultScope

    from ..models import TiledEditModel
    from ..registry import MODELS
    with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmagic')), \
            MODELS.switch_scope_and_registry(None) as node:
        cls = node.get(cfg.model.type)
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
    hooks = cfg.setdefault('default_hooks', {})
    for name, hook in (('settings', 'SettingsHook'),
                       ('plain_checkpoint', 'PlainCheckpointHook'),
                       ('guard', 'GuardHook'),
                       ('preemption', 'PreemptionHook'),
                       ('progress', 'ProgressHook'),
                       ('results', 'ResultsHook'),
                       ('skipped', 'SkippedImagesHook')):
        hooks.setdefault(name, dict(type=f'irsde_mm.{hook}'))
    for name, hook in (('logger', 'LoggerHook'),
                       ('checkpoint', 'CheckpointHook')):
        ours = hooks.setdefault(name, dict(type=f'irsde_mm.{hook}'))
        if ours and ours['type'] == hook:
            ours['type'] = f'irsde_mm.{hook}'
    for hook in cfg.get('custom_hooks') or []:
        if hook['type'] == 'BasicVisualizationHook':
            hook['on_test'] = False  # ResultsHook draws the test
    for part in ('train', 'val'):
        loaders = cfg.get(f'{part}_dataloader') or []
        for loader in loaders if isinstance(loaders, list) else [loaders]:
            loader.setdefault('worker_init_fn', dict(
                type='irsde_mm.leave_signals_to_owner'))
    loop, loader = cfg.get('train_cfg') or {}, cfg.get('train_dataloader')
    if loop.get('type') == 'IterBasedTrainLoop' and loader and loader.get(
            'sampler', {}).get('type') == 'InfiniteSampler':
        loop['type'] = 'irsde_mm.ExactTrainLoop'
