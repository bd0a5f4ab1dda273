"""Reading weights without executing anything that a file brings along."""
from pathlib import Path
from typing import Dict

import numpy as np
import torch

from .errors import CheckpointError


def read_plain(path: str) -> dict:
    """A dict of plain values and tensors that torch saved.

    Raises:
        CheckpointError: If the file is missing, broken, no such dict, or
            holds objects that could execute code.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"there is no checkpoint '{path}'.")
    try:
        content = torch.load(path, map_location='cpu', weights_only=True)
    except Exception as error:  # any bytes at all may stand in the file
        reason = (str(error).strip() or type(error).__name__
                  ).splitlines()[0][:120]
        raise CheckpointError(
            f"'{path}' is no checkpoint of plain weights: it is broken, of "
            f'another kind, or holds objects ({reason}).') from error
    if not isinstance(content, dict):
        raise CheckpointError(f"'{path}' holds a {type(content).__name__}, "
                              'not a checkpoint.')
    return content


def read_arrays(path: str, prefix: str) -> Dict[str, torch.Tensor]:
    """The arrays of a numpy archive (npz) whose names begin with a prefix,
    by the rest of their names.

    Raises:
        CheckpointError: If the file is missing, broken, no such archive, has
            no such array, or these hold objects that could execute code.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"there is no checkpoint '{path}'.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key.removeprefix(prefix): torch.from_numpy(archive[key])
                      for key in archive if key.startswith(prefix)}
    except Exception as error:  # any bytes at all may stand in the file
        reason = (str(error).strip() or type(error).__name__
                  ).splitlines()[0][:120]
        raise CheckpointError(
            f"'{path}' is no archive of plain arrays (npz): it is broken, of "
            f'another kind, or holds objects ({reason}).') from error
    if not arrays:
        raise CheckpointError(f"'{path}' has no arrays under '{prefix}'.")
    return arrays
