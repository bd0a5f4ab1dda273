"""Atomic replacement of files."""
import os
from pathlib import Path

#: Suffix of a file that is being written.
PART = '.part'


def replace(part: Path, path: Path) -> None:
    """Atomically replace ``path`` with a finished temporary file.

    At any time, even after a power failure, ``path`` is either the complete
    old file or the complete new one.

    Args:
        part (Path): The temporary file, in the folder of ``path``.
        path (Path): The file to replace.
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
    """Atomically write text to a small file."""
    part = path.with_name(path.name + PART)
    part.write_text(text)
    replace(part, path)


def remove_parts(folder: Path) -> None:
    """Remove temporary files that a killed process left in a folder."""
    for part in Path(folder).glob(f'*{PART}'):
        part.unlink(missing_ok=True)
