"""Reading, checking and loading of checkpoints."""
from pathlib import Path
from typing import Any, Dict, Union

import torch
from torch import nn

from ..errors import CheckpointError
from ..io.weights import read_plain
from .exported import EXPORTED, read_exported
from .hub_folders import is_hub_folder, read_hub_folder

#: Extensions of config files.
CONFIGS = ('.py', '.json', '.yaml', '.yml')


def is_weights(path: Union[str, Path]) -> bool:
    """Return True if a path is an existing file that is not a config, or a
    folder in the layout of the Hugging Face Hub."""
    return is_hub_folder(path) or (
        Path(path).is_file() and Path(path).suffix not in CONFIGS)


def read_content(path: str, map_location: Any = 'cpu') -> dict:
    """Read a torch checkpoint, or an exported file or hub folder as one.

    Args:
        path (str): The file or folder.
        map_location: Device of the tensors, as in :func:`torch.load`.

    Raises:
        CheckpointError: As for :func:`read_plain`, :func:`read_exported` and
            :func:`read_hub_folder`.
    """
    if is_hub_folder(path):
        return read_hub_folder(path)
    if Path(path).suffix == EXPORTED and Path(path).is_file():
        return read_exported(path)
    return read_plain(path, map_location)


def read_checkpoint(path: str) -> dict:
    """Read a checkpoint, a dict with ``state_dict`` and ``meta``.

    Raises:
        CheckpointError: As for :func:`read_content`, or if the file has no
            weights or its weights are not finite.
    """
    content = read_content(path)
    weights = content.get('state_dict')
    if not isinstance(weights, dict) or not weights or not all(
            is_dense(value) for value in weights.values()):
        raise CheckpointError(
            f"'{path}' has no weights under 'state_dict'. Convert weights in "
            'the published layout with tools/convert_checkpoint.py.')
    if not isinstance(content.setdefault('meta', {}), dict):
        raise CheckpointError(f"'{path}': 'meta' is not a dict.")
    check_numbers(path, weights)
    return content


def without_prefix(weights: Dict[str, torch.Tensor]
                   ) -> Dict[str, torch.Tensor]:
    """Remove the prefix that parallel wrappers add to the names of weights."""
    return {key.removeprefix('module.'): value
            for key, value in weights.items()}


def is_dense(value: Any) -> bool:
    """Return True for a dense tensor that is neither quantized nor meta."""
    return (isinstance(value, torch.Tensor) and not value.is_meta
            and value.layout == torch.strided and not value.is_quantized)


def check_numbers(path: str, weights: Dict[str, torch.Tensor]) -> None:
    """Check that all weights are finite.

    Raises:
        CheckpointError: Naming the first weight that is not.
    """
    for name, value in weights.items():
        # a view can declare more elements than its storage holds
        stored = value.untyped_storage().nbytes() // value.element_size()
        if value.numel() > stored or not value.isfinite().all():
            raise CheckpointError(
                f"'{path}': the weight '{name}' has values that are not "
                'finite: the training failed. Use an earlier checkpoint.')


def load_weights(model: nn.Module, path: str) -> None:
    """Load the weights of a checkpoint (its EMA weights) into a model.

    Raises:
        CheckpointError: If the file is not a checkpoint, or if its weights or
            settings do not match the model.
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
        raise CheckpointError(f"'{path}' does not match the model: "
                              f'{str(error).splitlines()[-1].strip()}'
                              ) from error


def check_weights(given: dict, own: dict) -> None:
    """Check that a state dict has every weight of a model, in its shape.

    Args:
        given (dict): State dict of the checkpoint; extra weights are ignored.
        own (dict): State dict of the model.

    Raises:
        CheckpointError: Naming the first weight that is missing or has
            another shape.
    """
    given = without_prefix(given)
    missing = [key for key in own if key not in given]
    if missing:
        raise CheckpointError(
            f'the checkpoint lacks {len(missing)} of the {len(own)} weights '
            f"of the model, starting with '{missing[0]}'. Use the config of "
            'the checkpoint, or convert weights in the published layout with '
            'tools/convert_checkpoint.py.')
    for key, value in own.items():
        if value.shape != given[key].shape:
            raise CheckpointError(
                f"the weight '{key}' has shape {tuple(given[key].shape)} in "
                f'the checkpoint but {tuple(value.shape)} in the model.')


def check_fit(given: dict, own: dict) -> None:
    """Check that a state dict has exactly the weights of a model.

    Args:
        given (dict): State dict of the checkpoint.
        own (dict): State dict of the model.

    Raises:
        CheckpointError: Naming the first weight that is missing, has another
            shape, or is unexpected.
    """
    check_weights(given, own)
    more = sorted(set(without_prefix(given)) - set(own))
    if more:
        raise CheckpointError(f'the file has {len(more)} unexpected '
                              f"weight(s), starting with '{more[0]}'.")
