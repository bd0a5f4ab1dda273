"""Folders and fsspec addresses, with results that appear whole or not at all.
"""
import errno
import os
import threading
import uuid
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Iterator, Optional, Tuple

from ..errors import DataError
from ..io.addresses import reaching
from ..io.files import publish
from .retrying import persist

#: Folder of what this package keeps beside the results.
STATE = '.irsde'
#: Seconds until an address must answer for the first time.
PATIENCE = 60
#: Options of file systems by protocol; the settings of fsspec override
#: them.
OPTIONS = dict(s3=dict(config_kwargs=dict(
    connect_timeout=10, read_timeout=60, retries=dict(max_attempts=3))))


def connect(address: str) -> Tuple[Any, str]:
    """Return the file system of an address, and the path in it.

    Raises:
        Exception: Of fsspec or the protocol; see :func:`reaching`.
    """
    from fsspec.config import conf
    from fsspec.core import url_to_fs
    protocol = address.partition('://')[0]
    options = {**OPTIONS.get(protocol, {}), **conf.get(protocol, {})}
    # millions of names must not stay in memory
    return url_to_fs(address, use_listings_cache=False, **options)


def in_time(call: Callable[[], Any], address: str) -> Any:
    """Return the result of a call that must end within a minute.

    Raises:
        DataError: If it does not.
        Exception: That of the call.
    """
    found: list = []

    def run() -> None:
        try:
            found.append((call(), None))
        except Exception as error:
            found.append((None, error))

    # not waited for at exit
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not found:
        raise DataError(f"'{address}' does not answer within {PATIENCE} s.")
    result, error = found[0]
    if error is not None:
        raise error
    return result


class Place:
    """Folder on disk or in an object store.

    Picklable; each process connects by itself.

    Args:
        address (str): Path or fsspec address.
    """

    def __init__(self, address: str) -> None:
        protocol, marked, path = str(address).partition('://')
        self.local = not marked or protocol in ('file', 'local')
        self.address = os.path.abspath(
            path if marked else address) if self.local else str(
                address).rstrip('/')

    def __str__(self) -> str:
        return self.address

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Place) and self.address == other.address

    def __getstate__(self) -> dict:
        return dict(local=self.local, address=self.address)

    @cached_property
    def _connection(self) -> Tuple[Any, str]:
        with reaching(self.address):
            return connect(self.address)

    @property
    def fs(self) -> Any:
        """File system of fsspec."""
        return self._connection[0]

    def path(self, name: str = '') -> str:
        """Return the path of a file in :attr:`fs`, or of a local file."""
        root = self.address if self.local else self._connection[1]
        return f"{root.rstrip('/')}/{name}" if name else root

    def full(self, name: str) -> str:
        """Return the path or address of a file."""
        return f"{self.address.rstrip('/')}/{name}"

    def holds(self, other: 'Place') -> bool:
        """Return True if another place is this one or inside of it."""
        if self.local != other.local:
            return False
        mine, its = (os.path.realpath(place.address) if place.local
                     else place.address for place in (self, other))
        return f'{its}/'.startswith(f"{mine.rstrip('/')}/")

    def walk(self) -> Iterator[Tuple[str, Optional[int]]]:
        """Yield the name and size of each file, also in subfolders.

        Names are relative, with '/'. Names that begin with a dot are
        excluded, and so are links to folders, which can form cycles. The
        size of local files is None.

        Raises:
            OSError, Exception: If a folder cannot be listed.
        """
        if self.local:
            yield from _walk_local(self.address)
            return
        root, folders = self.path().rstrip('/'), ['']
        while folders:
            folder = folders.pop()
            path = f'{root}/{folder}'.rstrip('/')
            for info in persist(lambda: self.fs.ls(path, detail=True), 3):
                name = info['name'].rstrip('/')[len(root):].lstrip('/')
                base = name.rpartition('/')[2]
                if not name or name == folder or base.startswith('.'):
                    continue
                if info['type'] == 'directory':
                    folders.append(name)
                elif not info['name'].endswith('/'):
                    yield name, info.get('size')

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError, Exception: If it cannot be read.
        """
        if self.local:
            return Path(self.path(name)).read_bytes()
        return self.fs.cat_file(self.path(name))

    def exists(self, name: str) -> bool:
        return os.path.lexists(self.path(name)) if self.local \
            else self.fs.exists(self.path(name))

    def create(self, name: str, content: bytes) -> None:
        """Write a new file, which appears whole or not at all.

        Raises:
            FileExistsError: If there is one.
            OSError, Exception: If it cannot be written.
        """
        if self.local:
            self._create_local(name, content)
            return
        try:
            self.fs.pipe_file(self.path(name), content, mode='create')
        except Exception as error:
            if self.exists(name):
                raise FileExistsError(self.full(name)) from error
            if getattr(error, 'errno', None) != errno.ENOSYS:
                raise
            self.put(name, content)  # a store without conditional writes

    def _create_local(self, name: str, content: bytes) -> None:
        path = Path(self.path(name))
        part = Path(self.address, STATE, 'parts', uuid.uuid4().hex)
        for folder in (part.parent, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            publish(part, path)
        finally:
            part.unlink(missing_ok=True)

    def put(self, name: str, content: bytes) -> None:
        """Write a file of an object store, replacing an earlier one."""
        self.fs.pipe_file(self.path(name), content)


def _walk_local(root: str) -> Iterator[Tuple[str, None]]:
    def stop(error: OSError) -> None:
        raise error

    for folder, folders, files in os.walk(root, onerror=stop):
        folders[:] = sorted(f for f in folders if not f.startswith('.'))
        inside = PurePosixPath(Path(folder).relative_to(root).as_posix())
        for name in sorted(files):
            if not name.startswith('.'):
                yield str(inside / name), None
