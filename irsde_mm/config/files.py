"""Finding and reading configs."""
import difflib
import sys
from pathlib import Path
from typing import Collection, List, Optional

from ..errors import ConfigError
from ..model_files.bundled import bundled_models
from ..model_files.checkpoints import is_weights
from .overrides import override
from .variables import Changes, reading

#: The configs of this package, also after ``pip install``.
PACKAGED = Path(__file__).parents[1] / '.mim' / 'configs'


def find_config(name: str) -> Path:
    """The file behind a path or a name such as 'irsde/derain'.

    Raises:
        ConfigError: If it does not exist, with similar names.
    """
    name = str(name)
    path = Path(name)
    if path.is_file():
        return path
    packaged = PACKAGED / (name if name.endswith('.py') else f'{name}.py')
    if packaged.is_file():
        return packaged
    names = packaged_configs()
    wanted = name.removeprefix('configs/').removesuffix('.py')
    close = difflib.get_close_matches(wanted, names, n=3) or names
    raise ConfigError(
        f"there is no config '{name}'. Configs that come with irsde_mm: "
        f'{", ".join(close)}; models: '
        f'{", ".join(bundled_models()) or "none"}.')


def packaged_configs() -> List[str]:
    """Names of the configs of this package, such as 'irsde/derain'."""
    return [str(path.relative_to(PACKAGED).with_suffix(''))
            for path in sorted(PACKAGED.rglob('*.py'))
            if '_base_' not in path.parts]


def load_config(name: str, options: Optional[dict] = None,
                reads: Collection[str] = ()):
    """Reads a config and merges options into it.

    Options may change variables of the config's text, such as
    ``patch_size``, too: what is made from them follows.

    Args:
        name (str): Path or name of the config, or a weights file that brings
            one along.
        options (dict, optional): Values by dotted key, as ``--cfg-options``.
            A text such as '10/255' is a number where none is replaced by it.
        reads (Collection[str]): Variables that the caller reads from the
            config, which say how to use images of the user's; options may set
            them even if no setting is made from them.

    Returns:
        mmengine.config.Config

    Raises:
        ConfigError: If it is missing, is no config, or an option is one that
            nothing reads or fits none of its keys.
        CheckpointError: If it is a weights file without a config, or with
            one that is refused.
    """
    from .weights import read_weights_config
    path = find_config(name)

    def read(changes: Changes):
        return read_weights_config(path, bool(reads)) if is_weights(path) \
            else read_config(path, changes)

    return override(read, options, reads) if options else read({})


def read_config(path: Path, changes: Optional[Changes] = None):
    """The config in a file.

    Args:
        path (Path): The file.
        changes (dict, optional): Other values of variables in its text.

    Raises:
        ConfigError: If it cannot be read.
    """
    from mmengine.config import Config
    try:
        with reading(changes or {}):
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
