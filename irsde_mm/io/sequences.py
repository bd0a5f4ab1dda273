"""Sequences: photos in a folder that are the frames of a clip."""
import os
import re
import shutil
from pathlib import Path
from typing import Iterator, List, Optional, Sequence

import numpy as np

from ..errors import DataError, ImageError, OutputError
from .clips import Clip, ClipError
from .metadata import read_metadata
from .photos import read_photo
from .reader import MAX_PIXELS, image_size

#: printf's format of a number in a file name, such as %04d.
NUMBER = re.compile(r'%(?:0(\d+))?d')


class SequenceClip(Clip):
    """Photos of the same size, whose results fill a folder.

    The results are PNG files with the names and metadata of the photos.

    Args:
        files (list[Path]): Photos in a folder, in order.
        max_pixels (int): Larger photos are rejected.
        white (int, optional): See :func:`read_image`.

    Raises:
        ImageError: If a photo cannot be used, or its size differs.
        DataError: If two results would have the same name.
    """

    def __init__(self, files: List[Path], max_pixels: int = MAX_PIXELS,
                 white: Optional[int] = None) -> None:
        folder = Path(os.path.abspath(files[0].parent))
        self.files, self.length = files, len(files)
        self.name = str(files[0].parent)
        self.target = Path(folder.name or 'frames')
        self.options = dict(max_pixels=max_pixels, white=white)
        self.size = self._check(max_pixels)
        self.names = [f'{path.stem}.png' for path in files]
        if len(set(self.names)) < len(files):
            raise DataError(f'{self.name!r} has photos whose names differ '
                            'only in their extension: keep one of each.')

    def _check(self, max_pixels: int) -> tuple:
        """Return height and width of the photos, from their headers.

        Raises:
            ImageError: If a photo cannot be used, or its size differs.
        """
        sizes = []
        for i, path in enumerate(self.files):
            try:
                sizes.append(image_size(path, max_pixels)[::-1])
            except ImageError as error:
                raise ImageError(f'frame {i + 1}: {error}') from None
            if sizes[-1] != sizes[0]:
                (h, w), (first_h, first_w) = sizes[-1], sizes[0]
                raise ImageError(
                    f"frame {i + 1}: '{path}' is {w}x{h}, but the first frame "
                    f'is {first_w}x{first_h}.')
        return sizes[0]

    def frame_name(self, index: int) -> str:
        return self.files[index].name

    def metadata(self, index: int, channels: int) -> dict:
        return read_metadata(self.files[index], channels)

    def read(self) -> Iterator[np.ndarray]:
        for i, path in enumerate(self.files):
            try:
                pixels = read_photo(path, **self.options)
            except ImageError as error:  # not seen in the header
                raise ClipError(self.name, i, str(error).rstrip('.')
                                ) from None
            if pixels.shape[:2] != self.size:
                raise ClipError(self.name, i, 'its size changed')
            yield pixels

    def write(self, frames: Sequence[Path], path: Path) -> None:
        try:
            path.mkdir()
            for frame, name in zip(frames, self.names):
                place(frame, path / name)
        except OSError as error:
            raise OutputError(error.strerror or str(error)) from error


def place(frame: Path, path: Path) -> None:
    """Give a file a second name, or copy it where that is not possible."""
    try:
        os.link(frame, path)
    except OSError:
        shutil.copyfile(frame, path)


def numbered(pattern: Path) -> List[Path]:
    """List the files that match a pattern such as ``shot/img_%04d.png``,
    sorted by their numbers.

    Raises:
        DataError: If no photo is found.
    """
    match = NUMBER.search(pattern.name)
    digits = rf'\d{{{int(match[1])},}}' if match[1] else r'\d+'
    name = re.compile(re.escape(pattern.name[:match.start()]) + f'({digits})'
                      + re.escape(pattern.name[match.end():]))
    try:
        found = [(int(m[1]), path) for path in pattern.parent.iterdir()
                 if (m := name.fullmatch(path.name))]
    except OSError:
        found = []
    if not found:
        raise DataError(f'no image found at {str(pattern)!r}.')
    return [path for _, path in sorted(found)]


def in_order(path: Path) -> list:
    """Return a key that sorts names as people do: frame_2 before frame_10."""
    return [(int(part), '') if part.isdigit() else (-1, part)
            for part in re.split(r'(\d+)', path.name)]
