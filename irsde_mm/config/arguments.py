"""Arguments of components that a config misspells, found before building."""
import inspect
import warnings
from typing import Any, Dict, Iterator, Set, Tuple

from ..compat import RUNNER_HOOKS
from ..errors import ConfigError
from .names import NEAR, OUR_HOOKS, nearest
from .parts import config_scope

#: What a builder takes out of a component's config, by its registry's name.
TAKEN_OUT = {
    'hook': {'priority'},
    'optim_wrapper': {'constructor', 'paramwise_cfg'},
    'parameter scheduler': {'convert_to_iter_based'},
    'model': {'init_cfg'},
    'dataset': {'lazy_init'},
}
ALWAYS = {'type', '_scope_', '_delete_'}


def check_arguments(cfg) -> None:
    """Looks at the arguments of every component whose class tells them.

    Raises:
        ConfigError: Naming key, value and the nearest argument.
    """
    with config_scope(cfg):
        for head, nodes in registries().items():
            for path, component in components(cfg.get(head), head):
                check_component(path, component, nodes)
    check_hook_names(cfg.get('default_hooks') or {})
    for path, settings, names in plain_parts(cfg):
        check_keys(path, settings, names, path)


def registries() -> Dict[str, tuple]:
    """Where the components below a top-level key are found."""
    from mmengine import registry

    from ..registry import DIFFUSION_SCHEDULERS  # first: compat
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
    """Dicts with a type and their keys, from the outside in."""
    if isinstance(value, dict) and isinstance(value.get('type'), str):
        yield path, value
    pairs = value.items() if isinstance(value, dict) else enumerate(
        value) if isinstance(value, (list, tuple)) else ()
    for key, below in pairs:
        yield from components(below, f'{path}.{key}')


def check_component(path: str, component: dict, nodes: tuple) -> None:
    """Checks one component, if exactly one registry has its type."""
    found = []
    for node in nodes:
        with node.switch_scope_and_registry(None) as here:
            try:
                cls = here.get(component['type'])
            except Exception:  # of an import: building says it
                cls = None
        if cls is not None and cls not in [c for _, c in found]:
            found.append((node, cls))
    if len(found) != 1:
        return
    node, cls = found[0]
    # some of mmagic's models pass arguments on that they do not name
    if node.name == 'model' and not cls.__module__.startswith('irsde_mm.'):
        return
    if isinstance(component.get('test_cfg'), dict) \
            and hasattr(cls, 'test_settings'):
        check_keys(f'{path}.test_cfg', component['test_cfg'],
                   cls.test_settings, cls.__name__)
    names, takes_others = arguments(cls)
    check_keys(path, component,
               names | ALWAYS | TAKEN_OUT.get(node.name, set()),
               cls.__name__, takes_others)


def arguments(cls: Any) -> Tuple[Set[str], bool]:
    """The arguments that a class names, and whether it takes others, too."""
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
               takes_others: bool = False) -> None:
    """Refuses keys that are not in ``names``; with ``takes_others``, only
    those that are close to one of them."""
    for key, value in settings.items():
        close = nearest(str(key), names - ALWAYS,
                        NEAR if takes_others else 0.6)
        if key in names or (takes_others and not close):
            continue
        meant = f"did you mean '{close}'?" if close else \
            f'{owner} takes {", ".join(sorted(names - ALWAYS))}.'
        raise ConfigError(f"{path}.{key}={value!r}: {owner} has no '{key}'; "
                          f'{meant}')


def check_hook_names(hooks: dict) -> None:
    """Refuses settings of a hook that is not there.

    Args:
        hooks (dict): ``default_hooks``, with those that tools add.
    """
    if not hooks.get('plain_checkpoint'):
        warnings.warn('default_hooks.plain_checkpoint is off: checkpoints '
                      'will hold pickled objects, which neither --resume nor '
                      'tools/test.py reads.', stacklevel=2)
    known = {*RUNNER_HOOKS, *OUR_HOOKS, 'pictures', *(
        name for name, hook in hooks.items() if hook and 'type' in hook)}
    for name, hook in hooks.items():
        close = nearest(name, known - {name})
        # None switches off what a config, or a tool, may have or not
        if (hook is None and name not in known and close) or (
                isinstance(hook, dict) and 'type' not in hook):
            raise ConfigError(
                f"default_hooks.{name}={hook!r}: there is no hook '{name}'"
                + (f"; did you mean '{close}'?" if close else
                   ", and to add one it needs a 'type'."))


def plain_parts(cfg) -> Iterator[Tuple[str, dict, Set[str]]]:
    """Parts without a type, with the keys that the Runner reads there."""
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
