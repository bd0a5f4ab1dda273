"""What ``--cfg-options`` do to a config: every one of them, or an error."""
import re
from typing import Any, Callable, Collection, Dict, List

from ..errors import ConfigError
from .names import differing, nearest, settings, unused
from .variables import Changes

NUMBER = r'[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?'
FRACTION = re.compile(rf'\s*({NUMBER})\s*/\s*({NUMBER})\s*')
#: May be a list of one config per test set, or one config.
PER_SET = ('val_dataloader', 'test_dataloader', 'val_evaluator',
           'test_evaluator')


def override(read: Callable[[Changes], Any], options: Dict[str, Any],
             reads: Collection[str] = ()) -> Any:
    """Reads a config with overrides.

    Args:
        read: Reads the config, with other values of its variables.
        options (dict): Values by dotted key.
        reads (Collection[str]): Variables that are read from the config
            itself, as by ``--data``.

    Returns:
        mmengine.config.Config

    Raises:
        ConfigError: Naming the key and the value that do not fit, or the key
            that nothing reads.
    """
    cfg = read({})
    known = settings()
    changes: Changes = {}
    for key in options:
        head, _, rest = key.partition('.')
        if head not in known:
            check_known(key, options[key], cfg, known)
            changes.setdefault(head, {})[rest] = fraction(
                options[key], current(cfg, key))
    if changes:
        for head in set(changes) - set(reads):
            check_used(read, cfg, head, changes[head], known)
        cfg = read(changes)
    for key, value in options.items():
        for full_key in every_set(cfg, key):
            merge(cfg, full_key, fraction(value, current(cfg, full_key)))
    return cfg


def check_known(key: str, value: Any, cfg, known: Collection[str]) -> None:
    """Refuses a key that the config does not have and nothing reads."""
    head = key.split('.')[0]
    if head in cfg:
        return
    close = nearest(head, {*known, *cfg})
    raise ConfigError(f"--cfg-options {key}={value!r}: nothing reads '{head}'"
                      + (f"; did you mean '{close}'?" if close else '.'))


def check_used(read: Callable[[Changes], Any], cfg, head: str,
               values: Dict[str, Any], known: Collection[str]) -> None:
    """Refuses another value of a variable that nothing is made from."""
    for rest, value in values.items():
        merge(read({}), f'{head}.{rest}' if rest else head, value)
    other = read({head: values})
    if other.get(head) == cfg[head] or differing(
            *({key: config.get(key) for key in known}
              for config in (cfg.to_dict(), other.to_dict()))):
        return
    rest, value = next(iter(values.items()))
    key = f'{head}.{rest}' if rest else head
    raise ConfigError(f'--cfg-options {key}={value!r} changes nothing: '
                      f'{unused(cfg, head, cfg[head])}')


def merge(cfg, key: str, value: Any) -> None:
    """Merges one override.

    Raises:
        ConfigError: If it does not fit.
    """
    try:
        cfg.merge_from_dict({key: value})
    except (KeyError, TypeError, IndexError, ValueError,
            AttributeError) as error:
        reason = error.args[0] if isinstance(error, KeyError) else error
        for above in parents(key):
            found = current(cfg, above)
            if found is not None and not isinstance(found, (dict, list)):
                reason = f"'{above}' is {found!r} and has nothing below it."
        raise ConfigError(f'--cfg-options do not fit: {key}={value!r}: '
                          f'{reason}') from error


def parents(key: str) -> List[str]:
    """The keys above a dotted key, from the top."""
    parts = key.split('.')
    return ['.'.join(parts[:i]) for i in range(1, len(parts))]


def current(cfg, key: str) -> Any:
    """The value at a dotted key, or None."""
    value = cfg
    for part in key.split('.'):
        if isinstance(value, (list, tuple)) and part.isdigit() \
                and int(part) < len(value):
            value = value[int(part)]
        elif hasattr(value, 'get'):
            value = value.get(part)
        else:
            return None
    return value


def every_set(cfg, key: str) -> List[str]:
    """The keys that a key stands for: ``test_dataloader.num_workers`` is that
    of each test set.

    Raises:
        ConfigError: If another list is to be changed without an index.
    """
    for before in parents(key):
        value = current(cfg, before)
        after = key[len(before) + 1:]
        if not isinstance(value, (list, tuple)) \
                or after.split('.')[0].isdigit():
            continue
        keys = [f'{before}.{n}.{after}' for n in range(len(value))]
        if before in PER_SET:
            return [full for k in keys for full in every_set(cfg, k)]
        raise ConfigError(f"--cfg-options {key}: '{before}' is a list of "
                          f'{len(value)}; choose one, as in '
                          f'{", ".join(keys[:3]) or "an index"}.')
    return [key]


def fraction(value: Any, replaces: Any = None) -> Any:
    """Numbers in place of fractions such as '10/255', which the command line
    brings as text.

    Args:
        value: Of an override.
        replaces: The value in the config; a text stays a text.
    """
    if isinstance(value, dict):
        return {k: fraction(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(fraction(v) for v in value)
    match = FRACTION.fullmatch(value) if isinstance(value, str) else None
    if match is None or isinstance(replaces, str) or not float(match[2]):
        return value
    return float(match[1]) / float(match[2])
