"""Parts of a config, found in one way."""
import inspect
from contextlib import contextmanager
from typing import Iterator, List, Optional


def dataloaders(cfg, *phases: str) -> List[dict]:
    """The dataloaders of some phases: one each, or one for each test set.

    Args:
        cfg (Config): The config.
        phases (str): Of 'train', 'val' and 'test'.
    """
    found = []
    for phase in phases:
        loaders = cfg.get(f'{phase}_dataloader') or []
        found += loaders if isinstance(loaders, list) else [loaders]
    return found


@contextmanager
def config_scope(cfg) -> Iterator[None]:
    """The default scope that a config is written in: mmagic's if none is
    named."""
    from mmengine.registry import DefaultScope
    with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmagic')):
        yield


def component_class(registry, name: str, cfg) -> Optional[type]:
    """The class that a type in a config names, or None."""
    with config_scope(cfg), registry.switch_scope_and_registry(None) as node:
        cls = node.get(name)
    return cls if inspect.isclass(cls) else None
