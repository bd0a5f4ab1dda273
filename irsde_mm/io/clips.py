"""Clips: images in an order, read one by one."""
import hashlib
import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Iterator, List, Sequence, Tuple

import numpy as np

from ..errors import ImageError

Size = Tuple[int, int]


class ClipError(ImageError):
    """A clip that can be used up to a frame.

    Args:
        name (str): The clip.
        frames (int): Number of frames before the damage.
        reason (str): Why the next frame cannot be used.
    """

    def __init__(self, name: str, frames: int, reason: str) -> None:
        super().__init__(f'{name!r}: frame {frames + 1} cannot be used '
                         f'({reason}).')
        self.frames = frames


class Clip(ABC):
    """A clip, opened by its constructor.

    Attributes:
        name (str): Path, for messages.
        target (Path): Name of the result, relative to the output folder.
        size (tuple[int, int]): Height and width of the frames.
        length (int): Expected number of frames.
        files (list[Path]): Its files.
        warnings (list[str]): What is not kept in the result.
    """

    name: str
    target: Path
    size: Size
    length: int
    files: List[Path]
    warnings: Sequence[str] = ()

    @abstractmethod
    def read(self) -> Iterator[np.ndarray]:
        """Yield the frames, (H, W, 3) uint8 BGR, upright.

        Raises:
            ClipError: At the first frame that cannot be used.
        """

    def frame_name(self, index: int) -> str:
        """Return the name that seeds the noise of a frame of its own."""
        return f'{Path(self.name).name} frame {index + 1}'

    def metadata(self, index: int, channels: int) -> dict:
        """Return the metadata of a frame, see :func:`read_metadata`."""
        return {}

    @abstractmethod
    def write(self, frames: Sequence[Path], path: Path) -> None:
        """Write restored frames as a new file or folder.

        Called after :meth:`read`. If there are fewer frames than were read,
        the result ends earlier.

        Args:
            frames: Their PNG files, in order, which may be moved.
            path (Path): The result, which does not exist.

        Raises:
            OutputError: If it cannot be written; without the name.
        """

    def digest(self) -> str:
        """Return a checksum of the names, sizes and times of the files."""
        found = [(path.name, (status := os.stat(path)).st_size,
                  status.st_mtime_ns) for path in self.files]
        return hashlib.sha256(repr(found).encode()).hexdigest()
