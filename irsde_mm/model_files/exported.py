"""Exported models: weights and settings in one file."""
import hashlib
import json
import os
from pathlib import Path
from typing import Any, Dict

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import CheckpointError, OutputError
from ..io.files import replace
from ..version import __version__

#: The suffix of exported files; they tell by their metadata what they are.
EXPORTED = '.safetensors'
#: Version 1 (irsde_mm 0.1) held a config, version 2 holds a pipeline.
FORMAT, FORMAT_VERSION = 'irsde_mm', 2
#: Texts that are JSON.
JSON = ('config', 'settings', 'pipeline', 'model', 'degradation')
MAX_TEXT = 2**20  # characters of a text in a file; ours have thousands


def read_exported(path: str) -> Dict[str, dict]:
    """The contents of a file that :func:`write_exported` wrote.

    Returns:
        dict: ``state_dict``, and in ``meta`` the settings of the training
        (``irsde_mm``, where the model has them) and ``exported``: the other
        metadata, with ``pipeline``, ``model`` and ``config`` as dicts.

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
        raise CheckpointError(f"'{path}' is not a {EXPORTED} file, or is "
                              f'broken: {error}') from error
    if texts.get('sha256') != digest(weights, texts):
        raise CheckpointError(
            f"'{path}' was changed or damaged after it was written: its "
            'checksum (sha256) differs. Use another copy of it.')
    parts = {key: read_json(path, texts[key]) for key in JSON if key in texts}
    settings = parts.pop('settings', None)
    meta = {} if settings is None else dict(irsde_mm=settings)
    return dict(state_dict=weights, meta=dict(
        meta, exported=dict(texts, **parts)))


def check_format(path: str, texts: Dict[str, str]) -> None:
    """Refuses a file that was not written by this irsde_mm or an older one.

    Raises:
        CheckpointError: Saying which.
    """
    number = texts.get('format_version', '')
    if texts.get('format') != FORMAT or not number.isdecimal():
        raise CheckpointError(
            f"'{path}' has weights but does not say of which model: it was "
            'not written by tools/export.py.')
    if not 1 <= int(number) <= FORMAT_VERSION:
        raise CheckpointError(
            f"'{path}' was made by irsde_mm {texts.get('version')} in the "
            f'format {number}; this is irsde_mm {__version__}, which reads '
            f'formats up to {FORMAT_VERSION}: use a newer one.')


def read_json(path: str, text: str) -> Any:
    """A value of JSON, without NaN and infinity.

    Raises:
        CheckpointError: If the text is not JSON, or too long.
    """

    def refuse(name: str) -> None:
        raise ValueError(f'{name} is not a number')

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
