"""Reading image files: one way for training, testing and restoring.

What a file holds is read as it is meant, or refused; docs/reliability.md has
the table.
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
from .white_level import remark, to_eight_bits

FORMATS = ('PNG', 'JPEG', 'BMP', 'TIFF', 'WEBP', 'GIF')
MODES = ('1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'RGBX', 'CMYK', 'YCbCr')
MAX_PIXELS = 250_000_000
Warn = Callable[[str], Any]
# how a whole file usually ends
TRAILERS = {'PNG': b'IEND', 'JPEG': b'\xff\xd9'}
TAIL = 64
SIDEWAYS = (5, 6, 7, 8)  # orientations of EXIF
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0  # TIFF


def read_image(path: Union[str, Path], grey: bool = False,
               max_pixels: int = MAX_PIXELS, white: Optional[int] = None,
               warn: Warn = warnings.warn) -> np.ndarray:
    """An image file as (H, W, 3) uint8 BGR, or (H, W, 1), turned upright.

    Grey, palette, 1 bit and CMYK become colours, 16 bits become 8, alpha is
    left out where it hides nothing, colour profiles are not applied.

    Args:
        path (str | Path): PNG, JPEG, BMP, TIFF, WebP or GIF.
        grey (bool): Whether colours become grey, (H, W, 1).
        max_pixels (int): What declares more is refused before decoding.
        white (int, optional): Value of white in files with 16 bits a channel,
            255 to 65535, such as 4095 for 12-bit data. By default 65535, with
            a warning for files that use no more than 14 bits.
        warn (callable): Called with a text that names the file if its values
            do not fit the white level.

    Raises:
        ImageError: If the file is missing, no regular file, broken or
            truncated, has transparent parts, several pictures, other bits a
            channel, or too many pixels.
    """
    with _opened(path, max_pixels, True) as (file, image):
        if image.mode in ('RGB', 'L') and _told_by_ends(file, image) and (
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
    """Pixels in 8 bits, with a warning if they do not fit the white level."""
    if pixels.dtype == np.uint8:
        if white is not None:
            warn(f'{name} is not grey or RGB with 16 bits a channel: the '
                 f'white level {white} is not used.')
        return pixels
    text = remark(pixels, white)
    if text:
        warn(f'{name} {text}')
    return to_eight_bits(pixels, white)


def picture_pixels(picture: Image.Image, max_pixels: int = MAX_PIXELS,
                   white: Optional[int] = None,
                   warn: Warn = warnings.warn) -> np.ndarray:
    """A picture of PIL's as (H, W, 3) uint8 BGR, by the rules for files.

    Args:
        picture (Image): It is not changed.
        max_pixels (int): What has more is refused.
        white, warn: See :func:`read_image`.

    Raises:
        ImageError: As :func:`read_image`.
    """
    try:
        if 0 in picture.size:
            raise ImageError('is empty (0 pixels)')
        _check_header(picture, max_pixels)
        pixels = decode_picture(picture, white)
    except Exception as error:  # of a file that it has not read yet
        raise ImageError('the PIL image '
                         f"{_reason('', error, max_pixels)}.") from None
    pixels = _eight_bits(pixels, 'the PIL image', white, warn)
    return pixels if pixels.ndim == 3 else cv2.cvtColor(
        pixels, cv2.COLOR_GRAY2BGR)


def image_size(path: Union[str, Path],
               max_pixels: int = MAX_PIXELS) -> Tuple[int, int]:
    """Width and height, turned upright, of a file that can be read.

    For PNG and JPEG the first and the last bytes tell; where they do not, as
    with other formats, alpha or something appended, it is decoded.

    Raises:
        ImageError: As :func:`read_image`, for what that shows.
    """
    with _opened(path, max_pixels, False) as (file, image):
        if not _told_by_ends(file, image):
            height, width = decode_any(file, image).shape[:2]
            return width, height
        turned = orientation(image) in SIDEWAYS
        return image.size[::-1] if turned else image.size


@contextmanager
def _opened(path: Union[str, Path], max_pixels: int, whole: bool
            ) -> Iterator[Tuple[BinaryIO, Image.Image]]:
    """A file and its image, the header of which is fine.

    Args:
        whole (bool): Whether to read the file at once, what takes less time
            where it is decoded anyway.
    """
    if Image.MAX_IMAGE_PIXELS is not None:  # PIL has a limit too
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, max_pixels)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise ImageError('is a folder, pipe or device, not an image')
        if status.st_size == 0:
            raise ImageError('is empty (0 bytes)')
        with open(path, 'rb') as file:
            source = io.BytesIO(file.read()) if whole else file
            with Image.open(source, formats=FORMATS) as image:
                _check_header(image, max_pixels)
                yield source, image
    except Exception as error:  # decoders of broken files raise all kinds
        # a name can have line breaks
        raise ImageError(f'{str(path)!r} {_reason(path, error, max_pixels)}.'
                         ) from None


def _reason(path: Union[str, Path], error: Exception, max_pixels: int) -> str:
    if isinstance(error, ImageError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return ('is a link to nothing' if os.path.islink(path)
                else 'does not exist')
    if isinstance(error, Image.DecompressionBombError):
        return _too_large(max_pixels)
    text = f'none of {", ".join(FORMATS)}'
    if not isinstance(error, UnidentifiedImageError):
        text = getattr(error, 'strerror', None) or str(error)
        text = ' '.join(text.split())[:200] or type(error).__name__
    return f'is not a readable image ({text})'


def _too_large(max_pixels: int) -> str:
    return (f'has more than {max_pixels:,} pixels: if it really has, raise '
            'max_pixels')


def _check_header(image: Image.Image, max_pixels: int) -> None:
    """Raises ImageError, without the name, for what is not to be decoded."""
    if image.width * image.height > max_pixels:
        raise ImageError(_too_large(max_pixels))
    tags = getattr(image, 'tag_v2', {})  # TIFF
    if image.mode not in MODES and (
            image.mode not in DEEP or tags.get(BITS, (16, )) != (16, )
            or tags.get(PHOTOMETRIC) == WHITE_IS_ZERO):
        raise ImageError(f'is of mode {image.mode}: save it in grey or RGB, '
                         'with 8 or 16 bits a channel')
    # cameras keep previews beside their photo: MPO
    if image.format != 'MPO' and getattr(image, 'is_animated', False):
        raise ImageError('holds several pictures: save one')


def _told_by_ends(file: BinaryIO, image: Image.Image) -> bool:
    """Whether first and last bytes say that an image is whole and opaque."""
    if image.format not in TRAILERS or has_alpha(image):
        return False
    place = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - TAIL, 0))
    tail = file.read()
    file.seek(place)
    return TRAILERS[image.format] in tail
