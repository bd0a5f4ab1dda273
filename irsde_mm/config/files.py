"""Locate and load config files."""
import difflib
import sys
from pathlib import Path
from typing import Collection, List, Optional

from ..errors import ConfigError
from ..model_files.bundled import bundled_models
from ..model_files.checkpoints import is_weights
from .overrides import override
from .variables import Changes, override_variables

#: Folder of this package's configs, also after ``pip install``.
PACKAGED = Path(__file__).parents[1] / '.mim' / 'configs'


def find_config(name: str) -> Path:
    """Return the file for a path or a config name such as 'irsde/derain'.

    A folder in the layout of the Hugging Face Hub is returned as such.

    Raises:
        ConfigError: If it does not exist. The message lists similar names.
    """
    name = str(name)
    path = Path(name)
    if path.is_file() or is_weights(path):
        return path
    packaged = PACKAGED / (name if name.endswith('.py') else f'{name}.py')
    if packaged.is_file():
        return packaged
    names = packaged_configs()
    short = name.removeprefix('configs/').removesuffix('.py')
    close = difflib.get_close_matches(short, names, n=3) or names
    raise ConfigError(
        f"no config '{name}' found. Configs that come with irsde_mm: "
        f'{", ".join(close)}; bundled models: '
        f'{", ".join(bundled_models()) or "none"}.')


def packaged_configs() -> List[str]:
    """Return the names of this package's configs, such as 'irsde/derain'."""
    return [str(path.relative_to(PACKAGED).with_suffix(''))
            for path in sorted(PACKAGED.rglob('*.py'))
            if '_base_' not in path.parts]


def load_config(name: str, options: Optional[dict] = None,
                reads: Collection[str] = ()):
    """Load a config and merge options into it.

    Options may also change variables of the config's text, such as
    ``patch_size``; values computed from them are updated.

    Args:
        name (str): Path or name of a config, or a weights file that contains
            one.
        options (dict, optional): Values by dotted key, as in
            ``--cfg-options``. A string such as '10/255' becomes a number
            unless it replaces a string.
        reads (Collection[str]): Variables that the caller reads from the
            config because they specify how to use the user's images. Options
            may set them even if no setting depends on them.

    Returns:
        mmengine.config.Config

    Raises:
        ConfigError: If the file is missing or is not a config, or if an
            option has no effect or does not fit.
        CheckpointError: If it is a weights file without a config, or with
            one that is not allowed.
    """
    from .weights import read_weights_config
    path = find_config(name)

    def read(changes: Changes):
        return read_weights_config(path, bool(reads)) if is_weights(path) \
            else read_config(path, changes)

    return override(read, options, reads) if options else read({})


def read_config(path: Path, changes: Optional[Changes] = None):
    """Load a config from a file.

    Args:
        path (Path): The file.
        changes (dict, optional): New values of variables in its text.

    Raises:
        ConfigError: If it cannot be loaded.
    """
    from mmengine.config import Config
    try:
        with override_variables(changes or {}):
            cfg = Config.fromfile(str(path), import_custom_modules=False)
        import_components(cfg, path)
        return cfg
    except ConfigError:
        raise
    except Exception as error:  # config code may raise anything
        raise ConfigError(f"the config '{path}' cannot be read: "
                          f'{type(error).__name__}: '
                          f'{" ".join(str(error).split())}') from error


def import_components(cfg, path: Path) -> None:
    """Import the modules that a config lists in ``custom_imports``.

    Besides installed packages, modules are searched for in the config's
    folder and in the current directory, so a custom component can be a single
    file. Both folders stay in ``sys.path``, since data workers may import the
    modules again.

    Args:
        cfg (Config): Config loaded from ``path``.
        path (Path): The config file.

    Raises:
        ConfigError: If a module cannot be imported.
    """
    from mmengine.utils import import_modules_from_strings
    if not cfg.get('custom_imports'):
        return
    for folder in (str(path.resolve().parent), str(Path.cwd())):
        if folder not in sys.path:
            sys.path.append(folder)  # last, so installed packages win
    try:
        import_modules_from_strings(**cfg.custom_imports)
    except ImportError as error:
        raise ConfigError(
            f"custom_imports of '{path}': {error.__context__ or error}. Put "
            'your own modules next to the config or in the current '
            'directory.') from error
