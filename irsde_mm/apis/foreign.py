"""What the settings that come along with weights may ask for.

A config is chosen by the user, and mmengine imports whatever a ``type`` in it
points to. Settings inside a weights file were chosen by whoever made the
file: they may name registered components alone, nothing that is read from
elsewhere, and no network that is larger than the file.
"""
import inspect
import math
import re
from typing import Any, Dict, NamedTuple, Tuple, Union

from mmagic.evaluation.metrics.base_sample_wise_metric import \
    BaseSampleWiseMetric
from mmcv.transforms import BaseTransform
from mmengine.config import ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.evaluator import Evaluator
from mmengine.registry import DATA_SAMPLERS, EVALUATOR, DefaultScope, Registry
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import Sampler as DataSampler

from ..errors import CheckpointError
from ..models.restorers.settings import RESTORERS, check_weights
from ..registry import (DATASETS, DIFFUSION_SCHEDULERS, METRICS, MODELS,
                        SCOPES, TRANSFORMS, find)
from ..samplers.base import Sampler
from ..samplers.diffusers import SCHEDULERS
from ..sde.base import SDE

MAX_DEPTH, MAX_TEXT, MAX_NUMBER = 30, 1000, 10**6
#: Arguments that have weights or images read from elsewhere.
OUTSIDE = re.compile('init_cfg|pretrain|checkpoint|ckpt|backend|file_client')


class Kind(NamedTuple):
    """Where a component is registered, and of what class it has to be."""
    registry: Registry
    base: Union[type, Tuple[type, ...]]
    scopes: Tuple[str, ...] = SCOPES


# by the argument that holds a component; other components below it are of
# its kind, and those of a model are networks
MODEL = dict(
    model=Kind(MODELS, RESTORERS),
    sde=Kind(DIFFUSION_SCHEDULERS, SDE),
    sampler=Kind(DIFFUSION_SCHEDULERS, Sampler),
    val_sampler=Kind(DIFFUSION_SCHEDULERS, Sampler))
TEST = dict(
    test_evaluator=Kind(EVALUATOR, Evaluator),
    metrics=Kind(METRICS, BaseSampleWiseMetric),
    sampler=Kind(DATA_SAMPLERS, DataSampler),
    # some of mmengine's and mmagic's read pickled files
    dataset=Kind(DATASETS, BaseDataset, ('irsde_mm', )),
    pipeline=Kind(TRANSFORMS, BaseTransform),
    degradation=Kind(TRANSFORMS, BaseTransform))
NETWORK = Kind(MODELS, nn.Module)
SECTIONS = dict(
    model=MODEL, test_dataloader=TEST, test_evaluator=TEST,
    degradation=TEST, patch_size=TEST, region=TEST)
LOADER = ('batch_size', 'drop_last', 'sampler', 'dataset')


def check_config(config: Any) -> None:
    """Stops a config from a weights file that asks for what it must not.

    Args:
        config: ``model`` and perhaps other ``SECTIONS``, of plain values.

    Raises:
        CheckpointError: Naming the place.
    """
    if not isinstance(config, dict) or not isinstance(
            config.get('model'), dict) or 'type' not in config['model']:
        raise CheckpointError('its config has no model.')
    unknown = set(config) - set(SECTIONS)
    if unknown:
        raise CheckpointError(f'its config has {sorted(unknown)[0]!r}, which '
                              f'is none of {", ".join(SECTIONS)}.')
    loaders = config.get('test_dataloader') or []
    for loader in loaders if isinstance(loaders, list) else [loaders]:
        if not isinstance(loader, dict) or set(loader) - set(LOADER):
            raise CheckpointError('its test_dataloader has other entries '
                                  f'than {", ".join(LOADER)}.')
    for name, section in config.items():
        check_value(section, name, section is config['model'])
        check_types(section, name, SECTIONS[name])


def check_value(value: Any, where: str, of_model: bool = False) -> None:
    """Stops values that are not plain, beyond all measure, or that reach
    outside the file.

    Raises:
        CheckpointError: Naming the place.
    """
    wrong = None
    if where.count('.') > MAX_DEPTH:
        wrong = 'is nested too deeply'
    elif isinstance(value, str):
        # paths; and what a written config would have replaced in its text
        if len(value) > MAX_TEXT or '{{' in value or (
                of_model and re.search(r'[/\\]', value)):
            wrong = f'is the text {value[:40]!r}'
    elif isinstance(value, (int, float)):
        large = abs(value) > MAX_NUMBER and not where.endswith('.seed')
        if large or not math.isfinite(value):
            wrong = f'is no number up to {MAX_NUMBER}'
    elif isinstance(value, dict):
        for key, item in value.items():
            check_key(key, item, where)
            check_value(item, f'{where}.{key}', of_model)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            check_value(item, f'{where}.{i}', of_model)
    elif value is not None:
        wrong = f'is a {type(value).__name__}'
    if wrong:
        raise CheckpointError(f'its config is refused: {where} {wrong}.')


def check_key(key: Any, value: Any, where: str) -> None:
    """As :func:`check_value`, for the name of an argument: '_scope_' and the
    like are commands to mmengine."""
    if not isinstance(key, str) or not re.fullmatch(r'[^\W_]\w*', key):
        raise CheckpointError(f'its config is refused: {where} has the name '
                              f'{str(key)[:40]!r}.')
    if reads_elsewhere(key, value):
        raise CheckpointError(f'its config is refused: {where}.{key} would '
                              'read another file.')


def reads_elsewhere(key: str, value: Any) -> bool:
    """Whether an argument has something read from outside the file."""
    return bool(OUTSIDE.search(key)) and isinstance(value, (str, dict, list))


def check_types(value: Any, where: str, kinds: Dict[str, Kind],
                kind: Kind = NETWORK) -> None:
    """Stops types that are not registered as what they are used for.

    Raises:
        CheckpointError: Naming the place and the type.
    """
    name = where.rpartition('.')[2]
    kind = kinds.get(name, kind)
    if isinstance(value, dict):
        if 'type' in value and not (
                value['type'] in SCHEDULERS if name == 'scheduler'
                else is_component(value['type'], kind)):
            raise CheckpointError(
                f'its config is refused: {where} has the type '
                f"{str(value['type'])[:80]!r}, which is no registered "
                f'{kind.registry.name} for that place.')
        below = NETWORK if kind.base is RESTORERS else kind
        for key, item in value.items():
            check_types(item, f'{where}.{key}', kinds, below)
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            check_types(item, f'{where}.{i}', kinds, kind)


def is_component(name: Any, kind: Kind) -> bool:
    cls = find(kind.registry, name, kind.scopes)
    return inspect.isclass(cls) and issubclass(cls, kind.base)


class Allowance(TorchDispatchMode):
    """Limits the numbers that tensors made in here have together.

    Args:
        numbers (int): How many they may be.

    Raises:
        CheckpointError: Before the tensor is made that is too much.
    """

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.left = numbers

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        # sizes come first where a tensor is made, and a tensor elsewhere
        if args and isinstance(args[0], (list, tuple)) and all(
                isinstance(size, int) for size in args[0]):
            self.left -= math.prod(args[0])
        if self.left < 0:
            raise CheckpointError('its config is refused: the model is '
                                  'larger than the weights.')
        return func(*args, **(kwargs or {}))


def try_model(model: dict, weights: Dict[str, Tensor]) -> None:
    """Builds a model once to see whether weights are all of it and no more.

    Args:
        model (dict): Its config, as :func:`check_config` lets it pass.
        weights (dict): State dict.

    Raises:
        CheckpointError: If it cannot be built, or has other weights.
    """
    # buffers beside the weights, and what a constructor tries out
    allowed = 2 * sum(value.numel() for value in weights.values()) + 10**7
    try:
        with DefaultScope.overwrite_default_scope('mmagic'), \
                Allowance(allowed):
            built = MODELS.build(ConfigDict(model))
    except CheckpointError:
        raise
    except Exception as error:  # any settings at all may stand in the file
        reason = ' '.join(str(error).split())[:200] or type(error).__name__
        raise CheckpointError(
            f'its model cannot be built: {reason}') from error
    check_weights(weights, built.state_dict())
    more = sorted(set(weights) - set(built.state_dict()))
    if more:
        raise CheckpointError(f'it has {len(more)} weights that its model '
                              f"has not, the first is '{more[0]}'.")
