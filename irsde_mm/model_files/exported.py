"""Exported models, single files with weights and settings."""
import hashlib
import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import CheckpointError, OutputError
from ..inference.intervals import Calibration
from ..io.files import replace
from ..version import __version__

#: Suffix of exported files; their metadata identifies them.
EXPORTED = '.safetensors'
#: Version 1 (irsde_mm 0.1) contains a config, version 2 a pipeline.
FORMAT, FORMAT_VERSION = 'irsde_mm', 2
#: Metadata fields that are JSON.
JSON = ('config', 'settings', 'pipeline', 'model', 'degradation',
        'calibration')
#: Tensor with the metadata as JSON, for readers that see tensors only.
SETTINGS = 'irsde_mm.settings'
MAX_TEXT = 2**20  # characters per metadata field; ours have thousands


def read_parts(path: str) -> Tuple[Dict[str, Tensor], Dict[str, str]]:
    """Read the weights and the metadata of an exported file.

    Raises:
        CheckpointError: If the file is broken, or was not written by irsde_mm
            of this or an older version.
    """
    with opened(path) as file:
        texts = file.metadata() or {}
        check_format(path, texts)
        weights = tensors(file)
    packed = weights.pop(SETTINGS, None)
    check_digest(path, texts.get('sha256'), digest(weights, texts))
    if packed is not None and not torch.equal(packed, pack(texts)):
        check_digest(path, texts['sha256'], None)
    return weights, texts


def read_exported(path: str) -> Dict[str, dict]:
    """Read a file written by :func:`write_exported`.

    Returns:
        dict: ``state_dict`` and ``meta``. ``meta`` contains the training
        settings (``irsde_mm``, if the model has them) and ``exported``, the
        other metadata with ``pipeline``, ``model`` and ``config`` as dicts.

    Raises:
        CheckpointError: As for :func:`read_parts`.
    """
    return as_checkpoint(path, *read_parts(path))


def pack(texts: Dict[str, str]) -> Tensor:
    """Return metadata as the tensor :data:`SETTINGS`."""
    return torch.frombuffer(bytearray(json.dumps(
        texts, sort_keys=True).encode()), dtype=torch.uint8)


def unpacked(name: str, tensors: Dict[str, Tensor]) -> Dict[str, dict]:
    """Return the content of a file from its tensors, see
    :func:`read_exported`.

    Args:
        name (str): Name of the file, for messages.
        tensors (dict): Its tensors, among them :data:`SETTINGS`.

    Raises:
        CheckpointError: As for :func:`read_parts`.
    """
    weights = dict(tensors)
    packed = weights.pop(SETTINGS)
    try:
        texts = json.loads(packed.cpu().numpy().tobytes().decode())
        known = all(isinstance(text, str) for item in texts.items()
                    for text in item)
    except (ValueError, RecursionError, TypeError, AttributeError):
        known = False
    if not known:
        raise CheckpointError(f"the settings of '{name}' cannot be read.")
    check_format(name, texts)
    check_digest(name, texts.get('sha256'), digest(weights, texts))
    return as_checkpoint(name, weights, texts)


def as_checkpoint(path: str, weights: Dict[str, Tensor],
                  texts: Dict[str, str]) -> Dict[str, dict]:
    """Return weights and metadata as :func:`read_exported` does; weights in
    half precision become float32, in which networks compute."""
    weights = {key: value.float() if value.dtype == torch.float16 else value
               for key, value in weights.items()}
    parts = {key: read_json(path, texts[key]) for key in JSON if key in texts}
    settings = parts.pop('settings', None)
    meta = {} if settings is None else dict(irsde_mm=settings)
    return dict(state_dict=weights, meta=dict(
        meta, exported=dict(texts, **parts)))


@contextmanager
def opened(path: str) -> Iterator[Any]:
    """Open a safetensors file.

    Raises:
        CheckpointError: If it is broken, or has another format.
    """
    try:
        with safe_open(path, framework='pt') as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"'{path}' is not a {EXPORTED} file, or is "
                              f'broken: {error}') from error


def tensors(file: Any) -> Dict[str, Tensor]:
    """Read all tensors of an open safetensors file."""
    return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def check_digest(path: str, stated: Any, found: str) -> None:
    """Check the checksum of a file.

    Raises:
        CheckpointError: If it differs from the stated one.
    """
    if stated != found:
        raise CheckpointError(
            f"'{path}' was modified or corrupted: its checksum (sha256) does "
            'not match. Use another copy.')


def check_format(path: str, texts: Dict[str, str]) -> None:
    """Check that a file was written by this or an older irsde_mm.

    Raises:
        CheckpointError: If it was not.
    """
    number = texts.get('format_version', '')
    if texts.get('format') != FORMAT or not number.isdecimal():
        raise CheckpointError(
            f"'{path}' has weights but no description of the model: it was "
            'not written by tools/export.py. For a model of the Hugging Face '
            'Hub, specify its folder.')
    if not 1 <= int(number) <= FORMAT_VERSION:
        raise CheckpointError(
            f"'{path}' was written by irsde_mm {texts.get('version')} in "
            f'format {number}, but irsde_mm {__version__} reads formats up to '
            f'{FORMAT_VERSION}: install a newer version.')


def read_json(path: str, text: str) -> Any:
    """Parse JSON metadata, rejecting NaN and infinity.

    Raises:
        CheckpointError: If the text is not valid JSON or is too long.
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
    """Compute the SHA-256 of metadata and weights.

    It covers the names, types and shapes of the weights.
    """
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
    """Atomically write weights and metadata to a file.

    Args:
        path (Path): The file, which must not exist.
        weights (dict): Tensors on the CPU.
        texts (dict): Metadata; format, version and checksum are added.

    Raises:
        OutputError: If the file cannot be written.
    """
    weights = contiguous(weights)
    texts = dict(texts, format=FORMAT, format_version=str(FORMAT_VERSION),
                 version=__version__)
    texts['sha256'] = digest(weights, texts)
    write_safetensors(path, {**weights, SETTINGS: pack(texts)}, texts)


def contiguous(weights: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Copy weights, which may be channels-last, as safetensors requires."""
    return {key: value.detach().clone(memory_format=torch.contiguous_format)
            for key, value in weights.items()}


def write_safetensors(path: Path, weights: Dict[str, Tensor],
                      texts: Dict[str, str]) -> None:
    """Atomically write contiguous tensors and metadata to a file.

    Raises:
        OutputError: If the file cannot be written.
    """
    draft = path.with_name(f'.{path.name}.{os.getpid()}.part')
    try:
        # safetensors' save_file would create a file readable only by its
        # owner
        draft.write_bytes(save(weights, texts))
        replace(draft, path)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"cannot write '{path}': {error}.") from error
    finally:
        draft.unlink(missing_ok=True)


def write_calibrated(source: Path, path: Path,
                     calibration: Calibration) -> None:
    """Write a copy of an exported file with a calibration.

    Args:
        source (Path): The exported file; a calibration that it has is
            replaced.
        path (Path): The file, which must not exist.
        calibration (Calibration): The calibration.

    Raises:
        CheckpointError: As for :func:`read_parts`.
        OutputError: If the file cannot be written.
    """
    weights, texts = read_parts(str(source))
    texts.pop('sha256')
    write_exported(path, weights, dict(texts, calibration=json.dumps(
        calibration.settings(), allow_nan=False)))
