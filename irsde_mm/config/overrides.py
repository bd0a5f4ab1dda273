"""Apply ``--cfg-options`` to a config and reject options without effect."""
import re
from typing import Any, Callable, Collection, Dict, List

from ..errors import ConfigError
from .names import differing_keys, explain_unused, nearest, runner_settings
from .variables import Changes

NUMBER = r'[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?'
FRACTION = re.compile(rf'\s*({NUMBER})\s*/\s*({NUMBER})\s*')
#: Either one config or a list with one config per test set.
PER_SET = ('val_dataloader', 'test_dataloader', 'val_evaluator',
           'test_evaluator')


def override(read: Callable[[Changes], Any], options: Dict[str, Any],
             reads: Collection[str] = ()) -> Any:
    """Load a config with overrides.

    Args:
        read: Function that loads the config with new values of its variables.
        options (dict): Values by dotted key.
        reads (Collection[str]): Variables that the caller reads from the
            config, as ``--data`` does.

    Returns:
        mmengine.config.Config

    Raises:
        ConfigError: If an option has no effect or does not fit. The message
            gives its key and value.
    """
    cfg = read({})
    known = runner_settings()
    changes: Changes = {}
    for key in options:
        head, _, rest = key.partition('.')
        if head not in known:
            check_known(key, options[key], cfg, known)
            changes.setdefault(head, {})[rest] = parse_fractions(
                options[key], current(cfg, key))
    if changes:
        for head in set(changes) - set(reads):
            check_used(read, cfg, head, changes[head], known)
        cfg = read(changes)
    for key, value in options.items():
        for full_key in expand_sets(cfg, key):
            merge(cfg, full_key,
                  parse_fractions(value, current(cfg, full_key)))
    return cfg


def check_known(key: str, value: Any, cfg, known: Collection[str]) -> None:
    """Reject a key that the config does not have and nothing reads."""
    head = key.split('.')[0]
    if head in cfg:
        return
    close = nearest(head, {*known, *cfg})
    raise ConfigError(f"--cfg-options {key}={value!r}: nothing reads '{head}'"
                      + (f"; did you mean '{close}'?" if close else '.'))


def check_used(read: Callable[[Changes], Any], cfg, head: str,
               values: Dict[str, Any], known: Collection[str]) -> None:
    """Reject a new value of a variable that no setting depends on."""
    for rest, value in values.items():
        merge(read({}), f'{head}.{rest}' if rest else head, value)
    other = read({head: values})
    if other.get(head) == cfg[head] or differing_keys(
            *({key: config.get(key) for key in known}
              for config in (cfg.to_dict(), other.to_dict()))):
        return
    rest, value = next(iter(values.items()))
    key = f'{head}.{rest}' if rest else head
    raise ConfigError(f'--cfg-options {key}={value!r} has no effect: '
                      f'{explain_unused(cfg, head, cfg[head])}')


def merge(cfg, key: str, value: Any) -> None:
    """Merge one override into a config.

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
                reason = f"'{above}' is {found!r} and has no keys."
        raise ConfigError(f'invalid --cfg-options {key}={value!r}: '
                          f'{reason}') from error


def parents(key: str) -> List[str]:
    """Return the parents of a dotted key, outermost first."""
    parts = key.split('.')
    return ['.'.join(parts[:i]) for i in range(1, len(parts))]


def current(cfg, key: str) -> Any:
    """Return the value at a dotted key, or None."""
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


def expand_sets(cfg, key: str) -> List[str]:
    """Expand a key to the configs of all test sets.

    For example, ``test_dataloader.num_workers`` becomes one key for each test
    set.

    Raises:
        ConfigError: If a key addresses another list without an index.
    """
    for before in parents(key):
        value = current(cfg, before)
        after = key[len(before) + 1:]
        if not isinstance(value, (list, tuple)) \
                or after.split('.')[0].isdigit():
            continue
        keys = [f'{before}.{n}.{after}' for n in range(len(value))]
        if before in PER_SET:
            return [full for k in keys for full in expand_sets(cfg, k)]
        raise ConfigError(f"--cfg-options {key}: '{before}' is a list of "
                          f'{len(value)}; choose one, as in '
                          f'{", ".join(keys[:3]) or "an index"}.')
    return [key]


def parse_fractions(value: Any, replaces: Any = None) -> Any:
    """Convert fractions such as '10/255' from the command line to numbers.

    Args:
        value: Value of an override.
        replaces: Value in the config. If it is a string, ``value`` stays a
            string.
    """
    if isinstance(value, dict):
        return {k: parse_fractions(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(parse_fractions(v) for v in value)
    match = FRACTION.fullmatch(value) if isinstance(value, str) else None
    if match is None or isinstance(replaces, str) or not float(match[2]):
        return value
    return float(match[1]) / float(match[2])
