"""Shards and their indexes are written."""
import hashlib
import io
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO, List, NamedTuple, Sequence, Tuple

import numpy as np

from ..errors import DataError, ImageError, OutputError, listed
from .addresses import filesystem, is_local, reaching
from .files import PART, publish, replace
from .reader import MAX_PIXELS, image_size
from .stored import StoredPhoto
from .shard_index import (Member, ShardIndex, encoded, index_path,
                          split_name)

BLOCK = 2**23  # bytes of a request to an object store


class Row(NamedTuple):
    """An image of a shard."""
    member: Member
    name: str
    offset: int
    size: int
    crc: int
    shape: Tuple[int, int]  # width and height


class Indexed(NamedTuple):
    """An index, with what was found on the way.

    Attributes:
        index: The index.
        damaged: Images that cannot be read, with reasons.
        ignored: Names of other members.
    """
    index: ShardIndex
    damaged: List[str]
    ignored: List[str]


def make_index(url: str) -> Indexed:
    """Read a shard once, from start to end, and return its index.

    Raises:
        DataError: If it cannot be read, is compressed or truncated, has no
            images, or the same key and field twice.
    """
    with reaching(url):
        fs, path = filesystem(url)
        size = fs.info(path)['size']
        with fs.open(path, 'rb', **({} if is_local(url) else dict(
                cache_type='readahead', block_size=BLOCK))) as file:
            rows, damaged, ignored, end = _members(file, url)
    if not rows:
        raise DataError(f"'{url}' has no images named KEY.FIELD.SUFFIX, such "
                        "as 'a.input.png'.")
    return Indexed(_index(url, rows, size, end), damaged, ignored)


def _members(file: BinaryIO, url: str
             ) -> Tuple[List[Row], List[str], List[str], int]:
    """Return the images, the problems of some, the names of other members,
    and the place where the members end."""
    rows, damaged, ignored = [], [], []
    try:
        with tarfile.open(fileobj=file, mode='r:') as archive:
            for info in archive:
                archive.members.clear()  # kept by tarfile
                member = split_name(info.name) if info.isreg() else None
                if member is not None:
                    content = archive.extractfile(info).read()
                    rows.append(_row(url, member, info, content, damaged))
                elif not info.isdir():
                    ignored.append(info.name)
            # tarfile does not detect truncation between two files
            if archive.fileobj.tell() < archive.offset + tarfile.BLOCKSIZE:
                raise EOFError('unexpected end of data')
            return rows, damaged, ignored, archive.offset
    except (tarfile.TarError, EOFError) as error:
        text = ' '.join(str(error).split())
        hint = ('; copy it again' if 'end of data' in text else
                '; a shard is an uncompressed tar file')
        raise DataError(f"'{url}' cannot be read ({text}){hint}.") from None


def _row(url: str, member: Member, info: tarfile.TarInfo, content: bytes,
         damaged: List[str]) -> Row:
    try:
        shape = image_size(StoredPhoto(f'{url}/{info.name}', content),
                           MAX_PIXELS)
    except ImageError as error:
        damaged.append(str(error))
        shape = 0, 0
    return Row(member, info.name, info.offset_data, info.size,
               zlib.crc32(content), shape)


def _index(url: str, rows: List[Row], size: int, end: int) -> ShardIndex:
    rows.sort(key=lambda row: encoded(row.name))
    keys = sorted({row.member.key for row in rows})
    labels = sorted({row.member.field for row in rows})
    first = {}  # by key and field
    problems = [f"'{other.name}' and '{row.name}' have the same key and field"
                for row in rows
                if (other := first.setdefault(row.member[:2], row)) is not row]
    if problems:
        raise listed(problems, url)
    number = {key: i for i, key in enumerate(keys)}

    def array(values, kind=np.int64):
        return np.array(list(values), kind)

    def text(values):
        return np.frombuffer(encoded(''.join(
            f'{value}\n' for value in values)), np.uint8)

    return ShardIndex(
        offset=array(row.offset for row in rows),
        size=array(row.size for row in rows),
        crc=array((row.crc for row in rows), np.uint32),
        width=array((row.shape[0] for row in rows), np.int32),
        height=array((row.shape[1] for row in rows), np.int32),
        sample=array((number[row.member.key] for row in rows), np.int32),
        field=array((labels.index(row.member.field) for row in rows),
                    np.int32),
        hashes=array((key_hash(key) for key in keys), np.uint64),
        names=text(row.name for row in rows), fields=text(labels),
        shard_size=np.int64(size), end=np.int64(end))


def key_hash(key: str) -> int:
    return int.from_bytes(hashlib.sha256(encoded(key)).digest()[:8], 'big')


def write_index(url: str, index: ShardIndex) -> None:
    """Write the index of a shard beside it, whole or not at all.

    Raises:
        OutputError: If there is another file of this name.
    """
    target = index_path(url)
    with reaching(target):
        fs, path = filesystem(target)
        if fs.exists(path):
            try:
                ShardIndex.from_bytes(fs.cat_file(path))
            except ValueError as error:
                raise OutputError(
                    f"'{target}' is damaged or not an index ({error}): "
                    'remove it first.') from None
        if not is_local(url):
            fs.pipe_file(path, index.to_bytes())
            return
    part = Path(target + PART)
    part.write_bytes(index.to_bytes())
    replace(part, Path(target))


def write_shard(path: Path, files: Sequence[Tuple[str, Path]]) -> None:
    """Write a shard, then its index; each appears whole or not at all.

    Args:
        path (Path): The shard. An existing file is not replaced.
        files (Sequence[tuple]): Names of the members and their files.

    Raises:
        FileExistsError: If the shard exists.
    """
    part = path.with_name(path.name + PART)
    try:
        with tarfile.open(part, 'w') as archive:
            for name, file in files:
                content = file.read_bytes()
                info = tarfile.TarInfo(name)  # no owner or time
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        publish(part, path)
    finally:
        part.unlink(missing_ok=True)
    write_index(str(path), make_index(str(path)).index)
