"""Caches of decoded images, in memory or in a file shared by processes."""
import hashlib
import os
import warnings
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np

from ..errors import DataError
from ..io.shards import is_member, member_identity

READERS = 4096  # maximum number of data workers reading a file at once
_OPEN: Dict[str, Any] = {}  # files open in this process, by name


class MemoryCache:
    """Cache of images in the memory of this process.

    Args:
        megabytes (float): Capacity in units of 2^20 bytes. When it is full,
            no more images are added.
    """

    def __init__(self, megabytes: float) -> None:
        self.room = megabytes * 2**20
        self.images: Dict[tuple, np.ndarray] = {}

    def get(self, path: str, grey: bool,
            white: Optional[int] = None) -> Optional[np.ndarray]:
        """Return a copy of a cached image, (H, W, C) uint8, or None."""
        image = self.images.get((path, grey, white))
        return None if image is None else image.copy()

    def put(self, path: str, grey: bool, image: np.ndarray,
            white: Optional[int] = None) -> None:
        """Store a copy of an image if there is room."""
        if image.nbytes <= self.room:
            self.room -= image.nbytes
            self.images[path, grey, white] = image.copy()


class CacheFile:
    """LMDB file of bytes, shared by workers, processes and runs.

    Args:
        megabytes (float): Maximum size of the file in units of 2^20 bytes.
            When it is full, no more values are added.
        file (str | Path): The file. It is created if missing, with its folder
            and LMDB's lock file next to it. It must be on a local disk.

    Raises:
        DataError: If the file is not a cache, is broken or is not writable.
    """

    def __init__(self, megabytes: float, file: str) -> None:
        self.size = int(megabytes * 2**20)
        self.file = str(Path(file).absolute())
        self.full = False
        _open_file(self.file, self.size)

    def get(self, key: bytes) -> Optional[bytes]:
        """Return the value of a key of up to 511 bytes, or None if it is
        missing or broken."""
        import lmdb
        store = _open_file(self.file, self.size)
        try:
            with store.begin() as reading:
                return reading.get(key)
        except lmdb.Error:
            return None

    def put(self, key: bytes, value: bytes) -> None:
        """Store a value if the file and the disk have room."""
        import lmdb
        if self.full:
            return
        try:
            store = _open_file(self.file, self.size)
            with store.begin(write=True) as writing:
                writing.put(key, value)
        except lmdb.MapFullError:
            self.full = True
        except lmdb.Error as error:
            self.full = True
            warnings.warn(f"no more images are cached in '{self.file}': "
                          f'{error}', stacklevel=2)


class FileCache:
    """Cache of decoded images in a file, see :class:`CacheFile`.

    An image file that was modified after it was cached is read again.
    """

    def __init__(self, megabytes: float, file: str) -> None:
        self.values = CacheFile(megabytes, file)

    def get(self, path: str, grey: bool,
            white: Optional[int] = None) -> Optional[np.ndarray]:
        """Return a copy of a cached image, (H, W, C) uint8, or None.

        Broken entries also return None.
        """
        value = self.values.get(_key(path, grey, white))
        try:
            shape = np.frombuffer(value, np.int64, 3)
            return np.frombuffer(value, np.uint8, offset=shape.nbytes
                                 ).reshape(shape).copy()
        except (TypeError, ValueError):  # missing or broken
            return None

    def put(self, path: str, grey: bool, image: np.ndarray,
            white: Optional[int] = None) -> None:
        """Store a copy of an image if the file and the disk have room."""
        self.values.put(_key(path, grey, white), np.array(
            image.shape, np.int64).tobytes() + image.tobytes())


def _key(path: str, grey: bool, white: Optional[int] = None) -> bytes:
    if is_member(path):
        name = [*member_identity(path), grey]
    else:
        state = os.stat(path)
        name = [os.path.realpath(path), state.st_mtime_ns, state.st_size,
                grey]
    if white is not None:
        name.append(white)
    return hashlib.sha256(repr(name).encode()).digest()


def _open_file(file: str, size: int) -> Any:
    """Open a file once per process, since LMDB allows no more."""
    import lmdb
    if file in _OPEN:
        if size > _OPEN[file].info()['map_size']:
            _OPEN[file].set_mapsize(size)
        return _OPEN[file]
    locks = Path(file + '-lock')
    known = locks.exists()
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        store = lmdb.open(file, size, subdir=False, metasync=False,
                          max_readers=READERS)
    except (OSError, lmdb.Error) as error:
        if locks.exists() and not known:
            locks.unlink()
        raise DataError(f"cache_file '{file}' cannot be used ({error}); "
                        'choose another file.') from None
    pages = store.info()['last_pgno'] + 1
    if os.path.getsize(file) < pages * store.stat()['psize']:
        store.close()
        raise DataError(f"cache_file '{file}' is truncated; remove it.")
    _OPEN[file] = store
    return store


def close_files() -> None:
    """Close the cache files of this process; they reopen on next use."""
    while _OPEN:
        _OPEN.popitem()[1].close()


# LMDB does not survive a fork, and data workers are forked
os.register_at_fork(before=close_files)
