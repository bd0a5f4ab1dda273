"""Access to parts of a config."""
import inspect
from contextlib import contextmanager
from typing import Iterator, List, Optional


def dataloaders(cfg, *phases: str) -> List[dict]:
    """Return the dataloader configs of the given phases.

    A phase with several test sets contributes one dataloader for each set.

    Args:
        cfg (Config): The config.
        phases (str): Any of 'train', 'val' and 'test'.
    """
    found = []
    for phase in phases:
        loaders = cfg.get(f'{phase}_dataloader') or []
        found += loaders if isinstance(loaders, list) else [loaders]
    return found


@contextmanager
def config_scope(cfg) -> Iterator[None]:
    """Activate the default scope of a config (mmagic's if it sets none)."""
    from mmengine.registry import DefaultScope
    with DefaultScope.overwrite_default_scope(
            cfg.get('default_scope', 'mmagic')):
        yield


def component_class(registry, name: str, cfg) -> Optional[type]:
    """Return the class that a type in a config names, or None."""
    with config_scope(cfg), registry.switch_scope_and_registry(None) as node:
        cls = node.get(name)
    return cls if inspect.isclass(cls) else None
