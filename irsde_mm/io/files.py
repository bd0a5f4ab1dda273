"""Files that are replaced whole, or not at all."""
import os
from pathlib import Path

#: Suffix of a file that is being written.
PART = '.part'


def replace(part: Path, path: Path) -> None:
    """Moves a file that was written beside its place into it.

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
    """Removes files that a killed process left half written."""
    for part in Path(folder).glob(f'*{PART}'):
        part.unlink(missing_ok=True)
