"""Names in config files that nothing reads."""
import warnings
from pathlib import Path
from typing import Any, Collection, List

from ..errors import ConfigError
from .files import read_config
from .names import (NEAR, OF_MMAGIC, OF_OWN_DATA, differing, nearest, settings,
                    some, unused)
from .variables import Source, reading


def check_file(path: Path, reads: Collection[str] = ()) -> None:
    """Finds what a config file, or one that it inherits from, sets in vain.

    Files that come with a package are taken as they are.

    Args:
        path (Path): The config.
        reads (Collection[str]): Variables that the caller reads from the
            config.

    Raises:
        ConfigError: If a name is nearly that of a setting, or if a variable
            was used by the files below before it is set.
    """
    with reading({}) as sources:
        cfg = read_config(path)
    own = [s for s in sources if '.mim' not in s.path.resolve().parts]
    check_spelling(sources, own)
    for source in own:
        place = sources.index(source)
        # what it uses itself, or what inherits from it, is not set in vain
        used = settings().union(reads, OF_MMAGIC, *(
            other.uses for other in sources[:place + 1]))
        for name in sorted(source.sets - used):
            for base in sources[place + 1:]:
                if name in base.sets:
                    check_late(path, cfg, source, name, base)
                    break


def check_spelling(sources: List[Source], own: List[Source]) -> None:
    """Finds names that neither a tool nor another line reads."""
    known = settings()
    used = known.union(OF_OWN_DATA, OF_MMAGIC, *(s.uses for s in sources))
    everything = set().union(*(s.sets for s in sources))
    for source in own:
        for name in sorted(n for n in source.sets - used if n[0] != '_'):
            close = nearest(name, known, NEAR)
            meant = f"; did you mean '{close}'?" if close else '.'
            text = f"'{source.path}': nothing reads '{name}'{meant}"
            # one that a Runner wrote has the variables of what it read
            if close and (source.inherits or close not in everything):
                raise ConfigError(text)
            if close or source.inherits:
                warnings.warn(text, stacklevel=2)


def check_late(path: Path, cfg: Any, source: Source, name: str,
               base: Source) -> None:
    """Refuses a variable that was used before a file sets it anew."""
    other = read_config(path, {name: {'': cfg[name]}})
    keys = differing(*({key: config.get(key) for key in settings()}
                       for config in (cfg.to_dict(), other.to_dict())))
    if keys:
        raise ConfigError(
            f"'{source.path}': {name}={cfg[name]!r} comes too late: the files "
            f'that it inherits from have used {name} already; set '
            f'{some(keys)}.')
    if name in OF_OWN_DATA:
        before = read_config(base.path)[name]
        warnings.warn(f"'{source.path}': {name}={cfg[name]!r} changes "
                      f'nothing: {unused(cfg, name, before)}', stacklevel=2)
