"""Weights files, read without executing anything that they contain."""
import zipfile
from pathlib import Path
from typing import Any, Dict

import numpy as np
import torch

from ..errors import CheckpointError

#: The attribute of a folder in an archive. torch's reader leaves the memory
#: of a tensor whose part has it as it is.
FOLDER = 0x10


def read_plain(path: str, map_location: Any = 'cpu') -> dict:
    """A dict of plain values and tensors that torch saved.

    Args:
        path (str): The file.
        map_location: Where tensors go, as in :func:`torch.load`.

    Raises:
        CheckpointError: If the file is missing, broken, no such dict, or
            holds objects that could execute code.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"there is no checkpoint '{path}'.")
    try:
        check_sums(path)
        content = torch.load(path, map_location=map_location,
                             weights_only=True)
    except CheckpointError:
        raise
    except Exception as error:  # any bytes at all may stand in the file
        reason = (str(error).strip() or type(error).__name__
                  ).splitlines()[0][:120]
        raise CheckpointError(
            f"'{path}' is not a checkpoint of plain weights: it is broken, of "
            f'another kind, or holds objects ({reason}).') from error
    if not isinstance(content, dict):
        raise CheckpointError(f"'{path}' holds a {type(content).__name__}, "
                              'not a checkpoint.')
    return content


def check_sums(path: str) -> None:
    """Compares the parts of a checkpoint with their checksums (CRC-32),
    which torch writes but does not verify.

    Raises:
        CheckpointError: If one differs.
    """
    if not zipfile.is_zipfile(path):
        return  # the format before torch 1.6 has none
    with zipfile.ZipFile(path) as parts:
        damaged = parts.testzip() or next(
            (part.filename for part in parts.infolist()
             if part.external_attr & FOLDER), None)
    if damaged is not None:
        raise CheckpointError(
            f"'{path}' was damaged after it was written: its part "
            f"'{damaged}' is not what was written. Use another copy.")


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
            f"'{path}' is not an archive of plain arrays (npz): it is broken, "
            f'of another kind, or holds objects ({reason}).') from error
    if not arrays:
        raise CheckpointError(f"'{path}' has no arrays under '{prefix}'.")
    return arrays
