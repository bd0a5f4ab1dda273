"""Limits on what the settings in a file may say and build.

Settings come from whoever made the file: a number in them could fill the
memory, and a path could name another file.
"""
import math
import re
from contextlib import contextmanager
from typing import Any, Dict, Iterator

from torch import Tensor
from torch.nn.modules import module as registration

from ..errors import CheckpointError

MAX_DEPTH, MAX_TEXT, MAX_NUMBER = 30, 1000, 10**6
#: Parameters that a model may have beyond those of its weights.
SLACK = 10**5
#: Arguments that have weights or images read from elsewhere.
OUTSIDE = re.compile('init_cfg|pretrain|checkpoint|ckpt|backend|file_client')


def refusal(where: str, wrong: str) -> CheckpointError:
    return CheckpointError(f'its settings are refused: {where} {wrong}.')


def check_value(value: Any, where: str) -> None:
    """Refuses values that are not plain, beyond all measure, or that reach
    outside the file.

    Args:
        value: Settings.
        where (str): Their place in the file.

    Raises:
        CheckpointError: Naming the place.
    """
    if where.count('.') > MAX_DEPTH:
        raise refusal(where[:80], 'is nested too deeply')
    if isinstance(value, str):
        if len(value) > MAX_TEXT or re.search(r'[/\\]', value):
            raise refusal(where, f'is the text {value[:40]!r}')
    elif isinstance(value, (int, float)):
        # seeds have a range of their own
        large = abs(value) > MAX_NUMBER and not where.endswith('.seed')
        if large or not math.isfinite(value):
            raise refusal(where, f'is not a number up to {MAX_NUMBER}')
    elif isinstance(value, dict):
        for key, item in value.items():
            check_key(key, item, where)
            check_value(item, f'{where}.{key}')
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            check_value(item, f'{where}.{i}')
    elif value is not None:
        raise refusal(where, f'is a {type(value).__name__}')


def check_key(key: Any, value: Any, where: str) -> None:
    """As :func:`check_value`, for the name of an argument."""
    # '_scope_' and the like are commands to mmengine
    if not isinstance(key, str) or not re.fullmatch(r'[^\W_]\w{0,99}', key):
        raise refusal(where, f'has the name {str(key)[:40]!r}')
    if reads_elsewhere(key, value):
        raise refusal(f'{where}.{key}', 'would read another file')


def reads_elsewhere(key: str, value: Any) -> bool:
    """Whether an argument has something read from outside the file."""
    return bool(OUTSIDE.search(key)) and isinstance(value, (str, dict, list))


@contextmanager
def model_of_a_file() -> Iterator[None]:
    """Turns any exception from building a model of a file's settings, which
    may be anything at all, into a CheckpointError."""
    try:
        yield
    except CheckpointError:
        raise
    except Exception as error:
        reason = ' '.join(str(error).split())[:200] or type(error).__name__
        raise CheckpointError(
            f'its model cannot be built: {reason}') from error


@contextmanager
def limit_parameters(weights: Dict[str, Tensor]) -> Iterator[None]:
    """Stops a network that gets far more parameters than its weights.

    Up to twice as many are allowed, and :data:`SLACK`: some networks register
    a parameter twice, and weights that are missing can be named.

    Args:
        weights (dict): State dict of the file.

    Raises:
        CheckpointError: At the first parameter that is one too many.
    """
    left = [SLACK + 2 * sum(value.numel() for value in weights.values())]

    def count(module, name, parameter):
        if parameter is not None:
            left[0] -= max(parameter.numel(), 1)
        if left[0] < 0:
            raise CheckpointError('its settings are refused: the model is '
                                  'larger than the weights.')

    handle = registration.register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        handle.remove()
