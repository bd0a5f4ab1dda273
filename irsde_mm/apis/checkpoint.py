"""Checkpoints: reading them, finding them, putting them in a model."""
import warnings
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

import torch
from torch import nn

from ..checkpoint_files import newest_first
from ..errors import CheckpointError
from ..weight_files import read_plain


def read_checkpoint(path: str) -> dict:
    """A checkpoint: a dict with ``state_dict`` and ``meta``.

    Raises:
        CheckpointError: As :func:`read_plain`, or if it has no weights, or
            such as are no finite numbers.
    """
    content = read_plain(path)
    weights = content.get('state_dict')
    if not isinstance(weights, dict) or not weights or not all(
            is_dense(value) for value in weights.values()):
        raise CheckpointError(
            f"'{path}' has no weights under 'state_dict'; weights of the "
            'published layout go through tools/convert_checkpoint.py.')
    if not isinstance(content.setdefault('meta', {}), dict):
        raise CheckpointError(f"'{path}' has a 'meta' that is no dict.")
    check_numbers(path, weights)
    return content


def is_dense(value: Any) -> bool:
    """Whether something is a tensor with a number for every place."""
    return (isinstance(value, torch.Tensor) and not value.is_meta
            and value.layout == torch.strided and not value.is_quantized)


def check_numbers(path: str, weights: Dict[str, torch.Tensor]) -> None:
    """Stops weights with NaN or infinite values, which restore nothing.

    Raises:
        CheckpointError: With the first of them.
    """
    for name, value in weights.items():
        # a view may claim more than the file holds
        stored = value.untyped_storage().nbytes() // value.element_size()
        if value.numel() > stored or not value.isfinite().all():
            raise CheckpointError(
                f"'{path}': the weight '{name}' has values that are no finite "
                'numbers; the training had failed. Use an earlier checkpoint.')


def load_weights(model: nn.Module, path: str) -> None:
    """Puts a checkpoint's weights (EMA weights, as files hold) in a model.

    Raises:
        CheckpointError: If the file is none, or weights or settings do not
            fit.
    """
    checkpoint = read_checkpoint(path)
    check_fit = getattr(model, 'check_checkpoint', None)
    try:
        if check_fit is not None:
            check_fit(checkpoint)
        model.load_state_dict(checkpoint['state_dict'])
    except CheckpointError as error:
        raise CheckpointError(f"'{path}': {error}") from error
    except RuntimeError as error:
        raise CheckpointError(f"'{path}' does not fit the model: "
                              f'{str(error).splitlines()[-1].strip()}'
                              ) from error


def latest_checkpoint(folder: str) -> Optional[Tuple[str, dict]]:
    """The newest whole checkpoint of a work folder and what it holds.

    Warns of each newer one that is broken.

    Returns:
        tuple[str, dict], or None if the folder has none at all.

    Raises:
        CheckpointError: If there are some and all are broken.
    """
    files = newest_first(folder)
    for path in files:
        try:
            return str(path), read_checkpoint(str(path))
        except CheckpointError as error:
            warnings.warn(f'{error} Taking the one before.', stacklevel=2)
    if files:
        raise CheckpointError(f"no checkpoint in '{folder}' can be read; "
                              f'{len(files)} are broken.')
    return None


def find_run(folder: str) -> Tuple[Path, Path]:
    """Config and checkpoint of a work folder.

    Takes the best checkpoint where validation kept one, else the last.

    Raises:
        CheckpointError: If the folder has no config or no checkpoint.
    """
    folder = Path(folder)
    configs = sorted(folder.glob('*.py'), key=lambda p: p.stat().st_mtime)
    if not configs:
        raise CheckpointError(f"'{folder}' is no work folder: it has no "
                              'config (*.py).')
    best = sorted(folder.glob('best_*.pth'), key=lambda p: p.stat().st_mtime)
    last = sorted(folder.glob('*.pth'), key=lambda p: p.stat().st_mtime)
    if not last:
        raise CheckpointError(f"'{folder}' has no checkpoint (*.pth) yet.")
    return configs[-1], (best or last)[-1]


def newest_run(root: str = 'work_dirs') -> Path:
    """The work folder below ``root`` that was written last.

    Raises:
        CheckpointError: If there is none with a checkpoint.
    """
    files = sorted(Path(root).glob('**/*.pth'),
                   key=lambda p: p.stat().st_mtime)
    folders = [p.parent for p in files if any(p.parent.glob('*.py'))]
    if not folders:
        raise CheckpointError(
            f"there is no trained model under '{root}/'; train one (python "
            'tools/train.py configs/quickstart/derain.py) or name one with '
            '--model.')
    return folders[-1]
