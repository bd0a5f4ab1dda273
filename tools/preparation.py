"""Read files from folders and archives, and write them to the folders of a
data set.

Independent of particular data sets; used by ``tools/prepare_data.py``.
"""
import functools
import io
import lzma
import os
import re
import tarfile
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Callable, Iterable, Iterator, List, Optional, Sequence

from PIL import Image

from irsde_mm.errors import DataError, OutputError
from irsde_mm.io.reader import image_size

ARCHIVE = re.compile(
    r'\.(zip|tar|t[gx]z|tbz2?|tar\.(gz|bz2|xz)|gz|rar|7z)$', re.I)


@dataclass(frozen=True)
class Entry:
    """A file of a source.

    Its path starts with the name of the source, because some archives
    distinguish training and test images only by their names. ``file`` is its
    location, or None for a file in an archive.
    """
    path: str
    size: int
    read: Callable[[], bytes]
    file: Optional[Path] = None


def read_source(source: str, targets: Iterable[Path],
                stack: ExitStack) -> List[Entry]:
    """Return the files of a folder, except target folders, or of an archive.

    Args:
        source (str): Folder, which is searched recursively, or archive.
        targets (Iterable[Path]): Folders of the data set.
        stack (ExitStack): Keeps the archive open; reading its files in the
            returned order is fastest.

    Raises:
        DataError: If the source is missing, or the archive is incomplete.
    """
    path = Path(os.path.abspath(source))
    if path.is_dir():
        return _folder(path, {os.path.realpath(t) for t in targets})
    if not path.is_file():
        raise DataError(f"the source '{source}' does not exist.")
    is_zip = path.suffix.lower() == '.zip'
    with _readable(path):
        archive = stack.enter_context(
            (zipfile.ZipFile if is_zip else tarfile.open)(path))
    members = (_zip if is_zip else _tar)(archive, path)
    stem = ARCHIVE.sub('', path.name)
    return [Entry(f'{stem}/{PurePosixPath(name)}', size, read)
            for name, size, read in members if _visible(name)]


def _folder(root: Path, seen: set) -> List[Entry]:
    def stop(error):
        raise DataError(f"cannot read the folder '{error.filename}': "
                        f'{error.strerror}.')

    files = []
    for folder, folders, names in os.walk(root, onerror=stop,
                                          followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a target, or a link to a parent
            folders.clear()
        else:
            files += [Path(folder, name) for name in names]
        seen.add(real)
    return [Entry(f'{root.name}/{inner}', path.stat().st_size,
                  functools.partial(_read, path, '', path.read_bytes), path)
            for path in sorted(files) if path.is_file()
            and _visible(inner := path.relative_to(root).as_posix())]


def _zip(archive: zipfile.ZipFile, path: Path) -> Iterator[tuple]:
    for info in archive.infolist():
        if not info.is_dir():
            name = info.filename.replace('\\', '/')
            yield name, info.file_size, functools.partial(
                _read, path, name, functools.partial(archive.read, info))


def _tar(archive: tarfile.TarFile, path: Path) -> List[tuple]:
    found, name = [], ''
    with _readable(path, lambda: name):
        for info in archive:
            name = info.name
            if info.isfile():
                found.append((name, info.size, functools.partial(
                    _read, path, name,
                    lambda info=info: archive.extractfile(info).read())))
        # tarfile does not detect truncation between two files
        if archive.fileobj.tell() < archive.offset + tarfile.BLOCKSIZE:
            raise EOFError('it is truncated')
        while archive.fileobj.read(2**20):  # the checksum comes last
            pass
    return found


def _visible(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return '__MACOSX' not in parts and not any(
        part.startswith('.') and part != '..' for part in parts)


def _read(path: Path, member: str, read: Callable[[], bytes]) -> bytes:
    with _readable(path, lambda: member):
        return read()


@contextmanager
def _readable(path: Path, member: Callable[[], str] = str) -> Iterator[None]:
    """Turn errors into a DataError that names the file and the member of an
    archive."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError,
            EOFError, OSError, RuntimeError) as error:
        where = f"'{member()}' in '{path}'" if member() else f"'{path}'"
        hint = ('; is the file complete?' if ARCHIVE.search(path.name) else
                '; a source must be a folder, a zip or a tar file.')
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{where} cannot be read ({reason.rstrip(':')})"
                        + hint) from error


class Layout:
    """Folder that files are written to, under a temporary name until each is
    complete.

    ``copy``: whether to copy files instead of linking to them; ``refused``:
    whether files were copied because the filesystem does not support symbolic
    links.
    """

    def __init__(self, root: Path, copy: bool) -> None:
        self.root = root
        self.copy = copy
        self.refused = False

    def obstacle(self, entry: Entry, target: str, resized: bool) -> str:
        """Return the problem of a file at the target of an entry, or ''.

        Removes partial files of an earlier run that was stopped. A file of
        the same size counts as already laid out; the size of a resized file
        is not checked.
        """
        path = self.root / target
        with _writable(path):
            partial(path).unlink(missing_ok=True)
            if not os.path.lexists(path):
                return ''
            if not path.exists():
                return f"'{path}' is a broken link"
            if path.is_file() and (
                    resized or path.stat().st_size == entry.size):
                return ''
        return f"'{path}' exists and differs from '{entry.path}'"

    def add(self, entry: Entry, targets: Sequence[str],
            like: Optional[str] = None) -> None:
        """Write an entry to its missing targets.

        For a file of an archive, the second target is a link to the first.

        Args:
            entry (Entry): The file.
            targets (Sequence[str]): Paths below the root.
            like (str): Image below the root to whose size it is cropped.
        """
        missing = [path for path in (self.root / t for t in targets)
                   if not path.exists()]
        if not missing:
            return
        read, file = functools.cache(entry.read), entry.file
        if like is not None:
            content = cropped(entry, *image_size(self.root / like))
            if content is not None:
                read, file = (lambda: content), None
        first = self.root / targets[0]
        for path in missing:
            self.put(path, file or (None if path == first else first), read)

    def put(self, path: Path, origin: Optional[Path],
            read: Callable[[], bytes]) -> None:
        """Write a file: a link to its origin, or the content that is read."""
        with _writable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                if origin is None or not self._linked(partial(path), origin):
                    partial(path).write_bytes(read())
                os.replace(partial(path), path)
            finally:
                partial(path).unlink(missing_ok=True)

    def _linked(self, path: Path, origin: Path) -> bool:
        if self.copy or self.refused:
            return False
        try:  # real paths, because '..' in a linked folder differs
            path.symlink_to(os.path.relpath(
                os.path.realpath(origin), os.path.realpath(path.parent)))
        except (OSError, NotImplementedError):
            self.refused = True
        return not self.refused


def partial(path: Path) -> Path:
    """Return the temporary name of a file, which has no image suffix."""
    return path.with_name(f'.{path.name}.partial')


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write '{path}': "
                          f'{error.strerror or error}.') from error


def cropped(entry: Entry, width: int, height: int) -> Optional[bytes]:
    """Return a PNG of the center of an image, or None if the borders to crop
    are not equal."""
    content = entry.read()
    try:
        with Image.open(io.BytesIO(content)) as image:
            x, y = image.width - width, image.height - height
            if min(x, y) < 0 or x % 2 or y % 2 or not (x or y):
                return None
            buffer = io.BytesIO()
            image.crop((x // 2, y // 2, x // 2 + width, y // 2 + height)
                       ).save(buffer, 'PNG')
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"'{entry.path}' is not a readable image ({error})."
                        ) from error
    return buffer.getvalue()
