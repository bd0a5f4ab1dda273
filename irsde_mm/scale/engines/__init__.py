"""Engines, which start workers and hand out photos.

Each is a module with ``check(workers)``, which raises a ConfigError if it
cannot be used, and ``run(job, items, workers)``, which yields an outcome for
each item. ``items`` is an iterable with a length, ``workers`` the number of
processes, or None for the default of the engine.
"""
import importlib
from types import ModuleType

#: Modules by name.
ENGINES = dict(local='local', torchrun='torchrun', ray='ray_data')


def find_engine(name: str) -> ModuleType:
    """Import an engine by its name in :data:`ENGINES`."""
    return importlib.import_module(f'.{ENGINES[name]}', __name__)
