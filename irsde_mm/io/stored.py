"""Files of photos in memory."""
import io
from pathlib import Path
from typing import BinaryIO, NamedTuple, Union


class StoredPhoto(NamedTuple):
    """The file of a photo, read from an archive or an object store.

    Attributes:
        name (str): Its path, for messages and the noise.
        content (bytes): Its content.
    """

    name: str
    content: bytes

    def __str__(self) -> str:
        return self.name


def open_stored(source: Union[str, Path, StoredPhoto]) -> BinaryIO:
    """Open a file on disk or in memory for reading."""
    if isinstance(source, StoredPhoto):
        return io.BytesIO(source.content)
    return open(source, 'rb')
