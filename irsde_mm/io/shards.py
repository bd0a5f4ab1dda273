"""Images in shards, read by index.

The address of an image is ``shard://SHARD/NAME``, such as
``shard://data/train-000.tar/a.input.png`` or
``shard://s3://bucket/train-000.tar/a.input.png``.
"""
import os
import threading
import time
import zlib
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from tarfile import BLOCKSIZE, NUL, HeaderError, TarInfo
from typing import Any, Dict, Optional, Tuple, Union

from ..errors import DataError, ImageError
from .addresses import filesystem, is_local, reason
from .shard_index import IndexProblem, ShardIndex, read_index

PREFIX, TAR, ENCODING = 'shard://', '.tar', 'utf-8'
MAX_FILES = 32  # open files per process
#: Seconds before each further try to reach a server, after those of the
#: protocol itself.
WAITS = (1, 4)

_SHARDS: Dict[str, 'Shard'] = {}  # in this process, by address
_FILES: 'OrderedDict[str, int]' = OrderedDict()  # descriptors, by path
_LOCK = threading.Lock()  # of the descriptors
# a data worker is not forked while another thread has the lock
os.register_at_fork(before=_LOCK.acquire, after_in_parent=_LOCK.release,
                    after_in_child=_LOCK.release)


class Shard:
    """A tar file of images with its index.

    Args:
        url (str): Path or fsspec address, ending in '.tar'.
        cache (optional): Cache of images' bytes, with ``get(key)`` and
            ``put(key, value)``.

    Raises:
        DataError: If the shard or the index cannot be used.
        IndexProblem: If there is no index, or it is not of this shard.
    """

    def __init__(self, url: str, cache: Any = None) -> None:
        if not url.endswith(TAR) or f'{TAR}/' in url:
            raise DataError(f"'{url}' does not end in '.tar', or a folder "
                            'in it does; a shard is an uncompressed tar '
                            'file.')
        self.url, self.cache = url, cache
        self.index: ShardIndex = read_index(url)
        if not self._is_indexed():
            raise IndexProblem(f"'{url}' is not the shard of its index")

    def _is_indexed(self) -> bool:
        """Return True if the first and the last image begin, and the tar file
        ends, where the index says.

        The images are compared with it when they are read.
        """
        index = self.index
        try:
            for row in (index.offset.argmin(), index.offset.argmax()):
                header = self._bytes(int(index.offset[row]) - BLOCKSIZE,
                                     BLOCKSIZE)
                if TarInfo.frombuf(header, ENCODING, 'surrogateescape'
                                   ).size != index.size[row]:
                    return False
            return self._bytes(int(index.end), BLOCKSIZE) == NUL * BLOCKSIZE
        except (HeaderError, ImageError):
            return False

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        _SHARDS[self.url] = self  # in a data worker that was not forked

    def address(self, row: int) -> str:
        """Return the address of an image."""
        return f'{PREFIX}{self.url}/{self.index.name(row)}'

    def read(self, row: int) -> bytes:
        """Return the bytes of an image.

        Raises:
            ImageError: If they are damaged or missing; without the name.
            DataError: If the server of the shard does not answer.
        """
        index = self.index
        place, size, crc = (int(values[row]) for values in (
            index.offset, index.size, index.crc))
        key = sha256(f'{self.url} {place} {size} {crc}'.encode()).digest()
        content = None if self.cache is None else self.cache.get(key)
        if content is not None and zlib.crc32(content) == crc:
            return content
        content = self._bytes(place, size)
        if zlib.crc32(content) != crc:
            raise ImageError('is damaged: its checksum is not that of the '
                             'index')
        if self.cache is not None:
            self.cache.put(key, content)
        return content

    def _bytes(self, place: int, size: int) -> bytes:
        read = _read_local if is_local(self.url) else _read_remote
        return read(self.url, place, size)


def open_shard(url: str, cache: Any = None) -> Shard:
    """Open a shard and keep it for :func:`read_member`; see :class:`Shard`.
    """
    _SHARDS[url] = Shard(url, cache)
    return _SHARDS[url]


def is_member(path: Union[str, Path]) -> bool:
    """Return True for the address of an image in a shard."""
    return isinstance(path, str) and path.startswith(PREFIX)


def find_member(address: str) -> Tuple[Shard, int]:
    """Return the shard of an address and the image's row in its index.

    Raises:
        DataError: If the shard cannot be used.
        ImageError: If it has no such image.
    """
    head, tar, name = address.removeprefix(PREFIX).partition(f'{TAR}/')
    shard = _SHARDS.get(head + TAR) if tar else None
    if shard is None:
        shard = open_shard(head + TAR)
    try:
        return shard, shard.index.row(name)
    except KeyError:
        raise ImageError(f"'{shard.url}' has no image '{name}'.") from None


def read_member(address: str) -> bytes:
    """Return the bytes of an image in a shard.

    Raises:
        ImageError: If it is damaged or missing.
        DataError: If the server of the shard does not answer.
    """
    shard, row = find_member(address)
    try:
        return shard.read(row)
    except ImageError as error:
        raise ImageError(f'{address!r} {error}.') from None


def member_identity(address: str) -> tuple:
    """Return what changes with the content of an image in a shard."""
    shard, row = find_member(address)
    return address, int(shard.index.size[row]), int(shard.index.crc[row])


def close_shards() -> None:
    """Close the files of this process; they reopen on next use."""
    with _LOCK:
        while _FILES:
            os.close(_FILES.popitem()[1])


def _read_local(path: str, place: int, size: int) -> bytes:
    """Read a part of a file.

    Processes may share a descriptor, since reading does not move it.
    """
    try:
        with _LOCK:
            if path not in _FILES:
                if len(_FILES) >= MAX_FILES:
                    os.close(_FILES.popitem(last=False)[1])
                _FILES[path] = os.open(path, os.O_RDONLY)
            _FILES.move_to_end(path)
            return os.pread(_FILES[path], size, place)
    except OSError as error:
        raise ImageError(reason(error)) from None


def _read_remote(url: str, place: int, size: int) -> bytes:
    error: Optional[Exception] = None
    for wait in (0, *WAITS):
        time.sleep(wait)
        try:
            fs, path = filesystem(url)
            return fs.cat_file(path, start=place, end=place + size)
        except FileNotFoundError as missing:
            raise ImageError(reason(missing)) from None
        except Exception as failure:  # each protocol has its exceptions
            error = failure
    raise DataError(f"'{url}' {reason(error)} after {1 + len(WAITS)} tries; "
                    'continue with --resume when it answers.') from error
