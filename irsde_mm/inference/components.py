"""The components of the package by name, built from plain data."""
import inspect
from typing import Any, Dict, Type

from torch import nn

from .. import networks, samplers, sde
from ..errors import ConfigError

#: Name in configs and files, and class.
COMPONENTS: Dict[str, type] = {
    f'irsde_mm.{name}': cls
    for room in (networks, samplers, sde)
    for name, cls in vars(room).items()
    if inspect.isclass(cls) and name in room.__all__
    and not inspect.isabstract(cls)}


def build(config: dict, base: Type = object) -> Any:
    """A component from ``type`` and its arguments; networks may be nested.

    Nothing is imported: a type is looked up among :data:`COMPONENTS`.

    Args:
        config (dict): ``type`` and arguments.
        base (type): Class that the component must have.

    Raises:
        ConfigError: If the type is unknown or of another kind.
        TypeError, ValueError: From the component.
    """
    args = dict(config)
    name = args.pop('type', None)
    cls = COMPONENTS.get(name) if isinstance(name, str) else None
    if cls is None or not issubclass(cls, base):
        kind = '' if base is object else f' of kind {base.__name__}'
        raise ConfigError(f'there is no component {str(name)[:80]!r}{kind} in '
                          'irsde_mm. For components from elsewhere, name the '
                          'config as the model and the file as the '
                          'checkpoint.')
    return cls(**{
        key: build(value, nn.Module)
        if isinstance(value, dict) and 'type' in value and key != 'scheduler'
        else value for key, value in args.items()})
