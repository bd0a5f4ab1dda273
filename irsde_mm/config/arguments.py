"""Check the arguments of components before they are built."""
import inspect
import warnings
from typing import Any, Dict, Iterator, Set, Tuple

from ..compat import RUNNER_HOOKS
from ..errors import ConfigError
from .names import ADDED_HOOKS, SIMILAR, nearest
from .parts import config_scope

#: Keys that a builder removes from a component's config, by registry name.
BUILDER_KEYS = {
    'hook': {'priority'},
    'optim_wrapper': {'constructor', 'paramwise_cfg'},
    'parameter scheduler': {'convert_to_iter_based'},
    'model': {'init_cfg'},
    'dataset': {'lazy_init'},
}
COMMON_KEYS = {'type', '_scope_', '_delete_'}


def check_arguments(cfg) -> None:
    """Check the arguments of every component whose class declares them.

    Raises:
        ConfigError: If an argument is unknown. The message gives its key, its
            value and the most similar argument.
    """
    with config_scope(cfg):
        for head, nodes in registries().items():
            for path, component in components(cfg.get(head), head):
                check_component(path, component, nodes)
    check_hook_names(cfg.get('default_hooks') or {})
    for path, settings, names in untyped_parts(cfg):
        check_keys(path, settings, names, path)


def registries() -> Dict[str, tuple]:
    """Return the registries of the components below each top-level key."""
    from mmengine import registry

    from ..registry import DIFFUSION_SCHEDULERS  # import first, applies compat
    data = (registry.DATASETS, registry.TRANSFORMS, registry.DATA_SAMPLERS)
    scores = (registry.EVALUATOR, registry.METRICS)
    loops, hooks = (registry.LOOPS, ), (registry.HOOKS, )
    return dict(
        model=(registry.MODELS, DIFFUSION_SCHEDULERS),
        train_dataloader=data, val_dataloader=data, test_dataloader=data,
        val_evaluator=scores, test_evaluator=scores,
        optim_wrapper=(registry.OPTIM_WRAPPERS, registry.OPTIMIZERS),
        param_scheduler=(registry.PARAM_SCHEDULERS, ),
        default_hooks=hooks, custom_hooks=hooks,
        train_cfg=loops, val_cfg=loops, test_cfg=loops,
        log_processor=(registry.LOG_PROCESSORS, ),
        visualizer=(registry.VISUALIZERS, registry.VISBACKENDS))


def components(value: Any, path: str) -> Iterator[Tuple[str, dict]]:
    """Yield dicts with a type and their dotted keys, outermost first."""
    if isinstance(value, dict) and isinstance(value.get('type'), str):
        yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(
        value) if isinstance(value, (list, tuple)) else ()
    for key, child in pairs:
        yield from components(child, f'{path}.{key}')


def check_component(path: str, component: dict, nodes: tuple) -> None:
    """Check one component if its type is in exactly one of the registries."""
    found = []
    for node in nodes:
        with node.switch_scope_and_registry(None) as here:
            try:
                cls = here.get(component['type'])
            except Exception:  # failed import, reported when it is built
                cls = None
        if cls is not None and cls not in [c for _, c in found]:
            found.append((node, cls))
    if len(found) != 1:
        return
    node, cls = found[0]
    # some mmagic models forward arguments that they do not declare
    if node.name == 'model' and not cls.__module__.startswith('irsde_mm.'):
        return
    if isinstance(component.get('test_cfg'), dict) \
            and hasattr(cls, 'test_settings'):
        check_keys(f'{path}.test_cfg', component['test_cfg'],
                   cls.test_settings, cls.__name__)
    names, accepts_others = arguments(cls)
    check_keys(path, component,
               names | COMMON_KEYS | BUILDER_KEYS.get(node.name, set()),
               cls.__name__, accepts_others)


def arguments(cls: Any) -> Tuple[Set[str], bool]:
    """Return a class's argument names and True if it accepts others too."""
    if not inspect.isclass(cls):
        return set(), True
    names: Set[str] = set()
    for part in cls.__mro__:
        if '__init__' not in vars(part) or part is object:
            continue
        parameters = inspect.signature(part.__init__).parameters.values()
        names.update(p.name for p in parameters
                     if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return names - {'self'}, False
    return names - {'self'}, True


def check_keys(path: str, settings: dict, names: Set[str], owner: str,
               accepts_others: bool = False) -> None:
    """Reject keys that are not in ``names``.

    With ``accepts_others``, only keys similar to a known name are rejected.
    """
    for key, value in settings.items():
        close = nearest(str(key), names - COMMON_KEYS,
                        SIMILAR if accepts_others else 0.6)
        if key in names or (accepts_others and not close):
            continue
        meant = f"did you mean '{close}'?" if close else \
            f'supported: {", ".join(sorted(names - COMMON_KEYS))}.'
        raise ConfigError(f"{path}.{key}={value!r}: {owner} has no argument "
                          f"'{key}'; {meant}")


def check_hook_names(hooks: dict) -> None:
    """Reject settings of a hook that does not exist.

    Args:
        hooks (dict): ``default_hooks``, including those added by the tools.
    """
    if not hooks.get('plain_checkpoint'):
        warnings.warn('default_hooks.plain_checkpoint is disabled: '
                      'checkpoints will contain pickled objects, which '
                      '--resume and tools/test.py cannot load.',
                      stacklevel=2)
    known = {*RUNNER_HOOKS, *ADDED_HOOKS, 'pictures', *(
        name for name, hook in hooks.items() if hook and 'type' in hook)}
    for name, hook in hooks.items():
        close = nearest(name, known - {name})
        # None disables a hook, even one that the config does not have
        if (hook is None and name not in known and close) or (
                isinstance(hook, dict) and 'type' not in hook):
            raise ConfigError(
                f"default_hooks.{name}={hook!r}: unknown hook '{name}'; "
                + (f"did you mean '{close}'?" if close else
                   "a new hook needs a 'type'."))


def untyped_parts(cfg) -> Iterator[Tuple[str, dict, Set[str]]]:
    """Yield parts without a type and the keys that the Runner reads there."""
    from mmengine.runner import Runner
    from torch.utils.data import DataLoader
    loader = set(inspect.signature(DataLoader).parameters)
    names = dict(
        env_cfg={'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'},
        randomness=set(inspect.signature(
            Runner.set_randomness).parameters) - {'self'},
        auto_scale_lr={'enable', 'base_batch_size'},
        **{f'{part}_dataloader': loader | {'num_batch_per_epoch'}
           for part in ('train', 'val', 'test')})
    for head, keys in names.items():
        value = cfg.get(head)
        if isinstance(value, dict):
            yield head, value, keys
        for i, part in enumerate(value if isinstance(value, list) else ()):
            yield f'{head}.{i}', part, keys
