"""Checkpoints: reading them, checking them, loading them into a model."""
from pathlib import Path
from typing import Any, Dict, Union

import torch
from torch import nn

from ..errors import CheckpointError
from ..io.weights import read_plain
from .exported import EXPORTED, read_exported

#: Files that are configs, not weights.
CONFIGS = ('.py', '.json', '.yaml', '.yml')


def is_weights(path: Union[str, Path]) -> bool:
    """Whether a path is that of a file which is not a config."""
    return Path(path).is_file() and Path(path).suffix not in CONFIGS


def read_content(path: str, map_location: Any = 'cpu') -> dict:
    """A checkpoint of torch's, or an exported file in the form of one.

    Args:
        path (str): The file.
        map_location: Where tensors go, as in :func:`torch.load`.

    Raises:
        CheckpointError: As :func:`read_plain` and :func:`read_exported`.
    """
    if Path(path).suffix == EXPORTED and Path(path).is_file():
        return read_exported(path)
    return read_plain(path, map_location)


def read_checkpoint(path: str) -> dict:
    """A checkpoint: a dict with ``state_dict`` and ``meta``.

    Raises:
        CheckpointError: As :func:`read_content`, or if it has no weights, or
            weights that are not finite numbers.
    """
    content = read_content(path)
    weights = content.get('state_dict')
    if not isinstance(weights, dict) or not weights or not all(
            is_dense(value) for value in weights.values()):
        raise CheckpointError(
            f"'{path}' has no weights under 'state_dict'; weights of the "
            'published layout go through tools/convert_checkpoint.py.')
    if not isinstance(content.setdefault('meta', {}), dict):
        raise CheckpointError(f"'{path}' has a 'meta' that is not a dict.")
    check_numbers(path, weights)
    return content


def without_prefix(weights: Dict[str, torch.Tensor]
                   ) -> Dict[str, torch.Tensor]:
    """Weights of a parallel model by the names of the model itself."""
    return {key.removeprefix('module.'): value
            for key, value in weights.items()}


def is_dense(value: Any) -> bool:
    """Whether a value is a dense, plain tensor."""
    return (isinstance(value, torch.Tensor) and not value.is_meta
            and value.layout == torch.strided and not value.is_quantized)


def check_numbers(path: str, weights: Dict[str, torch.Tensor]) -> None:
    """Refuses weights with NaN or infinite values.

    Raises:
        CheckpointError: With the first of them.
    """
    for name, value in weights.items():
        # a view may claim more than the file holds
        stored = value.untyped_storage().nbytes() // value.element_size()
        if value.numel() > stored or not value.isfinite().all():
            raise CheckpointError(
                f"'{path}': the weight '{name}' has values that are not "
                'finite; the training had failed. Use an earlier checkpoint.')


def load_weights(model: nn.Module, path: str) -> None:
    """Puts a checkpoint's weights (EMA weights, as files hold) in a model.

    Raises:
        CheckpointError: If it is not a checkpoint, or weights or settings do
            not fit.
    """
    checkpoint = read_checkpoint(path)
    has_settings = hasattr(model, 'check_checkpoint')
    try:
        if has_settings:
            model.check_checkpoint(checkpoint)
        model.load_state_dict(without_prefix(checkpoint['state_dict']))
        if has_settings:
            model.adopt_settings(checkpoint)
    except CheckpointError as error:
        raise CheckpointError(f"'{path}': {error}") from error
    except RuntimeError as error:
        raise CheckpointError(f"'{path}' does not fit the model: "
                              f'{str(error).splitlines()[-1].strip()}'
                              ) from error


def check_weights(given: dict, own: dict) -> None:
    """Refuses weights whose names or shapes are not the model's.

    Raises:
        CheckpointError: With the first of them.
    """
    given = without_prefix(given)
    missing = [key for key in own if key not in given]
    if missing:
        raise CheckpointError(
            f'the checkpoint lacks {len(missing)} of the {len(own)} weights '
            f"of the model, the first is '{missing[0]}'. Weights of the "
            'published layout go through tools/convert_checkpoint.py.')
    for key, value in own.items():
        if value.shape != given[key].shape:
            raise CheckpointError(
                f"the weight '{key}' is {tuple(given[key].shape)} in the "
                f'checkpoint but {tuple(value.shape)} in the model: it is '
                'of another size.')


def check_fit(given: dict, own: dict) -> None:
    """Refuses weights that are not those of a model, all and no more.

    Raises:
        CheckpointError: With the first that is missing, of another shape, or
            left over.
    """
    check_weights(given, own)
    more = sorted(set(without_prefix(given)) - set(own))
    if more:
        raise CheckpointError(f'it has {len(more)} weights that its model '
                              f"has not, the first is '{more[0]}'.")
