"""Index of the images in a shard, an uncompressed tar file.

Members are named as WebDataset does: the key of a sample ends at the first
dot of the file name, and the field follows, ``KEY.FIELD.SUFFIX``. The index
of ``train-000.tar`` is ``train-000.tar.npz``, a file of NumPy arrays with one
entry per image, sorted by name: ``offset`` and ``size`` of its data
in bytes, ``crc`` (CRC-32), ``width`` and ``height`` (upright, 0 if it cannot
be read), ``sample`` (number of its key), ``field`` (number in ``fields``).
``names`` and ``fields`` are UTF-8 texts separated by line feeds, ``hashes``
has the first 8 bytes of SHA-256 of each key, ``shard_size`` the bytes of the
shard, ``end`` the place where its members end.
"""
import io
import re
from bisect import bisect_left
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import List, NamedTuple, Optional

import numpy as np

from ..errors import DataError
from .addresses import filesystem, reaching
from .image_files import is_image

FORMAT = 1
SUFFIX = '.npz'
#: Key, then the rest from the first dot of the file name on.
NAME = re.compile(r'((?:.*/)?[^./][^./]*)\.([^/]+)', re.DOTALL)


class Member(NamedTuple):
    """Name of an image in a shard, split into its parts."""
    key: str
    field: str
    suffix: str


def split_name(name: str) -> Optional[Member]:
    """Split the name of an image in a shard; None for other members.

    The field of 'a/b.input.png' is 'input', that of 'b.png' is ''.
    """
    found = NAME.fullmatch(name)
    if not found or '\n' in name or not is_image(PurePosixPath(name)):
        return None
    label, _, suffix = found[2].rpartition('.')
    return Member(found[1], label.lower(), suffix)


def encoded(text: str) -> bytes:
    """Return the bytes of a name, as of a file name."""
    return text.encode(errors='surrogateescape')


@dataclass
class ShardIndex:
    """Images of a shard; see the module for the arrays."""
    offset: np.ndarray
    size: np.ndarray
    crc: np.ndarray
    width: np.ndarray
    height: np.ndarray
    sample: np.ndarray
    field: np.ndarray
    hashes: np.ndarray
    names: np.ndarray
    fields: np.ndarray
    shard_size: np.ndarray
    end: np.ndarray
    format: np.ndarray = field(default_factory=lambda: np.int64(FORMAT))

    def __post_init__(self) -> None:
        """Locate the names.

        Raises:
            ValueError: If the arrays do not belong together.
        """
        ends = np.flatnonzero(self.names == ord('\n'))
        self._starts = np.concatenate(([0], ends + 1))
        self._text = self.names.tobytes()
        rows = [self.offset, self.size, self.crc, self.width, self.height,
                self.sample, self.field]
        if int(self.format) != FORMAT:
            raise ValueError(f'format {int(self.format)}')
        if not len(self) or {len(array) for array in rows} != {len(ends)} \
                or min(self.offset.min(), self.size.min()) < 0 \
                or (self.offset + self.size).max() > int(self.end) \
                or self.sample.max() >= len(self.hashes) \
                or self.field.max() >= len(self.field_names):
            raise ValueError('its arrays do not belong together')

    def __len__(self) -> int:
        return len(self.offset)

    @property
    def field_names(self) -> List[str]:
        return self.fields.tobytes().decode().split('\n')[:-1]

    def _encoded(self, row: int) -> bytes:
        return self._text[self._starts[row]:self._starts[row + 1] - 1]

    def name(self, row: int) -> str:
        """Return the name of an image."""
        return self._encoded(row).decode(errors='surrogateescape')

    def key(self, row: int) -> str:
        """Return the key of an image's sample."""
        return split_name(self.name(row)).key

    def row(self, name: str) -> int:
        """Return the number of an image.

        Raises:
            KeyError: If no member has this name.
        """
        wanted = encoded(name)
        row = bisect_left(range(len(self)), wanted, key=self._encoded)
        if row == len(self) or self._encoded(row) != wanted:
            raise KeyError(name)
        return row

    def rows_of(self, label: str) -> np.ndarray:
        """Return the row of each sample's image in a field, or -1."""
        found = np.full(len(self.hashes), -1, np.int64)
        if label in self.field_names:
            rows = np.flatnonzero(
                self.field == self.field_names.index(label))
            found[self.sample[rows]] = rows
        return found

    def to_bytes(self) -> bytes:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **{
            part.name: getattr(self, part.name) for part in fields(self)})
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> 'ShardIndex':
        """Read an index.

        Raises:
            ValueError: If it is not an index, or damaged.
        """
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                return cls(**file)
        except Exception as error:  # zip, zlib, NumPy, other arrays
            raise ValueError(str(error) or type(error).__name__) from error


def index_path(url: str) -> str:
    """Return the address of the index of a shard."""
    return url + SUFFIX


def read_index(url: str) -> ShardIndex:
    """Read the index of a shard and compare it with the shard.

    Raises:
        DataError: If the shard or the index cannot be read.
        IndexProblem: If there is no index, or it is not of this shard.
    """
    with reaching(url):
        fs, path = filesystem(url)
        size = fs.info(path).get('size')  # None from some web servers
    target = index_path(url)
    with reaching(target):
        try:
            content = fs.cat_file(index_path(path))
        except FileNotFoundError:
            raise IndexProblem(f"'{url}' has no index") from None
    try:
        index = ShardIndex.from_bytes(content)
    except ValueError as error:
        raise IndexProblem(f"'{target}' is damaged or not an index "
                           f'({error})') from None
    if size is not None and size != index.shard_size:
        raise IndexProblem(
            f"'{url}' has {size:,} bytes, but its index is of a shard of "
            f'{int(index.shard_size):,} bytes')
    return index


class IndexProblem(DataError):
    """An index is missing or is not of its shard; make it again."""
