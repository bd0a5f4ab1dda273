"""The registry nodes of irsde_mm, found by mmengine and mmagic alike.

They are children of mmengine's root nodes, because the Runner builds there;
processes and samplers go to a child of mmagic's DIFFUSION_SCHEDULERS, which
has no root in mmengine.
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
LOOPS = _node('loop', _root.LOOPS, 'engine')
FUNCTIONS = _node('function', _root.FUNCTIONS, 'engine')


def find(registry: Registry, name: str,
         scopes: tuple = SCOPES) -> Optional[type]:
    """What is registered under a name, in the scopes of our configs.

    Unlike ``Registry.get``, which falls back on importing whatever a name
    points to ('os.system'), this imports nothing but the registries' own
    components. For names that come from a file of somebody else.

    Args:
        registry (Registry): Any node of the tree that is searched.
        name (str): 'scope.Name', or 'Name' as in mmagic's configs.
        scopes (tuple[str]): Scopes that may be looked in.

    Returns:
        The component, or None.
    """
    scope, _, key = str(name).rpartition('.')
    wanted = {scope} if scope else {'mmagic', 'mmengine'}
    while registry.parent is not None:
        registry = registry.parent
    for node in (*registry.children.values(), registry):
        if node.scope in wanted.intersection(scopes):
            node.import_from_location()
            if key in node.module_dict:
                return node.module_dict[key]
    return None
