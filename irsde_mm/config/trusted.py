"""What the settings in a file may name: registered components alone.

A config is chosen by the user, and mmengine imports whatever a ``type`` in it
names. Settings inside a weights file were chosen by whoever made the file.
"""
import inspect
from typing import Any, Dict, Sequence

from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from ..datasets.transforms import Degradation, Upsample
from ..errors import CheckpointError
from ..model_files.checkpoints import check_fit
from ..model_files.limits import (check_value, limit_parameters,
                                  building_from_file, reads_elsewhere, refusal)
from ..models.restorers.settings import RESTORERS
from ..registry import (DIFFUSION_SCHEDULERS, MODELS, SCOPES, TRANSFORMS,
                        find)
from ..samplers.base import Sampler
from ..sde import SDE, Output

#: The parts of a restorer that are not networks.
PARTS = dict(sde=SDE, output=Output, sampler=Sampler)


def check_model(config: Any) -> None:
    """Refuses a model's config from a file that names anything but registered
    models and networks.

    Raises:
        CheckpointError: Naming the place.
    """
    if not isinstance(config, dict) or 'type' not in config:
        raise CheckpointError('it has no model.')
    check_value(config, 'model')
    if not is_component(MODELS, config['type'], RESTORERS):
        raise refusal('model', f'has the type {str(config["type"])[:80]!r}, '
                      'which is not a registered model')
    for key, value in config.items():
        base = PARTS.get(key)
        if base is None:
            check_types(value, f'model.{key}')
        elif isinstance(value, dict) and not is_component(
                DIFFUSION_SCHEDULERS, value.get('type'), base):
            raise refusal(f'model.{key}',
                          f'has the type {str(value.get("type"))[:80]!r}, '
                          f'which is not a registered {base.__name__}')


def try_model(config: dict, weights: Dict[str, Tensor]) -> None:
    """Builds a model once, to see whether weights are all of it and no more.

    Args:
        config (dict): The model's, as :func:`check_model` accepts it.
        weights (dict): State dict.

    Raises:
        CheckpointError: If it cannot be built, or has other weights.
    """
    with building_from_file(), limit_parameters(weights), \
            DefaultScope.overwrite_default_scope('mmagic'):
        model = MODELS.build(ConfigDict(config))
    check_fit(weights, model.state_dict())


def check_degradation(steps: Any) -> Sequence[dict]:
    """The degradations of a file, if they are this package's own.

    Raises:
        CheckpointError: Naming the place.
    """
    if not isinstance(steps, (list, tuple)):
        raise refusal('degradation', 'is not a list')
    check_value(steps, 'degradation')
    for i, step in enumerate(steps):
        if not isinstance(step, dict) or not is_component(
                TRANSFORMS, step.get('type'), (Degradation, Upsample),
                ('irsde_mm', )):
            raise refusal(f'degradation.{i}', 'is not a degradation of '
                          'irsde_mm')
    return steps


def check_types(value: Any, where: str) -> None:
    """Refuses types below a model that are not registered networks.

    Raises:
        CheckpointError: Naming the place and the type.
    """
    if isinstance(value, dict):
        if 'type' in value and not is_component(
                MODELS, value['type'], nn.Module):
            raise refusal(where, f'has the type {str(value["type"])[:80]!r}, '
                          'which is not a registered model for that place')
        for key, item in value.items():
            check_types(item, f'{where}.{key}')
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            check_types(item, f'{where}.{i}')


def is_component(registry, name: Any, base, scopes: tuple = SCOPES) -> bool:
    """Whether a name is registered as a class of some kind."""
    cls = find(registry, name, scopes)
    return inspect.isclass(cls) and issubclass(cls, base)


def detached(value: Any) -> Any:
    """A config without arguments that have weights read, which are in the
    file, and without mmengine's notes in configs that inherit from mmagic's.
    """
    if isinstance(value, dict):
        return {key: detached(item) for key, item in value.items()
                if not reads_elsewhere(key, item)
                and (key, item) != ('_scope_', 'mmagic')}
    if isinstance(value, list):
        return [detached(item) for item in value]
    return value
