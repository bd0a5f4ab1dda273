"""Decoding of image files whose headers are fine."""
from typing import BinaryIO, Optional

import cv2
import numpy as np
from PIL import Image, ImageOps

from ..errors import ImageError
from .white_level import FULL

DEEP = ('I;16', 'I;16B', 'I;16L')
#: Modes in which PIL keeps the upper 8 of 16 bits.
CUT = ('LA', 'RGB', 'RGBA', 'RGBX')
ORIENTATION, BITS = 0x0112, 258  # tags of EXIF and TIFF


def is_cut(image: Image.Image) -> bool:
    """Whether an image has 16 bits a channel, of which PIL keeps 8.

    For a PNG this is known only until it is loaded.
    """
    return image.mode in CUT and image.format in ('PNG', 'TIFF') and (
        16 in getattr(image, 'tag_v2', {}).get(BITS, ())
        or any(';16' in str(tile[3]) for tile in image.tile))


def has_alpha(image: Image.Image) -> bool:
    return 'A' in image.getbands() or 'transparency' in image.info


def orientation(image: Image.Image) -> int:
    """EXIF's, 1 to 8; 1 is upright."""
    # PIL would decode a PNG to look behind its pixels
    if 'exif' not in image.info:
        return 1
    return image.getexif().get(ORIENTATION, 1)


def decode_ordinary(file: BinaryIO, image: Image.Image,
                    grey: bool) -> np.ndarray:
    """An upright image without alpha by OpenCV, a quarter faster than by PIL.

    Args:
        file (BinaryIO): The file.
        image (Image): Its header, of mode 'RGB' or 'L'.
        grey (bool): Whether 8-bit colours become grey.

    Returns:
        ndarray: (H, W, 3) BGR or (H, W), uint8, or uint16 if it has 16 bits.

    Raises:
        ImageError: If it is broken.
    """
    if is_cut(image):
        return _opencv(file, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    return _opencv(file, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR)


def decode_any(file: BinaryIO, image: Image.Image) -> np.ndarray:
    """Any image, upright, as PIL decodes it.

    Returns:
        ndarray: (H, W, 3) BGR, or (H, W) if it has 16 bits and is grey;
        uint8, or uint16 if it has 16 bits.

    Raises:
        ImageError: If it has transparent parts, or 16 bits in a form that is
            not supported.
    """
    if image.format == 'PNG':
        _check_sums(file)
    cut, pixels = is_cut(image), _upright(image)
    if not cut:
        return pixels
    deep = _opencv(file, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    # comparing two decoders detects layouts that one of them misreads
    if deep.dtype != np.uint16 or deep.shape != pixels.shape or (
            (deep >> 8) != pixels).any():
        raise ImageError('stores 16 bits a channel in a form that is not '
                         'supported: save it as PNG')
    return deep


def decode_picture(picture: Image.Image, white: Optional[int]) -> np.ndarray:
    """A picture of PIL's, as :func:`decode_any` gives it.

    Raises:
        ImageError: As :func:`decode_any`, or if PIL keeps 8 of 16 bits and
            there is a white level.
    """
    cut, pixels = is_cut(picture), _upright(picture)
    if cut and white not in (None, FULL):
        raise ImageError('has 8 of the 16 bits of its file, too few for a '
                         'white level: give the path of the file')
    return pixels.astype(np.uint16) * 257 if cut else pixels


def _check_sums(file: BinaryIO) -> None:
    """Stops at what is damaged in a PNG: decoding does not look at that."""
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
    """(H, W, 3) uint8 BGR of what PIL has opened, (H, W) uint16 if grey with
    16 bits."""
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode in DEEP:
        return np.asarray(image).astype(np.uint16)  # in the machine's order
    if has_alpha(image):
        image = image.convert('RGBA')
        if image.getchannel('A').getextrema()[0] < 255:
            raise ImageError('has transparent parts: save it without')
    return cv2.cvtColor(np.asarray(image.convert('RGB')), cv2.COLOR_RGB2BGR)
