"""Work folders: which config and which checkpoint of a run is taken."""
import warnings
from pathlib import Path
from typing import List, Optional, Tuple

from ..errors import CheckpointError
from .checkpoints import read_checkpoint

#: mmengine's file that names the last checkpoint.
POINTER = 'last_checkpoint'


def newest_first(folder: Path) -> List[Path]:
    """Checkpoints with a training state: the one that mmengine's pointer
    names, then the others by age."""
    folder = Path(folder)
    files = sorted((p for p in folder.glob('*.pth')
                    if p.name.startswith(('iter_', 'epoch_'))),
                   key=lambda p: p.stat().st_mtime_ns, reverse=True)
    pointer = folder / POINTER
    if pointer.is_file():
        named = Path(pointer.read_text().strip())
        # by name first: the folder may have been moved or copied
        for path in (folder / named.name, named):
            if path.is_file():
                return [path, *(p for p in files if p != path)]
    return files


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
    configs = sorted(folder.glob('[!.]*.py'), key=lambda p: p.stat().st_mtime)
    if not configs:
        raise CheckpointError(f"'{folder}' is not a work folder: it has no "
                              'config (*.py).')
    best = sorted(folder.glob('best_*.pth'), key=lambda p: p.stat().st_mtime)
    last = sorted(folder.glob('[!.]*.pth'), key=lambda p: p.stat().st_mtime)
    if not last:
        raise CheckpointError(f"'{folder}' has no checkpoint (*.pth) yet.")
    return configs[-1], (best or last)[-1]


def newest_run(root: str = 'work_dirs') -> Path:
    """The work folder below ``root`` that was written last.

    Raises:
        CheckpointError: If no run with a checkpoint is found.
    """
    files = sorted(Path(root).glob('**/[!.]*.pth'),
                   key=lambda p: p.stat().st_mtime)
    folders = [p.parent for p in files if any(p.parent.glob('[!.]*.py'))]
    if not folders:
        raise CheckpointError(
            f"there is no trained model under '{root}/'; train one (python "
            'tools/train.py configs/quickstart/derain.py) or name one with '
            '--model.')
    return folders[-1]
