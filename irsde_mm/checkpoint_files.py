"""The checkpoints of a work folder, newest first; files replaced whole."""
import os
from pathlib import Path
from typing import List

POINTER = 'last_checkpoint'  # mmengine's
PART = '.part'


def replace(part: Path, path: Path) -> None:
    """Gives a file that was written beside its place its name.

    At any moment, also after a power cut, ``path`` is the file as it was
    before or the new one, whole.
    """
    with open(part, 'rb+') as file:
        os.fsync(file.fileno())
    os.replace(part, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_text(path: Path, text: str) -> None:
    """Replaces a small file whole."""
    part = path.with_name(path.name + PART)
    part.write_text(text)
    replace(part, path)


def remove_parts(folder: Path) -> None:
    """Removes what a killed process left half written."""
    for part in Path(folder).glob(f'*{PART}'):
        part.unlink(missing_ok=True)


def newest_first(folder: Path) -> List[Path]:
    """Checkpoints with a training state: the one that was named last, then
    the others by age."""
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
