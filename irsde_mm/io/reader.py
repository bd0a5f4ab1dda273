"""Image reader used for training, testing and restoring.

A file is either read as intended or rejected; see the table in
docs/reliability.md.
"""
import io
import os
import stat
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, Optional, Tuple, Union

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from ..errors import ImageError
from .decoding import (BITS, DEEP, decode_any, decode_ordinary, decode_picture,
                       has_alpha, orientation)
from .shards import is_member, read_member
from .stored import StoredPhoto, open_stored
from .white_level import describe_mismatch, to_eight_bits

FORMATS = ('PNG', 'JPEG', 'BMP', 'TIFF', 'WEBP', 'GIF')
MODES = ('1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'RGBX', 'CMYK', 'YCbCr')
MAX_PIXELS = 250_000_000
Warn = Callable[[str], Any]
File = Union[str, Path, StoredPhoto]
# markers at the end of a complete file
TRAILERS = {'PNG': b'IEND', 'JPEG': b'\xff\xd9'}
TAIL = 64
SIDEWAYS = (5, 6, 7, 8)  # EXIF orientations
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # TIFF


def read_image(path: File, grey: bool = False,
               max_pixels: int = MAX_PIXELS, white: Optional[int] = None,
               warn: Warn = warnings.warn) -> np.ndarray:
    """Read an image file as (H, W, 3) uint8 BGR, or (H, W, 1), upright.

    Gray, palette, 1-bit and CMYK images are converted to BGR, and 16 bits
    per channel to 8. Alpha is dropped if the image is fully opaque. Color
    profiles are not applied.

    Args:
        path (str | Path | StoredPhoto): PNG, JPEG, BMP, TIFF, WebP or GIF, or
            the address of one in a shard, ``shard://SHARD/NAME``.
        grey (bool): Whether to convert to gray, (H, W, 1).
        max_pixels (int): Files that declare more pixels are rejected before
            decoding.
        white (int, optional): White level of files with 16 bits per channel,
            255 to 65535, such as 4095 for 12-bit data. Default: 65535, with a
            warning for files that use at most 14 bits.
        warn (callable): Called with a message that names the file if its
            values do not match the white level.

    Raises:
        ImageError: If the file is missing, not a regular file, broken or
            truncated, or if it has transparent pixels, several images, an
            unsupported bit depth, or too many pixels.
    """
    with _opened(path, max_pixels, True) as (file, image):
        if image.mode in ('RGB', 'L') and _ends_suffice(file, image) and (
                orientation(image) == 1):
            pixels = decode_ordinary(file, image, grey)
        else:
            pixels = decode_any(file, image)
    pixels = _eight_bits(pixels, repr(str(path)), white, warn)
    if grey and pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    elif not grey and pixels.ndim == 2:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
    return pixels.reshape(*pixels.shape[:2], -1)


def _eight_bits(pixels: np.ndarray, name: str, white: Optional[int],
                warn: Warn) -> np.ndarray:
    """Convert pixels to 8 bits; warn if they do not match the white level."""
    if pixels.dtype == np.uint8:
        if white is not None:
            warn(f'{name} is not grayscale or RGB with 16 bits per channel: '
                 f'the white level {white} is not used.')
        return pixels
    text = describe_mismatch(pixels, white)
    if text:
        warn(f'{name} {text}')
    return to_eight_bits(pixels, white)


def picture_pixels(picture: Image.Image, max_pixels: int = MAX_PIXELS,
                   white: Optional[int] = None,
                   warn: Warn = warnings.warn) -> np.ndarray:
    """Convert a PIL image to (H, W, 3) uint8 BGR like :func:`read_image`.

    Args:
        picture (Image): The PIL image, which is not changed.
        max_pixels (int): Larger images are rejected.
        white, warn: See :func:`read_image`.

    Raises:
        ImageError: As for :func:`read_image`.
    """
    try:
        if 0 in picture.size:
            raise ImageError('is empty (0 pixels)')
        _check_header(picture, max_pixels)
        pixels = decode_picture(picture, white)
    except Exception as error:  # PIL may not have read its file yet
        raise ImageError('the PIL image '
                         f"{_reason('', error, max_pixels)}.") from None
    pixels = _eight_bits(pixels, 'the PIL image', white, warn)
    return pixels if pixels.ndim == 3 else cv2.cvtColor(
        pixels, cv2.COLOR_GRAY2BGR)


def image_size(path: File,
               max_pixels: int = MAX_PIXELS) -> Tuple[int, int]:
    """Return the upright width and height of a readable image file.

    For most PNG and JPEG files, the first and last bytes are enough. Files
    in other formats, with alpha, or with appended data are decoded.

    Raises:
        ImageError: As for :func:`read_image`, for problems found on the way.
    """
    with _opened(path, max_pixels, False) as (file, image):
        if not _ends_suffice(file, image):
            height, width = decode_any(file, image).shape[:2]
            return width, height
        turned = orientation(image) in SIDEWAYS
        return image.size[::-1] if turned else image.size


@contextmanager
def _opened(path: File, max_pixels: int, whole: bool
            ) -> Iterator[Tuple[BinaryIO, Image.Image]]:
    """Open a file as a PIL image and check the header.

    Args:
        whole (bool): Whether to read the whole file first, which is faster
            if the image is going to be decoded.
    """
    if is_member(path):
        path = StoredPhoto(path, read_member(path))
    if Image.MAX_IMAGE_PIXELS is not None:  # raise PIL's own limit
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, max_pixels)
    try:
        if _size(path) == 0:
            raise ImageError('is empty (0 bytes)')
        with open_stored(path) as file:
            source = io.BytesIO(file.read()) if whole else file
            with Image.open(source, formats=FORMATS) as image:
                _check_header(image, max_pixels)
                yield source, image
    except Exception as error:  # broken files raise many exception types
        # repr(), because a file name can contain line breaks
        raise ImageError(f'{str(path)!r} {_reason(path, error, max_pixels)}.'
                         ) from None


def _size(path: File) -> int:
    """Return the size of a file in bytes.

    Raises:
        ImageError: If it is not a regular file.
    """
    if isinstance(path, StoredPhoto):
        return len(path.content)
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ImageError('is a folder, pipe or device, not an image')
    return status.st_size


def _reason(path: File, error: Exception, max_pixels: int) -> str:
    if isinstance(error, ImageError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return ('is a broken link' if os.path.islink(path)
                else 'does not exist')
    if isinstance(error, Image.DecompressionBombError):
        return _too_large(max_pixels)
    text = f'not one of {", ".join(FORMATS)}'
    if not isinstance(error, UnidentifiedImageError):
        text = getattr(error, 'strerror', None) or str(error)
        text = ' '.join(text.split())[:200] or type(error).__name__
    return f'is not a readable image ({text})'


def _too_large(max_pixels: int) -> str:
    return (f'has more than {max_pixels:,} pixels: if this is correct, raise '
            'max_pixels')


def _check_header(image: Image.Image, max_pixels: int) -> None:
    """Reject images that must not be decoded.

    Raises:
        ImageError: Without the name of the file.
    """
    if image.width * image.height > max_pixels:
        raise ImageError(_too_large(max_pixels))
    tags = getattr(image, 'tag_v2', {})  # TIFF
    if image.mode not in MODES and (
            image.mode not in DEEP or tags.get(BITS, (16, )) != (16, )
            or tags.get(PHOTOMETRIC) == WHITE_IS_ZERO):
        raise ImageError(f'has the unsupported mode {image.mode}: save it as '
                         'grayscale or RGB with 8 or 16 bits per channel')
    # in MPO files, cameras store previews after the photo
    if image.format != 'MPO' and getattr(image, 'is_animated', False):
        raise ImageError('contains several images: save a single one')


def _ends_suffice(file: BinaryIO, image: Image.Image) -> bool:
    """Return True if header and trailer show a complete, opaque image."""
    if image.format not in TRAILERS or has_alpha(image):
        return False
    place = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - TAIL, 0))
    tail = file.read()
    file.seek(place)
    return TRAILERS[image.format] in tail
