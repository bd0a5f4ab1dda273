"""Checks for names in config files that nothing reads."""
import warnings
from pathlib import Path
from typing import Any, Collection, List

from ..errors import ConfigError
from .files import read_config
from .names import (MMAGIC_NAMES, OWN_DATA_NAMES, SIMILAR, differing_keys,
                    explain_unused, first_few, nearest, runner_settings)
from .variables import Source, override_variables


def check_file(path: Path, reads: Collection[str] = ()) -> None:
    """Check a config file and its bases for names that have no effect.

    Files that come with a package are not checked.

    Args:
        path (Path): The config.
        reads (Collection[str]): Variables that the caller reads from the
            config.

    Raises:
        ConfigError: If a name looks like a misspelled setting, or if a
            variable is set after the base files have used it.
    """
    with override_variables({}) as sources:
        cfg = read_config(path)
    own = [s for s in sources if '.mim' not in s.path.resolve().parts]
    check_spelling(sources, own)
    for source in own:
        index = sources.index(source)
        # names used by the file itself or by files that inherit from it
        used = runner_settings().union(reads, MMAGIC_NAMES, *(
            other.uses for other in sources[:index + 1]))
        for name in sorted(source.sets - used):
            for base in sources[index + 1:]:
                if name in base.sets:
                    check_late(path, cfg, source, name, base)
                    break


def check_spelling(sources: List[Source], own: List[Source]) -> None:
    """Report names that no tool and no other line reads."""
    known = runner_settings()
    used = known.union(OWN_DATA_NAMES, MMAGIC_NAMES,
                       *(s.uses for s in sources))
    everything = set().union(*(s.sets for s in sources))
    for source in own:
        for name in sorted(n for n in source.sets - used if n[0] != '_'):
            close = nearest(name, known, SIMILAR)
            meant = f"; did you mean '{close}'?" if close else '.'
            text = f"'{source.path}': nothing reads '{name}'{meant}"
            # a config dumped by a Runner keeps the variables of its sources
            if close and (source.inherits or close not in everything):
                raise ConfigError(text)
            if close or source.inherits:
                warnings.warn(text, stacklevel=2)


def check_late(path: Path, cfg: Any, source: Source, name: str,
               base: Source) -> None:
    """Reject a variable that is set after its bases have used it."""
    other = read_config(path, {name: {'': cfg[name]}})
    keys = differing_keys(*({key: config.get(key)
                             for key in runner_settings()}
                            for config in (cfg.to_dict(), other.to_dict())))
    if keys:
        raise ConfigError(
            f"'{source.path}': {name}={cfg[name]!r} is set too late: its base "
            f'files have already used {name}; set {first_few(keys)} instead.')
    if name in OWN_DATA_NAMES:
        before = read_config(base.path)[name]
        warnings.warn(f"'{source.path}': {name}={cfg[name]!r} has no effect: "
                      f'{explain_unused(cfg, name, before)}', stacklevel=2)
