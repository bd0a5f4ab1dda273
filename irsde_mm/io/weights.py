"""Reading of weights files without executing code that they contain."""
import zipfile
from pathlib import Path
from typing import Any, Dict

import numpy as np
import torch

from ..errors import CheckpointError

#: The attribute of a folder in an archive. If the part of a tensor has it,
#: torch leaves the tensor's memory uninitialized.
FOLDER = 0x10


def read_plain(path: str, map_location: Any = 'cpu') -> dict:
    """Read a dict of plain values and tensors written by ``torch.save``.

    Args:
        path (str): The file.
        map_location: Device of the tensors, as in :func:`torch.load`.

    Raises:
        CheckpointError: If the file is missing, broken, not a dict, or
            contains objects that could execute code.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"no checkpoint found at '{path}'.")
    try:
        check_sums(path)
        content = torch.load(path, map_location=map_location,
                             weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # the file may contain arbitrary bytes
        reason = (str(error).strip() or type(error).__name__
                  ).splitlines()[0][:120]
        raise CheckpointError(
            f"'{path}' is not a checkpoint of plain weights: it is broken, "
            'has another format, or contains Python objects '
            f'({reason}).') from error
    if not isinstance(content, dict):
        raise CheckpointError(f"'{path}' contains a {type(content).__name__}, "
                              'not a checkpoint.')
    return content


def check_sums(path: str) -> None:
    """Verify the checksums (CRC-32) of the parts of a checkpoint.

    torch writes them but does not verify them.

    Raises:
        CheckpointError: If a checksum differs.
    """
    if not zipfile.is_zipfile(path):
        return  # the format before torch 1.6 has no checksums
    with zipfile.ZipFile(path) as parts:
        damaged = parts.testzip() or next(
            (part.filename for part in parts.infolist()
             if part.external_attr & FOLDER), None)
    if damaged is not None:
        raise CheckpointError(
            f"'{path}' is corrupted: the checksum of '{damaged}' does not "
            'match. Use another copy.')


def read_arrays(path: str, prefix: str) -> Dict[str, torch.Tensor]:
    """Read the arrays under a name prefix from a numpy archive (npz).

    Returns:
        dict[str, Tensor]: Arrays by name without the prefix.

    Raises:
        CheckpointError: If the file is missing, broken, not such an archive,
            has no arrays with the prefix, or contains objects that could
            execute code.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"no checkpoint found at '{path}'.")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key.removeprefix(prefix): torch.from_numpy(archive[key])
                      for key in archive if key.startswith(prefix)}
    except Exception as error:  # the file may contain arbitrary bytes
        reason = (str(error).strip() or type(error).__name__
                  ).splitlines()[0][:120]
        raise CheckpointError(
            f"'{path}' is not an archive of plain arrays (npz): it is broken, "
            'has another format, or contains Python objects '
            f'({reason}).') from error
    if not arrays:
        raise CheckpointError(f"'{path}' has no arrays under '{prefix}'.")
    return arrays
