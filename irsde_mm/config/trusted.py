"""Checks of the settings in a weights file.

Users choose their configs, and mmengine imports whatever a ``type`` in them
names. The settings in a weights file were chosen by its author, so they may
only name registered components.
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

#: Components of a restorer that are not networks, and their base classes.
PARTS = dict(sde=SDE, output=Output, sampler=Sampler)


def check_model(config: Any) -> None:
    """Reject a model config that names anything but registered components.

    Raises:
        CheckpointError: If a type is not allowed. The message gives its
            location.
    """
    if not isinstance(config, dict) or 'type' not in config:
        raise CheckpointError('it does not contain a model config.')
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
    """Build a model to check that the weights match it exactly.

    Args:
        config (dict): Model config accepted by :func:`check_model`.
        weights (dict): State dict.

    Raises:
        CheckpointError: If the model cannot be built or does not match the
            weights.
    """
    with building_from_file(), limit_parameters(weights), \
            DefaultScope.overwrite_default_scope('mmagic'):
        model = MODELS.build(ConfigDict(config))
    check_fit(weights, model.state_dict())


def check_degradation(steps: Any,
                      where: str = 'degradation') -> Sequence[dict]:
    """Return the degradations of a file if they belong to this package.

    Raises:
        CheckpointError: If a step is not allowed. The message gives its
            location.
    """
    if not isinstance(steps, (list, tuple)):
        raise refusal(where, 'is not a list')
    check_value(steps, where)
    for i, step in enumerate(steps):
        if not isinstance(step, dict) or not is_component(
                TRANSFORMS, step.get('type'), (Degradation, Upsample),
                ('irsde_mm', )):
            raise refusal(f'{where}.{i}', 'is not a degradation of irsde_mm')
        chains = step.get('choices', [])  # of RandomDegradation
        if not isinstance(chains, (list, tuple)):
            raise refusal(f'{where}.{i}.choices', 'is not a list')
        for k, chain in enumerate(chains):
            check_degradation(chain, f'{where}.{i}.choices.{k}')
    return steps


def check_types(value: Any, where: str) -> None:
    """Reject types inside a model config that are not registered networks.

    Raises:
        CheckpointError: If a type is not allowed. The message gives its
            location and the type.
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
    """Return True if a name is registered as a subclass of ``base``."""
    cls = find(registry, name, scopes)
    return inspect.isclass(cls) and issubclass(cls, base)


def detached(value: Any) -> Any:
    """Return a config that does not depend on other files.

    Arguments that load weights are removed, since the file contains them, as
    well as the ``_scope_`` that mmengine adds to configs inheriting from
    mmagic's.
    """
    if isinstance(value, dict):
        return {key: detached(item) for key, item in value.items()
                if not reads_elsewhere(key, item)
                and (key, item) != ('_scope_', 'mmagic')}
    if isinstance(value, list):
        return [detached(item) for item in value]
    return value
