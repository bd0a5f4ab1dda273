"""Registry nodes of irsde_mm, visible to both mmengine and mmagic.

They are children of mmengine's root nodes, because the Runner builds from
the root. Processes and samplers are registered in a child of mmagic's
DIFFUSION_SCHEDULERS, which has no root in mmengine.
"""
from typing import Optional

from . import compat

compat.prepare_imports()

from mmagic.registry import DIFFUSION_SCHEDULERS as _DIFFUSION  # noqa: E402
from mmengine import registry as _root  # noqa: E402
from mmengine.registry import Registry  # noqa: E402

SCOPES = ('irsde_mm', 'mmagic', 'mmengine')


def _node(name: str, parent: Registry, *locations: str) -> Registry:
    return Registry(name, parent=parent, scope='irsde_mm',
                    locations=[f'irsde_mm.{where}' for where in locations])


MODELS = _node('model', _root.MODELS, 'models')
DIFFUSION_SCHEDULERS = _node('diffusion scheduler', _DIFFUSION,
                             'models.components')
DATASETS = _node('dataset', _root.DATASETS, 'datasets')
TRANSFORMS = _node('transform', _root.TRANSFORMS, 'datasets.transforms')
METRICS = _node('metric', _root.METRICS, 'evaluation')
HOOKS = _node('hook', _root.HOOKS, 'engine')
OPTIM_WRAPPERS = _node('optimizer wrapper', _root.OPTIM_WRAPPERS, 'engine')
STRATEGIES = _node('strategy', _root.STRATEGIES, 'engine.strategies')
LOOPS = _node('loop', _root.LOOPS, 'engine')
FUNCTIONS = _node('function', _root.FUNCTIONS, 'engine')


def find(registry: Registry, name: str,
         scopes: tuple = SCOPES) -> Optional[type]:
    """Find the component registered under a name.

    ``Registry.get`` falls back to importing whatever a name points to
    ('os.system'). This function imports only the locations of the
    registries, so it is safe for names from untrusted files.

    Args:
        registry (Registry): Any node of the tree to search.
        name (str): 'scope.Name', or 'Name' as in mmagic's configs.
        scopes (tuple[str]): Scopes to search.

    Returns:
        The component, or None if it is not registered.
    """
    scope, _, key = str(name).rpartition('.')
    requested = {scope} if scope else {'mmagic', 'mmengine'}
    while registry.parent is not None:
        registry = registry.parent
    for node in (*registry.children.values(), registry):
        if node.scope in requested.intersection(scopes):
            node.import_from_location()
            if key in node.module_dict:
                return node.module_dict[key]
    return None
