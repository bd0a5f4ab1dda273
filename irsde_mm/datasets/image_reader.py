"""Reading image files: one way for training, testing and restoring.

What a file holds is read as it is meant, or refused; docs/reliability.md has
the table.
"""
import io
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Iterator, Tuple, Union

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import ImageError

FORMATS = ('PNG', 'JPEG', 'BMP', 'TIFF', 'WEBP', 'GIF')
MODES = ('1', 'L', 'LA', 'P', 'PA', 'RGB', 'RGBA', 'RGBX', 'CMYK', 'YCbCr')
DEEP = ('I;16', 'I;16B', 'I;16L')
MAX_PIXELS = 250_000_000
# how a whole file usually ends
TRAILERS = {'PNG': b'IEND', 'JPEG': b'\xff\xd9'}
TAIL = 64
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)  # EXIF
BITS, PHOTOMETRIC, WHITE_IS_ZERO = 258, 262, 0  # TIFF


def read_image(path: Union[str, Path], grey: bool = False,
               max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """An image file as (H, W, 3) uint8 BGR, or (H, W, 1), turned upright.

    Grey, palette, 1 bit and CMYK become colours, of 16 bits the upper 8 are
    taken, alpha is left out where it hides nothing, colour profiles are not
    applied.

    Args:
        path (str | Path): PNG, JPEG, BMP, TIFF, WebP or GIF.
        grey (bool): Whether colours become grey, (H, W, 1).
        max_pixels (int): What declares more is refused before decoding.

    Raises:
        ImageError: If the file is missing, no regular file, broken or
            truncated, has transparent parts, several pictures, other bits a
            channel, or too many pixels.
    """
    with _opened(path, max_pixels, True) as (file, image):
        if image.mode in ('RGB', 'L') and _told_by_ends(file, image) and (
                _orientation(image) == 1):
            pixels = _decoded(file, grey)
        else:
            pixels = cv2.cvtColor(
                _converted(file, image),
                cv2.COLOR_RGB2GRAY if grey else cv2.COLOR_RGB2BGR)
    return pixels.reshape(*pixels.shape[:2], -1)


def picture_pixels(picture: Image.Image,
                   max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """A picture of PIL's as (H, W, 3) uint8 BGR, by the rules for files.

    Args:
        picture (Image): It is not changed.
        max_pixels (int): What has more is refused.

    Raises:
        ImageError: As :func:`read_image`.
    """
    try:
        if 0 in picture.size:
            raise ImageError('is empty (0 pixels)')
        _check_header(picture, max_pixels)
        return cv2.cvtColor(_rgb(picture), cv2.COLOR_RGB2BGR)
    except Exception as error:  # of a file that it has not read yet
        raise ImageError('the PIL image '
                         f"{_reason('', error, max_pixels)}.") from None


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
            height, width = _converted(file, image).shape[:2]
            return width, height
        turned = _orientation(image) in SIDEWAYS
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
    if image.format not in TRAILERS or _has_alpha(image):
        return False
    place = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - TAIL, 0))
    tail = file.read()
    file.seek(place)
    return TRAILERS[image.format] in tail


def _check_sums(file: BinaryIO) -> None:
    """Stops at what is damaged in a PNG: decoding does not look at that."""
    place = file.tell()
    file.seek(0)
    Image.open(file, formats=['PNG']).verify()
    file.seek(place)


def _has_alpha(image: Image.Image) -> bool:
    return 'A' in image.getbands() or 'transparency' in image.info


def _orientation(image: Image.Image) -> int:
    # PIL would decode a PNG to look behind its pixels
    if 'exif' not in image.info:
        return 1
    return image.getexif().get(ORIENTATION, 1)


def _decoded(file: BinaryIO, grey: bool) -> np.ndarray:
    """An ordinary image by OpenCV, a quarter faster than by PIL."""
    file.seek(0)
    pixels = cv2.imdecode(
        np.frombuffer(file.read(), np.uint8),
        cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)
    if pixels is None:
        raise ImageError('is not a readable image (broken)')
    return pixels


def _converted(file: BinaryIO, image: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8 RGB of any image, upright, as PIL decodes it."""
    if image.format == 'PNG':
        _check_sums(file)
    return _rgb(image)


def _rgb(image: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8 RGB of what PIL has opened, upright."""
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode in DEEP:
        deep = np.asarray(image)
        return np.stack(((deep >> 8).astype(np.uint8), ) * 3, axis=2)
    if _has_alpha(image):
        image = image.convert('RGBA')
        if image.getchannel('A').getextrema()[0] < 255:
            raise ImageError('has transparent parts: save it without')
    return np.asarray(image.convert('RGB'))
