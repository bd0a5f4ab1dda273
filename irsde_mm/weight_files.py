"""Weights files, read without executing anything that they bring along."""
import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any, Dict

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .checkpoint_files import replace
from .errors import CheckpointError, OutputError
from .version import __version__

#: The suffix of exported files; they tell by their metadata what they are.
EXPORTED = '.safetensors'
FORMAT, FORMAT_VERSION = 'irsde_mm', 1
MAX_TEXT = 2**20  # characters of a config in a file; ours have thousands


def read_plain(path: str, map_location: Any = 'cpu') -> dict:
    """A dict of plain values and tensors: what torch saved, or an exported
    file in the form of a checkpoint (:func:`read_exported`).

    Args:
        path (str): The file.
        map_location: Where tensors go, as in :func:`torch.load`.

    Raises:
        CheckpointError: If the file is missing, broken, no such dict, or
            holds objects that could execute code.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"there is no checkpoint '{path}'.")
    if Path(path).suffix == EXPORTED:
        return read_exported(path)
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
            f"'{path}' is no checkpoint of plain weights: it is broken, of "
            f'another kind, or holds objects ({reason}).') from error
    if not isinstance(content, dict):
        raise CheckpointError(f"'{path}' holds a {type(content).__name__}, "
                              'not a checkpoint.')
    return content


def check_sums(path: str) -> None:
    """Compares the parts of a checkpoint with their checksums (CRC-32),
    which torch writes but does not look at.

    Raises:
        CheckpointError: If one differs.
    """
    if not zipfile.is_zipfile(path):
        return  # the format before torch 1.6 has none
    with zipfile.ZipFile(path) as parts:
        damaged = parts.testzip()
    if damaged is not None:
        raise CheckpointError(
            f"'{path}' was damaged after it was written: its part "
            f"'{damaged}' has another checksum. Use another copy of it.")


def read_exported(path: str) -> Dict[str, dict]:
    """What :func:`write_exported` wrote.

    Returns:
        dict: ``state_dict``, and in ``meta`` the settings of the training
        (``irsde_mm``, where the model has them) and ``exported``: the other
        metadata with ``config`` as a dict.

    Raises:
        CheckpointError: If the file is broken, was not written by
            irsde_mm, or by a newer one.
    """
    try:
        with safe_open(path, framework='pt') as file:
            texts = file.metadata() or {}
            check_format(path, texts)
            names = file.keys()
            weights = {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"'{path}' is no {EXPORTED} file, or a broken "
                              f'one: {error}') from error
    if texts.get('sha256') != digest(weights, texts):
        raise CheckpointError(
            f"'{path}' was changed or damaged after it was written: its "
            'checksum (sha256) is another. Use another copy of it.')
    config, settings = (read_json(path, texts.get(key, 'null'))
                        for key in ('config', 'settings'))
    meta = {} if settings is None else dict(irsde_mm=settings)
    return dict(state_dict=weights,
                meta=dict(meta, exported=dict(texts, config=config)))


def check_format(path: str, texts: Dict[str, str]) -> None:
    """Stops a file that was not written by this irsde_mm or an older one.

    Raises:
        CheckpointError: Saying which.
    """
    number = texts.get('format_version', '')
    if texts.get('format') != FORMAT or not number.isdecimal():
        raise CheckpointError(
            f"'{path}' has weights but does not say of which model: it was "
            'not written by tools/export.py.')
    if number != str(FORMAT_VERSION):
        raise CheckpointError(
            f"'{path}' was made by irsde_mm {texts.get('version')} in the "
            f'format {number}; this is irsde_mm {__version__}, which reads '
            f'format {FORMAT_VERSION}: use a newer one.')


def read_json(path: str, text: str) -> Any:
    """A value of JSON, without NaN and infinity.

    Raises:
        CheckpointError: If the text is none, or no config's.
    """

    def refuse(name: str) -> None:
        raise ValueError(f'{name} is no number')

    try:
        if len(text) > MAX_TEXT:
            raise ValueError(f'longer than {MAX_TEXT} characters')
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"the metadata of '{path}' cannot be read: "
                              f'{error}.') from error


def digest(weights: Dict[str, Tensor], texts: Dict[str, str]) -> str:
    """SHA-256 of metadata and weights, names, types and shapes included."""
    sha = hashlib.sha256()
    for key in sorted(set(texts) - {'sha256'}):
        sha.update(f'{key}={texts[key]}\n'.encode())
    for key in sorted(weights):
        value = weights[key].contiguous()
        sha.update(f'{key} {value.dtype} {tuple(value.shape)}\n'.encode())
        sha.update(value.reshape(-1).view(torch.uint8).numpy())
    return sha.hexdigest()


def write_exported(path: Path, weights: Dict[str, Tensor],
                   texts: Dict[str, str]) -> None:
    """Writes weights with metadata: the whole file, or none.

    Args:
        path (Path): The file, which must not exist.
        weights (dict): Tensors on the CPU.
        texts (dict): Metadata; format, version and checksum are added.

    Raises:
        OutputError: If it cannot be written.
    """
    # channels-last weights too: safetensors knows one order alone
    weights = {key: value.detach().clone(
        memory_format=torch.contiguous_format)
        for key, value in weights.items()}
    texts = dict(texts, format=FORMAT, format_version=str(FORMAT_VERSION),
                 version=__version__)
    draft = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        # its save_file would make a file that others cannot read
        draft.write_bytes(save(
            weights, dict(texts, sha256=digest(weights, texts))))
        replace(draft, path)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"cannot write '{path}': {error}.") from error
    finally:
        draft.unlink(missing_ok=True)


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
