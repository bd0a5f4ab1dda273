"""Models as folders in the layout of the Hugging Face Hub.

The settings are in ``config.json``, the weights in ``model.safetensors`` and
the model card in ``README.md``. Reading a folder executes no code.
"""
import json
from pathlib import Path
from typing import Any, Dict, Union

from torch import Tensor

from ..errors import CheckpointError, OutputError
from ..io.files import write_text
from ..version import __version__
from .exported import (FORMAT, FORMAT_VERSION, MAX_TEXT, check_digest,
                       check_format, contiguous, digest, opened, read_json,
                       tensors, write_safetensors)

CONFIG, WEIGHTS, CARD = 'config.json', 'model.safetensors', 'README.md'
LIBRARY = 'irsde_mm'
#: Fields of the config that are texts; see :func:`write_exported`.
TEXTS = ('title', 'licence', 'source', 'version')


def is_hub_folder(path: Union[str, Path]) -> bool:
    """Return True if a path is a folder with a ``config.json``."""
    return (Path(path) / CONFIG).is_file()


def read_hub_folder(path: Union[str, Path]) -> Dict[str, dict]:
    """Read a folder written by :func:`write_hub_folder` as a checkpoint.

    Returns:
        dict: ``state_dict`` and ``meta``, as :func:`read_exported` returns
        them.

    Raises:
        CheckpointError: If a file is missing, broken, modified, or was not
            written by irsde_mm of this or an older version.
    """
    config, file = Path(path) / CONFIG, Path(path) / WEIGHTS
    content = read_config(config)
    if not file.is_file():
        raise CheckpointError(f"'{path}' has no {WEIGHTS}.")
    with opened(str(file)) as part:
        weights = tensors(part)
    check_digest(str(file), content.get('sha256'), digest(weights, {}))
    meta = dict(exported={key: content[key] for key in (
        *TEXTS, 'pipeline', 'calibration') if key in content})
    if content.get('settings') is not None:
        meta['irsde_mm'] = content['settings']
    return dict(state_dict=weights, meta=meta)


def read_config(path: Path) -> Dict[str, Any]:
    """Read the config of a hub folder.

    Raises:
        CheckpointError: If it does not describe a pipeline of irsde_mm.
    """
    try:
        if path.stat().st_size > MAX_TEXT:
            raise ValueError(f'longer than {MAX_TEXT} bytes')
        text = path.read_text(encoding='utf-8')
    except (OSError, ValueError) as error:
        raise CheckpointError(f"'{path}' cannot be read: {error}.") from error
    content = read_json(str(path), text)
    if not isinstance(content, dict) or content.get('format') != FORMAT:
        raise CheckpointError(f"'{path}' does not describe a model of "
                              f"{LIBRARY}: 'format' is not '{FORMAT}'.")
    check_format(str(path), dict(content, format_version=str(
        content.get('format_version'))))
    for key in TEXTS:
        if not isinstance(content.get(key), str):
            raise CheckpointError(f"'{path}': {key} is missing or not a text.")
    if 'pipeline' not in content:
        raise CheckpointError(f"'{path}': pipeline is missing.")
    return content


def check_free(folder: Path) -> None:
    """Check that a folder has none of the files of a model.

    Raises:
        OutputError: If it has, or if the path is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"'{folder}' is a file, not a folder.")
    for name in (CONFIG, WEIGHTS, CARD):
        if (folder / name).exists() or (folder / name).is_symlink():
            raise OutputError(f"'{folder / name}' already exists and is not "
                              'overwritten: choose another folder.')


def write_hub_folder(folder: Path, weights: Dict[str, Tensor],
                     content: Dict[str, Any], card: str) -> None:
    """Write a model as a folder; ``config.json`` is written last.

    Args:
        folder (Path): A folder, created if it is missing, without the files
            of a model.
        weights (dict): Tensors on the CPU.
        content (dict): Texts, ``pipeline``, ``settings`` and, if there is
            one, ``calibration``; format, version and checksum are added.
        card (str): The model card.

    Raises:
        OutputError: If a file exists or cannot be written.
    """
    check_free(folder)
    weights = contiguous(weights)
    content = dict(
        content, library_name=LIBRARY, format=FORMAT,
        format_version=FORMAT_VERSION, version=__version__,
        sha256=digest(weights, {}))
    try:
        config = json.dumps(content, indent=2, sort_keys=True,
                            allow_nan=False)
        folder.mkdir(parents=True, exist_ok=True)
        # other loaders of the Hub expect this entry
        write_safetensors(folder / WEIGHTS, weights, dict(format='pt'))
        write_text(folder / CARD, card)
        write_text(folder / CONFIG, f'{config}\n')
    except (OSError, ValueError) as error:  # a number that is not finite
        raise OutputError(f"cannot write to '{folder}': {error}.") from error
