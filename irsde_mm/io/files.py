"""Atomic replacement of files."""
import os
from pathlib import Path
from typing import Union

#: Suffix of a file that is being written.
PART = '.part'
#: Suffixes of the graphs that ``irsde export`` writes, by format.
GRAPHS = dict(onnx='.onnx', torch='.pt2')


def is_graph(path: Union[str, Path]) -> bool:
    """Return whether a name is that of an exported graph."""
    return Path(path).suffix in GRAPHS.values()


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
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(part: Path, path: Path) -> None:
    """Give a finished file or folder its final name.

    Args:
        part (Path): A file or folder on the file system of ``path``.
        path (Path): Its new name.

    Raises:
        FileExistsError: If there is something under this name.
    """
    if part.is_dir() or not _linked(part, path):
        if os.path.lexists(path):
            raise FileExistsError(str(path))
        os.rename(part, path)
    sync_folder(path.parent)


def _linked(part: Path, path: Path) -> bool:
    """Move a file without replacing another; return False if the file system
    has no hard links."""
    with open(part, 'rb+') as file:
        os.fsync(file.fileno())
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        return False
    part.unlink()
    return True


def write_text(path: Path, text: str) -> None:
    """Atomically write text to a small file."""
    part = path.with_name(path.name + PART)
    part.write_text(text)
    replace(part, path)


def remove_parts(folder: Path) -> None:
    """Remove temporary files that a killed process left in a folder."""
    for part in Path(folder).glob(f'*{PART}'):
        part.unlink(missing_ok=True)
