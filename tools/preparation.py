"""Files out of folders and archives, and into the folders of a data set.

``tools/prepare_data.py`` says which; nothing here knows a data set.
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

    Its path starts with the name of the source: some archives tell training
    and test images apart by nothing else. ``file`` is where it lies, unless
    in an archive.
    """
    path: str
    size: int
    read: Callable[[], bytes]
    file: Optional[Path] = None


def read_source(source: str, targets: Iterable[Path],
                stack: ExitStack) -> List[Entry]:
    """The files of a folder, less those in target folders, or of an archive.

    Args:
        source (str): A folder, searched with all below it, or an archive.
        targets (Iterable[Path]): Folders that are laid out.
        stack (ExitStack): Keeps the archive open; its files are best read in
            the order they come in.

    Raises:
        DataError: If there is none, or it is no whole archive.
    """
    path = Path(os.path.abspath(source))
    if path.is_dir():
        return _folder(path, {os.path.realpath(t) for t in targets})
    if not path.is_file():
        raise DataError(f"there is no folder or archive '{source}'.")
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
        if real in seen:  # a target, or a link that leads back
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
        # tarfile takes a cut between two files for the end
        if archive.fileobj.tell() < archive.offset + tarfile.BLOCKSIZE:
            raise EOFError('it ends there')
        while archive.fileobj.read(2**20):  # compression checks its sum last
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
    """Says which file, and which member of an archive, cannot be read."""
    try:
        yield
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError,
            EOFError, OSError, RuntimeError) as error:
        where = f"'{member()}' in '{path}'" if member() else f"'{path}'"
        hint = ('; is the file whole?' if ARCHIVE.search(path.name) else
                '; a source is a folder, a zip or a tar file.')
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{where} cannot be read ({reason.rstrip(':')})"
                        + hint) from error


class Layout:
    """Puts files below a root, each under a temporary name until it is whole.

    ``copy``: whether to copy what could be linked to; ``refused``: whether
    copies had to be made because the filesystem has no symbolic links.
    """

    def __init__(self, root: Path, copy: bool) -> None:
        self.root = root
        self.copy = copy
        self.refused = False

    def obstacle(self, entry: Entry, target: str, resized: bool) -> str:
        """What is wrong with a file that lies where an entry belongs.

        Clears away what an earlier run that was stopped left there. A file
        of the same size is taken for that run's; of what is resized, the
        size is not known.
        """
        path = self.root / target
        with _writable(path):
            partial(path).unlink(missing_ok=True)
            if not os.path.lexists(path):
                return ''
            if not path.exists():
                return f"'{path}' is a link that leads nowhere"
            if path.is_file() and (
                    resized or path.stat().st_size == entry.size):
                return ''
        return f"'{path}' is there and another than '{entry.path}'"

    def add(self, entry: Entry, targets: Sequence[str],
            like: Optional[str] = None) -> None:
        """Puts an entry where it is missing; the second target of a file from
        an archive is a link to the first.

        Args:
            entry (Entry): The file.
            targets (Sequence[str]): Where, below the root.
            like (str): An image below the root whose size it has to get.
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
        """Writes a file: a link to its origin, or what is read."""
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
        try:  # real paths: '..' leads elsewhere from a linked folder
            path.symlink_to(os.path.relpath(
                os.path.realpath(origin), os.path.realpath(path.parent)))
        except (OSError, NotImplementedError):
            self.refused = True
        return not self.refused


def partial(path: Path) -> Path:
    """The name of a file while it is written; no image by its ending."""
    return path.with_name(f'.{path.name}.partial')


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write '{path}': "
                          f'{error.strerror or error}.') from error


def cropped(entry: Entry, width: int, height: int) -> Optional[bytes]:
    """A PNG of the middle of an image, None if it has no equal borders."""
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
