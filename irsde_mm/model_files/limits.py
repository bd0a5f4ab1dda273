"""Limits on the settings in a file and on the models built from them.

A file may come from an untrusted source: a number in its settings could
exhaust the memory, and a path could point to another file.
"""
import math
import re
from contextlib import contextmanager
from typing import Any, Dict, Iterator

from torch import Tensor
from torch.nn.modules import module as registration

from ..errors import CheckpointError

MAX_DEPTH, MAX_TEXT, MAX_NUMBER = 30, 1000, 10**6
#: Number of parameters allowed in addition to those of the weights.
SLACK = 10**5
#: Arguments that load weights or images from other files.
OUTSIDE = re.compile('init_cfg|pretrain|checkpoint|ckpt|backend|file_client')


def refusal(where: str, wrong: str) -> CheckpointError:
    return CheckpointError(f'invalid settings: {where} {wrong}.')


def check_value(value: Any, where: str) -> None:
    """Check that settings are plain values, bounded, and name no other file.

    Args:
        value: The settings.
        where (str): Their location in the file, for messages.

    Raises:
        CheckpointError: Naming the location of the first invalid value.
    """
    if where.count('.') > MAX_DEPTH:
        raise refusal(where[:80], 'is nested too deeply')
    if isinstance(value, str):
        if len(value) > MAX_TEXT or re.search(r'[/\\]', value):
            raise refusal(where, f'is too long or a path: {value[:40]!r}')
    elif isinstance(value, (int, float)):
        # seeds have their own range; UniDB's gamma, 1e7, sizes nothing
        large = abs(value) > MAX_NUMBER and not where.endswith(
            ('.seed', '.gamma'))
        if large or not math.isfinite(value):
            raise refusal(where, f'is not a number up to {MAX_NUMBER:,}')
    elif isinstance(value, dict):
        for key, item in value.items():
            check_key(key, item, where)
            check_value(item, f'{where}.{key}')
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            check_value(item, f'{where}.{i}')
    elif value is not None:
        raise refusal(where, 'has the unsupported type '
                      f'{type(value).__name__}')


def check_key(key: Any, value: Any, where: str) -> None:
    """Check the name of an argument, see :func:`check_value`."""
    # names such as '_scope_' have a special meaning in mmengine
    if not isinstance(key, str) or not re.fullmatch(r'[^\W_]\w{0,99}', key):
        raise refusal(where, f'has the invalid key {str(key)[:40]!r}')
    if reads_elsewhere(key, value):
        raise refusal(f'{where}.{key}', 'would read another file')


def reads_elsewhere(key: str, value: Any) -> bool:
    """Return True if an argument would load something from another file."""
    return bool(OUTSIDE.search(key)) and isinstance(value, (str, dict, list))


@contextmanager
def building_from_file() -> Iterator[None]:
    """Convert any exception to CheckpointError.

    For building a model from the settings in a file, which may be arbitrary.
    """
    try:
        yield
    except CheckpointError:
        raise
    except Exception as error:
        reason = ' '.join(str(error).split())[:200] or type(error).__name__
        raise CheckpointError(
            f'the model cannot be built: {reason}') from error


@contextmanager
def limit_parameters(weights: Dict[str, Tensor]) -> Iterator[None]:
    """Limit the number of parameters of a network that is being built.

    The limit is twice the number of values in the weights plus
    :data:`SLACK`: some networks register a parameter twice, and a network
    with a few missing weights must be built to name them.

    Args:
        weights (dict): State dict of the file.

    Raises:
        CheckpointError: When a parameter exceeds the limit.
    """
    left = [SLACK + 2 * sum(value.numel() for value in weights.values())]

    def count(module, name, parameter):
        if parameter is not None:
            left[0] -= max(parameter.numel(), 1)
        if left[0] < 0:
            raise CheckpointError('invalid settings: the model is larger than '
                                  'the weights.')

    handle = registration.register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()
