"""The top-level names of configs: which are read, and what others may mean."""
import difflib
from typing import Any, Iterable, List, Optional, Set

#: Read from ``runner.cfg`` beside the Runner's own arguments.
OF_RUNNER_CFG = {
    'activation_checkpointing', 'compile', 'custom_imports',
    'efficient_conv_bn_eval', 'find_unused_parameters', 'model_wrapper_cfg',
    'sync_bn'}
#: Read by ``--data``.
OF_OWN_DATA = ('patch_size', 'region', 'degradation')
#: Read by mmagic's inferencers, or a habit of its configs.
OF_MMAGIC = {'demo_pipeline', 'inference_pipeline', 'save_dir',
             'test_pipeline', 'train_pipeline', 'val_pipeline'}
#: The hooks that our tools add to ``default_hooks`` of mmagic's configs; ours
#: have them from ``_base_/default_runtime.py``.
OUR_HOOKS = dict(
    settings='SettingsHook', resume='ResumeHook',
    plain_checkpoint='PlainCheckpointHook', guard='GuardHook',
    preemption='PreemptionHook', progress='ProgressHook',
    results='ResultsHook', skipped='SkippedImagesHook')
#: Those that take the place of mmengine's of the same name.
IN_PLACE = dict(logger='LoggerHook', checkpoint='CheckpointHook')
#: How near a name is to one that is meant, in difflib's measure.
NEAR = 0.85


def settings() -> Set[str]:
    """The names that the Runner reads."""
    import inspect

    from mmengine.runner import Runner
    arguments = set(inspect.signature(Runner.__init__).parameters)
    return arguments - {'self', 'cfg'} | OF_RUNNER_CFG


def nearest(name: str, names: Iterable[str],
            cutoff: float = 0.6) -> Optional[str]:
    """The name that comes closest, if any is close."""
    return next(iter(difflib.get_close_matches(
        name, sorted(names), n=1, cutoff=cutoff)), None)


def differing(a, b, path: str = '') -> List[str]:
    """The keys whose values differ between two configs."""
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        pairs = [(key, a[key], b[key]) for key in a]
    elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) \
            and len(a) == len(b):
        pairs = [(i, *values) for i, values in enumerate(zip(a, b))]
    else:
        return [] if a == b else [path]
    return [found for key, x, y in pairs
            for found in differing(x, y, f'{path}.{key}' if path else
                                   str(key))]


def unused(cfg, name: str, value: Any) -> str:
    """Why another value of a variable does nothing, and what does.

    Args:
        cfg (Config): The config.
        name (str): Of the variable.
        value: That it has; settings of this value may be what is meant.
    """
    loaders = {key: cfg[key] for key in ('train_dataloader', 'val_dataloader',
                                         'test_dataloader') if key in cfg}
    keys = places(loaders, value)
    return (f"no setting here is made from '{name}'"
            + (', which --data alone reads' if name in OF_OWN_DATA else '')
            + (f'; set {some(keys)}.' if keys else '.'))


def some(keys: List[str], most: int = 4) -> str:
    """The first of some keys, and how many more there are."""
    more = len(keys) - most
    return ', '.join(keys[:most]) + (f' and {more} more' if more > 0 else '')


def places(settings: Any, value: Any, path: str = '') -> List[str]:
    """The keys that have a variable's value, or a component of it."""
    def same(found: Any, wanted: Any) -> bool:
        if isinstance(wanted, dict) and isinstance(found, dict):
            return all(found.get(k) == v for k, v in wanted.items())
        return found in (wanted, (wanted, ) * 2) and type(wanted) is not bool

    if any(same(settings, wanted) for wanted in (
            value if isinstance(value, (list, tuple)) else [value])):
        return [path]
    pairs = settings.items() if isinstance(settings, dict) else enumerate(
        settings) if isinstance(settings, (list, tuple)) else ()
    return [place for key, below in pairs
            for place in places(below, value, f'{path}.{key}' if path
                                else str(key))]
