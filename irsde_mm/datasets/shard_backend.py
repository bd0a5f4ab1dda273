"""Storage backend through which mmcv and mmagic read images in shards."""
from mmengine.fileio import BaseStorageBackend, register_backend

from ..io.shards import PREFIX, read_member


class ShardBackend(BaseStorageBackend):
    """Storage backend of mmengine for addresses ``shard://SHARD/NAME``."""

    def get(self, filepath: str) -> bytes:
        """Return the bytes of an image, see :func:`read_member`."""
        return read_member(str(filepath))

    def get_text(self, filepath: str, encoding: str = 'utf-8') -> str:
        """Return the bytes of a member as text."""
        return self.get(filepath).decode(encoding)


register_backend('irsde_mm.shard', ShardBackend,
                 prefixes=PREFIX.removesuffix('://'))
