"""Selection of the config and checkpoint in a work directory."""
import warnings
from pathlib import Path
from typing import List, Optional, Tuple

from ..errors import CheckpointError
from .checkpoints import read_checkpoint

#: File in which mmengine stores the path of the last checkpoint.
POINTER = 'last_checkpoint'


def newest_first(folder: Path) -> List[Path]:
    """List the checkpoints with a training state, newest first.

    The one that mmengine's pointer file names comes before all others.
    """
    folder = Path(folder)
    files = sorted((p for p in folder.glob('*.pth')
                    if p.name.startswith(('iter_', 'epoch_'))),
                   key=lambda p: p.stat().st_mtime_ns, reverse=True)
    pointer = folder / POINTER
    if pointer.is_file():
        named = Path(pointer.read_text().strip())
        # look in this folder first, as it may have been moved or copied
        for path in (folder / named.name, named):
            if path.is_file():
                return [path, *(p for p in files if p != path)]
    return files


def latest_checkpoint(folder: str) -> Optional[Tuple[str, dict]]:
    """Return the newest intact checkpoint of a work directory.

    Broken checkpoints are skipped with a warning.

    Returns:
        tuple[str, dict]: Path and content, or None if the directory has no
        checkpoints.

    Raises:
        CheckpointError: If all checkpoints are broken.
    """
    files = newest_first(folder)
    for path in files:
        try:
            return str(path), read_checkpoint(str(path))
        except CheckpointError as error:
            warnings.warn(f'{error} Trying the previous checkpoint.',
                          stacklevel=2)
    if files:
        raise CheckpointError(f"no checkpoint in '{folder}' can be read: all "
                              f'{len(files)} are broken.')
    return None


def find_run(folder: str) -> Tuple[Path, Path]:
    """Return the config and a checkpoint of a work directory.

    The best checkpoint is used if validation saved one, otherwise the last.

    Raises:
        CheckpointError: If the directory has no config or no checkpoint.
    """
    folder = Path(folder)
    configs = sorted(folder.glob('[!.]*.py'), key=lambda p: p.stat().st_mtime)
    if not configs:
        raise CheckpointError(f"'{folder}' is not a work directory: it has no "
                              'config (*.py).')
    best = sorted(folder.glob('best_*.pth'), key=lambda p: p.stat().st_mtime)
    last = sorted(folder.glob('[!.]*.pth'), key=lambda p: p.stat().st_mtime)
    if not last:
        raise CheckpointError(f"'{folder}' has no checkpoint (*.pth) yet.")
    return configs[-1], (best or last)[-1]


def newest_run(root: str = 'work_dirs') -> Optional[Path]:
    """Return the most recently written work directory below ``root``, or None
    if no run has a checkpoint."""
    files = sorted(Path(root).glob('**/[!.]*.pth'),
                   key=lambda p: p.stat().st_mtime)
    folders = [p.parent for p in files if any(p.parent.glob('[!.]*.py'))]
    return folders[-1] if folders else None
