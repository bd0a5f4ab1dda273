"""Top-level names of configs: known settings and suggestions for typos."""
import difflib
from typing import Any, Iterable, List, Optional, Set

#: Read by the tools or from ``runner.cfg``, in addition to the Runner's
#: arguments.
RUNNER_CFG_NAMES = {
    'activation_checkpointing', 'compile', 'custom_imports',
    'efficient_conv_bn_eval', 'find_unused_parameters', 'model_wrapper_cfg',
    'strategy', 'sync_bn'}
#: Read by ``--data``.
OWN_DATA_NAMES = ('patch_size', 'region', 'degradation')
#: Read by mmagic's inferencers or commonly defined in its configs.
MMAGIC_NAMES = {'demo_pipeline', 'inference_pipeline', 'save_dir',
                'test_pipeline', 'train_pipeline', 'val_pipeline'}
#: Hooks that the tools add to ``default_hooks`` of mmagic configs. Configs of
#: this package get them from ``_base_/default_runtime.py``.
ADDED_HOOKS = dict(
    settings='SettingsHook', resume='ResumeHook',
    plain_checkpoint='PlainCheckpointHook', guard='GuardHook',
    preemption='PreemptionHook', progress='ProgressHook',
    results='ResultsHook', skipped='SkippedImagesHook')
#: Hooks that replace the mmengine hook of the same name.
REPLACED_HOOKS = dict(logger='LoggerHook', checkpoint='CheckpointHook')
#: Minimum difflib similarity at which a name counts as a typo of another.
SIMILAR = 0.85


def runner_settings() -> Set[str]:
    """Return the top-level names that the Runner reads."""
    import inspect

    from mmengine.runner import Runner
    arguments = set(inspect.signature(Runner.__init__).parameters)
    return arguments - {'self', 'cfg'} | RUNNER_CFG_NAMES


def nearest(name: str, names: Iterable[str],
            cutoff: float = 0.6) -> Optional[str]:
    """Return the most similar name, or None if no name is similar enough."""
    return next(iter(difflib.get_close_matches(
        name, sorted(names), n=1, cutoff=cutoff)), None)


def differing_keys(a, b, path: str = '') -> List[str]:
    """Return the dotted keys whose values differ between two configs."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        pairs = [(key, a[key], b[key]) for key in a]
    elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) \
            and len(a) == len(b):
        pairs = [(i, *values) for i, values in enumerate(zip(a, b))]
    else:
        return [] if a == b else [path]
    return [found for key, x, y in pairs
            for found in differing_keys(x, y, f'{path}.{key}' if path
                                        else str(key))]


def explain_unused(cfg, name: str, value: Any) -> str:
    """Explain why a variable has no effect and suggest keys to set instead.

    Args:
        cfg (Config): The config.
        name (str): Name of the variable.
        value: Current value of the variable. Settings with this value are
            suggested.
    """
    loaders = {key: cfg[key] for key in ('train_dataloader', 'val_dataloader',
                                         'test_dataloader') if key in cfg}
    keys = keys_with_value(loaders, value)
    return (f"no setting of this config depends on '{name}'"
            + (', which only --data reads' if name in OWN_DATA_NAMES else '')
            + (f'; set {first_few(keys)}.' if keys else '.'))


def first_few(keys: List[str], most: int = 4) -> str:
    """Join the first keys and state how many more there are."""
    more = len(keys) - most
    return ', '.join(keys[:most]) + (f' and {more} more' if more > 0 else '')


def keys_with_value(settings: Any, value: Any, path: str = '') -> List[str]:
    """Return the keys that hold a variable's value or an element of it."""
    def same(found: Any, expected: Any) -> bool:
        if isinstance(expected, dict) and isinstance(found, dict):
            return all(found.get(k) == v for k, v in expected.items())
        return found in (expected, (expected, ) * 2) \
            and type(expected) is not bool

    if any(same(settings, expected) for expected in (
            value if isinstance(value, (list, tuple)) else [value])):
        return [path]
    pairs = settings.items() if isinstance(settings, dict) else enumerate(
        settings) if isinstance(settings, (list, tuple)) else ()
    return [found for key, child in pairs
            for found in keys_with_value(
                child, value, f'{path}.{key}' if path else str(key))]
