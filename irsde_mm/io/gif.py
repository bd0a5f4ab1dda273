"""Animated GIF files."""
import os
import struct
from pathlib import Path
from typing import BinaryIO, Iterator, List, Optional, Sequence

import cv2
import numpy as np
from PIL import GifImagePlugin, Image

from ..errors import ImageError, OutputError
from .clips import Clip, ClipError
from .decoding import has_alpha
from .reader import MAX_PIXELS, TAIL
from .video import check_file

TRAILER = b';'


class GifClip(Clip):
    """An animated GIF, which stays one, with the times of its frames.

    Args:
        path (Path): The file.
        max_pixels (int): Larger frames are rejected.

    Raises:
        ImageError: If the file is not a GIF that can be restored.
    """

    def __init__(self, path: Path, max_pixels: int = MAX_PIXELS) -> None:
        self.name, self.files = str(path), [path]
        self.path, self.target = path, Path(path.name)
        self.durations: List[int] = []
        check_file(path)
        try:
            with Image.open(path, formats=['GIF']) as image:
                self.size = image.size[::-1]
                self.repeats: Optional[int] = image.info.get('loop')
                too_large = image.width * image.height > max_pixels
                self.length = 0 if too_large else image.n_frames
        except Exception as error:  # broken files raise many exception types
            raise ImageError(f'{self.name!r} is not a readable GIF '
                             f'({describe(error)}).') from None
        if too_large:
            raise ImageError(f'{self.name!r} has frames of more than '
                             f'{max_pixels:,} pixels: if this is correct, '
                             'raise max_pixels.')

    def read(self) -> Iterator[np.ndarray]:
        self.durations = []
        with Image.open(self.path, formats=['GIF']) as image:
            for i in range(self.length):
                try:
                    image.seek(i)
                    pixels = opaque(image)
                except Exception as error:
                    raise ClipError(self.name, i, describe(error)) from None
                self.durations.append(int(image.info.get('duration', 0)))
                yield pixels
        if not ends_with(self.path, TRAILER):
            raise ClipError(self.name, self.length, 'the file is truncated')

    def write(self, frames: Sequence[Path], path: Path) -> None:
        try:
            with open(path, 'wb') as file:
                for frame, milliseconds in zip(frames, self.durations):
                    with Image.open(frame) as image:
                        if frame == frames[0]:
                            file.write(header(image.size, self.repeats))
                        write_frame(file, image, milliseconds)
                file.write(TRAILER)
        except OSError as error:
            raise OutputError(error.strerror or str(error)) from error


def describe(error: Exception) -> str:
    """Return what is wrong with a file, on one line."""
    text = getattr(error, 'strerror', None) or str(error)
    return ' '.join(text.split())[:200] or type(error).__name__


def opaque(image: Image.Image) -> np.ndarray:
    """Return the current frame as (H, W, 3) uint8 BGR.

    Raises:
        ImageError: If it has transparent pixels.
    """
    if has_alpha(image):
        image = image.convert('RGBA')
        if image.getchannel('A').getextrema()[0] < 255:
            raise ImageError('it has transparent pixels')
    return cv2.cvtColor(np.asarray(image.convert('RGB')), cv2.COLOR_RGB2BGR)


def header(size: tuple, repeats: Optional[int]) -> bytes:
    """Return the start of a GIF.

    Args:
        size (tuple[int, int]): Width and height.
        repeats (int, optional): How often it repeats, 0 for endlessly; None
            for once, without repetition.
    """
    start = b'GIF89a' + struct.pack('<HHBBB', *size, 0x70, 0, 0)
    return start if repeats is None else (
        start + b'\x21\xff\x0bNETSCAPE2.0\x03\x01'
        + struct.pack('<HB', repeats, 0))


def write_frame(file: BinaryIO, image: Image.Image,
                milliseconds: int) -> None:
    """Append a frame with 256 colors of its own.

    ``Image.save`` would keep all frames in memory and merge equal ones.
    """
    reduced = image.convert('RGB').quantize(256)
    for part in GifImagePlugin.getdata(
            reduced, duration=milliseconds, include_color_table=True):
        file.write(part)


def ends_with(path: Path, trailer: bytes) -> bool:
    """Return True if a file ends with a trailer, apart from zeros and from
    few other bytes after it."""
    with open(path, 'rb') as file:
        file.seek(-min(TAIL, os.fstat(file.fileno()).st_size), os.SEEK_END)
        return file.read().rstrip(b'\0').endswith(trailer)


def is_animated(path: Path) -> bool:
    """Return True if a file is a GIF of several frames."""
    try:
        with Image.open(path, formats=['GIF']) as image:
            return image.is_animated
    except Exception:  # the reader of photos reports what is wrong
        return False
