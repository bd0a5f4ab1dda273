"""Listing of the photos in a folder, an object store or tar shards."""
import os
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath
from typing import Dict, Iterator, List, Optional, Set

from ..errors import DataError
from ..io.addresses import expand, reaching
from ..io.finding_clips import is_gif, is_video
from ..io.image_files import EXTENSIONS, is_image
from .items import Item
from .places import Place, connect, in_time

TAR = '.tar'
#: Bytes read at once when the names in a remote shard are listed.
BLOCK = 2**16
#: Shards that are listed at the same time.
LISTERS = 8


class Source:
    """Photos to restore.

    Args:
        address (str): Folder, photo, or tar shards such as
            ``data/photos-{000..009}.tar``; paths or fsspec addresses.

    Attributes:
        place (Place): The folder, photo, or first shard.
        shards (list[str]): Paths or addresses of the shards.
        photo (Item, optional): The photo, if the address is that of one.
        clips (int): Number of clips that the listing has skipped.
        first_clip (str): Name of the first of them.
        known (set[str]): Shards that need not be listed again.

    Raises:
        DataError: If there is nothing at this address.
    """

    def __init__(self, address: str) -> None:
        self.address, self.photo = address, None
        self.shards: List[str] = []
        self.first_clip, self.clips = '', 0
        self.known: Set[str] = set()
        if address.endswith(TAR):
            self.shards = [str(Place(shard)) for shard in expand(address)]
            address = self.shards[0]
        self.place = Place(address)
        if self.shards:
            return
        if is_image(PurePosixPath(address)):
            self.photo = self._find_photo()
        if not self.photo:
            self._check_folder()

    def _find_photo(self) -> Optional[Item]:
        """Return the photo, unless the address is a folder."""
        place = self.place
        name = place.address.rpartition('/')[2]
        if place.local:
            return Item(name, os.path.getsize(place.address), place.address) \
                if os.path.isfile(place.address) else None
        with reaching(place.address):
            found = in_time(lambda: place.fs.isfile(place.path())
                            and place.fs.info(place.path()), place.address)
        return Item(name, found['size'], place.address) if found else None

    def _check_folder(self) -> None:
        place = self.place
        if place.local:
            found = os.path.isdir(place.address)
        else:
            with reaching(place.address):
                found = in_time(lambda: place.fs.isdir(place.path()),
                                place.address)
        if not found:
            hint = ': name a folder, not a pattern' if set(
                '*?') & set(self.address) else ''
            raise DataError(f"'{self.address}' does not exist{hint}.")

    def __iter__(self) -> Iterator[Item]:
        """Yield the photos.

        Raises:
            DataError: If something cannot be listed, or a name leads out of
                the folder.
        """
        if self.photo:
            yield self.photo
            return
        for item in self._in_shards() if self.shards else self._in_folder():
            if self._wanted(item.name):
                yield item

    def _in_folder(self) -> Iterator[Item]:
        with reaching(self.place.address):
            for name, size in self.place.walk():
                yield Item(name, size)

    def _in_shards(self) -> Iterator[Item]:
        new = [shard for shard in self.shards if shard not in self.known]
        with ThreadPoolExecutor(LISTERS) as pool:
            for items in pool.map(members, new):
                yield from items

    def sizes(self) -> Dict[str, int]:
        """Return the bytes of each shard.

        Raises:
            DataError: If one cannot be read.
        """
        with ThreadPoolExecutor(LISTERS) as pool:
            return dict(zip(self.shards, pool.map(size_of, self.shards)))

    def _wanted(self, name: str) -> bool:
        path = PurePosixPath(name)
        if is_video(path) or is_gif(path):
            self.first_clip = self.first_clip or name
            self.clips += 1
        if not is_image(path):
            return False
        if str(path) != name or path.is_absolute() or '..' in path.parts:
            raise DataError(f"'{self.address}' holds {name!r}, which cannot "
                            'be the name of a result: rename it.')
        return True

    def nothing(self) -> DataError:
        """Return the error for a source without photos."""
        return DataError(f"'{self.address}' contains no images "
                         f"({', '.join(EXTENSIONS)}).")


def members(shard: str) -> List[Item]:
    """List the files in a shard, without hidden ones.

    Raises:
        DataError: If it cannot be read, or is damaged.
    """
    found = []
    try:
        with reaching(shard), _opened(shard) as file, tarfile.open(
                fileobj=file, mode='r:') as archive:
            for member in archive:
                name = member.name.removeprefix('./')
                hidden = any(part.startswith('.') and part != '..'
                             for part in name.split('/'))
                if member.isreg() and not hidden:
                    found.append(Item(name, member.size, shard,
                                      member.offset_data))
    except DataError as error:
        if isinstance(error.__cause__, tarfile.TarError):
            raise DataError(f"'{shard}' is not a tar file, or damaged: "
                            f'{error.__cause__}.') from None
        raise
    return found


def size_of(shard: str) -> int:
    """Return the bytes of a shard.

    Raises:
        DataError: If it cannot be read.
    """
    with reaching(shard):
        if Place(shard).local:
            return os.path.getsize(shard)
        fs, path = connect(shard)
        return in_time(lambda: fs.info(path)['size'], shard)


def _opened(shard: str):
    if Place(shard).local:
        return open(shard, 'rb')
    fs, path = connect(shard)
    return in_time(lambda: fs.open(path, 'rb', block_size=BLOCK), shard)


def read_item(place: Place, item: Item) -> Optional[bytes]:
    """Return the content of a photo that is not a local file, or None.

    Raises:
        OSError, Exception: If it cannot be read, or not whole.
    """
    if not item.shard:
        if place.local:
            return None
        content = place.read(item.name)
    elif Place(item.shard).local:
        with open(item.shard, 'rb') as file:
            file.seek(item.offset)
            content = file.read(item.size)
    else:
        fs, path = connect(item.shard)
        content = fs.cat_file(path, start=item.offset,
                              end=item.offset + item.size)
    if item.size is not None and len(content) != item.size:
        raise OSError(f'{len(content):,} of {item.size:,} bytes arrived')
    return content


def name_of(place: Place, item: Item) -> str:
    """Return the path or address of a photo, for messages and the noise."""
    if item.shard.endswith(TAR):
        return f'{item.shard}/{item.name}'
    return item.shard or place.full(item.name)


