"""Decoding of image files whose headers were checked."""
from typing import BinaryIO, Optional

import cv2
import numpy as np
from PIL import Image, ImageOps

from ..errors import ImageError
from .white_level import FULL

DEEP = ('I;16', 'I;16B', 'I;16L')
#: Modes in which PIL keeps only the upper 8 of 16 bits.
REDUCED = ('LA', 'RGB', 'RGBA', 'RGBX')
ORIENTATION, BITS = 0x0112, 258  # tags of EXIF and TIFF


def loses_bits(image: Image.Image) -> bool:
    """Return True if PIL keeps only 8 of an image's 16 bits per channel.

    For a PNG, call this before the image is loaded: loading discards the
    information.
    """
    return image.mode in REDUCED and image.format in ('PNG', 'TIFF') and (
        16 in getattr(image, 'tag_v2', {}).get(BITS, ())
        or any(';16' in str(tile[3]) for tile in image.tile))


def has_alpha(image: Image.Image) -> bool:
    return 'A' in image.getbands() or 'transparency' in image.info


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8, where 1 is upright."""
    # for a PNG, getexif() would decode the pixels to look for EXIF after them
    if 'exif' not in image.info:
        return 1
    return image.getexif().get(ORIENTATION, 1)


def decode_ordinary(file: BinaryIO, image: Image.Image,
                    grey: bool) -> np.ndarray:
    """Decode an upright image without alpha with OpenCV.

    This is about a quarter faster than decoding with PIL.

    Args:
        file (BinaryIO): The file.
        image (Image): The opened image, of mode 'RGB' or 'L'.
        grey (bool): Whether to convert 8-bit colors to gray.

    Returns:
        ndarray: (H, W, 3) BGR or (H, W); uint16 for 16-bit files, otherwise
        uint8.

    Raises:
        ImageError: If the file is broken.
    """
    if loses_bits(image):
        return _opencv(file, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    return _opencv(file, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)


def decode_any(file: BinaryIO, image: Image.Image) -> np.ndarray:
    """Decode any supported image with PIL and turn it upright.

    Args:
        file (BinaryIO): The file.
        image (Image): The opened image.

    Returns:
        ndarray: (H, W, 3) BGR, or (H, W) for 16-bit gray; uint16 for 16-bit
        files, otherwise uint8.

    Raises:
        ImageError: If the image has transparent pixels, or stores 16 bits in
            an unsupported layout.
    """
    if image.format == 'PNG':
        _check_sums(file)
    reduced, pixels = loses_bits(image), _upright(image)
    if not reduced:
        return pixels
    deep = _opencv(file, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    # comparing two decoders detects layouts that one of them misreads
    if deep.dtype != np.uint16 or deep.shape != pixels.shape or (
            (deep >> 8) != pixels).any():
        raise ImageError('stores 16 bits per channel in an unsupported '
                         'layout: save it as PNG')
    return deep


def decode_picture(picture: Image.Image, white: Optional[int]) -> np.ndarray:
    """Convert a PIL image to an array like that of :func:`decode_any`.

    Args:
        picture (Image): The PIL image.
        white (int, optional): White level that will be applied.

    Raises:
        ImageError: As for :func:`decode_any`, or if a white level is given
            and PIL kept only 8 of 16 bits.
    """
    reduced, pixels = loses_bits(picture), _upright(picture)
    if reduced and white not in (None, FULL):
        raise ImageError('has only 8 of the 16 bits of its file, too few to '
                         'apply a white level: pass the path of the file')
    return pixels.astype(np.uint16) * 257 if reduced else pixels


def _check_sums(file: BinaryIO) -> None:
    """Verify the checksums of a PNG, which decoding ignores."""
    place = file.tell()
    file.seek(0)
    Image.open(file, formats=['PNG']).verify()
    file.seek(place)


def _opencv(file: BinaryIO, flags: int) -> np.ndarray:
    file.seek(0)
    pixels = cv2.imdecode(np.frombuffer(file.read(), np.uint8), flags)
    if pixels is None:
        raise ImageError('is not a readable image (broken)')
    return pixels


def _upright(image: Image.Image) -> np.ndarray:
    """Load an opened image and turn it upright.

    Returns:
        ndarray: (H, W, 3) uint8 BGR, or (H, W) uint16 for 16-bit gray.
    """
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode in DEEP:
        return np.asarray(image).astype(np.uint16)  # to native byte order
    if has_alpha(image):
        image = image.convert('RGBA')
        if image.getchannel('A').getextrema()[0] < 255:
            raise ImageError('has transparent pixels: save it without '
                             'transparency')
    return cv2.cvtColor(np.asarray(image.convert('RGB')), cv2.COLOR_RGB2BGR)
