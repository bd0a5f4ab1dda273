"""Components of the package by name, built from plain data."""
import inspect
from typing import Any, Dict, Type

from torch import nn

from .. import networks, operators, samplers, sde
from ..errors import ConfigError

#: Classes by their name in configs and files.
COMPONENTS: Dict[str, type] = {
    f'irsde_mm.{name}': cls
    for module in (networks, operators, samplers, sde)
    for name, cls in vars(module).items()
    if inspect.isclass(cls) and name in module.__all__
    and not inspect.isabstract(cls)}


def build(config: dict, base: Type = object) -> Any:
    """Build a component from ``type`` and arguments; networks may be nested.

    Types are looked up in :data:`COMPONENTS`; nothing is imported.

    Args:
        config (dict): ``type`` and arguments.
        base (type): Required base class of the component.

    Raises:
        ConfigError: If the type is unknown or not a subclass of ``base``.
        TypeError, ValueError: If the component rejects its arguments.
    """
    args = dict(config)
    name = args.pop('type', None)
    cls = COMPONENTS.get(name) if isinstance(name, str) else None
    if cls is None or not issubclass(cls, base):
        kind = '' if base is object else f' of kind {base.__name__}'
        raise ConfigError(
            f'irsde_mm has no component {str(name)[:80]!r}{kind}; for '
            'components from other packages, pass the config as the model and '
            'the file as the checkpoint.')
    return cls(**{
        key: build(value, nn.Module)
        if isinstance(value, dict) and 'type' in value and key != 'scheduler'
        else value for key, value in args.items()})
